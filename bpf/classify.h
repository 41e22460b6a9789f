/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kind of fault it was, told from its walks, its VMA and what handle_mm_fault returned.
 * Pure, so that the BPF programs decide with it and the unit tests check it.
 */
#ifndef PTSCOPE_CLASSIFY_H
#define PTSCOPE_CLASSIFY_H

#include "events.h"
#include "../user/pt/pt_walk.h"

/* include/linux/mm_types.h, enum vm_fault_reason; unchanged since 5.1. */
#define VMF_OOM		   0x000001
#define VMF_SIGBUS	   0x000002
#define VMF_MAJOR	   0x000004
#define VMF_HWPOISON	   0x000010
#define VMF_HWPOISON_LARGE 0x000020
#define VMF_SIGSEGV	   0x000040
#define VMF_RETRY	   0x000400
#define VMF_ERROR \
	(VMF_OOM | VMF_SIGBUS | VMF_SIGSEGV | VMF_HWPOISON | VMF_HWPOISON_LARGE | 0x000800)

/* include/linux/mm_types.h, enum fault_flag. */
#define FAULT_WRITE   0x01
#define FAULT_TRIED   0x20
#define FAULT_EXEC    0x100 /* FAULT_FLAG_INSTRUCTION */
#define FAULT_UNSHARE 0x400 /* get_user_pages wants a copy of its own, to read from */

/* include/linux/mm.h; the same in every kernel since 5.7. */
#define VMA_UFFD_WP 0x00001000
#define VMA_SHARED  0x00000008
#define VMA_HUGETLB 0x00400000

/* arch/x86/include/asm/pgtable_types.h: _PAGE_UFFD_WP, a software bit of a present entry. */
#define PTE_UFFD_WP PT_BIT(10)

/* arch/x86/include/asm/pgtable-64.h: swap type in bits 63..59 of a non-present entry. */
#define PTE_PROTNONE	PT_G
#define PTE_SWP_TYPE(e) ((e) >> 59)
/* 32 types less device (4), migration (3), hwpoison (1), markers (1): include/linux/swap.h */
#define PTE_SWP_NR_FILES 23

struct fault_facts {
	__u64 vma_flags;
	__u64 uffd_flags;		 /* VM_UFFD_* of this kernel */
	__u64 before_entry, after_entry; /* value at the level where the walk stopped */
	__u64 addr_mask;
	__u32 vm_fault; /* VM_FAULT_* of all calls or-ed, RETRY of the last one excluded */
	__u8 before_kind, after_kind; /* enum pt_kind; PT_TABLE: not walked, or unreadable */
	__u8 before_level, after_level;
	__u8 write; /* or FAULT_UNSHARE */
	__u8 anon;
	__u8 major;
	__u8 retried;
};

static __always_inline __u8 classify_special(__u64 entry)
{
	if (entry & PTE_PROTNONE)
		return PTEV_OUT_NUMA;
	return PTE_SWP_TYPE(entry) < PTE_SWP_NR_FILES ? PTEV_OUT_SWAP : PTEV_OUT_MIGRATION;
}

/* Nothing was there before. */
static __always_inline __u8 classify_missing(const struct fault_facts *f)
{
	int zero = f->anon && !f->write && !(f->after_entry & (PT_RW | PT_D));

	if (f->vma_flags & VMA_HUGETLB)
		return PTEV_OUT_HUGETLB;
	if (f->after_kind != PT_LEAF)
		return PTEV_OUT_SPURIOUS;
	if (zero)
		return PTEV_OUT_ZERO;
	if (f->after_level > 1)
		return PTEV_OUT_HUGE;
	if (f->anon)
		return PTEV_OUT_ANON;
	if (f->write && !(f->vma_flags & VMA_SHARED))
		return PTEV_OUT_COW;
	return f->major ? PTEV_OUT_MAJOR : PTEV_OUT_FILE;
}

/* A leaf was there that did not allow the access. */
static __always_inline __u8 classify_present(const struct fault_facts *f)
{
	__u64 mask = f->addr_mask;

	if (!f->write || f->after_kind != PT_LEAF)
		return PTEV_OUT_SPURIOUS;
	if (f->before_level != f->after_level || ((f->before_entry ^ f->after_entry) & mask))
		return PTEV_OUT_COW;
	if (!(f->before_entry & PT_RW) && (f->after_entry & PT_RW))
		return PTEV_OUT_WP;
	return PTEV_OUT_SPURIOUS;
}

/*
 * Who registered the range was asked: what was there is of the kind that it registered for. Other
 * retries in such a range (6.7 takes per-VMA locks first) are not its doing.
 */
static __always_inline int classify_uffd(const struct fault_facts *f)
{
	__u64 registered = f->vma_flags & f->uffd_flags;

	if (!f->retried || !registered)
		return 0;
	if (f->before_kind == PT_LEAF)
		return (registered & VMA_UFFD_WP) && (f->before_entry & PTE_UFFD_WP);
	if (f->before_entry & ~(PT_A | PT_D))
		return !!(registered & VMA_UFFD_WP);
	return !!(registered & ~(__u64)VMA_UFFD_WP);
}

static __always_inline __u8 classify_error(__u32 vm_fault)
{
	if (vm_fault & VMF_OOM)
		return PTEV_OUT_OOM;
	if (vm_fault & VMF_SIGSEGV)
		return PTEV_OUT_SIGSEGV;
	return PTEV_OUT_SIGBUS;
}

/* enum ptev_outcome of a fault that handle_mm_fault has finished. */
static __always_inline __u8 classify_fault(const struct fault_facts *f)
{
	if (f->vm_fault & VMF_ERROR)
		return classify_error(f->vm_fault);
	if (f->before_kind == PT_TABLE)
		return PTEV_OUT_UNKNOWN;
	if (classify_uffd(f))
		return PTEV_OUT_UFFD;
	if (f->before_kind == PT_HOLE && f->before_entry & ~(PT_A | PT_D))
		return classify_special(f->before_entry);
	if (f->before_kind == PT_LEAF)
		return classify_present(f);
	return classify_missing(f);
}

#endif
