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
int call_watch(void *arg, struct file *file);
int call_vm(void *arg, struct file *file);
int call_rule(void *arg, struct file *file);
int call_ept(void *arg, struct file *file);
/* A caller who does not get the number of what was made has not made it. */
void edit_answered(void *arg, int err);
void map_answered(void *arg, int err);
void ept_answered(void *arg, int err);

/* What call_rule() gets: the rules that it has added are known here until the caller knows them. */
struct rules_call {
	struct ptremap_rules req;
	u32 added; /* how many of ->ids */
	u32 ids[PTREMAP_RULES_MAX];
};
void rule_answered(void *arg, int err);

/* What call_watch() gets: the file is not the caller's before it knows its number. */
struct watch_call {
	struct ptremap_watch req;
	struct file *file;
};

int call_access(void *arg, struct file *file);

/* What call_access() gets, as of call_watch(). */
struct access_call {
	struct ptremap_access_watch req;
	struct file *file;
};
void access_answered(void *arg, int err);

/* How large the caller's records are: 0 becomes the first size. -EINVAL: no such size. */
int record_size(u32 *size);
/* 0, or which right the caller has not (-errno). Asked for each call and each read. */
int check_rights(void);
/* 0 or -EKEYREJECTED. Asked where something goes on that nobody calls: rules, mirrors' windows. */
int check_lockdown(void);
/* Of a file of the device: watch_number(). */
static inline u64 file_number(const struct file *file)
{
	return (unsigned long)file->private_data;
}

/* Whose tables a call is about. */
struct target {
	struct mm_struct *mm;
	bool own;	 /* ->mm has a reference of ours (mmget), which target_put() gives back */
	bool kernel;	 /* the kernel's half */
	struct pid *pid; /* with a reference, given back by target_put(); NULL: the kernel's half */
	pid_t nr;	 /* its number, where the caller is; 0: the kernel's half */
	u64 root;	 /* physical address of the top table */
};

/*
 * @pid 0: the kernel's half, by the caller's own top table. Takes a reference to the mm of others,
 * which keeps its tables from being torn down by exit; target_put() gives it back. @flags:
 * PTREMAP_WALK_USER_ROOT, PTREMAP_PIDFD; others mean nothing here. -ESRCH: no such process; -ENXIO:
 * it has no memory; -EBADF: no pidfd.
 */
int target_get(struct target *t, pid_t pid, u32 flags);
void target_put(struct target *t);
/* @flags of an item or a call that are about its other process, as target_get() wants them. */
static inline u32 target_other_flags(u32 flags)
{
	return flags & PTREMAP_OTHER_PIDFD ? PTREMAP_PIDFD : 0;
}
/* -ESRCH: @pid, which @flags say may be a descriptor, cannot be a process; -EBADF: nor a file. */
static inline int target_check(pid_t pid, u32 flags)
{
	if (flags & PTREMAP_PIDFD)
		return pid < 0 ? -EBADF : 0;
	return pid <= 0 ? -ESRCH : 0;
}
/* The process' number, for words about it; 0: there is none, or none any more. */
pid_t target_number(pid_t pid, u32 flags);

/* Guest memory, by ptremap_kvm: PTREMAP_PHYS_GPA of a request that was checked. */
int vm_write(struct ptremap_phys *req);

/*
 * Walks to e->va from the top table at @root; @e gets the entries. 0 with the end of the walk in
 * @w; -EFAULT: a table could not be read; -EAGAIN: they changed under each of several tries.
 */
int walk_stable(struct pt_walk *w, u64 root, struct ptremap_walk_entry *e);

/* Is there RAM, which has a struct page, at @pa? */
bool phys_is_ram(u64 pa);
/* Copies @len bytes, of one page, between @buf and RAM at @pa. 0, -EIO or -EROFS. */
int phys_ram(u64 pa, void *buf, size_t len, bool write);
/*
 * A process' memory, by way of @bounce (a page) where it must be; errors as of PTREMAP_PHYS_VA. Of
 * *@len bytes as many are read as come at once: *@len becomes that. What is written lies in one
 * page.
 */
int memory_read_piece(const struct target *t, u64 va, void __user *user, size_t *len, void *bounce);
int memory_write_piece(const struct target *t, const struct ptremap_phys *req, u64 va,
		       const void __user *user, size_t len, void *bounce);

#endif
