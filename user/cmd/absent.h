/* SPDX-License-Identifier: GPL-2.0 */
/* Why a page of a process' memory could not be had (ptremap_memory()), in words. */
#ifndef CMD_ABSENT_H
#define CMD_ABSENT_H

#include <stdbool.h>
#include <stdint.h>

#include "user/kernel/live.h"
#include "user/kernel/proc_maps.h"

#define ABSENT_WHY_LEN 160

/* Starts as zeros but for ->live, of the process. */
struct absent {
	struct live *live;
	struct proc_maps_entry near; /* that was found last; its name is not kept */
};

/* The mapping that @va is in, until the next call; NULL: there is none. */
const struct proc_maps_entry *absent_mapping(struct absent *a, uint64_t va);

/* Is @err one of a page, behind which others may be there? */
bool absent_is_page(int err);

/*
 * In @why what such an error of the page at @va means, as the end of a sentence: "nothing is mapped
 * there". Returns the first address behind it which may be otherwise.
 */
uint64_t absent_why(struct absent *a, uint64_t va, int err, char why[ABSENT_WHY_LEN]);

#endif
