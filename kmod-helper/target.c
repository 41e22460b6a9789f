// SPDX-License-Identifier: GPL-2.0
/* Processes and their top tables; the format of this machine's tables. */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>

#include "compat.h"
#include "ptremap.h"

struct pt_fmt ptremap_fmt;

int ptremap_fmt_init(void)
{
	struct pt_feat feat = {
		.maxphyaddr = boot_cpu_data.x86_phys_bits,
		.nx = boot_cpu_has(X86_FEATURE_NX),
		.page1g = boot_cpu_has(X86_FEATURE_GBPAGES),
		.enc_bit = sme_me_mask ? __ffs64(sme_me_mask) : 0,
	};

	return pt_fmt_init(&ptremap_fmt, pgtable_l5_enabled() ? PT_MODE_5LEVEL : PT_MODE_4LEVEL,
			   &feat)
		       ? -ENODEV
		       : 0;
}

/*
 * The kernel exports no function that takes a pidfd (none of pidfd_pid(), pidfd_get_pid(),
 * pidfd_get_task()), nor the file operations to know one by. What is left is to know it by its
 * inode, as others cannot look alike, and to look where those functions do: up to 6.8 it is an
 * anonymous one, and the file has the pid (kernel/fork.c, pidfd_pid()); since 6.9 it is one of
 * pidfs, and has the pid itself (fs/pidfs.c, pidfd_pid()). NULL: it is no pidfd. The file's
 * reference to it is its own.
 */
static struct pid *pid_of_file(const struct file *file)
{
	const struct inode *inode = file_inode(file);

#ifdef PID_FS_MAGIC
	if (inode->i_sb->s_magic == PID_FS_MAGIC)
		return inode->i_private;
#else
	if (inode->i_sb->s_magic == ANON_INODE_FS_MAGIC &&
	    !strcmp(file->f_path.dentry->d_name.name, "[pidfd]"))
		return file->private_data;
#endif
	return NULL;
}

/* With a reference; or -EBADF. */
static struct pid *pid_of_fd(int fd)
{
	struct file *file = fget(fd);
	struct pid *pid;

	if (!file)
		return ERR_PTR(-EBADF);
	pid = get_pid(pid_of_file(file));
	fput(file);
	return pid ?: ERR_PTR(-EBADF);
}

/* With a reference; or -errno. @pid is not 0, unless it is a descriptor. */
static struct pid *get_pid_of(pid_t pid, u32 flags)
{
	int err = target_check(pid, flags);

	if (err)
		return ERR_PTR(err);
	return flags & PTREMAP_PIDFD ? pid_of_fd(pid) : find_get_pid(pid) ?: ERR_PTR(-ESRCH);
}

pid_t target_number(pid_t pid, u32 flags)
{
	struct pid *id;
	pid_t nr;

	if (!(flags & PTREMAP_PIDFD))
		return pid;
	id = get_pid_of(pid, flags);
	if (IS_ERR(id))
		return 0;
	nr = pid_vnr(id);
	put_pid(id);
	return nr;
}

/*
 * The reference to the task is given back here, as is the lock; the reference to the mm is the
 * caller's. exec holds that lock from where the task has its new mm to where that has a layout
 * (fs/exec.c, exec_mmap(), setup_new_exec()): before, the kernel has no place for a mapping there,
 * and on 6.1 calls a function that is not set. No lock of an mm may be held.
 */
static int get_mm(struct pid *pid, struct mm_struct **mm)
{
	struct task_struct *task = get_pid_task(pid, PIDTYPE_PID);
	int err;

	if (!task)
		return -ESRCH;
	err = down_read_killable(&task->signal->exec_update_lock);
	if (!err) {
		*mm = get_task_mm(task);
		up_read(&task->signal->exec_update_lock);
	}
	put_task_struct(task);
	return err ?: *mm ? 0 : -ENXIO;
}

/* On failure nothing is held. A process that the caller has no number for is none to it. */
static int get_process(struct target *t, pid_t pid, u32 flags)
{
	int err;

	t->pid = get_pid_of(pid, flags);
	if (IS_ERR(t->pid))
		return PTR_ERR(t->pid);
	t->nr = pid_vnr(t->pid);
	err = t->nr ? get_mm(t->pid, &t->mm) : -ESRCH;
	if (err)
		put_pid(t->pid);
	return err;
}

int target_get(struct target *t, pid_t pid, u32 flags)
{
	int err;

	*t = (struct target){ .kernel = !pid && !(flags & PTREMAP_PIDFD) };
	if (!t->kernel) {
		err = get_process(t, pid, flags);
		if (err)
			return err;
		t->own = true;
	} else {
		t->mm = current->mm;
	}
	t->root = __pa(t->mm->pgd);
	/* arch/x86/include/asm/pgtable.h, kernel_to_user_pgdp(): the user's copy is one page on. */
	if (flags & PTREMAP_WALK_USER_ROOT && boot_cpu_has(X86_FEATURE_PTI))
		t->root += PAGE_SIZE;
	return 0;
}

void target_put(struct target *t)
{
	if (t->own)
		mmput(t->mm);
	put_pid(t->pid);
}
