/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of the module share. */
#ifndef PTREMAP_H
#define PTREMAP_H

#include <linux/fs.h>
#include <linux/mm_types.h>
#include <linux/types.h>

#include "pt/pt_walk.h"
#include "uapi/ptremap.h"

/* The format of this machine's own tables, of the kernel and of its processes alike. */
extern struct pt_fmt ptremap_fmt;
int ptremap_fmt_init(void);

/* Each call gets its structure in kernel memory and leaves its answers there. 0 or -errno. */
int call_features(void *arg, struct file *file);
int call_walk(void *arg, struct file *file);
int call_tables(void *arg, struct file *file);
int call_phys(void *arg, struct file *file);
ssize_t phys_read(char __user *buf, size_t len, loff_t *pos);
int call_edit(void *arg, struct file *file);
int call_list(void *arg, struct file *file);
int call_undo(void *arg, struct file *file);
int call_map(void *arg, struct file *file);
int call_vm(void *arg, struct file *file);

/* Whose tables a call is about. */
struct target {
	struct mm_struct *mm;
	bool own;    /* ->mm has a reference of ours (mmget), which target_put() gives back */
	bool kernel; /* the kernel's half */
	u64 root;    /* physical address of the top table */
};

/*
 * @pid 0: the kernel's half, by the caller's own top table. Takes a reference to the mm of others,
 * which keeps its tables from being torn down by exit; target_put() gives it back. -ESRCH: no such
 * process; -ENXIO: it has no memory.
 */
int target_get(struct target *t, pid_t pid, u32 flags);
void target_put(struct target *t);

#endif
