/* SPDX-License-Identifier: GPL-2.0 */
/* Single facts about a task from /proc. */
#ifndef KERNEL_PROC_TASK_H
#define KERNEL_PROC_TASK_H

#include <stdint.h>

/* The process that thread @tid belongs to; 0 when there is no such task. */
uint32_t proc_tgid(uint32_t tid);

#endif
