/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The whole way from an address of a VM's guest to this machine's memory, by both ways there are:
 * through the tables of the VM's process, and through EPT or NPT, which the CPU takes.
 */
#ifndef SPACE_VM_CHAIN_H
#define SPACE_VM_CHAIN_H

#include "user/space/chain.h"
#include "user/space/guest.h"

enum vm_end {
	VM_END_PAGE,	/* a page, and both ways lead to it */
	VM_END_GUEST,	/* the guest's own tables lead to none */
	VM_END_SLOT,	/* no memory slot: device memory that the VM's process plays, or nothing */
	VM_END_HOST,	/* the process has no page there now; the next access gets one */
	VM_END_NESTED,	/* EPT or NPT has none yet; the next access is a violation, then it has */
	VM_END_CHANGED, /* slots or tables were others after each try, or the VM has gone */
	VM_END_APART,	/* they lead to different pages: wrong, or in the middle of a change */
};

/* One vCPU's view of a VM. */
struct vm_view {
	struct guest *guest;
	const struct ptremap_vcpu *vcpu;
	int guest_error;  /* of guest_space() */
	int nested_error; /* of guest_nested() */
	struct pt_fmt guest_fmt, nested_fmt;
	struct pt_space guest_space, nested_space;
	struct pt_cpu cpu;
};

struct vm_chain {
	const struct vm_view *view;
	enum vm_end end;
	bool has_guest;	    /* it began with a virtual address: ->guest */
	struct chain guest; /* without a second space */
	bool table;	    /* ->gpa is that of an entry of the guest's which cannot be read */
	bool has_gpa;	    /* the rest is there, too */
	uint64_t gpa;	    /* of the byte */
	uint64_t hva;	    /* with ->slot */
	const struct ptremap_slot *slot; /* or NULL */
	int host_error;			 /* of the walk in the process' tables */
	struct chain host;		 /* with ->slot and without ->host_error */
	struct ptremap_page page;	 /* that ->host leads to */
	struct chain nested;		 /* without view->nested_error */
	uint64_t hpa;	    /* VM_END_PAGE: of the byte; by EPT or NPT, if these are known */
	unsigned int perm;  /* VM_END_PAGE: PT_PERM_* that all stages but the host's allow */
	uint64_t page_size; /* VM_END_PAGE: the smaller one of the stages' */
};

/* @vcpu is one of @guest's. Both must outlive @view, which must not be moved. */
void vm_view_init(struct vm_view *view, struct guest *guest, const struct ptremap_vcpu *vcpu);

/*
 * Follows @gva, or with vm_chain_gpa() @gpa, as far as it leads. The tables are read one by one
 * while the VM runs. So what they say counts only if KVM has the same slots and the same root
 * afterwards, and its tables the same entries; otherwise, and where both ways disagree, all of it
 * is done again, a few times. With VM_END_CHANGED only ->guest is there. 0, or -errno: that of
 * view->guest_error.
 */
int vm_chain_gva(struct vm_chain *c, struct vm_view *view, uint64_t gva);
void vm_chain_gpa(struct vm_chain *c, struct vm_view *view, uint64_t gpa);

#endif
