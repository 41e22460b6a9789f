/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions of other modules that are looked at where they begin, or entered through one of ours,
 * by ftrace: Documentation/trace/ftrace-uses.rst. BPF programs, kprobes and tracers may be at the
 * same functions; of those who replace a function (live patches, too) there can be but one for
 * each.
 */
#ifndef DIVERT_H
#define DIVERT_H

#include <linux/atomic.h>
#include <linux/ftrace.h>
#include <linux/types.h>

/* Static data of its owner; what is set before divert_add() stays as it is. */
struct divert {
	const char *name; /* of the function */
	/*
	 * Called where the function begins, with its registers, arguments among them, which it may
	 * change. Preemption is off; it must not sleep, nor take a lock that sleeps under
	 * PREEMPT_RT. With ->instead: is that to be entered this time? NULL: always. Not called for
	 * calls from this module.
	 */
	bool (*look)(struct pt_regs *regs);
	/*
	 * Entered in the place of the function, with its arguments, in its caller's context; NULL:
	 * nothing is. May call the function, which runs as it is then. Ends with divert_left().
	 */
	void *instead;

	struct ftrace_ops ops;
	atomic_t inside; /* tasks that are in ->instead, or on their way there */
	bool added;
};

/* -EINVAL: the kernel has no such function; -EBUSY: somebody else replaces it; or -errno. Sleeps.
 */
int divert_add(struct divert *d);
/* Nobody is in ->look or ->instead any more when it returns: it waits for that. One that was not
 * added is left alone. Sleeps. */
void divert_remove(struct divert *d);
/* Each entry of ->instead, once it has called what it calls. */
void divert_left(struct divert *d);

#endif
