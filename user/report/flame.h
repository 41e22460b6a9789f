/* SPDX-License-Identifier: GPL-2.0 */
/* Call chains as a tree: each node is a frame under its caller, with how often it was the last. */
#ifndef REPORT_FLAME_H
#define REPORT_FLAME_H

#include <stdint.h>

#include "user/base/hash.h"

#define FLAME_ROOT	0
#define FLAME_NODES_MAX 262144

struct flame_node {
	uint32_t parent; /* a lower index; of the root its own */
	uint32_t name;	 /* the caller's number of it */
	uint64_t self;	 /* events whose chain ends here */
	uint64_t all;	 /* those of callees, too; after flame_sum() */
};

struct flame {
	struct hash_index index;
	struct flame_node *nodes;
	uint32_t nr, room;
	uint64_t cut; /* events that count at a caller, since there were too many nodes */
};

/* With the root alone, which has @name. 0 or -ENOMEM. */
int flame_init(struct flame *f, uint32_t name);
/* @chain: names, outermost first. 0 or -ENOMEM. */
int flame_add(struct flame *f, const uint32_t *chain, uint32_t nr);
void flame_sum(struct flame *f);
void flame_free(struct flame *f);

#endif
