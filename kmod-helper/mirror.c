// SPDX-License-Identifier: GPL-2.0
/*
 * Mirrors: made and ended.
 *
 * References to one: that of its descriptor's file, given back when that is released, and that of
 * the window's file (part.c). The descriptor's end is the mirror's: the window is unmapped, and the
 * notifiers go. What is left, if VMAs stay, leads nowhere.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "mirror.h"

#define FEATURES                                                                                 \
	(PTREMAP_MIRROR_NX | PTREMAP_MIRROR_PSE | PTREMAP_MIRROR_PSE36 | PTREMAP_MIRROR_PAGE1G | \
	 PTREMAP_MIRROR_AMD | PTREMAP_MIRROR_PDPTE_A)

/* ---- the window ---------------------------------------------------------------------------------
 */

/* It is unmapped as a whole alone, so that one notice tells of the end of its tables. */
static int refuse_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

/* What may be done in the window is a matter of each entry. */
static int refuse_mprotect(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			   unsigned long flags)
{
	return -EACCES;
}

static const struct vm_operations_struct window_ops = {
	.fault = mirror_fault,
	.pfn_mkwrite = mirror_fault,
	.open = part_open,
	.close = part_close,
	.may_split = refuse_split,
	.mprotect = refuse_mprotect,
};

/* ---- making one ---------------------------------------------------------------------------------
 */

static int check_request(const struct ptremap_mirror *req)
{
	u64 last = req->gva + req->len - 1;

	if (req->flags & ~(PTREMAP_MIRROR_EXEC | PTREMAP_MIRROR_AD | PTREMAP_MIRROR_SYNC |
			   PTREMAP_MIRROR_RDONLY | PTREMAP_PIDFD | PTREMAP_OTHER_PIDFD) ||
	    req->features & ~FEATURES || req->cpu & ~MIRROR_CPU_BITS || req->reserved ||
	    !req->len || !req->nr_ranges || req->tag >= PTREMAP_MIRROR_TAGS)
		return -EINVAL;
	if (req->mode > PTREMAP_MIRROR_5LEVEL)
		return -EPROTO;
	if (req->len > PTREMAP_MIRROR_MAX_LEN || req->nr_ranges > PTREMAP_MIRROR_MAX_RANGES)
		return -EMSGSIZE;
	if ((req->va | req->len | req->gva) & ~PAGE_MASK || req->va >= TASK_SIZE_MAX ||
	    req->len > TASK_SIZE_MAX - req->va || last < req->gva ||
	    (req->mode < PTREMAP_MIRROR_4LEVEL && last > U32_MAX))
		return -EDOM;
	return 0;
}

static int make_format(struct mirror *m, const struct ptremap_mirror *req)
{
	const struct pt_feat feat = {
		.maxphyaddr = min(req->maxphyaddr, 255U),
		.nx = !!(req->features & PTREMAP_MIRROR_NX),
		.pse = !!(req->features & PTREMAP_MIRROR_PSE),
		.pse36 = !!(req->features & PTREMAP_MIRROR_PSE36),
		.page1g = !!(req->features & PTREMAP_MIRROR_PAGE1G),
		.amd = !!(req->features & PTREMAP_MIRROR_AMD),
		.pdpte_a = !!(req->features & PTREMAP_MIRROR_PDPTE_A),
	};
	static const enum pt_mode modes[] = {
		[PTREMAP_MIRROR_NONE] = PT_MODE_NONE,	  [PTREMAP_MIRROR_32BIT] = PT_MODE_32BIT,
		[PTREMAP_MIRROR_PAE] = PT_MODE_PAE,	  [PTREMAP_MIRROR_4LEVEL] = PT_MODE_4LEVEL,
		[PTREMAP_MIRROR_5LEVEL] = PT_MODE_5LEVEL,
	};

	return pt_fmt_init(&m->fmt, modes[req->mode], &feat) ? -EPROTO : 0;
}

static bool good_range(const struct ptremap_mirror_range *r, u64 after, u64 end)
{
	return !((r->gpa | r->len | r->hva) & ~PAGE_MASK) && r->len && r->gpa >= after &&
	       r->gpa < end && r->len <= end - r->gpa && r->hva < TASK_SIZE_MAX &&
	       r->len <= TASK_SIZE_MAX - r->hva;
}

/* What there is of it when this fails is freed with the mirror. */
static int copy_ranges(struct mirror *m, const struct ptremap_mirror *req)
{
	size_t bytes = req->nr_ranges * sizeof(*m->ranges);
	u64 after = 0, end = min_t(u64, PTREMAP_MIRROR_MAX_GPA, 1ULL << m->fmt.feat.maxphyaddr);
	u32 i;

	m->ranges = kvmalloc(bytes, GFP_KERNEL_ACCOUNT);
	if (!m->ranges)
		return -ENOMEM;
	if (copy_from_user(m->ranges, u64_to_user_ptr(req->ranges), bytes))
		return -EFAULT;
	for (i = 0; i < req->nr_ranges; i++) {
		if (m->ranges[i].reserved || m->ranges[i].flags & ~PTREMAP_MIRROR_RANGE_RO)
			return -EINVAL;
		if (!good_range(&m->ranges[i], after, end))
			return -ERANGE;
		after = m->ranges[i].gpa + m->ranges[i].len;
	}
	m->nr_ranges = req->nr_ranges;
	return 0;
}

/* The last reference is given up: nothing maps it, and no notifier has it. */
static void release_mirror(struct mapping *map)
{
	struct mirror *m = container_of(map, struct mirror, map);

	held_exit(m);
	kvfree(m->ranges);
	if (m->ram)
		mmdrop(m->ram);
	if (m->page)
		free_page((unsigned long)m->page);
	kfree(m);
}

