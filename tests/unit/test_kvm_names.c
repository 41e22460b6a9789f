// SPDX-License-Identifier: GPL-2.0
/* Names and decisions about VM exits, by the vendors' manuals. */
#include <criterion/criterion.h>

#include <string.h>

#include "bpf/classify_kvm.h"
#include "user/report/stat_kvm.h"
#include "user/trace/kvm_names.h"

static void expect_reason(unsigned int isa, uint32_t reason, const char *name)
{
	char buf[40];

	cr_assert_str_eq(name_exit_reason(buf, isa, reason), name, "%u 0x%x", isa, reason);
}

/* Ends, gaps and those next to gaps: a row too many or too few would move them. */
Test(kvm_names, intel_reasons)
{
	expect_reason(PTEV_ISA_VMX, 0, "exception_nmi");
	expect_reason(PTEV_ISA_VMX, 10, "cpuid");
	expect_reason(PTEV_ISA_VMX, 12, "hlt");
	expect_reason(PTEV_ISA_VMX, 18, "vmcall");
	expect_reason(PTEV_ISA_VMX, 28, "cr_access");
	expect_reason(PTEV_ISA_VMX, 30, "io");
	expect_reason(PTEV_ISA_VMX, 34, "msr_load");
	expect_reason(PTEV_ISA_VMX, 35, "0x23");
	expect_reason(PTEV_ISA_VMX, 36, "mwait");
	expect_reason(PTEV_ISA_VMX, 40, "pause");
	expect_reason(PTEV_ISA_VMX, 44, "apic_access");
	expect_reason(PTEV_ISA_VMX, 48, "ept_violation");
	expect_reason(PTEV_ISA_VMX, 49, "ept_misconfig");
	expect_reason(PTEV_ISA_VMX, 52, "preemption_timer");
	expect_reason(PTEV_ISA_VMX, 62, "pml_full");
	expect_reason(PTEV_ISA_VMX, 70, "enclv");
	expect_reason(PTEV_ISA_VMX, 71, "0x47");
	expect_reason(PTEV_ISA_VMX, 74, "bus_lock");
	expect_reason(PTEV_ISA_VMX, 79, "wrmsrlist");
	expect_reason(PTEV_ISA_VMX, 80, "0x50");
	expect_reason(PTEV_ISA_VMX, 0x80000021, "invalid_guest_state (entry failed)");
	expect_reason(PTEV_ISA_VMX, 0x04000012, "vmcall"); /* bit 26: bus lock */
}

Test(kvm_names, amd_codes)
{
	expect_reason(PTEV_ISA_SVM, 0x00, "cr0_read");
	expect_reason(PTEV_ISA_SVM, 0x18, "cr8_write");
	expect_reason(PTEV_ISA_SVM, 0x37, "dr7_write");
	expect_reason(PTEV_ISA_SVM, 0x4e, "exception_14");
	expect_reason(PTEV_ISA_SVM, 0x60, "intr");
	expect_reason(PTEV_ISA_SVM, 0x72, "cpuid");
	expect_reason(PTEV_ISA_SVM, 0x78, "hlt");
	expect_reason(PTEV_ISA_SVM, 0x7b, "ioio");
	expect_reason(PTEV_ISA_SVM, 0x7f, "shutdown");
	expect_reason(PTEV_ISA_SVM, 0x81, "vmmcall");
	expect_reason(PTEV_ISA_SVM, 0x8f, "efer_write_trap");
	expect_reason(PTEV_ISA_SVM, 0x94, "cr4_write_trap");
	expect_reason(PTEV_ISA_SVM, 0xa5, "bus_lock");
	expect_reason(PTEV_ISA_SVM, 0xa7, "0xa7");
	expect_reason(PTEV_ISA_SVM, 0x400, "npf");
	expect_reason(PTEV_ISA_SVM, 0x403, "vmgexit");
	expect_reason(PTEV_ISA_SVM, 0xffffffff, "invalid");
}

Test(kvm_names, tables_are_complete)
{
	unsigned int i;

	for (i = 0; i < PTEV_NR_VIO; i++)
		cr_assert_str_neq(name_violation(i), "?");
	for (i = 0; i < PTEV_NR_MODES; i++)
		cr_assert_str_neq(name_guest_mode(i), "?");
	cr_assert_str_eq(name_violation(PTEV_NR_VIO), "?");
	cr_assert_str_eq(name_guest_mode(PTEV_NR_MODES), "?");
	cr_assert_str_eq(name_isa(0), "?");
	cr_assert_str_eq(name_isa(3), "?");
	cr_assert_str_eq(name_event(PTEV_COMM), "?");
	cr_assert_str_eq(name_event(PTEV_NR_TYPES), "?");
	cr_assert_eq(name_kvm_want("exits", 4), PTEV_WANT_EXIT);
	cr_assert_eq(name_kvm_want("hypercall", 9), PTEV_WANT_HYPERCALL);
	cr_assert_eq(name_kvm_want("violation", 8), 0);
}

