// SPDX-License-Identifier: GPL-2.0
/* Processes and their top tables; the format of this machine's tables. */
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
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

/* The references to pid and task are given back here; that to the mm is the caller's. */
static int get_mm(pid_t nr, struct mm_struct **mm)
{
	struct pid *pid = find_get_pid(nr);
	struct task_struct *task = get_pid_task(pid, PIDTYPE_PID);

	put_pid(pid);
	if (!task)
		return -ESRCH;
	*mm = get_task_mm(task);
	put_task_struct(task);
	return *mm ? 0 : -ENXIO;
}

int target_get(struct target *t, pid_t pid, u32 flags)
{
	int err;

	*t = (struct target){ .kernel = !pid };
	if (pid < 0)
		return -ESRCH;
	if (pid) {
		err = get_mm(pid, &t->mm);
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
}
