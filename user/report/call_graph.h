/* SPDX-License-Identifier: GPL-2.0 */
/* The call chains of groups of events, each group's as a tree. */
#ifndef REPORT_CALL_GRAPH_H
#define REPORT_CALL_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "user/report/flame.h"
#include "user/report/frames.h"
#include "user/report/intern.h"

struct call_graph { /* filled by call_graph_init() */
	enum call_order order;
	struct flame tree; /* below the root the groups, then functions */
	struct intern names;
	uint32_t *chain;
	uint32_t room;
	/* After call_graph_sort(). */
	uint32_t *sorted;   /* nodes, by parent; of one the largest first */
	uint32_t *children; /* [node]: where its children begin in ->sorted */
	uint32_t *groups;   /* [group]: its node, or 0 */
	uint32_t *up;	    /* how call_graph_each() comes back */
	uint32_t nr_groups;
};

/* 0 or -ENOMEM. */
int call_graph_init(struct call_graph *g, enum call_order order);
/* @frames, innermost first, of one event of @group. 0 or -ENOMEM. */
int call_graph_add(struct call_graph *g, uint32_t group, const struct frame *frames, uint32_t nr);
/* To be called when all are there. @nr_groups: the last one's number and 1. 0 or -ENOMEM. */
int call_graph_sort(struct call_graph *g, uint32_t nr_groups);

struct call_node {
	uint32_t depth;	  /* 0: the root of a tree */
	const char *name; /* NULL: stands for ->more callers or callees that are each below @min */
	uint32_t more;
	bool inlined;
	uint64_t count; /* events */
	uint64_t self;	/* those whose chain ends here */
};

/* Hands on the group's nodes with at least @min events, each before those that it leads to. */
typedef void (*call_visit)(void *ctx, const struct call_node *node);
void call_graph_each(const struct call_graph *g, uint32_t group, uint64_t min, call_visit visit,
		     void *ctx);
void call_graph_free(struct call_graph *g);

#endif
