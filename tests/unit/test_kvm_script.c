// SPDX-License-Identifier: GPL-2.0
/* VM exits in the sinks: lines, JSON, groups. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "user/report/sink.h"

#define NO_SUCH_ID "00000000-0000-0000-0000-000000000000"

static const struct rec_info info = { .levels = 4, .maxphyaddr = 40, .kvm = 7, .no_faults = 1 };

static struct ptev_hypercall call(void)
{
	return (struct ptev_hypercall){
		.exit = { .hdr = { .size = sizeof(struct ptev_hypercall), .type = PTEV_HYPERCALL },
			  .reason = PTEV_SVM_VMMCALL,
			  .isa = PTEV_ISA_SVM,
			  .time = 1000000002,
			  .latency = 1500,
			  .rip = 0x9000,
			  .pid = 7,
			  .tid = 8,
			  .vcpu = 3,
			  .cpu = 1,
			  .mode = PTEV_MODE_64,
			  .cpl = 0,
			  .flags = PTEV_K_LATENCY | PTEV_K_CPL | PTEV_K_ARGS | PTEV_K_REGS |
				   PTEV_K_RET },
		.rax = 0xa,
		.rbx = 0xb,
		.rcx = 0xc,
		.rdx = 0xd,
		.rsi = 1,
		.rdi = 2,
		.r8 = 8,
		.r9 = 9,
		.r10 = 0x10,
		.r11 = 0x11,
		.ret = 0x77,
	};
}

static struct ptev_violation violation(void)
{
	struct ptev_violation v = {
		.exit = call().exit,
		.gpa = 0x1234567,
		.hva = 0x7f0000000567,
		.root = 0x5000,
		.slot = 2,
		.access = PTEV_WRITE,
		.levels = 4,
		.outcome = PTEV_VIO_MAPPED,
		.before = { { 0, 0x8000000000000000, 0x2027, 0x1027 } },
		.after = { { 0x4117e67, 0x3827, 0x2027, 0x1027 } },
	};

	v.exit.hdr = (struct ptev_hdr){ .size = sizeof(v), .type = PTEV_VIOLATION };
	v.exit.reason = PTEV_SVM_NPF;
	v.exit.info1 = 0x100000006;
	v.exit.flags = PTEV_K_LATENCY | PTEV_K_GPA | PTEV_K_ACCESS | PTEV_K_SLOT | PTEV_K_BEFORE |
		       PTEV_K_AFTER;
	v.exit.mode = PTEV_MODE_UNKNOWN;
	return v;
}

/* Runs records through a sink of @make and returns what it printed. */
static char *run(const struct ptev_vmexit *const *events, unsigned int n,
		 struct sink *(*make)(const struct sink_env *, FILE *, const void *),
		 const void *arg)
{
	const struct rec_totals totals = { .events = n };
	struct sink_env env = { .info = &info };
	struct sink *sink;
	unsigned int i;
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);

	env.procs = procs_new();
	env.symbols = symbols_new(NO_SUCH_ID);
	sink = make(&env, out, arg);
	cr_assert_not_null(sink);
	for (i = 0; i < n; i++)
		cr_assert_eq(sink->vmexit(sink, events[i]), 0);
	cr_assert_eq(sink->finish(sink, &totals, true), 0);
	sink->free(sink);
	fclose(out);
	symbols_free(env.symbols);
	procs_free(env.procs);
	return text;
}

/* An ABI with a name for the call above. */
static const struct abi *known_abi(void)
{
	static const char text[] = "abi t\nmode 64\nnumber rax\nreturn rax\n"
				   "call 0xa kick apic=dec:rbx more=hex:rdi\n"
				   "call 0xb ask name=string:gva:rbx\n"
				   "mode 32\nnumber rdi\nreturn rcx\ncall * other\n";
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct abi *abi;

	cr_assert_eq(abi_read(&abi, in, "t"), 0);
	fclose(in);
	return abi;
}

static struct sink *abi_script(const struct sink_env *env, FILE *out, const void *opts)
{
	struct script_opts with_out = *(const struct script_opts *)opts;

	with_out.out = out;
	return sink_script(env, &with_out);
}

static struct sink *script(const struct sink_env *env, FILE *out, const void *json)
{
	struct script_opts opts = { .out = out, .json = json };

	return sink_script(env, &opts);
}

static struct sink *report(const struct sink_env *env, FILE *out, const void *sort)
{
	struct report_opts opts = { .out = out, .sort = sort };

	return sink_report(env, &opts);
}

static void expect_line(const struct ptev_vmexit *e, const char *line)
{
	char *text = run(&e, 1, script, NULL);
	char *who = strstr(text, ": ");

	cr_assert_not_null(who);
	cr_assert_str_eq(who + 2, line);
	free(text);
}

static void expect_json(const struct ptev_vmexit *e, const char *part)
{
	char *text = run(&e, 1, script, "json");

	cr_assert_not_null(strstr(text, part), "%s in %s", part, text);
	free(text);
}

