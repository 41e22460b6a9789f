// SPDX-License-Identifier: GPL-2.0
/*
 * Which VMs have the page of an edit, and what their slots do to it.
 *
 * KVM has a frame number of its own for the page, and must not find another one in the host's
 * tables while its old entry is present: where it does, it stops with a BUG(). guest_begin() makes
 * it forget the page, on all vCPUs, and holds back faults there; guest_done() lets them through,
 * and they find what the entry says then. That a VM comes later, or is given the page by a slot, is
 * told by ptremap_vm_slot(), before the VMM can know that the slot is there: the edit is taken.
 *
 * guests_lock protects the list of edits that lead to other frames, and what they know of VMs: who
 * installs or restores the edit reads that without, between guest_enter() and guest_leave(), which
 * guest_end() waits for. The lock is taken outside of edit->lock, in no interrupt, and held where
 * KVM, all CPUs and watches are told.
 */
#include <linux/delay.h>
#include <linux/fdtable.h>
#include <linux/magic.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>

#include "edit.h"
#include "guest.h"
#include "leaf.h"
#include "ptremap.h"
#include "vm.h"

static DEFINE_SPINLOCK(guests_lock);
static LIST_HEAD(guests);
/* Slots that were changed. An edit is installed only if none was since it looked (guest_check()):
 * then ptremap_vm_slot() finds it active. */
static atomic_t slot_changes = ATOMIC_INIT(0);

/* ---- which VMs ------------------------------------------------------------------------------- */

/* A VM lives as long as one of its files: "kvm-vm", "kvm-vcpu:0", "kvm-vfio". */
static int is_kvm_file(const void *unused, struct file *file, unsigned int fd)
{
	return file->f_path.dentry->d_sb->s_magic == ANON_INODE_FS_MAGIC &&
	       !strncmp(file->f_path.dentry->d_name.name, "kvm-", 4);
}

bool guest_is_there(struct pid *pid)
{
	struct task_struct *task = get_pid_task(pid, PIDTYPE_PID);
	bool found = false;

	if (!task)
		return false;
	/* The lock keeps the files while they are looked through. */
	task_lock(task);
	if (task->files)
		found = iterate_fd(task->files, 0, is_kvm_file, NULL);
	task_unlock(task);
	put_task_struct(task);
	return found;
}

/* Processes that have ended have none. */
int guest_check_late(const struct edit *edits, u32 nr, u32 *failed)
{
	struct target target;
	pid_t looked_at = 0;
	bool found;
	int err;
	u32 i;

	for (i = 0; i < nr; i++) {
		const struct edit *e = &edits[i];

		if (!edit_has_frame(e) || e->pid == looked_at)
			continue;
		looked_at = e->pid;
		err = target_get(&target, e->pid, 0);
		if (err == -EINTR)
			return err;
		if (err)
			continue;
		found = guest_is_there(target.pid);
		target_put(&target);
		if (found) {
			*failed = i;
			return -EXDEV;
		}
	}
	return 0;
}

static bool set_has(const struct vm_set *set, const struct kvm *kvm)
{
	u32 i;

	for (i = 0; set && i < set->nr; i++)
		if (set->vms[i] == kvm)
			return true;
	return false;
}

/* Others may look at it, if the edit is in the list. */
static void set_vms(struct guest *g, struct vm_set *set)
{
	struct vm_set *before = g->vms;

	spin_lock(&guests_lock);
	g->vms = set;
	spin_unlock(&guests_lock);
	if (before)
		g->calls->put_vms(before);
}

/* ->seen is of before the look, so that a slot that comes meanwhile counts as a change. */
static int look_up(struct edit *e)
{
	struct guest *g = &e->guest;
	struct vm_set *set = NULL;
	int err;

	g->seen = atomic_read(&slot_changes);
	smp_rmb();
	err = g->calls->vms_of(e->mm, &set);
	if (err)
		return err;
	set_vms(g, set);
	return g->page.kvm && !set_has(set, g->page.kvm) ? -EBADF : 0;
}

int guest_attach(struct edit *e, const struct vm_calls *calls, const struct gpage *page,
		 const struct edit *before)
{
	struct guest *g = &e->guest;
	int err = 0;

	if (page)
		g->page = *page;
	g->calls = calls;
	if (calls && before && before->mm == e->mm && before->guest.calls) {
		g->seen = before->guest.seen;
		g->vms = before->guest.vms;
		if (g->vms)
			refcount_inc(&g->vms->users);
		err = page && !set_has(g->vms, page->kvm) ? -EBADF : 0;
	} else if (calls) {
		err = look_up(e);
	}
	if (err) {
		set_vms(g, NULL);
		return err;
	}
	spin_lock(&guests_lock);
	list_add_tail(&g->link, &guests);
	spin_unlock(&guests_lock);
	return 0;
}