/* With a reference to each mm (mmgrab); the callers' own stay theirs. */
static struct mirror *new_mirror(const struct ptremap_mirror *req, const struct target *window,
				 const struct target *ram)
{
	struct mirror *m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);

	if (!m)
		return NULL;
	INIT_LIST_HEAD(&m->listed);
	spin_lock_init(&m->lock);
	init_rwsem(&m->map.lock);
	kref_init(&m->map.ref);
	m->map.ops = &window_ops;
	m->map.release = release_mirror;
	m->map.mm = window->mm;
	m->ram = ram->mm;
	m->ram_pid = ram->nr;
	mmgrab(m->map.mm);
	mmgrab(m->ram);
	m->map.req = (struct ptremap_map){
		.pid = window->nr,
		.va = req->va,
		.len = req->len,
		.source = PTREMAP_MAP_FRESH,
		.prot = PTREMAP_MAP_READ |
			(req->flags & PTREMAP_MIRROR_RDONLY ? 0 : PTREMAP_MAP_WRITE) |
			(req->flags & PTREMAP_MIRROR_EXEC ? PTREMAP_MAP_EXEC : 0),
	};
	m->flags = req->flags;
	m->mode = req->mode;
	m->dead = true; /* until all of it is there */
	m->gva = req->gva;
	m->nr_slots = round_up(HUGE_PAGES - 1 + (req->len >> PAGE_SHIFT), HUGE_PAGES);
	return m;
}

static int fill_mirror(struct mirror *m, const struct ptremap_mirror *req)
{
	int err = make_format(m, req) ?: copy_ranges(m, req) ?: held_init(m);

	if (err)
		return err;
	m->page = (struct ptremap_mirror_page *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	err = m->page ? mirror_set_root(m, req->tag, req->root, req->cpu) : -ENOMEM;
	m->dead = err;
	return err;
}

/* Unmaps the window, if it is there, and gives up the descriptor's reference. */
static void end_mirror(struct mirror *m)
{
	mirror_list_remove(m);
	mapping_end(&m->map, PTREMAP_CAUSE_UNDO);
	host_unwatch(m);
	if (atomic_read(&m->map.parts) && mmget_not_zero(m->map.mm)) {
		parts_unmap(&m->map);
		mmput(m->map.mm);
	}
	mapping_put(&m->map);
}

static struct mirror *make_mirror(struct ptremap_mirror *req, const struct target *window,
				  const struct target *ram)
{
	struct mirror *m = new_mirror(req, window, ram);
	int err;

	if (!m)
		return ERR_PTR(-ENOMEM);
	err = fill_mirror(m, req) ?: host_watch(m) ?: parts_map(&m->map);
	if (err) {
		end_mirror(m);
		return ERR_PTR(err);
	}
	req->va = m->map.req.va;
	return m;
}

static int get_target(struct target *t, s32 pid, u32 flags)
{
	if (!pid && !(flags & PTREMAP_PIDFD))
		pid = task_tgid_vnr(current);
	return target_check(pid, flags) ?: target_get(t, pid, flags);
}

static struct mirror *mirror_of(struct ptremap_mirror *req)
{
	struct target window, ram;
	struct mirror *m;
	int err = check_request(req) ?: get_target(&window, req->pid, req->flags);

	if (err)
		return ERR_PTR(err);
	err = get_target(&ram, req->ram_pid, target_other_flags(req->flags));
	m = err ? ERR_PTR(err) : make_mirror(req, &window, &ram);
	if (!err)
		target_put(&ram);
	target_put(&window);
	return m;
}

/* ---- its file -----------------------------------------------------------------------------------
 */

/* The page of records, to be read. */
static int mirror_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct mirror *m = file->private_data;

	if (vma->vm_end - vma->vm_start != PAGE_SIZE || vma->vm_pgoff || vma->vm_flags & VM_WRITE)
		return -EINVAL;
	compat_vma_flags(vma, VM_DONTEXPAND | VM_DONTDUMP | VM_DONTCOPY, VM_MAYWRITE);
	return vm_insert_page(vma, vma->vm_start, virt_to_page(m->page));
}

static int mirror_release(struct inode *inode, struct file *file)
{
	end_mirror(file->private_data);
	return 0;
}

static const struct file_operations mirror_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = mirror_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = mirror_mmap,
	.release = mirror_release,
};

static int new_file(struct mirror_call *c, struct mirror *m)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0)
		return fd;
	c->file = anon_inode_getfile("[ptremap-mirror]", &mirror_fops, m, O_RDWR);
	if (IS_ERR(c->file)) {
		put_unused_fd(fd);
		return PTR_ERR(c->file);
	}
	c->req.fd = fd;
	return 0;
}

/* Number and file are the caller's only when it knows them: mirror_answered() is called then. */
int call_mirror(void *arg, struct file *file)
{
	struct mirror_call *c = arg;
	struct mirror *m;
	int err;

	c->req.fd = -1;
	m = mirror_of(&c->req);
	if (IS_ERR(m))
		return PTR_ERR(m);
	err = new_file(c, m);
	if (err)
		end_mirror(m);
	else
		mirror_list_add(m);
	return err;
}

void mirror_answered(void *arg, int err)
{
	struct mirror_call *c = arg;

	if (!err) {
		fd_install(c->req.fd, c->file);
		return;
	}
	put_unused_fd(c->req.fd);
	fput(c->file);
}