Test(kvm_script, calls)
{
	struct ptev_hypercall c = call();

	expect_line(&c.exit,
		    "hypercall vcpu=3 nr=0xa rip=0x9000 cpl=0 mode=64 rbx=0xb rcx=0xc rdx=0xd "
		    "rsi=0x1 rdi=0x2 r8=0x8 r9=0x9 r10=0x10 r11=0x11 ret=0x77 lat=1.50us\n");
	expect_json(&c.exit, "\"cpl\":0,\"mode\":\"64\",\"nested\":false,\"user_exit\":null,"
			     "\"latency_ns\":1500,\"nr\":\"0xa\",\"rax\":\"0xa\",\"rbx\":\"0xb\"");
	c.exit.flags = PTEV_K_ARGS | PTEV_K_NESTED | PTEV_K_USER;
	c.exit.mode = PTEV_MODE_UNKNOWN;
	c.exit.user_exit = 3;
	expect_line(&c.exit, "hypercall vcpu=3 nr=0xa rip=0x9000 rbx=0xb rcx=0xc rdx=0xd rsi=0x1 "
			     "nested=1 user_exit=3\n");
	expect_json(&c.exit, "\"rdi\":null,\"r8\":null,\"r9\":null,\"r10\":null,\"r11\":null,"
			     "\"ret\":null}");
	c.exit.flags = 0;
	expect_line(&c.exit, "hypercall vcpu=3 rip=0x9000\n");
	expect_json(&c.exit, "\"nr\":null,\"rax\":null");
}

/* What stands between "vcpu=3" and " nr=", and in JSON behind "ret". */
static void expect_call(const struct ptev_vmexit *e, const char *words, const char *json)
{
	struct script_opts opts = { .abi = known_abi() };
	char *text = run(&e, 1, abi_script, &opts), *end, *at;

	at = strstr(text, "vcpu=3");
	end = strstr(text, " nr=");
	cr_assert(at && end, "%s", text);
	*end = 0;
	cr_expect_str_eq(at + strlen("vcpu=3"), words);
	free(text);
	opts.json = true;
	text = run(&e, 1, abi_script, &opts);
	cr_expect_not_null(strstr(text, json), "%s in %s", json, text);
	free(text);
	abi_free((struct abi *)(uintptr_t)opts.abi);
}

Test(kvm_script, words)
{
	struct ptev_hypercall c = call();

	expect_call(
		&c.exit, " kick(apic=11, more=0x2) = 0x77",
		"\"ret\":\"0x77\",\"call\":{\"abi\":\"t\",\"number\":\"0xa\",\"call\":\"kick\"");
	c.exit.flags &= (__u16)~PTEV_K_REGS;
	expect_call(&c.exit, " kick(apic=11, more=?) = 0x77", "\"more\":null}");
	/* The ABI has the number of 32-bit guests in a register that is not there. */
	c.exit.mode = PTEV_MODE_32;
	expect_call(&c.exit, "", "\"call\":null}");
	/* And their result, which nobody has recorded. */
	c.exit.flags |= PTEV_K_REGS;
	c.exit.mode = PTEV_MODE_LEGACY;
	expect_call(&c.exit, " other#0x2()", "\"result\":null");
	c.exit.mode = PTEV_MODE_UNKNOWN;
	c.rax = 0xb;
	expect_call(&c.exit, " ask(name=0xb) = 0x77", "\"parts\":null");
}

/* Registers that were not recorded say nothing. */
Test(kvm_script, no_words)
{
	struct script_opts opts = { .abi = known_abi(), .json = true };
	struct ptev_hypercall c = call();
	const struct ptev_vmexit *e = &c.exit;
	char *text;

	c.exit.flags = 0;
	text = run(&e, 1, abi_script, &opts);
	cr_expect_not_null(strstr(text, "\"ret\":null,\"call\":null}"), "%s", text);
	free(text);
	abi_free((struct abi *)(uintptr_t)opts.abi);
}

static struct sink *abi_report(const struct sink_env *env, FILE *out, const void *opts)
{
	struct report_opts with_out = *(const struct report_opts *)opts;

	with_out.out = out;
	return sink_report(env, &with_out);
}

Test(kvm_script, groups_by_call)
{
	const struct ptev_hypercall c = call();
	const struct ptev_violation v = violation();
	const struct ptev_vmexit *const events[] = { &c.exit, &v.exit };
	struct report_opts opts = { .abi = known_abi() };
	const struct sink_env env = { .info = &info };
	char *text = run(events, 2, abi_report, &opts);

	cr_expect_not_null(strstr(text, "  vm  vcpu  event      reason   call\n"), "%s", text);
	cr_expect_not_null(strstr(text, "hypercall  vmmcall  kick\n"), "%s", text);
	cr_expect_not_null(strstr(text, "violation  npf      [none]\n"), "%s", text);
	free(text);
	abi_free((struct abi *)(uintptr_t)opts.abi);
	opts = (struct report_opts){ .sort = "call" };
	cr_expect_null(sink_report(&env, &opts));
}

