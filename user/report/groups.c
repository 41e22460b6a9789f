// SPDX-License-Identifier: GPL-2.0
#include "user/report/groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/msg.h"

#define DEFAULT_SORT	   "comm,symbol,outcome"
#define DEFAULT_SORT_KVM   "vm,vcpu,event,reason"
#define DEFAULT_SORT_ALL   "comm,event,reason,outcome"
#define DEFAULT_SORT_REMAP "comm,event,symbol,what,outcome"

static bool same_ids(const void *ctx, uint32_t slot, const void *key)
{
	const struct groups *g = ctx;

	return !memcmp(groups_ids(g, slot), key, g->nr_keys * sizeof(uint64_t));
}

static int make_room(struct groups *g)
{
	uint32_t room = g->room ? g->room * 2 : 64;
	uint64_t *ids;

	if (g->n < g->room)
		return 0;
	if (room < g->room)
		return -ENOMEM;
	ids = reallocarray(g->ids, room, g->nr_keys * sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	g->ids = ids;
	g->room = room;
	return 0;
}

static int64_t add_group(struct groups *g, uint64_t hash, const uint64_t *ids)
{
	int err = make_room(g);

	if (!err)
		err = hash_add(&g->index, hash, g->n);
	if (err)
		return err;
	memcpy(g->ids + (size_t)g->n * g->nr_keys, ids, g->nr_keys * sizeof(*ids));
	return g->n++;
}

static uint64_t id_of(struct groups *g, const struct sort_key *key, const struct ptev_hdr *event)
{
	if (event->type == PTEV_FAULT)
		return key->id ? key->id(&g->ctx, (const void *)event) : SORT_NOTHING;
	if (event->type == PTEV_REMAP)
		return key->remap_id ? key->remap_id(&g->ctx, (const void *)event) : SORT_NOTHING;
	return key->vmexit_id ? key->vmexit_id(&g->ctx, (const void *)event) : SORT_NOTHING;
}

static uint64_t hash_ids(const struct groups *g, const uint64_t *ids)
{
	uint64_t hash = 0;
	unsigned int i;

	for (i = 0; i < g->nr_keys; i++)
		hash = (hash ^ ids[i]) * UINT64_C(0x9e3779b97f4a7c15);
	/* The upper half depends on all of the numbers; the place is made of the lower. */
	return hash ^ hash >> 32;
}

static int64_t find_ids(struct groups *g, const uint64_t *ids)
{
	uint64_t hash = hash_ids(g, ids);
	int64_t slot = hash_find(&g->index, hash, same_ids, g, ids);

	return slot < 0 ? add_group(g, hash, ids) : slot;
}

int64_t groups_find(struct groups *g, const struct ptev_hdr *event)
{
	uint64_t ids[SORT_KEYS_MAX];
	unsigned int i;

	for (i = 0; i < g->nr_keys; i++)
		ids[i] = id_of(g, g->keys[i], event);
	if (g->ctx.err)
		return g->ctx.err;
	return find_ids(g, ids);
}

int groups_compare(const struct groups *g, uint32_t a, uint32_t b)
{
	const uint64_t *ids_a = groups_ids(g, a), *ids_b = groups_ids(g, b);
	unsigned int i;
	int order;

	for (i = 0; i < g->nr_keys; i++) {
		order = sort_key_compare(&g->ctx, g->keys[i], ids_a[i], ids_b[i]);
		if (order)
			return order;
	}
	return 0;
}

static const char *default_sort(const struct rec_info *info, const struct abi *abi)
{
	if (!info->kvm)
		return info->remaps ? DEFAULT_SORT_REMAP : DEFAULT_SORT;
	if (!info->no_faults)
		return abi ? DEFAULT_SORT_ALL ",call" : DEFAULT_SORT_ALL;
	return abi ? DEFAULT_SORT_KVM ",call" : DEFAULT_SORT_KVM;
}

int groups_init(struct groups *g, const struct sink_env *env, const struct abi *abi,
		const char *sort)
{
	int i, n;

	memset(g, 0, sizeof(*g));
	n = sort_keys_parse(sort ? sort : default_sort(env->info, abi), g->keys);
	if (n < 0)
		return n;
	for (i = 0; i < n; i++) {
		if (!g->keys[i]->needs_abi || abi)
			continue;
		msg_error("sort key '%s' needs --abi", g->keys[i]->name);
		return -EINVAL;
	}
	g->nr_keys = (unsigned int)n;
	sort_ctx_init(&g->ctx, env);
	g->ctx.abi = abi;
	return 0;
}

bool groups_can_join(const struct groups *g)
{
	unsigned int i;

	for (i = 0; i < g->nr_keys; i++)
		if (g->keys[i]->join == SORT_ALONE)
			return false;
	return true;
}

int64_t groups_join(struct groups *g, const struct groups *from, uint32_t group)
{
	const uint64_t *theirs = groups_ids(from, group);
	uint64_t ids[SORT_KEYS_MAX];
	unsigned int i;
	int64_t id;

	for (i = 0; i < g->nr_keys; i++) {
		ids[i] = theirs[i];
		if (g->keys[i]->join != SORT_NAME || ids[i] == SORT_NOTHING)
			continue;
		id = intern_id(&g->ctx.names, intern_text(&from->ctx.names, (uint32_t)ids[i]));
		if (id < 0)
			return id;
		ids[i] = (uint64_t)id;
	}
	return find_ids(g, ids);
}

int groups_keep(struct groups *g, bool (*keep)(void *ctx, uint32_t group), void *ctx)
{
	size_t size = g->nr_keys * sizeof(*g->ids);
	uint32_t i, n = g->n;
	int err = 0;

	hash_free(&g->index);
	g->n = 0;
	for (i = 0; i < n; i++) {
		if (!keep(ctx, i) || err)
			continue;
		memmove(g->ids + (size_t)g->n * g->nr_keys, g->ids + (size_t)i * g->nr_keys, size);
		err = hash_add(&g->index, hash_ids(g, groups_ids(g, g->n)), g->n);
		g->n++;
	}
	if (!err)
		return 0;
	hash_free(&g->index);
	g->n = 0;
	return err;
}

void groups_free(struct groups *g)
{
	free(g->ids);
	hash_free(&g->index);
	sort_ctx_free(&g->ctx);
	memset(g, 0, sizeof(*g));
}
