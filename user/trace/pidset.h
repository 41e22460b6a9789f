/* SPDX-License-Identifier: GPL-2.0 */
/* A growing set of process ids. */
#ifndef TRACE_PIDSET_H
#define TRACE_PIDSET_H

#include <stdbool.h>
#include <stdint.h>

#include "user/base/hash.h"

struct pidset {
	struct hash_index index;
	uint32_t *pids;
	uint32_t nr, room;
};

int pidset_add(struct pidset *s, uint32_t pid); /* 0 or -ENOMEM; adding twice is fine */
bool pidset_has(const struct pidset *s, uint32_t pid);
void pidset_free(struct pidset *s);

#endif
