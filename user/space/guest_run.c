// SPDX-License-Identifier: GPL-2.0
#include "user/space/guest_run.h"

#include <stdbool.h>
#include <stddef.h>

#define PAGE_SIZE 4096

/* Up to the end of the aligned @size bytes, a power of two, that @at lies in. */
static uint64_t rest_of(uint64_t at, uint64_t size)
{
	return size - (at & (size - 1));
}

static void cut(struct guest_run *run, uint64_t len)
{
	if (run->len > len)
		run->len = len;
}

/* The slot at @gpa, or NULL; in *@rest how far it goes on, or how far it is to the next one. */
static const struct ptremap_slot *find_slot(const struct guest_map *map, uint64_t gpa,
					    uint64_t *rest)
{
	const struct ptremap_slot *s = map->slots;
	uint32_t i;

	*rest = UINT64_MAX;
	for (i = 0; i < map->nr_slots && !s[i].space; i++) {
		if (gpa - s[i].gpa < s[i].len) {
			*rest = s[i].len - (gpa - s[i].gpa);
			return &s[i];
		}
		if (s[i].gpa > gpa && s[i].gpa - gpa < *rest)
			*rest = s[i].gpa - gpa;
	}
	return NULL;
}

/* run->slot and ->hva, for run->gpa. Returns as find_slot() leaves in *@rest. */
static uint64_t set_slot(const struct guest_map *map, struct guest_run *run)
{
	uint64_t rest;

	run->slot = find_slot(map, run->gpa, &rest);
	if (run->slot)
		run->hva = run->slot->hva + (run->gpa - run->slot->gpa);
	return rest;
}

/* By the guest's tables: true when they lead to a page. */
static bool walk(const struct guest_map *map, uint64_t at, struct guest_run *run)
{
	struct pt_path path;
	enum pt_kind kind = pt_lookup(map->space, at, &path);

	run->end = path.end;
	/* Without paging there are no levels; neither has a wrong address an entry. */
	cut(run, rest_of(at, path.end.level ? pt_level_size(map->space->fmt, path.end.level)
					    : PAGE_SIZE));
	run->gpa = path.end.pa;
	if (kind == PT_LEAF)
		return true;
	run->kind = GUEST_RUN_HOLE;
	if (path.end.why != PT_WHY_UNREADABLE)
		return false;
	run->kind = GUEST_RUN_TABLE;
	run->gpa = path.at[path.end.level].addr;
	set_slot(map, run);
	return false;
}

/* One page of the guest's, or one slot, or a part of it. */
static void segment_at(const struct guest_map *map, uint64_t at, uint64_t len,
		       struct guest_run *run)
{
	*run = (struct guest_run){ .gpa = at, .len = len };
	if (map->space && !walk(map, at, run))
		return;
	cut(run, set_slot(map, run));
	run->kind = run->slot ? GUEST_RUN_MEMORY : GUEST_RUN_SLOT;
}

void guest_run_at(const struct guest_map *map, uint64_t at, uint64_t len, struct guest_run *run)
{
	struct guest_run next;

	segment_at(map, at, len, run);
	while (run->kind == GUEST_RUN_MEMORY && run->len < len) {
		segment_at(map, at + run->len, len - run->len, &next);
		if (next.kind != GUEST_RUN_MEMORY || next.hva != run->hva + run->len)
			break;
		run->len += next.len;
	}
}
