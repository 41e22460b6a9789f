// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings at new addresses: a file of the module's own, mapped into the process by the kernel's
 * mmap(). Its VMAs are like those of device drivers (VM_PFNMAP): the kernel neither counts, swaps,
 * migrates nor lends what is in there, a fork leaves them out, and whatever unmaps them tells
 * vm_ops->close. So nothing has to be guarded.
 *
 * References of a mapping: to its mm (mmgrab) and its frames (frames_get()). Those to it: the
 * journal's, given back by map_undo(), and the file's, given back when that is released. The file
 * has one of each VMA, and each file one to the module: code and frames are there for as long as
 * any process has a part of the mapping.
 *
 * Frames go when the last VMA does, whoever unmapped it: vm_ops->close comes after page tables and
 * TLBs were cleared of it. If a VMA cannot be unmapped, it is emptied, and faults get SIGBUS.
 *
 * Locks: mmap_lock, then mapping->lock, then those of the kernel's page tables.
 */
#include <linux/anon_inodes.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmu_context.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "map.h"
#include "part.h"
#include "trace.h"

#define FILE_NAME "[ptremap]"

static void put_frames(struct mapping *m)
{
	if (!test_and_set_bit(0, &m->put))
		frames_put(&m->frames);
}

static void free_mapping(struct kref *ref)
{
	struct mapping *m = container_of(ref, struct mapping, ref);

	put_frames(m);
	mmdrop(m->mm);
	m->release(m);
}

void mapping_put(struct mapping *m)
{
	kref_put(&m->ref, free_mapping);
}

bool mapping_end(struct mapping *m, enum ptremap_cause cause)
{
	bool first;

	down_write(&m->lock);
	first = !m->gone;
	if (first) {
		m->gone = true;
		m->cause = cause;
	}
	up_write(&m->lock);
	if (first)
		trace_ptremap_restore(m->req.pid, m->req.va, 0, cause);
	return first;
}

void mapping_tell_gone(struct mapping *m)
{
	struct ptremap_record r;

	map_record(m, &r);
	watch_gone(&m->watched, &r);
}

/* ---- the VMAs -------------------------------------------------------------------------------- */

/* mmap_lock is held for reading at least. */
static vm_fault_t part_fault(struct vm_fault *vmf)
{
	struct mapping *m = vmf->vma->vm_private_data;
	vm_fault_t ret = VM_FAULT_SIGBUS;

	down_read(&m->lock);
	if (!m->gone && vmf->pgoff < m->frames.nr)
		ret = vmf_insert_pfn(vmf->vma, vmf->address, frames_pfn(&m->frames, vmf->pgoff));
	up_read(&m->lock);
	return ret;
}

/* One is split, or moved by mremap(). mmap_lock is held for writing. */
void part_open(struct vm_area_struct *vma)
{
	struct mapping *m = vma->vm_private_data;

	atomic_inc(&m->parts);
}

/* mmap_lock is held for writing, or nobody has the mm any more. */
void part_close(struct vm_area_struct *vma)
{
	struct mapping *m = vma->vm_private_data;

	if (!atomic_dec_and_test(&m->parts))
		return;
	mapping_end(m,
		    atomic_read(&vma->vm_mm->mm_users) ? PTREMAP_CAUSE_UNMAP : PTREMAP_CAUSE_EXIT);
	put_frames(m);
	mapping_tell_gone(m);
}

const struct vm_operations_struct part_frames_ops = {
	.fault = part_fault,
	.open = part_open,
	.close = part_close,
};

/* vm_private_data of others may be anything. mmap_lock is held for reading at least. */
static struct vm_area_struct *next_part(struct vma_iterator *vmi, const struct mapping *m)
{
	struct vm_area_struct *vma;

	do {
		vma = vma_next(vmi);
	} while (vma && (vma->vm_ops != m->ops || vma->vm_private_data != m));
	return vma;
}

/* ---- the file -------------------------------------------------------------------------------- */

static vm_flags_t access_of(u32 prot)
{
	return (prot & PTREMAP_MAP_READ ? VM_READ : 0) | (prot & PTREMAP_MAP_WRITE ? VM_WRITE : 0) |
	       (prot & PTREMAP_MAP_EXEC ? VM_EXEC : 0);
}

/* What mprotect() may give. */
#define ALL_MAY	      (VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)
#define ACCESS_TO_MAY (VM_MAYREAD / VM_READ)

/*
 * Of map_in_target() alone: nobody else gets at the file. VM_IO keeps madvise() from having it
 * inherited. Access is set here, since files of this kind may be on a mount without exec.
 *
 * This comes last, before anybody can see the VMA: a dry run learns its address, and refuses it.
 */
static int map_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct mapping *m = file->private_data;
	vm_flags_t access = access_of(m->req.prot);

	if (access & VM_WRITE && access & VM_EXEC && compat_denies_write_exec(vma->vm_mm))
		return -ENOEXEC;
	m->req.va = vma->vm_start;
	if (m->req.flags & PTREMAP_MAP_DRY_RUN)
		return -ECANCELED;
	compat_vma_flags(vma,
			 VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY | access,
			 ALL_MAY & ~(access * ACCESS_TO_MAY));
	vma->vm_page_prot = frames_pgprot(&m->frames, vm_get_page_prot(vma->vm_flags));
	vma->vm_ops = m->ops;
	vma->vm_private_data = m;
	atomic_inc(&m->parts);
	return 0;
}

/* Nothing maps it any more. */
static int map_release(struct inode *inode, struct file *file)
{
	struct mapping *m = file->private_data;

	mapping_put(m);
	return 0;
}