Test(kvm_names, bits)
{
	char buf[160];

	cr_assert_str_eq(name_violation_bits(buf, PTEV_ISA_VMX, 48, 0x182), "write|gva|final");
	cr_assert_str_eq(name_violation_bits(buf, PTEV_ISA_VMX, 48, 0), "-");
	cr_assert_str_eq(name_violation_bits(buf, PTEV_ISA_VMX, 49, 0x182), "-");
	cr_assert_str_eq(name_violation_bits(buf, PTEV_ISA_SVM, 0x400, 0x100000006), "W|U|final");
	cr_assert_str_eq(name_violation_bits(buf, PTEV_ISA_SVM, 0x400, 0x20000000d),
			 "P|U|RSVD|table");
	cr_assert(strlen(name_violation_bits(buf, PTEV_ISA_VMX, 48, UINT64_MAX)) < sizeof(buf));
	cr_assert(strlen(name_violation_bits(buf, PTEV_ISA_SVM, 0, UINT64_MAX)) < sizeof(buf));
}

Test(kvm_classify, kinds)
{
	cr_assert_eq(kvm_record_type(PTEV_ISA_VMX, 18), PTEV_HYPERCALL);
	cr_assert_eq(kvm_record_type(PTEV_ISA_VMX, 0x04000012), PTEV_HYPERCALL);
	cr_assert_eq(kvm_record_type(PTEV_ISA_VMX, 48), PTEV_VIOLATION);
	cr_assert_eq(kvm_record_type(PTEV_ISA_VMX, 49), PTEV_VIOLATION);
	cr_assert_eq(kvm_record_type(PTEV_ISA_VMX, 0x81), PTEV_KVM_EXIT);
	cr_assert_eq(kvm_record_type(PTEV_ISA_SVM, 0x81), PTEV_HYPERCALL);
	cr_assert_eq(kvm_record_type(PTEV_ISA_SVM, 0x400), PTEV_VIOLATION);
	cr_assert_eq(kvm_record_type(PTEV_ISA_SVM, 18), PTEV_KVM_EXIT);
	cr_assert_eq(kvm_wanted(PTEV_WANT_EXIT, PTEV_HYPERCALL), PTEV_KVM_EXIT);
	cr_assert_eq(kvm_wanted(PTEV_WANT_HYPERCALL, PTEV_HYPERCALL), PTEV_HYPERCALL);
	cr_assert_eq(kvm_wanted(PTEV_WANT_HYPERCALL, PTEV_VIOLATION), 0);
	cr_assert_eq(kvm_wanted(PTEV_WANT_HYPERCALL | PTEV_WANT_EXIT, PTEV_VIOLATION),
		     PTEV_KVM_EXIT);
	cr_assert_eq(kvm_wanted(PTEV_WANT_VIOLATION, PTEV_KVM_EXIT), 0);
}

Test(kvm_classify, modes)
{
	const uint64_t pe = GUEST_CR0_PE, lma = GUEST_EFER_LMA;

	cr_assert_eq(kvm_guest_mode(0, 0, false, false), PTEV_MODE_REAL);
	cr_assert_eq(kvm_guest_mode(pe, 0, false, false), PTEV_MODE_16);
	cr_assert_eq(kvm_guest_mode(pe, 0, true, true),
		     PTEV_MODE_32); /* L is 0 outside long mode */
	cr_assert_eq(kvm_guest_mode(pe, lma, true, false), PTEV_MODE_64);
	cr_assert_eq(kvm_guest_mode(pe, lma, false, true), PTEV_MODE_32);
	cr_assert_eq(kvm_guest_mode(pe, lma, false, false), PTEV_MODE_16);
}

Test(kvm_classify, accesses)
{
	uint8_t access;

	cr_assert(kvm_access(PTEV_ISA_VMX, 48, 0x181, &access) && access == PTEV_READ);
	cr_assert(kvm_access(PTEV_ISA_VMX, 48, 0x183, &access) && access == PTEV_WRITE);
	cr_assert(kvm_access(PTEV_ISA_VMX, 48, 0x184, &access) && access == PTEV_EXEC);
	cr_assert_not(kvm_access(PTEV_ISA_VMX, 49, 0x181, &access));
	cr_assert(kvm_access(PTEV_ISA_SVM, 0x400, 0x100000004, &access) && access == PTEV_READ);
	cr_assert(kvm_access(PTEV_ISA_SVM, 0x400, 0x100000007, &access) && access == PTEV_WRITE);
	cr_assert(kvm_access(PTEV_ISA_SVM, 0x400, 0x100000014, &access) && access == PTEV_EXEC);
}

