/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a VM exit was, told from its reason and from what was there before and after. Pure, so that
 * the BPF programs decide with it and the unit tests check it.
 */
#ifndef PTSCOPE_CLASSIFY_KVM_H
#define PTSCOPE_CLASSIFY_KVM_H

#include "events.h"
#include "../user/pt/pt_walk.h"

/* Intel SDM vol. 3, 2.5 and 2.2.1; AMD APM vol. 2, 3.1. */
#define GUEST_CR0_PE   0x1
#define GUEST_CR0_PG   0x80000000
#define GUEST_CR4_PSE  0x10
#define GUEST_CR4_PAE  0x20
#define GUEST_CR4_LA57 0x1000
#define GUEST_EFER_LMA 0x400

/* VMCB segment attributes, AMD APM vol. 2, 15.5 and appendix B. */
#define SVM_ATTR_L  0x200
#define SVM_ATTR_DB 0x400

/* Access rights in the VMCS, Intel SDM vol. 3, table 25-2. */
#define VMX_AR_DPL_OF(ar) ((ar) >> 5 & 3)
#define VMX_AR_L	  0x2000
#define VMX_AR_DB	  0x4000

/* Exit qualification of EPT violations, Intel SDM vol. 3, table 28-7: the access. */
#define EPT_QUAL_READ  0x1
#define EPT_QUAL_WRITE 0x2
#define EPT_QUAL_FETCH 0x4

/* include/uapi/linux/kvm.h: KVM_EXIT_MMIO */
#define USER_EXIT_MMIO 6

static __always_inline __u8 kvm_record_type(__u8 isa, __u32 reason)
{
	if (isa == PTEV_ISA_SVM) {
		if (reason == PTEV_SVM_VMMCALL)
			return PTEV_HYPERCALL;
		return reason == PTEV_SVM_NPF ? PTEV_VIOLATION : PTEV_KVM_EXIT;
	}
	reason &= PTEV_VMX_BASIC;
	if (reason == PTEV_VMX_VMCALL)
		return PTEV_HYPERCALL;
	if (reason == PTEV_VMX_EPT_VIOLATION || reason == PTEV_VMX_EPT_MISCONFIG)
		return PTEV_VIOLATION;
	return PTEV_KVM_EXIT;
}

/* The record that a session makes of such an exit; 0: none. Each exit is one record at most. */
static __always_inline __u8 kvm_wanted(__u8 want, __u8 type)
{
	if (type == PTEV_HYPERCALL && (want & PTEV_WANT_HYPERCALL))
		return PTEV_HYPERCALL;
	if (type == PTEV_VIOLATION && (want & PTEV_WANT_VIOLATION))
		return PTEV_VIOLATION;
	return want & PTEV_WANT_EXIT ? PTEV_KVM_EXIT : 0;
}

/* @l, @db: of the code segment. */
static __always_inline __u8 kvm_guest_mode(__u64 cr0, __u64 efer, bool l, bool db)
{
	if (!(cr0 & GUEST_CR0_PE))
		return PTEV_MODE_REAL;
	if ((efer & GUEST_EFER_LMA) && l)
		return PTEV_MODE_64;
	return db ? PTEV_MODE_32 : PTEV_MODE_16;
}

/* Formats of a guest's own tables. */
enum guest_paging {
	GUEST_NO_PAGING,
	GUEST_32BIT,
	GUEST_PSE,
	GUEST_PAE,
	GUEST_4LEVEL,
	GUEST_5LEVEL,
	GUEST_NR_PAGINGS,
};

/* Intel SDM vol. 3, 4.1.1. */
static __always_inline __u8 kvm_guest_paging(__u64 cr0, __u64 cr4, __u64 efer)
{
	if (!(cr0 & GUEST_CR0_PG))
		return GUEST_NO_PAGING;
	if (efer & GUEST_EFER_LMA)
		return cr4 & GUEST_CR4_LA57 ? GUEST_5LEVEL : GUEST_4LEVEL;
	if (cr4 & GUEST_CR4_PAE)
		return GUEST_PAE;
	return cr4 & GUEST_CR4_PSE ? GUEST_PSE : GUEST_32BIT;
}

/* AMD: EXITINFO1 is a page-fault error code (APM vol. 2, 15.25.6). False: not known. */
static __always_inline bool kvm_access(__u8 isa, __u32 reason, __u64 info1, __u8 *access)
{
	bool fetch, write;

	if (isa == PTEV_ISA_SVM) {
		fetch = info1 & PTEV_EC_I;
		write = info1 & PTEV_EC_W;
	} else if ((reason & PTEV_VMX_BASIC) == PTEV_VMX_EPT_VIOLATION) {
		fetch = info1 & EPT_QUAL_FETCH;
		write = info1 & EPT_QUAL_WRITE;
	} else {
		return false;
	}
	*access = fetch ? PTEV_EXEC : write ? PTEV_WRITE : PTEV_READ;
	return true;
}

struct violation_facts {
	__u64 before_entry, after_entry; /* value at the level where the walk stopped */
	__u8 before_kind, after_kind;	 /* enum pt_kind; PT_TABLE: not walked, or unreadable */
	__u8 before_perm, after_perm;	 /* PT_PERM_* of the whole walk */
	__u8 before_level, after_level;
	__u8 access; /* enum ptev_access; PTEV_NR_ACCESSES: not known */
	__u8 user_exit;
	bool user;	/* ->user_exit is there */
	bool fast_mmio; /* a device in the kernel took it without a look at the tables */
};

static __always_inline bool violation_allowed(const struct violation_facts *f)
{
	__u8 need = f->access == PTEV_EXEC    ? PT_PERM_X
		    : f->access == PTEV_WRITE ? PT_PERM_W
					      : PT_PERM_R;

	return f->before_perm & need;
}

/* KVM marks gpas without memory by entries that are misconfigured or have reserved bits. */
static __always_inline __u8 classify_violation(const struct violation_facts *f)
{
	if (f->user)
		return f->user_exit == USER_EXIT_MMIO ? PTEV_VIO_MMIO_USER : PTEV_VIO_USER;
	if (f->fast_mmio || f->after_kind == PT_BAD)
		return PTEV_VIO_MMIO;
	if (f->before_kind == PT_TABLE || f->after_kind == PT_TABLE)
		return PTEV_VIO_UNKNOWN;
	if (f->after_kind != PT_LEAF)
		return PTEV_VIO_UNRESOLVED;
	if (f->before_kind != PT_LEAF)
		return PTEV_VIO_MAPPED;
	if (f->before_level != f->after_level || f->before_perm != f->after_perm ||
	    f->before_entry != f->after_entry)
		return PTEV_VIO_CHANGED;
	return violation_allowed(f) ? PTEV_VIO_SPURIOUS : PTEV_VIO_EMULATED;
}

#endif
