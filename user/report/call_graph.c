// SPDX-License-Identifier: GPL-2.0
#include "user/report/call_graph.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A function's number in the tree has its inlining in the lowest bit. */
#define NUMBERS_MAX (UINT32_MAX / 2)

int call_graph_init(struct call_graph *g, enum call_order order)
{
	*g = (struct call_graph){ .order = order };
	return order == CALL_NONE ? 0 : flame_init(&g->tree, 0);
}

void call_graph_free(struct call_graph *g)
{
	flame_free(&g->tree);
	intern_free(&g->names);
	free(g->chain);
	free(g->sorted);
	free(g->children);
	free(g->groups);
	free(g->up);
	*g = (struct call_graph){ 0 };
}

/* Its name, or in brackets the file when that is all that is known. */
static int64_t number_of(struct call_graph *g, const struct frame *frame)
{
	const char *base = strrchr(frame->dso, '/');
	const char *name = frame->name;
	char buf[4200];
	int64_t id;

	if (*name == '[' && *frame->dso == '[') {
		name = frame->dso;
	} else if (*name == '[') {
		snprintf(buf, sizeof(buf), "[%s]", base ? base + 1 : frame->dso);
		name = buf;
	}
	id = intern_id(&g->names, name);
	if (id > NUMBERS_MAX)
		return -ENOMEM;
	return id < 0 ? id : id << 1 | frame->inlined;
}

static int make_room(struct call_graph *g, uint32_t nr)
{
	uint32_t *chain;

	if (nr <= g->room)
		return 0;
	chain = reallocarray(g->chain, nr, sizeof(*chain));
	if (!chain)
		return -ENOMEM;
	g->chain = chain;
	g->room = nr;
	return 0;
}

int call_graph_add(struct call_graph *g, uint32_t group, const struct frame *frames, uint32_t nr)
{
	uint32_t i;
	int err = make_room(g, nr + 1);

	if (err)
		return err;
	g->chain[0] = group;
	for (i = 0; i < nr; i++) {
		int64_t number = number_of(g, &frames[i]);

		if (number < 0)
			return (int)number;
		g->chain[g->order == CALL_CALLEE ? 1 + i : nr - i] = (uint32_t)number;
	}
	return flame_add(&g->tree, g->chain, nr + 1);
}

static const char *name_of(const struct call_graph *g, const struct flame_node *n)
{
	return intern_text(&g->names, n->name >> 1);
}

/* Numbers are those of a session; so that equal input gives equal output, names decide. */
static int compare(const void *pa, const void *pb, void *ctx)
{
	const struct call_graph *g = ctx;
	const struct flame_node *a = &g->tree.nodes[*(const uint32_t *)pa];
	const struct flame_node *b = &g->tree.nodes[*(const uint32_t *)pb];
	int order;

	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	if (a->parent == FLAME_ROOT)
		return (a->name > b->name) - (a->name < b->name);
	if (a->all != b->all)
		return a->all < b->all ? 1 : -1;
	order = strcmp(name_of(g, a), name_of(g, b));
	return order ? order : (int)(a->name & 1) - (int)(b->name & 1);
}

/* Where the children of each node begin; those of one without any are nowhere. */
static void note_children(struct call_graph *g, uint32_t nr)
{
	uint32_t i;

	for (i = nr; i--;) {
		const struct flame_node *n = &g->tree.nodes[g->sorted[i]];

		g->children[n->parent] = i;
		if (n->parent == FLAME_ROOT && n->name < g->nr_groups)
			g->groups[n->name] = g->sorted[i];
	}
}

int call_graph_sort(struct call_graph *g, uint32_t nr_groups)
{
	uint32_t i, nr = g->tree.nr - 1;

	flame_sum(&g->tree);
	g->nr_groups = nr_groups;
	g->sorted = calloc(nr + 1, sizeof(*g->sorted));
	g->children = malloc((nr + 1) * sizeof(*g->children));
	g->groups = calloc((size_t)nr_groups + 1, sizeof(*g->groups));
	g->up = malloc((nr + 1) * sizeof(*g->up));
	if (!g->sorted || !g->children || !g->groups || !g->up)
		return -ENOMEM;
	memset(g->children, 0xff, (nr + 1) * sizeof(*g->children));
	for (i = 0; i < nr; i++)
		g->sorted[i] = i + 1;
	qsort_r(g->sorted, nr, sizeof(*g->sorted), compare, g);
	note_children(g, nr);
	return 0;
}

/* A walk over a tree: the place in ->sorted. Only parents are needed to come back. */
struct walk {
	const struct call_graph *g;
	uint64_t min;
	call_visit visit;
	void *ctx;
	uint32_t depth;
};

static const struct flame_node *node_at(const struct walk *w, uint32_t at)
{
	return &w->g->tree.nodes[w->g->sorted[at]];
}

/* The next with the same parent, or UINT32_MAX. */
static uint32_t sibling(const struct walk *w, uint32_t at)
{
	if (at + 2 > w->g->tree.nr - 1 || node_at(w, at + 1)->parent != node_at(w, at)->parent)
		return UINT32_MAX;
	return at + 1;
}

/* All from @at on are too small. */
static void tell_more(const struct walk *w, uint32_t at)
{
	struct call_node node = { .depth = w->depth };

	for (; at != UINT32_MAX; at = sibling(w, at)) {
		node.more++;
		node.count += node_at(w, at)->all;
	}
	w->visit(w->ctx, &node);
}

static void tell(const struct walk *w, uint32_t at)
{
	const struct flame_node *n = node_at(w, at);
	const struct call_node node = {
		.depth = w->depth,
		.name = name_of(w->g, n),
		.inlined = n->name & 1,
		.count = n->all,
		.self = n->self,
	};

	w->visit(w->ctx, &node);
}

/* @at and what is behind it among its siblings, with all below. Chains may be long: no recursion.
 */
static void walk(struct walk *w, uint32_t at)
{
	uint32_t *up = w->g->up;

	for (;;) {
		if (at != UINT32_MAX && node_at(w, at)->all < w->min) {
			tell_more(w, at);
			at = UINT32_MAX;
		}
		if (at != UINT32_MAX) {
			tell(w, at);
			up[w->depth++] = at;
			at = w->g->children[w->g->sorted[at]];
		} else if (w->depth) {
			at = sibling(w, up[--w->depth]);
		} else {
			break;
		}
	}
}

void call_graph_each(const struct call_graph *g, uint32_t group, uint64_t min, call_visit visit,
		     void *ctx)
{
	struct walk w = { .g = g, .min = min, .visit = visit, .ctx = ctx };

	if (group < g->nr_groups && g->groups[group])
		walk(&w, g->children[g->groups[group]]);
}
