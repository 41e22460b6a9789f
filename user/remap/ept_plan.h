/* SPDX-License-Identifier: GPL-2.0 */
/* Changes of guest-physical pages of one VM that are made together, or not at all. */
#ifndef REMAP_EPT_PLAN_H
#define REMAP_EPT_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "kmod-helper/uapi/ptremap.h"

/* All zero but for ->pid and ->vm_fd is an empty one. */
struct ept_plan {
	int32_t pid;
	int vm_fd; /* -1: the only one; which it is, when it was made */
	struct ptremap_ept_item *items;
	size_t nr, size;
	uint32_t flags; /* of ept_plan_make() */
	uint32_t id;	/* of the transaction that was made; 0: none */
};

/* 0, -ENOMEM, or -E2BIG: there are PTREMAP_EPT_MAX already. */
int ept_plan_add(struct ept_plan *p, const struct ptremap_ept_item *item);
/*
 * Has the changes made (with PTREMAP_EPT_DRY_RUN in @flags only tried) by the helper module, whose
 * device @fd is. The items have its answers then. 0, or -errno after a line on stderr: nothing was
 * changed.
 */
int ept_plan_make(struct ept_plan *p, int fd, uint32_t flags);
void ept_plan_free(struct ept_plan *p);

#endif