static const struct file_operations map_fops = {
	.owner = THIS_MODULE,
	.mmap = map_mmap,
	.release = map_release,
};

/* ---- work in the address space of another ---------------------------------------------------- */

/* Only kernel threads may use the mm of a process. */
struct job {
	struct work_struct work;
	struct mapping *m;
	struct file *file;
	struct file *parts_file; /* of the parts, with a reference */
	unsigned long len;
	unsigned long ret;
};

/* The caller has a reference to the mapping's mm (mmget). */
static void run_job(struct job *job, work_func_t func)
{
	INIT_WORK_ONSTACK(&job->work, func);
	queue_work(system_unbound_wq, &job->work);
	flush_work(&job->work);
	destroy_work_on_stack(&job->work);
}

/* Without CAP_SYS_RAWIO, which would allow addresses below mmap_min_addr (cap_mmap_addr()). */
static unsigned long mmap_checked(struct file *file, const struct ptremap_map *req)
{
	unsigned long flags = MAP_SHARED | (req->va ? MAP_FIXED_NOREPLACE : 0) |
			      (req->flags & PTREMAP_MAP_LOW ? MAP_32BIT : 0);
	struct cred *cred = prepare_creds();
	const struct cred *before;
	unsigned long ret;

	if (!cred)
		return -ENOMEM;
	cap_lower(cred->cap_effective, CAP_SYS_RAWIO);
	before = override_creds(cred);
	ret = vm_mmap(file, req->va, req->len, PROT_READ, flags, 0);
	revert_creds(before);
	put_cred(cred);
	return ret == -EPERM ? -EADDRNOTAVAIL : ret;
}

static void map_in_target(struct work_struct *work)
{
	struct job *job = container_of(work, struct job, work);

	kthread_use_mm(job->m->mm);
	job->ret = mmap_checked(job->file, &job->m->req);
	kthread_unuse_mm(job->m->mm);
}

/* The file's reference to @m goes with it. When this returns, only VMAs have the file. */
int parts_map(struct mapping *m)
{
	struct job job = { .m = m };

	job.file = anon_inode_getfile(FILE_NAME, &map_fops, m, O_RDWR);
	if (IS_ERR(job.file))
		return PTR_ERR(job.file);
	kref_get(&m->ref);
	run_job(&job, map_in_target);
	fput(job.file);
	if (m->req.flags & PTREMAP_MAP_DRY_RUN && job.ret == -ECANCELED)
		return 0; /* map_mmap() has put the address there */
	if (IS_ERR_VALUE(job.ret))
		return job.ret;
	m->req.va = job.ret;
	return 0;
}

/* ---- unmapping ------------------------------------------------------------------------------- */

/*
 * No function for modules unmaps under a lock that they hold, and between a look and vm_munmap()
 * the process may put something else there. But mmap() with MAP_FIXED, all under its lock, asks the
 * file for the address, unmaps what is there, and only then asks the file to map; which this file
 * answers with the address of a part, and with a refusal.
 */
static unsigned long find_part(struct file *file, unsigned long addr, unsigned long len,
			       unsigned long pgoff, unsigned long flags)
{
	VMA_ITERATOR(vmi, current->mm, 0);
	struct job *job = file->private_data;
	const struct vm_area_struct *vma = next_part(&vmi, job->m);

	if (!vma)
		return -ESRCH;
	if (!job->parts_file)
		job->parts_file = get_file(vma->vm_file);
	job->len = vma->vm_end - vma->vm_start;
	return job->len == len ? vma->vm_start : -EAGAIN;
}

static int refuse_mmap(struct file *file, struct vm_area_struct *vma)
{
	return -ECANCELED;
}

static const struct file_operations unmap_fops = {
	.owner = THIS_MODULE,
	.get_unmapped_area = find_part,
	.mmap = refuse_mmap,
};

/* -ESRCH: no part is left. Parts only get smaller and fewer, so that this comes to an end. */
static unsigned long unmap_parts(struct job *job)
{
	unsigned long ret;

	do {
		ret = vm_mmap(job->file, job->m->req.va, job->len, PROT_NONE,
			      MAP_SHARED | MAP_FIXED, 0);
		cond_resched();
	} while (ret == -ECANCELED || ret == -EAGAIN);
	return ret;
}

/* For want of memory, or because the process has sealed them. They stay, but lead nowhere. */
static void empty_parts(struct mapping *m)
{
	VMA_ITERATOR(vmi, m->mm, 0);
	struct vm_area_struct *vma;

	mmap_read_lock(m->mm);
	while ((vma = next_part(&vmi, m)))
		zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
	mmap_read_unlock(m->mm);
	put_frames(m);
}

static void unmap_in_target(struct work_struct *work)
{
	struct job *job = container_of(work, struct job, work);
	struct file *file;

	kthread_use_mm(job->m->mm);
	file = anon_inode_getfile(FILE_NAME, &unmap_fops, job, O_RDWR);
	if (!IS_ERR(file)) {
		job->file = file;
		job->ret = unmap_parts(job);
	}
	if (job->ret != -ESRCH)
		empty_parts(job->m);
	kthread_unuse_mm(job->m->mm);
}

/* Its files are given back here: from a kernel thread they, and the module, would go later. */
void parts_unmap(struct mapping *m)
{
	struct job job = { .m = m, .len = m->req.len, .ret = -ENOMEM };

	run_job(&job, unmap_in_target);
	if (job.parts_file)
		fput(job.parts_file);
	if (job.file)
		fput(job.file);
}
