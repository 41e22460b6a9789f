// SPDX-License-Identifier: GPL-2.0
/*
 * Writes to a guest's memory, as its process would make them: by the slot's address, with the
 * process' own rights. So what is copy-on-write is copied, what is swapped out comes back, pages of
 * files are dirty in the way that their file system wants, and userfaultfd is asked. A kernel
 * thread does it, since that can take another process' memory for its own (kthread_use_mm()).
 *
 * KVM is told as kvm_write_guest() would tell it. That cannot be called: it warns when no vCPU is
 * loaded (mark_page_dirty_in_slot(), virt/kvm/kvm_main.c). Of dirty logging it is the bit in the
 * slot's bitmap that counts, and that is set here, after the bytes are there; a VM with dirty rings
 * is refused, since an entry of such a ring can only be made by a vCPU.
 *
 * A job has two references: the caller's, and its worker's. A caller that is killed leaves the
 * worker to what it waits for.
 */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/refcount.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "kvm_memory.h"

#define PIECE (256U << 10) /* bytes that one job copies; checks have no bytes */

struct job {
	struct work_struct work;
	struct completion done;
	refcount_t users;
	struct kvm *kvm; /* with a reference */
	u64 gpa;
	size_t len, written;
	bool check; /* make the pages ready, and write nothing */
	bool stop;  /* nobody waits any more */
	int err;
	u8 data[];
};

static struct workqueue_struct *writers;

static void put_job(struct job *j)
{
	if (!refcount_dec_and_test(&j->users))
		return;
	kvm_put_kvm(j->kvm);
	kvfree(j);
}

/* ---- in the worker, with the process' memory --------------------------------------------------
 */

/* Those who look for dirty pages must see the bytes before the bit, or the bit once more. */
static void note_dirty(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	if (kvm_slot_dirty_track_enabled(slot) && slot->dirty_bitmap)
		set_bit_le(gfn - slot->base_gfn, slot->dirty_bitmap);
}

/* kvm->srcu is held: the slot stays. */
static int write_in_slot(struct job *j, const struct kvm_memory_slot *slot, u64 gpa, size_t len)
{
	gfn_t gfn = gpa >> PAGE_SHIFT;
	unsigned long hva = __gfn_to_hva_memslot(slot, gfn) + offset_in_page(gpa);
	size_t left;

	if (j->check)
		return fault_in_safe_writeable((char __user *)hva, len) ? -ENODATA : 0;
	left = copy_to_user((void __user *)hva, j->data + j->written, len);
	if (left != len)
		note_dirty(slot, gfn);
	/* Of a page that was cut short the caller gets to know each byte. */
	j->written += left ? len - left : 0;
	return left ? -ENODATA : 0;
}

/* Up to one page. SRCU keeps the slots, as in a vCPU's own thread. */
static int write_page(struct job *j, u64 gpa, size_t len)
{
	int idx = srcu_read_lock(&j->kvm->srcu), err;
	const struct kvm_memory_slot *slot = gfn_to_memslot(j->kvm, gpa >> PAGE_SHIFT);

	if (!slot)
		err = -ENXIO;
	else if (slot->flags & KVM_MEMSLOT_INVALID)
		err = -EAGAIN;
	else if (slot->flags & KVM_MEM_READONLY)
		err = -EROFS;
	else
		err = write_in_slot(j, slot, gpa, len);
	srcu_read_unlock(&j->kvm->srcu, idx);
	return err;
}

static void write_pages(struct job *j)
{
	size_t len;

	while (j->written < j->len && !j->err) {
		u64 gpa = j->gpa + j->written;

		len = min_t(size_t, j->len - j->written, PAGE_SIZE - offset_in_page(gpa));
		j->err = READ_ONCE(j->stop) ? -EINTR : write_page(j, gpa, len);
		if (!j->err)
			j->written += len;
		cond_resched();
	}
}

/* The mm has a reference (mmget) for as long as it is used, so that it is not torn down. */
static void run_job(struct work_struct *work)
{
	struct job *j = container_of(work, struct job, work);
	struct mm_struct *mm = j->kvm->mm;

	if (mmget_not_zero(mm)) {
		kthread_use_mm(mm);
		write_pages(j);
		kthread_unuse_mm(mm);
		mmput(mm);
	} else {
		j->err = -ESRCH;
	}
	complete(&j->done);
	put_job(j);
}

/* ---- the caller -------------------------------------------------------------------------------
 */

static struct job *new_job(struct kvm *kvm, const struct ptremap_phys *req)
{
	bool check = req->flags & PTREMAP_PHYS_CHECK;
	size_t len = check ? req->len - req->done : min_t(u64, req->len - req->done, PIECE);
	struct job *j = kvzalloc(struct_size(j, data, check ? 0 : len), GFP_KERNEL_ACCOUNT);

	if (!j)
		return ERR_PTR(-ENOMEM);
	if (!check && copy_from_user(j->data, u64_to_user_ptr(req->buf + req->done), len)) {
		kvfree(j);
		return ERR_PTR(-EFAULT);
	}
	kvm_get_kvm(kvm);
	j->kvm = kvm;
	j->gpa = req->pa + req->done;
	j->len = len;
	j->check = check;
	INIT_WORK(&j->work, run_job);
	init_completion(&j->done);
	refcount_set(&j->users, 2);
	return j;
}

static int write_piece(struct kvm *kvm, struct ptremap_phys *req)
{
	struct job *j = new_job(kvm, req);
	int err;

	if (IS_ERR(j))
		return PTR_ERR(j);
	queue_work(writers, &j->work);
	if (wait_for_completion_killable(&j->done)) {
		WRITE_ONCE(j->stop, true);
		err = -EINTR;
	} else {
		err = j->err;
		req->done += j->written;
	}
	put_job(j);
	return err;
}

static bool is_encrypted(struct kvm *kvm)
{
	return atomic_read(&kvm->online_vcpus) && kvm_get_vcpu(kvm, 0)->arch.guest_state_protected;
}

int kvm_memory_write(struct kvm *kvm, struct ptremap_phys *req)
{
	int err = 0;

	if (kvm->dirty_ring_size)
		return -EOPNOTSUPP;
	if (is_encrypted(kvm))
		return -ENOKEY;
	while (req->done < req->len && !err)
		err = write_piece(kvm, req);
	return err;
}

int kvm_memory_init(void)
{
	writers = alloc_workqueue("ptremap_write", WQ_UNBOUND, 0);
	return writers ? 0 : -ENOMEM;
}

/* Waits for those whose callers were killed, too. */
void kvm_memory_exit(void)
{
	destroy_workqueue(writers);
}
