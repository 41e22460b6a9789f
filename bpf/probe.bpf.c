// SPDX-License-Identifier: GPL-2.0
/*
 * What can this kernel do, asked by running small programs on it: the values behind its KASLR
 * symbols, one page-table walk from a guessed direct map, and stubs that only have to attach.
 */
#include "../vmlinux/vmlinux.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "probe.h"

char LICENSE[] SEC("license") = "GPL";

/* Data symbols are in kallsyms only with CONFIG_KALLSYMS_ALL: then they save the search. */
extern const void page_offset_base __ksym __weak;
extern const void vmalloc_base __ksym __weak;
extern const void vmemmap_base __ksym __weak;
extern const void physical_mask __ksym __weak;
extern const void sme_me_mask __ksym __weak;

struct probe_values values = {};

#define READ_SYMBOL(name)                                              \
	do {                                                           \
		if (&name)                                             \
			bpf_probe_read_kernel(&values.name, 8, &name); \
	} while (0)

SEC("raw_tp")
int probe_symbols(void *ctx)
{
	READ_SYMBOL(page_offset_base);
	READ_SYMBOL(vmalloc_base);
	READ_SYMBOL(vmemmap_base);
	READ_SYMBOL(physical_mask);
	READ_SYMBOL(sme_me_mask);
	return 0;
}

/* The caller's top table, as a direct-map address. */
__u64 own_pgd = 0;

/* Reads made for the caller: one table entry each, 0 in peek_ok when it cannot be read. */
__u64 peek_address = 0;
__u64 peek_value = 0;
__u32 peek_ok = 0;

SEC("raw_tp")
int probe_peek(void *ctx)
{
	own_pgd = (__u64)BPF_CORE_READ(bpf_get_current_task_btf(), mm, pgd);
	peek_ok = !bpf_probe_read_kernel(&peek_value, sizeof(peek_value), (void *)peek_address);
	return 0;
}

/* Stubs for `doctor` and for the choice of a hook: they are attached and taken off again. */
SEC("raw_tp/page_fault_user")
int try_rawtp(void *ctx)
{
	return 0;
}

SEC("fentry/handle_mm_fault")
int BPF_PROG(try_fentry)
{
	return 0;
}

SEC("fexit/handle_mm_fault")
int BPF_PROG(try_fexit)
{
	return 0;
}

SEC("kprobe/handle_mm_fault")
int try_kprobe(void *ctx)
{
	return 0;
}

SEC("kretprobe/handle_mm_fault")
int try_kretprobe(void *ctx)
{
	return 0;
}

/* Not 0, which would keep the event from perf meanwhile. */
SEC("tp/kvm/kvm_exit")
int try_kvm_exit(void *ctx)
{
	return 1;
}

SEC("raw_tp/kvm_entry")
int try_kvm_entry(void *ctx)
{
	return 0;
}

SEC("fentry/kvm_mmu_page_fault")
int BPF_PROG(try_kvm_fentry)
{
	return 0;
}

SEC("fexit/kvm_tdp_page_fault")
int BPF_PROG(try_kvm_fexit)
{
	return 0;
}

SEC("kprobe/kvm_tdp_page_fault")
int try_kvm_kprobe(void *ctx)
{
	return 0;
}

SEC("kretprobe/kvm_tdp_page_fault")
int try_kvm_kretprobe(void *ctx)
{
	return 0;
}
