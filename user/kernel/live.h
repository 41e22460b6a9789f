/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page tables of this machine: those of a process, or the kernel's half. The helper module
 * copies them into memory (user/space/tables.h), where the core's walks and ranges run on them.
 */
#ifndef KERNEL_LIVE_H
#define KERNEL_LIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "kmod-helper/uapi/ptremap.h"
#include "user/pt/pt_space.h"

struct live;

/*
 * @pid 0: the kernel's half. @flags: PTREMAP_WALK_*. 0; -ESRCH: no such process; -ENOMEM. Without
 * the module this works, too: see live_error().
 */
int live_open(struct live **live, pid_t pid, uint32_t flags);
void live_close(struct live *l);

/* 0, or why the module does not help (-errno for ptremap_strerror()): then only live_pid() works.
 */
int live_error(const struct live *l);
pid_t live_pid(const struct live *l);

/* Descriptor of the device; live's own. */
int live_fd(const struct live *l);

/*
 * The space that the copies make up: a format, a memory, and the root, which may be another one
 * after each of the next two calls. Entries that were not copied are 0, or cannot be read.
 */
const struct pt_space *live_space(const struct live *l);

/* First and last address of the half that was opened. */
void live_half(const struct live *l, uint64_t *start, uint64_t *last);

/*
 * Copies the tables that translate [@start, @last]. Tables that go away or move meanwhile are asked
 * for again. 0, -EAGAIN: some did so each time; -E2BIG: too many; -EDOM: a part of it is in the
 * other half than the kernel's, which alone was opened; or -errno of the module.
 */
int live_load(struct live *l, uint64_t start, uint64_t last);

/*
 * Copies the entries of one walk, made at one moment, with what is known of the page that it leads
 * to: page->pfn is 0 and page->valid is 0 where it leads to none. As live_load().
 */
int live_walk(struct live *l, uint64_t va, struct ptremap_page *page);

/* Writes all copies into an image: tables_save(), with registers that fit. */
int live_save(const struct live *l, FILE *out);

#endif