Test(kvm_script, violations)
{
	struct ptev_violation v = violation();

	expect_line(&v.exit,
		    "violation vcpu=3 write gpa=0x1234567 reason=npf bits=W|U|final rip=0x9000 "
		    "hva=0x7f0000000567 slot=2 outcome=mapped lat=1.50us "
		    "[before: l4:1027 l3:2027 l2:8000000000000000 -> hole at l2] "
		    "[after: l4:1027 l3:2027 l2:3827 l1:4117e67 -> 4K pfn 0x4117]\n");
	expect_json(&v.exit, "\"gpa\":\"0x1234567\",\"gva\":null,");
	expect_json(&v.exit, "\"pfn\":16663,\"root\":\"0x5000\",\"walk_before\":{\"levels\":[");
	/* A reserved bit, as KVM marks MMIO where the CPU has less than 52 address bits. */
	v.after.entry[0] = 0x8000001234027;
	v.outcome = PTEV_VIO_MMIO;
	expect_json(&v.exit, "\"stop\":\"mmio\",\"stop_level\":1");
	expect_json(&v.exit, "\"pfn\":null");
	/* 2 MiB: the frame is that of the gpa itself. */
	v.after.entry[1] = 0x4200ee7;
	expect_json(&v.exit, "\"pfn\":16948");
	v.exit.flags = 0;
	v.outcome = PTEV_VIO_UNKNOWN;
	expect_line(&v.exit, "violation vcpu=3 reason=npf bits=W|U|final rip=0x9000\n");
	expect_json(&v.exit, "\"gpa\":null,\"gva\":null,\"access\":null");
	expect_json(&v.exit, "\"walk_before\":null,\"walk_after\":null}");
}

/* Intel: EPT entries, and a misconfiguration, of which the qualification says nothing. */
Test(kvm_script, misconfigurations)
{
	struct ptev_violation v = violation();

	v.exit.isa = PTEV_ISA_VMX;
	v.exit.reason = PTEV_VMX_EPT_VIOLATION;
	v.exit.info1 = 0x181;
	v.exit.flags = PTEV_K_GPA | PTEV_K_GVA;
	v.gva = 0xffff800000000567;
	v.outcome = PTEV_VIO_UNKNOWN;
	expect_line(&v.exit, "violation vcpu=3 gpa=0x1234567 gva=0xffff800000000567 "
			     "reason=ept_violation bits=read|gva|final rip=0x9000\n");
	expect_json(&v.exit, "\"gva\":\"0xffff800000000567\"");
	v.exit.reason = PTEV_VMX_EPT_MISCONFIG;
	v.exit.flags = PTEV_K_GPA | PTEV_K_BEFORE;
	v.before = (struct ptev_walk){ { 0x1234006, 0x3907, 0x2907, 0x1907 } };
	v.outcome = PTEV_VIO_MMIO;
	expect_line(&v.exit,
		    "violation vcpu=3 gpa=0x1234567 reason=ept_misconfig bits=- rip=0x9000 "
		    "outcome=mmio [before: l4:1907 l3:2907 l2:3907 l1:1234006 -> mmio at l1]\n");
}

Test(kvm_script, exits)
{
	struct ptev_vmexit e = call().exit;

	e.hdr = (struct ptev_hdr){ .size = sizeof(e), .type = PTEV_KVM_EXIT };
	e.reason = 0x78;
	e.flags = PTEV_K_LATENCY;
	e.mode = 0;
	expect_line(&e, "exit vcpu=3 reason=hlt rip=0x9000 info1=0x0 info2=0x0 lat=1.50us\n");
	expect_json(&e, "\"type\":\"exit\"");
	expect_json(&e, "\"reason\":120,\"reason_name\":\"hlt\"");
}

static void expect_groups(const char *sort, const char *rows)
{
	const struct ptev_hypercall c = call();
	struct ptev_violation v = violation();
	const struct ptev_vmexit *const events[] = { &c.exit, &v.exit, &v.exit };
	char *text, *at;

	text = run(events, 3, report, sort);
	at = strstr(text, " share");
	cr_assert_not_null(at);
	cr_assert_not_null(strstr(at, rows), "%s in %s", rows, at);
	free(text);
}

Test(kvm_script, groups)
{
	expect_groups(NULL, "  vm  vcpu  event      reason\n");
	expect_groups("event,reason,nr", "hypercall  vmmcall  0xa");
	expect_groups("event,reason,nr", "violation  npf      [none]");
	expect_groups("page,level", "0x1234000  4K");
	expect_groups("outcome,access", "mapped   write");
	expect_groups("outcome,access", "[none]   [none]");
	expect_groups("file", "100.00%      3  1.50us  1.50us  1.50us  [none]");
}
