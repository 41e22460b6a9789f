// SPDX-License-Identifier: GPL-2.0
/* ptremap_kvm: what KVM knows of a VM, for ptremap. */
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "kvm_vcpu.h"
#include "vm.h"

/* ---- which VM ----------------------------------------------------------------------------------
 */

struct search {
	int wanted; /* a descriptor, or -1 */
	int fd;	    /* that was found */
	struct kvm *kvm;
	int err;
};

/* Another descriptor of the same VM is no other VM. iterate_fd() holds the files' lock. */
static int look_at_file(const void *arg, struct file *file, unsigned int fd)
{
	struct search *s = (struct search *)arg;
	struct kvm *kvm;

	if ((s->wanted >= 0 && fd != s->wanted) || !file_is_kvm(file))
		return 0;
	kvm = file->private_data;
	if (s->kvm) {
		s->err = s->kvm == kvm ? 0 : -ENOTUNIQ;
		return s->err;
	}
	if (kvm_get_kvm_safe(kvm)) {
		s->kvm = kvm;
		s->fd = fd;
	}
	return 0;
}

/* The task is locked so that its files stay, for as long as they are looked through. */
static void look_at_files(struct task_struct *task, struct search *s)
{
	task_lock(task);
	if (task->files)
		iterate_fd(task->files, 0, look_at_file, s);
	task_unlock(task);
}

/* *@kvm has a reference, for kvm_put_kvm(). */
static int find_vm(struct ptremap_vm *req, struct kvm **kvm)
{
	struct search s = { .wanted = req->fd };
	struct pid *pid = find_get_pid(req->pid);
	struct task_struct *task = get_pid_task(pid, PIDTYPE_PID);

	put_pid(pid);
	if (!task)
		return -ESRCH;
	look_at_files(task, &s);
	put_task_struct(task);
	if (!s.kvm)
		return req->fd < 0 ? -ENOENT : -EBADF;
	if (s.err) {
		kvm_put_kvm(s.kvm);
		return s.err;
	}
	req->fd = s.fd;
	*kvm = s.kvm;
	return 0;
}

/* ---- its slots ---------------------------------------------------------------------------------
 */

static int compare_slots(const void *a, const void *b)
{
	const struct ptremap_slot *x = a, *y = b;

	if (x->space != y->space)
		return x->space < y->space ? -1 : 1;
	return x->gpa < y->gpa ? -1 : x->gpa > y->gpa;
}

static void fill_slot(struct ptremap_slot *out, const struct kvm_memory_slot *slot)
{
	*out = (struct ptremap_slot){
		.gpa = slot->base_gfn << PAGE_SHIFT,
		.len = (u64)slot->npages << PAGE_SHIFT,
		.hva = slot->userspace_addr,
		.flags = slot->flags,
		.id = slot->id,
		.space = slot->as_id,
	};
}

/* Returns how many there are. SRCU keeps the slots from being freed meanwhile. */
static u32 fill_slots(struct kvm *kvm, struct ptremap_slot *slots, u32 max)
{
	int idx = srcu_read_lock(&kvm->srcu), space, bucket;
	struct kvm_memory_slot *slot;
	u32 n = 0;

	for (space = 0; space < compat_nr_spaces(kvm); space++) {
		struct kvm_memslots *all = __kvm_memslots(kvm, space);

		kvm_for_each_memslot(slot, bucket, all)
		{
			if (n < max)
				fill_slot(&slots[n], slot);
			n++;
		}
	}
	srcu_read_unlock(&kvm->srcu, idx);
	return n;
}

