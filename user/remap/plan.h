/* SPDX-License-Identifier: GPL-2.0 */
/* A transaction: changes of page-table entries that are made together, or not at all. */
#ifndef REMAP_PLAN_H
#define REMAP_PLAN_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "kmod-helper/uapi/ptremap.h"

struct planned {
	struct ptremap_item item;
	int pidfd, other_pidfd; /* of the item's processes, plan's own: see plan_add() */
	uint32_t line;		/* of plan->name; 0: none */
	/* SWAP: the other page's entry before and after; both 0 where they are not known. */
	uint64_t other_old, other_new;
};

/* All zero is an empty one. */
struct plan {
	const char *name; /* of the file that it comes from, or NULL */
	struct planned *changes;
	size_t nr, size;
	uint32_t flags; /* of plan_make() */
	uint32_t id;	/* of the transaction that was made; 0: none */
};

/*
 * The item's processes are those that have these numbers now: the plan opens them (pidfd_open(2)),
 * so that no other one that gets the number later is changed. What cannot be opened so, such as a
 * thread, goes by its number. 0, -ENOMEM, or -E2BIG: there are PTREMAP_EDIT_MAX already.
 */
int plan_add(struct plan *p, const struct ptremap_item *item, uint32_t line);

/*
 * Adds the changes of a file: one per line, as change_parse() has it; empty lines and what follows
 * a '#' do not count. -EINVAL, -EIO or -ENOMEM after one line on stderr, which names @name and the
 * number of the line. @name is kept.
 */
int plan_read(struct plan *p, FILE *in, const char *name);

/*
 * Has the changes made (with PTREMAP_EDIT_DRY_RUN in @flags only tried) by the helper module, whose
 * device @fd is. The items have its answers then. 0, or -errno after a line on stderr: nothing was
 * changed.
 */
int plan_make(struct plan *p, int fd, uint32_t flags);

void plan_free(struct plan *p);

#endif
