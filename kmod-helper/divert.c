// SPDX-License-Identifier: GPL-2.0
/*
 * Functions that are entered through ours.
 *
 * Whoever is sent to ->instead is counted before he gets there, and until divert_left(). What then
 * remains of ->instead, and of ftrace's trampoline, are instructions that no task sleeps in:
 * synchronize_rcu_tasks() waits until nobody is in these any more.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#include "compat.h"
#include "divert.h"

#define WAIT_MS 10

/* Preemption is off. */
static void notrace look_at(unsigned long parent_ip, struct ftrace_ops *ops,
			    struct ftrace_regs *fregs)
{
	struct divert *d = container_of(ops, struct divert, ops);
	struct pt_regs *regs = ftrace_get_regs(fregs);

	if (!regs || within_module(parent_ip, THIS_MODULE))
		return;
	if (d->look && !d->look(regs))
		return;
	if (!d->instead)
		return;
	atomic_inc(&d->inside);
	compat_set_ip(fregs, (unsigned long)d->instead);
}

/* ftrace itself keeps preemption off only where several are at one function. */
static void notrace arrive(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			   struct ftrace_regs *fregs)
{
	preempt_disable_notrace();
	look_at(parent_ip, ops, fregs);
	preempt_enable_notrace();
}

/* PERMANENT: sysctl kernel.ftrace_enabled=0 is refused while it is there. */
int divert_add(struct divert *d)
{
	int err;

	atomic_set(&d->inside, 0);
	d->ops = (struct ftrace_ops){
		.func = arrive,
		.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_PERMANENT |
			 (d->instead ? FTRACE_OPS_FL_IPMODIFY : 0),
	};
	err = ftrace_set_filter(&d->ops, (unsigned char *)d->name, strlen(d->name), 1);
	if (!err)
		err = register_ftrace_function(&d->ops);
	d->added = !err;
	if (err)
		ftrace_free_filter(&d->ops);
	return err;
}

void divert_left(struct divert *d)
{
	atomic_dec(&d->inside);
}

void divert_remove(struct divert *d)
{
	if (!d->added)
		return;
	d->added = false;
	WARN_ON(unregister_ftrace_function(&d->ops));
	synchronize_rcu_tasks();
	while (atomic_read(&d->inside))
		msleep(WAIT_MS);
	synchronize_rcu_tasks();
	ftrace_free_filter(&d->ops);
}