static int tell_slots(struct kvm *kvm, struct ptremap_vm *req)
{
	u32 max = min_t(u32, req->nr_slots, PTREMAP_VM_SLOTS_MAX);
	struct ptremap_slot *slots = kvcalloc(max, sizeof(*slots), GFP_KERNEL_ACCOUNT);
	int err;

	if (!slots)
		return -ENOMEM;
	req->nr_slots = fill_slots(kvm, slots, max);
	max = min(max, req->nr_slots);
	sort(slots, max, sizeof(*slots), compare_slots, NULL);
	err = copy_to_user(u64_to_user_ptr(req->slots), slots, max * sizeof(*slots));
	kvfree(slots);
	return err ? -EFAULT : 0;
}

/* ---- its vCPUs ---------------------------------------------------------------------------------
 */

/*
 * vCPUs that are complete: they stay for as long as the VM does. When there is none of them,
 * kvm_for_each_vcpu(), and kvm_get_vcpu() before 6.12, may find one that is being made, and that is
 * freed if this fails.
 */
static u32 nr_online(struct kvm *kvm)
{
	return atomic_read(&kvm->online_vcpus);
}

static int look_at_vcpu(struct kvm_vcpu *vcpu, u32 flags, struct ptremap_vcpu *out)
{
	if (!(flags & PTREMAP_VM_ROOTS))
		return vcpu_look(vcpu, out);
	vcpu_root(vcpu, out);
	return 0;
}

static int tell_vcpus(struct kvm *kvm, struct ptremap_vm *req)
{
	u32 max = req->flags & PTREMAP_VM_NO_VCPUS ? 0 : req->nr_vcpus;
	struct ptremap_vcpu __user *to = u64_to_user_ptr(req->vcpus);
	u32 i, nr = nr_online(kvm);
	struct ptremap_vcpu seen;
	int err;

	for (i = 0; i < min(nr, max); i++) {
		err = look_at_vcpu(kvm_get_vcpu(kvm, i), req->flags, &seen);
		if (err)
			return err;
		if (copy_to_user(&to[i], &seen, sizeof(seen)))
			return -EFAULT;
	}
	req->nr_vcpus = nr;
	return 0;
}

/* Of the first vCPU, which all are like. */
static u32 tables_of(struct kvm *kvm)
{
	union kvm_mmu_page_role role;

	if (!nr_online(kvm))
		return PTREMAP_VM_SHADOW;
	role = kvm_get_vcpu(kvm, 0)->arch.root_mmu.root_role;
	if (!role.direct || role.level < 4)
		return PTREMAP_VM_SHADOW;
	return boot_cpu_has(X86_FEATURE_VMX) ? PTREMAP_VM_EPT : PTREMAP_VM_NPT;
}

static int call_facts(struct ptremap_vm *req)
{
	struct kvm *kvm;
	int err;

	if (req->flags & ~(PTREMAP_VM_NO_VCPUS | PTREMAP_VM_ROOTS) || req->fd < -1)
		return -EINVAL;
	if (req->pid <= 0)
		return -ESRCH;
	err = find_vm(req, &kvm);
	if (err)
		return err;
	req->tables = tables_of(kvm);
	req->owner = kvm->userspace_pid;
	err = tell_slots(kvm, req) ?: tell_vcpus(kvm, req);
	kvm_put_kvm(kvm);
	return err;
}

/* ---- the module --------------------------------------------------------------------------------
 */

static const struct vm_calls calls = { .owner = THIS_MODULE, .facts = call_facts };

static int __init ptremap_kvm_init(void)
{
	int err = vcpu_looking_init();

	if (err)
		return err;
	err = vcpu_telling_init();
	if (err)
		goto no_telling;
	err = ptremap_vm_register(&calls);
	if (!err)
		return 0;
	vcpu_telling_exit();
no_telling:
	vcpu_looking_exit();
	return err;
}

static void __exit ptremap_kvm_exit(void)
{
	ptremap_vm_unregister(&calls);
	vcpu_telling_exit();
	vcpu_looking_exit();
}

module_init(ptremap_kvm_init);
module_exit(ptremap_kvm_exit);
MODULE_DESCRIPTION("KVM's page tables for ptremap(1)");
MODULE_LICENSE("GPL");
