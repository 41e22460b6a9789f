/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Made by scripts/gen-vmlinux from the BTF of Linux 6.1.0-56-cloud-amd64; do not edit.
 * CO-RE finds the real place of every field on the kernel that a program is loaded on.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

typedef __u32 dev_t;
typedef __s32 pid_t;
typedef unsigned long vm_flags_t;
typedef struct pgd pgd_t; /* only pointers to it */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs {
	long unsigned int bp;
	long unsigned int r8;
	long unsigned int ax;
	long unsigned int cx;
	long unsigned int dx;
	long unsigned int si;
	long unsigned int di;
	long unsigned int ip;
	long unsigned int sp;
};

struct task_struct {
	struct mm_struct *mm;
	pid_t pid;
	pid_t tgid;
	struct signal_struct *signal;
	int pagefault_disabled;
};

struct mm_struct {
	pgd_t *pgd;
	struct task_struct *owner;
};

struct vm_area_struct {
	long unsigned int vm_start;
	long unsigned int vm_end;
	struct mm_struct *vm_mm;
	long unsigned int vm_flags;
	struct vm_operations_struct *vm_ops;
	long unsigned int vm_pgoff;
	struct file *vm_file;
};

struct file {
	struct inode *f_inode;
};

struct inode {
	struct super_block *i_sb;
	long unsigned int i_ino;
};

struct super_block {
	dev_t s_dev;
};

struct bpf_iter__task {
	struct task_struct *task;
};

#pragma clang attribute pop

#endif
