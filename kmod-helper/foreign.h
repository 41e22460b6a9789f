/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Edits by physical address (PTREMAP_RAM, PTREMAP_MMIO), and what an entry leads to that is no page
 * of a process: device memory, page tables, slab, free pages and the like.
 *
 * Those that come after foreign_hold() do nothing for other edits.
 */
#ifndef FOREIGN_H
#define FOREIGN_H

#include <linux/mm_types.h>

#include "edit.h"

/*
 * What ->item.other_va leads to: ->source gets a page of a process, ->foreign what is none, with
 * the errors that uapi/ptremap.h has. foreign_end() gives the latter back. Sleeps.
 */
int foreign_hold(struct edit *e);
/* Before each try to install: keeps the kernel's aging of pages off the mapping. Sleeps. */
int foreign_prepare(struct edit *e);
/* The entry instead of @old. -EAGAIN: foreign_prepare() is wanted again. */
int foreign_entry(const struct edit *e, const struct vm_area_struct *vma, pte_t old, pte_t *new);
/* The entry leads elsewhere by now. Flushes, and tells watches, if nobody did. Sleeps. */
void foreign_end(struct edit *e);
/* When the module goes, and no edit is left. */
void foreign_exit(void);

#endif
