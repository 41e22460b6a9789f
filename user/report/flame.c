// SPDX-License-Identifier: GPL-2.0
#include "user/report/flame.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool same_frame(const void *ctx, uint32_t slot, const void *key)
{
	const struct flame_node *a = &((const struct flame *)ctx)->nodes[slot], *b = key;

	return a->parent == b->parent && a->name == b->name;
}

static int make_room(struct flame *f)
{
	uint32_t room = f->room ? f->room * 2 : 256;
	struct flame_node *nodes;

	if (f->nr < f->room)
		return 0;
	nodes = reallocarray(f->nodes, room, sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	f->nodes = nodes;
	f->room = room;
	return 0;
}

static int64_t add_node(struct flame *f, uint64_t hash, const struct flame_node *node)
{
	int err = make_room(f);

	if (!err)
		err = hash_add(&f->index, hash, f->nr);
	if (err)
		return err;
	f->nodes[f->nr] = *node;
	return f->nr++;
}

/* Its index; -ENOMEM, or -E2BIG where no more nodes are made. */
static int64_t find_node(struct flame *f, uint32_t parent, uint32_t name)
{
	const struct flame_node node = { .parent = parent, .name = name };
	uint64_t hash = hash_u64((uint64_t)parent << 32 | name);
	int64_t slot = hash_find(&f->index, hash, same_frame, f, &node);

	if (slot >= 0)
		return slot;
	return f->nr < FLAME_NODES_MAX ? add_node(f, hash, &node) : -E2BIG;
}

/* The root is not in the index: no frame is it. */
int flame_init(struct flame *f, uint32_t name)
{
	*f = (struct flame){ 0 };
	if (make_room(f))
		return -ENOMEM;
	f->nodes[f->nr++] = (struct flame_node){ .parent = FLAME_ROOT, .name = name };
	return 0;
}

int flame_add(struct flame *f, const uint32_t *chain, uint32_t nr)
{
	uint32_t at = FLAME_ROOT, i;
	int64_t next;

	for (i = 0; i < nr; i++) {
		next = find_node(f, at, chain[i]);
		if (next == -E2BIG) {
			f->cut++;
			break;
		}
		if (next < 0)
			return (int)next;
		at = (uint32_t)next;
	}
	f->nodes[at].self++;
	return 0;
}

/* Callees come behind their callers, so that one pass from the end will do. */
void flame_sum(struct flame *f)
{
	uint32_t i;

	for (i = 0; i < f->nr; i++)
		f->nodes[i].all = f->nodes[i].self;
	for (i = f->nr; i-- > 1;)
		f->nodes[f->nodes[i].parent].all += f->nodes[i].all;
}

void flame_free(struct flame *f)
{
	hash_free(&f->index);
	free(f->nodes);
	memset(f, 0, sizeof(*f));
}
