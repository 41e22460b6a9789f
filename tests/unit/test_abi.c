// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/abi/abi_text.h"

static struct abi *read_text(const char *text)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct abi *a = NULL;

	cr_assert(in);
	cr_assert_eq(abi_read(&a, in, "test"), 0);
	fclose(in);
	return a;
}

static struct abi *read_file(const char *name)
{
	char path[100];
	struct abi *a = NULL;
	FILE *in;

	snprintf(path, sizeof(path), "user/abi/%s.abi", name);
	in = fopen(path, "r");
	cr_assert(in, "%s", path);
	cr_assert_eq(abi_read(&a, in, path), 0);
	fclose(in);
	cr_assert_str_eq(a->name, name);
	return a;
}

static void expect_line(const struct abi *a, const struct abi_seen *seen, const char *want)
{
	struct line l = { 0 };

	abi_call_line(&l, a, seen);
	line_char(&l, '\0');
	cr_expect_str_eq(l.buf, want);
	line_free(&l);
}

static void expect_name(const struct abi *a, const struct abi_seen *seen, const char *want)
{
	struct line l = { 0 };

	abi_call_name(&l, a, seen);
	line_char(&l, '\0');
	cr_expect_str_eq(l.buf, want);
	line_free(&l);
}

static void expect_refused(const char *text)
{
	FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct abi *a = NULL;

	cr_assert(in);
	cr_expect_eq(abi_read(&a, in, "test"), -EINVAL, "%s", text);
	cr_expect_null(a);
	fclose(in);
}

