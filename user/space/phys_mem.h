/* SPDX-License-Identifier: GPL-2.0 */
/* This machine's physical memory (RAM), read through the helper module. */
#ifndef SPACE_PHYS_MEM_H
#define SPACE_PHYS_MEM_H

#include "user/pt/pt_mem.h"

struct phys_mem {
	struct pt_mem mem;
	int fd; /* of the helper's device; the caller's */
};

/* Reads answer -EFAULT where no RAM is, or -errno of the module. */
void phys_mem_init(struct phys_mem *p, int fd);

#endif
