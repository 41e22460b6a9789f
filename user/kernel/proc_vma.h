/* SPDX-License-Identifier: GPL-2.0 */
/* One mapping with its flags: /proc/PID/smaps (fs/proc/task_mmu.c, Linux 6.1 to 6.18). */
#ifndef KERNEL_PROC_VMA_H
#define KERNEL_PROC_VMA_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* Numbers of flags: rows of the table of names. The first four in the order of protection_map. */
enum proc_vma_flag {
	VMA_READ,
	VMA_WRITE,
	VMA_EXEC,
	VMA_SHARED,
	VMA_MAYREAD,
	VMA_MAYWRITE,
	VMA_MAYEXEC,
	VMA_MAYSHARE,
	VMA_GROWSDOWN,
	VMA_PFNMAP,
	VMA_LOCKED,
	VMA_IO,
	VMA_SEQ_READ,
	VMA_RAND_READ,
	VMA_DONTCOPY,
	VMA_DONTEXPAND,
	VMA_LOCKONFAULT,
	VMA_ACCOUNT,
	VMA_NORESERVE,
	VMA_HUGETLB,
	VMA_SYNC,
	VMA_PAT,
	VMA_WIPEONFORK,
	VMA_DONTDUMP,
	VMA_SOFTDIRTY,
	VMA_MIXEDMAP,
	VMA_HUGEPAGE,
	VMA_NOHUGEPAGE,
	VMA_MERGEABLE,
	VMA_UFFD_MISSING,
	VMA_UFFD_WP,
	VMA_UFFD_MINOR,
	VMA_SHADOW_STACK,
	VMA_SEALED,
	VMA_DROPPABLE,
	VMA_NR_FLAGS,
};

#define VMA_BIT(flag) (1ULL << (flag))

struct proc_vma {
	uint64_t start, end; /* end is exclusive */
	uint64_t pgoff;	     /* bytes */
	uint64_t flags;	     /* VMA_BIT() of what the kernel listed */
	char other[64];	     /* letters that have no name here, as the kernel listed them */
	int pkey;	     /* protection key; -1: the CPU or the kernel has none */
	char name[PATH_MAX]; /* "": anonymous */
};

/* "VM_READ" */
const char *proc_vma_flag_name(enum proc_vma_flag flag);

/* The mapping that holds @va: 0, -ENOENT: there is none; -ESRCH; or another -errno of the open. */
int proc_vma_find(pid_t pid, uint64_t va, struct proc_vma *vma);

/* The same in the text @in. */
int proc_vma_read(FILE *in, uint64_t va, struct proc_vma *vma);

#endif