Test(abi, files_in_the_tree)
{
	static const char *const names[] = { "kvm", "hyperv", "xen", "bitvisor", "capsule" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		abi_free(read_file(names[i]));
}

Test(abi, kvm)
{
	struct abi *a = read_file("kvm");
	uint64_t regs[ABI_NR_REGS] = { [ABI_RAX] = 5, [ABI_RBX] = 1, [ABI_RCX] = 3 };
	struct abi_seen seen = { .regs = regs, .width = ABI_64, .has_result = true };

	expect_line(a, &seen, "kick_cpu(flags=0x1, apic=3) = ok");
	regs[ABI_RAX] = 77;
	seen.result = (uint64_t)-1000;
	expect_line(a, &seen, "unknown#0x4d(rbx=0x1, rcx=0x3, rdx=0x0, rsi=0x0) = ENOSYS");
	/* A 32-bit guest has the lower halves, and -1000 in 32 bits. */
	seen.width = ABI_32;
	seen.result = (uint32_t)-1000;
	regs[ABI_RAX] = 0xffffffff00000005;
	expect_line(a, &seen, "kick_cpu(flags=0x1, apic=3) = ENOSYS");
	regs[ABI_RAX] = 12;
	regs[ABI_RBX] = 0x5000;
	regs[ABI_RDX] = 0x11;
	seen.has_result = false;
	expect_line(a, &seen, "map_gpa_range(at=0x5000, pages=3, how=encrypted|0x1)");
	abi_free(a);
}

/* Number 0 is not the one that "call *" is about. */
Test(abi, other_calls)
{
	struct abi *a = read_file("capsule");
	uint64_t regs[ABI_NR_REGS] = { [ABI_RSI] = 1, [ABI_RDX] = 2 };
	struct abi_seen seen = { .regs = regs, .width = ABI_64 };

	expect_line(a, &seen, "call#0x0(rsi=0x1, rdx=0x2)");
	expect_name(a, &seen, "call#0x0");
	regs[ABI_RDI] = 7;
	expect_line(a, &seen, "call#0x7(rsi=0x1, rdx=0x2)");
	abi_free(a);
}

Test(abi, registers_not_recorded)
{
	struct abi *a = read_file("bitvisor");
	uint64_t regs[ABI_NR_REGS] = { [ABI_RAX] = 9, [ABI_RBX] = 1 };
	struct abi_seen seen = { .regs = regs, .width = ABI_64, .unknown = 1U << ABI_RDI };

	expect_line(a, &seen, "unknown#0x9(rbx=0x1, rcx=0x0, rdx=0x0, rsi=0x0, rdi=?)");
	cr_expect(abi_tells(a, &seen));
	seen.unknown = 1U << ABI_RAX;
	cr_expect_not(abi_tells(a, &seen));
	abi_free(a);
	a = read_text("abi t\nmode 32\nnumber rax\ncall 9 f x=hex:rdi\n");
	seen.unknown = 0;
	cr_expect_not(abi_tells(a, &seen));
	seen.width = ABI_32;
	cr_expect(abi_tells(a, &seen));
	expect_name(a, &seen, "f");
	abi_free(a);
}

Test(abi, number_bits)
{
	struct abi *a = read_file("hyperv");
	uint64_t regs[ABI_NR_REGS] = { [ABI_RCX] = 0x100010002, [ABI_RDX] = 0x7000 };
	struct abi_seen seen = { .regs = regs, .width = ABI_64 };

	expect_line(a, &seen, "FlushVirtualAddressSpace(control=0x100010002, input=0x7000)");
	abi_free(a);
}

Test(abi, bitvisor_learns)
{
	static const uint8_t name[] = "set_time";
	struct abi *a = read_file("bitvisor");
	uint64_t regs[ABI_NR_REGS] = { [ABI_RBX] = 0xffff8000 }, number = 0;
	struct abi_buffer buffer = { true, 256, { { 0xffff8000, 256, sizeof(name), name, NULL } } };
	struct abi_seen seen = { .regs = regs,
				 .width = ABI_64,
				 .has_result = true,
				 .result = 7,
				 .buffers = &buffer,
				 .nr_buffers = 1 };
	char buf[ABI_MAX_BYTES + 1];

	expect_line(a, &seen, "get_function(name=\"set_time\") = 0x7");
	cr_expect_str_eq(abi_learns(a, &seen, &number, buf), "set_time");
	cr_expect_eq(number, 7);
	/* A name that was cut is none. */
	buffer.part[0].len = buffer.part[0].wanted = 4;
	cr_expect_null(abi_learns(a, &seen, &number, buf));
	expect_line(a, &seen, "get_function(name=\"set_\"...) = 0x7");
	buffer.part[1] = (struct abi_part){ 0xffff8004, 252, 0, NULL, "gone" };
	cr_expect_null(abi_learns(a, &seen, &number, buf));
	expect_line(a, &seen, "get_function(name=\"set_\"<at 0xffff8004: gone>) = 0x7");
	/* One that goes on behind a page is one. */
	buffer.part[1] = (struct abi_part){ 0xffff8004, 252, 5, name + 4, NULL };
	cr_expect_str_eq(abi_learns(a, &seen, &number, buf), "set_time");
	expect_line(a, &seen, "get_function(name=\"set_time\") = 0x7");
	/* Its begin is missing: nobody knows where it ends. */
	buffer.part[0] = (struct abi_part){ 0xffff8000, 4, 0, NULL, "gone" };
	cr_expect_null(abi_learns(a, &seen, &number, buf));
	expect_line(a, &seen, "get_function(name=<at 0xffff8000: gone>\"time\") = 0x7");
	/* Nothing was recorded. */
	buffer.recorded = false;
	expect_line(a, &seen, "get_function(name=0xffff8000) = 0x7");
	cr_expect_null(abi_learns(a, &seen, &number, buf));
	regs[ABI_RAX] = 7;
	regs[ABI_RBX] = 1;
	seen.learned = "set_time";
	expect_line(a, &seen, "set_time#0x7(rbx=0x1, rcx=0x0, rdx=0x0, rsi=0x0, rdi=0x0) = 0x7");
	/* What is no word is told from what stands around it. */
	seen.learned = "f() = 0x1 nr=0x2\n\"\x1b[2J<b>\xe2\x80\xae\x9b";
	expect_line(a, &seen,
		    "\"f() = 0x1 nr=0x2\\n\\\"\\x1b[2J<b>\\xe2\\x80\\xae\\x9b\"#0x7"
		    "(rbx=0x1, rcx=0x0, rdx=0x0, rsi=0x0, rdi=0x0) = 0x7");
	abi_free(a);
}

Test(abi, memory)
{
	static const uint8_t bytes[] = { 1, 2, 0xff };
	struct abi *a = read_text("abi t\nnumber rdi\ncall 3 put data=bytes:gpa:rsi:rdx "
				  "more=bytes:gva:r8:3 # comment\n");
	uint64_t regs[ABI_NR_REGS] = { [ABI_RDI] = 3, [ABI_RSI] = 0x1000 };
	struct abi_buffer buffers[] = {
		{ true, 5, { { 0xffd, 3, 3, bytes, NULL }, { 0x1000, 2, 0, NULL, "gone" } } },
		{ true, 3, { { 0, 3, 3, (const uint8_t *)"a\"b", NULL } } },
	};
	struct abi_seen seen = {
		.regs = regs, .width = ABI_64, .buffers = buffers, .nr_buffers = 2
	};
	const struct abi_call *call = abi_call(&a->mode[ABI_64], 3);

	expect_line(a, &seen, "put(data=01 02 ff <2 bytes at 0x1000: gone>, more=\"a\\\"b\")");
	/* More than is looked for; then nothing. */
	buffers[0] = (struct abi_buffer){ true, 5000, { { 0xffd, 3, 3, bytes, NULL } } };
	buffers[1].part[0] = (struct abi_part){ 0, 1, 0, NULL, "gone" };
	buffers[1].length = 1;
	expect_line(a, &seen, "put(data=01 02 ff..., more=<1 byte at 0x0: gone>)");
	buffers[0] = (struct abi_buffer){ .recorded = true };
	buffers[1].recorded = false;
	expect_line(a, &seen, "put(data=\"\", more=0x0)");
	cr_expect(call->args[0].len_is_reg && call->args[0].len == ABI_RDX && !call->args[0].virt);
	cr_expect(!call->args[1].len_is_reg && call->args[1].len == 3 && call->args[1].virt);
	cr_expect_null(abi_call(&a->mode[ABI_64], 4));
	abi_free(a);
}

Test(abi, refused)
{
	static const char *const texts[] = {
		"",
		"abi t\n",
		"number rax\n",
		"abi t\nabi u\nnumber rax\n",
		"abi t\nnumber rip\n",
		"abi t\nnumber rax 3:5\n",
		"abi t\nnumber rax 64:0\n",
		"abi t\ncall 1 f\nnumber rax\n",
		"abi t\nnumber rax\ncall 1 f\ncall 1 g\n",
		"abi t\nnumber rax\ncall 1 f x\n",
		"abi t\nnumber rax\ncall 1 f x=hex\n",
		"abi t\nnumber rax\ncall 1 f x=what:rax\n",
		"abi t\nnumber rax\ncall 1 f x=enum:none:rax\n",
		"abi t\nnumber rax\ncall 1 f x=bytes:gpa:rax\n",
		"abi t\nnumber rax\ncall 1 f x=bytes:gpa:rax:257\n",
		"abi t\nnumber rax\ncall 1 f x=bytes:rax:1\n",
		"abi t\nnumber rax\ncall 1 f x=string:gva:rax:rbx\n",
		"abi t\nnumber rax\ncall 1 f a=string:gva:rax b=string:gva:rax c=string:gva:rax\n",
		"abi t\nnumber rax\ncall 1 f x=hex:rax\nlearn 1 x\n",
		"abi t\nnumber rax\nmode 16\n",
		"abi t\nnumber rax\nwhat 1\n",
		"abi t\nnumber rax\nenum e 1\n",
		"abi t\nnumber rax\nreturn rax e\n",
	};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect_refused(texts[i]);
}

static void expect_json(const struct abi *a, const struct abi_seen *seen, const char *want)
{
	struct json j;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	json_init(&j, out);
	json_object(&j, NULL);
	abi_call_json(&j, a, seen);
	json_end_object(&j);
	fclose(out);
	cr_expect_str_eq(text, want);
	free(text);
}

Test(abi, json)
{
	struct abi *a = read_text("abi t\nnumber rax\nreturn rax\nflags f 1=one 2=two\n"
				  "call 1 f how=flags:f:rbx s=string:gva:rcx n=dec:rdx\n");
	uint64_t regs[ABI_NR_REGS] = { [ABI_RAX] = 1, [ABI_RBX] = 3, [ABI_RDX] = 9 };
	struct abi_buffer buffer = { true, 256, { { 0, 256, 3, (const uint8_t *)"hi", NULL } } };
	struct abi_seen seen = { .regs = regs,
				 .width = ABI_64,
				 .has_result = true,
				 .result = 2,
				 .buffers = &buffer,
				 .nr_buffers = 1 };

	expect_json(a, &seen,
		    "{\"abi\":\"t\",\"number\":\"0x1\",\"call\":\"f\",\"args\":{\"how\":"
		    "{\"value\":\"0x3\",\"names\":[\"one\",\"two\"]},\"s\":{\"address\":"
		    "\"0x0\",\"length\":256,\"bytes\":\"686900\",\"text\":\"hi\",\"parts\":"
		    "[{\"address\":\"0x0\",\"wanted\":256,\"bytes\":\"686900\",\"missing\":null}]},"
		    "\"n\":9},"
		    "\"result\":\"0x2\",\"result_name\":null}");
	seen.nr_buffers = 0;
	seen.unknown = 1U << ABI_RDX;
	seen.has_result = false;
	expect_json(a, &seen,
		    "{\"abi\":\"t\",\"number\":\"0x1\",\"call\":\"f\",\"args\":{\"how\":"
		    "{\"value\":\"0x3\",\"names\":[\"one\",\"two\"]},\"s\":{\"address\":"
		    "\"0x0\",\"length\":null,\"bytes\":null,\"text\":null,\"parts\":null},"
		    "\"n\":null},"
		    "\"result\":null,\"result_name\":null}");
	abi_free(a);
}
