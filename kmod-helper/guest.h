/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Edits in the memory of VMs. KVM keeps frame numbers of its own: it is told before such an entry
 * is written and after, forgets the page in between, and asks for it again.
 */
#ifndef GUEST_H
#define GUEST_H

#include <linux/list.h>
#include <linux/types.h>

struct edit;
struct kvm;
struct vm_calls;
struct vm_set;

/* A guest-physical page. */
struct gpage {
	struct kvm *kvm; /* NULL: none. Its reference is the caller's, or that of ->vms */
	u64 gpa;
	s32 fd; /* of the VM, in the process that the page is of */
};

/* What an edit that leads to another frame has of it; all 0 otherwise. */
struct guest {
	struct list_head link;	      /* of all those edits, from guest_attach() to guest_end() */
	const struct vm_calls *calls; /* of ->vms */
	struct vm_set *vms;	      /* those that have the memory; NULL: none */
	struct gpage page;	      /* that was asked for, of PTREMAP_EPT */
	int seen;		      /* changes of slots until ->vms was looked up */
	bool hit;		      /* by what is just being told */
	atomic_t inside;	      /* who is between guest_enter() and guest_leave() */
};

/*
 * Finds the VMs of the edit's process; those of @before, an edit of the same call, do if that is of
 * the same process (NULL: none). @calls: NULL without ptremap_kvm. -EXDEV: there is a VM, and
 * nobody who could tell KVM; -EBADF: @page is of none of them; -EOPNOTSUPP: this kernel does not
 * tell of changes of slots. Sleeps.
 */
int guest_attach(struct edit *e, const struct vm_calls *calls, const struct gpage *page,
		 const struct edit *before);
/* The same again, if slots have changed since. */
int guest_renew(struct edit *e);
/*
 * Round guest_begin() and guest_done(), and round the look at the edit's state that decides whether
 * they are called: what is known of VMs stays meanwhile. Neither sleeps; but who installs may.
 */
void guest_enter(struct edit *e);
void guest_leave(struct edit *e);
/* Round the writing of the entry. Neither sleeps; no lock of an edit or a page table is held. */
void guest_begin(const struct edit *e);
void guest_done(const struct edit *e);
/*
 * May the entry be written, within guest_begin() and guest_done()? e->lock is held. -EAGAIN: not
 * before guest_renew(); -ESTALE: the VM has the page elsewhere now; or as vm_calls.locate().
 */
int guest_check(const struct edit *e);
/* As its record calls it: enum ptremap_ept_what, if a gpa was asked for. */
u32 guest_what(const struct edit *e);
/* The edit is not active any more, and will not be again. Waits for guest_leave(). Sleeps. The
 * second call does nothing. */
void guest_end(struct edit *e);
/* Has process @pid a VM among its files? */
bool guest_is_there(struct pid *pid);
/*
 * Without ptremap_kvm, when all of @edits are active: -EXDEV if the process of one, *@failed, has
 * got a VM since guest_is_there() was asked, which may have the old frame. One that comes later
 * gets the new one (and hold_tell_others() takes care). Sleeps.
 */
int guest_check_late(const struct edit *edits, u32 nr, u32 *failed);

#endif
