/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of 'ptremap ept' share. */
#ifndef CMD_PTREMAP_EPT_H
#define CMD_PTREMAP_EPT_H

#include <stddef.h>
#include <stdint.h>

#include "user/cmd/changing.h"

struct ept_gpas {
	uint64_t *gpa;
	size_t nr;
};

struct ept_opts {
	struct changing_opts changing; /* first: its rows have offsets in it */
	uint32_t vm;
	struct opt_number vm_fd;
	struct ept_gpas gpas;
	uint64_t len;		      /* 0: one page */
	struct ptremap_ept_item item; /* but for its gpa */
	bool sticky;
};

/* 'ptremap ept show'. Returns the exit status. */
int ept_show(const struct ept_opts *o);

#endif
