// SPDX-License-Identifier: GPL-2.0
#include "user/space/tables.h"

#include <stdlib.h>
#include <string.h>

#include "user/base/hash.h"

#define ENTRIES 512

struct copy {
	uint64_t pa;
	uint64_t entry[ENTRIES];
};

struct tables {
	struct pt_mem mem;
	struct hash_index index;
	struct copy **copies; /* each in memory of its own, so that none moves */
	size_t nr, room;
};

static bool same_pa(const void *ctx, uint32_t slot, const void *key)
{
	const struct tables *t = ctx;

	return t->copies[slot]->pa == *(const uint64_t *)key;
}

static struct copy *find(const struct tables *t, uint64_t pa)
{
	int64_t slot = hash_find(&t->index, hash_u64(pa), same_pa, t, &pa);

	return slot < 0 ? NULL : t->copies[slot];
}

static int tables_read(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	const struct tables *t = pt_container_of(mem, struct tables, mem);
	pt_u64 offset = addr % sizeof(((struct copy *)0)->entry);
	const struct copy *c = find(t, addr - offset);

	if (!c || len > sizeof(c->entry) - offset)
		return -EFAULT;
	memcpy(buf, (const char *)c->entry + offset, len);
	return 0;
}

static const struct pt_mem_ops tables_ops = { .read = tables_read };

struct tables *tables_new(void)
{
	struct tables *t = calloc(1, sizeof(*t));

	if (t)
		t->mem.ops = &tables_ops;
	return t;
}

void tables_free(struct tables *t)
{
	size_t i;

	if (!t)
		return;
	for (i = 0; i < t->nr; i++)
		free(t->copies[i]);
	free(t->copies);
	hash_free(&t->index);
	free(t);
}

static int grow(struct tables *t)
{
	size_t room = t->room ? 2 * t->room : 64;
	struct copy **copies;

	if (t->nr < t->room)
		return 0;
	if (t->nr >= UINT32_MAX / 2)
		return -ENOMEM;
	copies = reallocarray(t->copies, room, sizeof(*copies));
	if (!copies)
		return -ENOMEM;
	t->copies = copies;
	t->room = room;
	return 0;
}

static int add(struct tables *t, uint64_t pa, struct copy **out)
{
	struct copy *c;

	if (grow(t))
		return -ENOMEM;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->pa = pa;
	if (hash_add(&t->index, hash_u64(pa), (uint32_t)t->nr)) {
		free(c);
		return -ENOMEM;
	}
	t->copies[t->nr++] = c;
	*out = c;
	return 0;
}

int tables_put(struct tables *t, uint64_t pa, unsigned int first, unsigned int nr,
	       const uint64_t *entries)
{
	struct copy *c = find(t, pa);
	int err;

	if (pa % sizeof(c->entry) || first > ENTRIES || nr > ENTRIES - first)
		return -EINVAL;
	if (!c) {
		err = add(t, pa, &c);
		if (err)
			return err;
	}
	memcpy(c->entry + first, entries, nr * sizeof(*entries));
	return 0;
}

struct pt_mem *tables_mem(struct tables *t)
{
	return &t->mem;
}

size_t tables_count(const struct tables *t)
{
	return t->nr;
}

const uint64_t *tables_entries(const struct tables *t, size_t i, uint64_t *pa)
{
	*pa = t->copies[i]->pa;
	return t->copies[i]->entry;
}
