// SPDX-License-Identifier: GPL-2.0
#include "user/report/vma_ids.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/sym/array.h"

static bool same_vma(const void *ctx, uint32_t slot, const void *key)
{
	const struct vma_ids *ids = ctx;
	const struct vma_id *a = &ids->vmas[slot], *b = key;

	return a->anchor == b->anchor && a->name == b->name && !strcmp(a->perms, b->perms);
}

static int64_t add(struct vma_ids *ids, uint64_t hash, const struct vma_id *key)
{
	struct vma_id *vmas = array_room(ids->vmas, ids->n, &ids->size, sizeof(*vmas));

	if (!vmas)
		return -ENOMEM;
	ids->vmas = vmas;
	if (hash_add(&ids->index, hash, (uint32_t)ids->n))
		return -ENOMEM;
	vmas[ids->n] = *key;
	return (int64_t)ids->n++;
}

int64_t vma_ids_find(struct vma_ids *ids, struct vma_id *key, bool grows_down)
{
	uint64_t hash;
	int64_t id;

	key->anchor = grows_down ? key->end : key->start;
	hash = hash_u64(key->anchor ^ hash_u64(key->name));
	id = hash_find(&ids->index, hash, same_vma, ids, key);
	if (id < 0)
		return add(ids, hash, key);
	if (key->start < ids->vmas[id].start)
		ids->vmas[id].start = key->start;
	if (key->end > ids->vmas[id].end)
		ids->vmas[id].end = key->end;
	return id;
}

void vma_ids_free(struct vma_ids *ids)
{
	free(ids->vmas);
	hash_free(&ids->index);
}