Test(kvm_classify, outcomes)
{
	struct violation_facts f = {
		.before_kind = PT_HOLE,
		.after_kind = PT_LEAF,
		.after_entry = 0x1007,
		.after_perm = PT_PERM_R | PT_PERM_W,
		.access = PTEV_WRITE,
	};

	cr_assert_eq(classify_violation(&f), PTEV_VIO_MAPPED);
	f.before_kind = PT_TABLE;
	cr_assert_eq(classify_violation(&f), PTEV_VIO_UNKNOWN);
	f.before_kind = PT_LEAF;
	f.before_entry = 0x1005;
	f.before_perm = PT_PERM_R;
	cr_assert_eq(classify_violation(&f), PTEV_VIO_CHANGED);
	f.before_entry = f.after_entry;
	f.before_perm = f.after_perm;
	cr_assert_eq(classify_violation(&f), PTEV_VIO_SPURIOUS);
	f.access = PTEV_EXEC;
	cr_assert_eq(classify_violation(&f), PTEV_VIO_EMULATED);
	f.after_kind = PT_HOLE;
	cr_assert_eq(classify_violation(&f), PTEV_VIO_UNRESOLVED);
	f.after_kind = PT_BAD;
	cr_assert_eq(classify_violation(&f), PTEV_VIO_MMIO);
	f.user = true;
	f.user_exit = USER_EXIT_MMIO;
	cr_assert_eq(classify_violation(&f), PTEV_VIO_MMIO_USER);
	f.user_exit = 10; /* KVM_EXIT_INTR */
	cr_assert_eq(classify_violation(&f), PTEV_VIO_USER);
	f = (struct violation_facts){ .fast_mmio = true };
	cr_assert_eq(classify_violation(&f), PTEV_VIO_MMIO);
}

Test(kvm_stat, quantiles)
{
	struct ptev_kvm_stat s = { .min = UINT64_MAX }, more = { .min = UINT64_MAX };

	cr_assert_eq(stat_kvm_quantile(&s, 99), 0);
	s = (struct ptev_kvm_stat){ .count = 100, .ended = 99, .sum = 990, .min = 9, .max = 15 };
	s.latency[3] = 99;
	cr_assert_eq(stat_kvm_quantile(&s, 50), 15, "no more than the longest");
	more = (struct ptev_kvm_stat){
		.count = 1, .ended = 1, .sum = 3000, .min = 3000, .max = 3000
	};
	more.latency[11] = 1;
	stat_kvm_add(&s, &more);
	cr_assert_eq(s.count, 101);
	cr_assert_eq(s.ended, 100);
	cr_assert_eq(s.min, 9);
	cr_assert_eq(s.max, 3000);
	cr_assert_eq(stat_kvm_quantile(&s, 99), 16);
	cr_assert_eq(stat_kvm_quantile(&s, 100), 3000);
	more.max = UINT64_MAX;
	more.latency[63] = 1;
	more.latency[11] = 0;
	cr_assert_eq(stat_kvm_quantile(&more, 100), UINT64_MAX);
}

/* vCPUs are one row unless asked for; rows are in order of their time. */
Test(kvm_stat, table)
{
	struct kvm_count rows[] = {
		{ .key = { 7, 1, 0x78, PTEV_ISA_SVM }, .stat = { 2, 2, 40, 10, 30, { 0 } } },
		{ .key = { 7, 0, 0x81, PTEV_ISA_SVM }, .stat = { 1, 0, 0, UINT64_MAX, 0, { 0 } } },
		{ .key = { 7, 0, 0x78, PTEV_ISA_SVM }, .stat = { 1, 1, 60, 60, 60, { 0 } } },
	};
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);

	rows[0].stat.latency[3] = rows[0].stat.latency[4] = rows[2].stat.latency[5] = 1;
	cr_assert_eq(stat_kvm_text(out, rows, 3, false), 0);
	fclose(out);
	cr_assert_str_eq(text, "vm  exits    count   share     time   min  mean  p99 <   max\n"
			       " 7  hlt          3  75.00%  100.00%  10ns  33ns   60ns  60ns\n"
			       " 7  vmmcall      1  25.00%    0.00%     -     -      -     -\n"
			       "\n4 exits, 100ns outside the guests\n");
	free(text);
}
