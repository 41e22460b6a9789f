/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Groups of events that have the same values of some sort keys. A group is a small number; what is
 * counted of it is the caller's, in an array by that number.
 */
#ifndef REPORT_GROUPS_H
#define REPORT_GROUPS_H

#include "user/base/hash.h"
#include "user/report/sort_keys.h"

struct groups {
	struct sort_ctx ctx;
	const struct sort_key *keys[SORT_KEYS_MAX];
	unsigned int nr_keys;
	struct hash_index index;
	uint64_t *ids; /* ->nr_keys of each group */
	uint32_t n, room;
};

/*
 * Groups by @sort, a comma list of keys, or NULL: what suits the events of the recording. @env and
 * @abi (or NULL) outlive it. 0, or -EINVAL after msg_error(): an unknown key, or one that needs an
 * ABI; nothing is to be freed then.
 */
int groups_init(struct groups *g, const struct sink_env *env, const struct abi *abi,
		const char *sort);
/* The event's group, below ->n; a new one has the number ->n had. Or -ENOMEM. */
int64_t groups_find(struct groups *g, const struct ptev_hdr *event);
/* Whether no key is SORT_ALONE. */
bool groups_can_join(const struct groups *g);
/* The group of @g that has the values of @group of @from, by the same keys. Or -ENOMEM. */
int64_t groups_join(struct groups *g, const struct groups *from, uint32_t group);
/*
 * Drops the groups to which @keep says no, asked once for each in the order of their numbers; the
 * others move up in that order. 0, or -ENOMEM: there are no groups left then.
 */
int groups_keep(struct groups *g, bool (*keep)(void *ctx, uint32_t group), void *ctx);
void groups_free(struct groups *g);

/* ->nr_keys values of a group. */
static inline const uint64_t *groups_ids(const struct groups *g, uint32_t group)
{
	return g->ids + (size_t)group * g->nr_keys;
}

/* Order of two groups by their keys, the first key first: as strcmp(). */
int groups_compare(const struct groups *g, uint32_t a, uint32_t b);

#endif
