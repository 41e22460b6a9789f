// SPDX-License-Identifier: GPL-2.0
/*
 * Frames under VMs: KVM is told round each change, by its own MMU notifier; and tells of its slots.
 *
 * invalidate_range_start() drops the entries of the range, flushes the vCPUs that may have them,
 * and holds back page faults and changes of slots until invalidate_range_end(). Not blockable,
 * neither of them sleeps, so that the guard may call them, be it from the OOM reaper.
 *
 * Slots: kvm_arch_commit_memory_region() is called, by each change of one, when it is in force and
 * the VMM does not know yet; with a kprobe there. It runs with preemption off and interrupts on, if
 * it is at the function's entry for ftrace, and only then it is used.
 *
 * sets_lock protects the list of sets, and is held for nothing else than to go through it.
 */
#include <linux/fdtable.h>
#include <linux/kprobes.h>
#include <linux/kvm_host.h>
#include <linux/magic.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "kvm_frames.h"

/* VMs of one process. */
#define VMS_MAX 64
/* How often those are looked for that nobody has any more. */
#define LOOK_EVERY HZ

static DEFINE_MUTEX(sets_lock);
static LIST_HEAD(sets);

/* ---- the VMs of a process -------------------------------------------------------------------- */

struct looking {
	const struct mm_struct *mm;
	struct vm_set *set;
};

static bool is_vcpu(const struct file *file)
{
	return file->f_path.dentry->d_sb->s_magic == ANON_INODE_FS_MAGIC &&
	       !strncmp(file->f_path.dentry->d_name.name, "kvm-vcpu:", strlen("kvm-vcpu:"));
}

/* NULL: it is none of KVM's. A VM may be without a descriptor of its own when vCPUs have one. */
static struct kvm *vm_of_file(struct file *file)
{
	if (file_is_kvm(file))
		return file->private_data;
	return is_vcpu(file) ? ((struct kvm_vcpu *)file->private_data)->kvm : NULL;
}

/* iterate_fd() holds the files' lock. */
static int look_at_file(const void *arg, struct file *file, unsigned int fd)
{
	struct looking *l = (struct looking *)arg;
	struct kvm *kvm = vm_of_file(file);
	u32 i;

	if (!kvm || kvm->mm != l->mm)
		return 0;
	for (i = 0; i < l->set->nr; i++)
		if (l->set->vms[i] == kvm)
			return 0;
	if (l->set->nr == VMS_MAX)
		return -EXDEV;
	if (kvm_get_kvm_safe(kvm))
		l->set->vms[l->set->nr++] = kvm;
	return 0;
}

/* Who has the mm may have files of his own. Each task is locked while its files are looked at. */
static int look_at_tasks(struct looking *l)
{
	const struct files_struct *before = NULL;
	struct task_struct *p, *t;
	int err = 0;

	rcu_read_lock();
	for_each_process_thread(p, t)
	{
		if (err || READ_ONCE(t->mm) != l->mm || READ_ONCE(t->files) == before)
			continue;
		task_lock(t);
		if (t->mm == l->mm && t->files)
			err = iterate_fd(t->files, 0, look_at_file, l);
		before = t->files;
		task_unlock(t);
	}
	rcu_read_unlock();
	return err;
}

static void free_set(struct vm_set *set)
{
	while (set->nr)
		kvm_put_kvm(set->vms[--set->nr]);
	kfree(set);
}

/* ---- VMs that nobody has any more ------------------------------------------------------------ */

/* References that sets have to @kvm. sets_lock is held. */
static u32 own_references(const struct kvm *kvm)
{
	const struct vm_set *set;
	u32 i, nr = 0;

	list_for_each_entry(set, &sets, link)
	{
		for (i = 0; i < set->nr; i++)
			nr += set->vms[i] == kvm;
	}
	return nr;
}

/* One of them, with a reference; NULL: there is none. */
static struct kvm *find_abandoned(void)
{
	struct kvm *found = NULL;
	struct vm_set *set;
	u32 i;

	mutex_lock(&sets_lock);
	list_for_each_entry(set, &sets, link)
	{
		for (i = 0; !found && i < set->nr; i++)
			if (refcount_read(&set->vms[i]->users_count) == own_references(set->vms[i]))
				found = set->vms[i];
	}
	if (found)
		kvm_get_kvm(found);
	mutex_unlock(&sets_lock);
	return found;
}

static void look_for_abandoned(struct work_struct *work);
static DECLARE_DELAYED_WORK(look_work, look_for_abandoned);

/* Its edits are taken; when they have been released, so is it. */
static void look_for_abandoned(struct work_struct *work)
{
	struct kvm *kvm = find_abandoned();

	if (kvm) {
		ptremap_vm_gone(kvm, kvm->mm);
		kvm_put_kvm(kvm);
	}
	mutex_lock(&sets_lock);
	if (!list_empty(&sets))
		schedule_delayed_work(&look_work, LOOK_EVERY);
	mutex_unlock(&sets_lock);
}

/* ---- sets ------------------------------------------------------------------------------------ */

static bool told_of_slots;

int frames_vms_of(struct mm_struct *mm, struct vm_set **found)
{
	struct looking l = { .mm = mm };
	int err;

	l.set = kzalloc(struct_size(l.set, vms, VMS_MAX), GFP_KERNEL_ACCOUNT);
	if (!l.set)
		return -ENOMEM;
	refcount_set(&l.set->users, 1);
	err = look_at_tasks(&l);
	if (!err && l.set->nr && !told_of_slots)
		err = -EOPNOTSUPP;
	if (err || !l.set->nr) {
		free_set(l.set);
		return err;
	}
	mutex_lock(&sets_lock);
	list_add(&l.set->link, &sets);
	mutex_unlock(&sets_lock);
	schedule_delayed_work(&look_work, LOOK_EVERY);
	*found = l.set;
	return 0;
}