int guest_renew(struct edit *e)
{
	struct guest *g = &e->guest;

	if (!g->calls || g->seen == atomic_read(&slot_changes))
		return 0;
	return look_up(e);
}

void guest_end(struct edit *e)
{
	struct guest *g = &e->guest;

	if (!g->link.next)
		return;
	spin_lock(&guests_lock);
	list_del(&g->link);
	spin_unlock(&guests_lock);
	g->link.next = NULL;
	/* Its twin's guard, undo, or who installs it may be telling the VMs just now. */
	smp_mb();
	while (atomic_read(&g->inside))
		msleep(1);
	set_vms(g, NULL);
}

/* ---- round the writing of an entry ----------------------------------------------------------- */

/* Before the look at the edit's state: then guest_end(), of one that is not active, waits. */
void guest_enter(struct edit *e)
{
	atomic_inc(&e->guest.inside);
	smp_mb__after_atomic();
}

void guest_leave(struct edit *e)
{
	smp_mb__before_atomic();
	atomic_dec(&e->guest.inside);
}

void guest_begin(const struct edit *e)
{
	if (e->guest.vms)
		e->guest.calls->begin(e->guest.vms, e->mm, e->va, leaf_size(e->level));
}

void guest_done(const struct edit *e)
{
	if (e->guest.vms)
		e->guest.calls->done(e->guest.vms, e->mm, e->va, leaf_size(e->level));
}

int guest_check(const struct edit *e)
{
	const struct guest *g = &e->guest;
	unsigned long va;
	int err;

	if (!g->calls)
		return 0;
	if (g->seen != atomic_read(&slot_changes))
		return -EAGAIN;
	if (!g->page.kvm)
		return 0;
	err = g->calls->locate(g->page.kvm, g->page.gpa, e->level, &va);
	return err ?: va == e->va ? 0 : -ESTALE;
}

/* Their order is the same. */
static_assert(PTREMAP_EPT_SWAP - PTREMAP_SWAP == PTREMAP_EPT_FRAME - PTREMAP_FRAME &&
	      PTREMAP_EPT_FRESH - PTREMAP_FRESH == PTREMAP_EPT_FRAME - PTREMAP_FRAME);

u32 guest_what(const struct edit *e)
{
	u32 what = e->item.what;

	return e->guest.page.kvm ? what + PTREMAP_EPT_FRAME - PTREMAP_FRAME : what;
}

/* ---- what happens to VMs ------------------------------------------------------------------ */

struct happened {
	const struct kvm *kvm;
	const struct mm_struct *mm;
	unsigned long start, end; /* of the memory that it is about */
	bool known;		  /* to edits that know the VM; else to those that do not */
};

static bool concerns(const struct edit *e, const struct happened *h)
{
	return e->mm == h->mm && e->va < h->end && h->start < e->va + leaf_size(e->level) &&
	       set_has(e->guest.vms, h->kvm) == h->known;
}

/* Both halves of a swap go. Was it in force? */
static bool take(struct edit *e, enum ptremap_cause cause)
{
	if (!edit_take(e, cause))
		return false;
	e->guest.hit = true;
	if (e->twin)
		e->twin->guest.hit = true;
	return true;
}

/* guests_lock is held: no edit of the list is released meanwhile. */
static void end_taken(void)
{
	struct edit *e;

	flush_all_cpus();
	list_for_each_entry(e, &guests, guest.link)
	{
		if (!e->guest.hit)
			continue;
		e->guest.hit = false;
		edit_tell_gone(e);
		queue_work(system_unbound_wq, e->released);
	}
}

static void take_concerned(const struct happened *h, enum ptremap_cause cause)
{
	struct edit *e;
	bool any = false;

	spin_lock(&guests_lock);
	list_for_each_entry(e, &guests, guest.link)
	{
		if (concerns(e, h))
			any |= take(e, cause);
	}
	if (any)
		end_taken();
	spin_unlock(&guests_lock);
}

/* Those that know the VM outlive what it has more. */
void ptremap_vm_slot(const struct kvm *kvm, const struct mm_struct *mm, unsigned long start,
		     unsigned long end, bool made)
{
	const struct happened h = {
		.kvm = kvm, .mm = mm, .start = start, .end = end, .known = !made
	};

	atomic_inc(&slot_changes);
	smp_mb__after_atomic();
	take_concerned(&h, PTREMAP_CAUSE_SLOT);
}
EXPORT_SYMBOL_GPL(ptremap_vm_slot);

void ptremap_vm_gone(const struct kvm *kvm, const struct mm_struct *mm)
{
	const struct happened h = { .kvm = kvm, .mm = mm, .end = ULONG_MAX, .known = true };

	take_concerned(&h, PTREMAP_CAUSE_VM);
}
EXPORT_SYMBOL_GPL(ptremap_vm_gone);
