/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* errno values, bool and NULL, in user space and in a kernel module. */
#ifndef PT_OS_H
#define PT_OS_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/stddef.h>
#include <linux/types.h>
#else
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#endif

/* The caller must look at the answer: what was changed, or what undoes it, is in it. */
#define PT_MUST_CHECK __attribute__((warn_unused_result))

#define pt_container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#endif