void frames_put_vms(struct vm_set *set)
{
	if (!refcount_dec_and_test(&set->users))
		return;
	mutex_lock(&sets_lock);
	list_del(&set->link);
	mutex_unlock(&sets_lock);
	free_set(set);
}

/* ---- round a change -------------------------------------------------------------------------- */

static struct mmu_notifier_range range_of(struct mm_struct *mm, unsigned long va,
					  unsigned long size)
{
	return (struct mmu_notifier_range){
		.mm = mm,
		.start = va,
		.end = va + size,
		.event = MMU_NOTIFY_CLEAR,
	};
}

static void begin(struct kvm *kvm, const struct mmu_notifier_range *range)
{
	kvm->mmu_notifier.ops->invalidate_range_start(&kvm->mmu_notifier, range);
}

static void done(struct kvm *kvm, const struct mmu_notifier_range *range)
{
	kvm->mmu_notifier.ops->invalidate_range_end(&kvm->mmu_notifier, range);
}

void frames_begin(const struct vm_set *set, struct mm_struct *mm, unsigned long va,
		  unsigned long size)
{
	const struct mmu_notifier_range range = range_of(mm, va, size);
	u32 i;

	for (i = 0; i < set->nr; i++)
		begin(set->vms[i], &range);
}

void frames_done(const struct vm_set *set, struct mm_struct *mm, unsigned long va,
		 unsigned long size)
{
	const struct mmu_notifier_range range = range_of(mm, va, size);
	u32 i;

	for (i = set->nr; i-- > 0;)
		done(set->vms[i], &range);
}

/* ---- where a page is ------------------------------------------------------------------------- */

/* SEV: its pages are pinned, and encrypted for their place. */
int frames_check(struct kvm *kvm, const struct mm_struct *mm)
{
	if (kvm->mm != mm)
		return -EXDEV;
	if (compat_is_encrypted(kvm) ||
	    kvm->arch.apicv_inhibit_reasons & BIT(APICV_INHIBIT_REASON_SEV))
		return -ENOKEY;
	return 0;
}

/* A slot with one of these has no edits. */
#define FORBIDDING (KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES)

/* The slots beyond the VMM's are KVM's own. */
static int check_slot(const struct kvm_memory_slot *slot, gfn_t gfn, unsigned long nr)
{
	if (!slot || slot->flags & KVM_MEMSLOT_INVALID || slot->id >= KVM_USER_MEM_SLOTS)
		return -EADDRNOTAVAIL;
	if (gfn + nr > slot->base_gfn + slot->npages)
		return -EADDRNOTAVAIL;
	if (slot->flags & KVM_MEM_READONLY)
		return -EROFS;
	return slot->flags & KVM_MEM_LOG_DIRTY_PAGES ? -EUCLEAN : 0;
}

/* SRCU keeps the slots from being freed meanwhile. */
int frames_locate(struct kvm *kvm, u64 gpa, unsigned int level, unsigned long *va)
{
	unsigned long size = level == 2 ? PMD_SIZE : PAGE_SIZE;
	struct kvm_memory_slot *slot;
	int err, idx;

	if (gpa & (size - 1))
		return -EDOM;
	idx = srcu_read_lock(&kvm->srcu);
	slot = gfn_to_memslot(kvm, gpa >> PAGE_SHIFT);
	err = check_slot(slot, gpa >> PAGE_SHIFT, size >> PAGE_SHIFT);
	if (!err)
		*va = __gfn_to_hva_memslot(slot, gpa >> PAGE_SHIFT);
	srcu_read_unlock(&kvm->srcu, idx);
	return err ?: *va & (size - 1) ? -EDOM : 0;
}

/* ---- changes of slots ------------------------------------------------------------------------ */

/* What it was is of interest where that goes; else what it is now. */
static const struct kvm_memory_slot *slot_of(enum kvm_mr_change change,
					     const struct kvm_memory_slot *old,
					     const struct kvm_memory_slot *new)
{
	return change == KVM_MR_DELETE || change == KVM_MR_MOVE ? old : new;
}

/* kvm_arch_commit_memory_region(kvm, old, new, change) */
static int at_commit(struct kprobe *probe, struct pt_regs *regs)
{
	struct kvm *kvm = (struct kvm *)regs->di;
	enum kvm_mr_change change = regs->cx;
	const struct kvm_memory_slot *slot = slot_of(change, (void *)regs->si, (void *)regs->dx);
	unsigned long start = slot->userspace_addr, size = slot->npages << PAGE_SHIFT;
	struct mmu_notifier_range range = range_of(kvm->mm, start, size);
	bool made = change == KVM_MR_CREATE;

	if (change == KVM_MR_FLAGS_ONLY && !(slot->flags & FORBIDDING))
		return 0;
	/* Edits that do not know the VM do not tell it. */
	if (made)
		begin(kvm, &range);
	ptremap_vm_slot(kvm, kvm->mm, start, start + size, made);
	if (made)
		done(kvm, &range);
	return 0;
}
NOKPROBE_SYMBOL(at_commit);

static struct kprobe commit_probe = {
	.symbol_name = "kvm_arch_commit_memory_region",
	.pre_handler = at_commit,
};

/* Locks of a real-time kernel sleep, which is not possible there. */
void frames_init(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT) || register_kprobe(&commit_probe))
		return;
	told_of_slots = kprobe_ftrace(&commit_probe);
	if (!told_of_slots)
		unregister_kprobe(&commit_probe);
}

void frames_exit(void)
{
	if (told_of_slots)
		unregister_kprobe(&commit_probe);
	cancel_delayed_work_sync(&look_work);
}
