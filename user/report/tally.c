// SPDX-License-Identifier: GPL-2.0
#include "user/report/tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/report/view.h"

/* Room for what is counted of the group @slot. */
static int make_room(struct tally *t, int64_t slot)
{
	uint32_t room = t->room ? t->room * 2 : 64;
	struct tally_group *groups;

	if (slot < t->room)
		return 0;
	groups = room > t->room ? reallocarray(t->groups, room, sizeof(*groups)) : NULL;
	if (!groups)
		return -ENOMEM;
	memset(groups + t->room, 0, (room - t->room) * sizeof(*groups));
	t->groups = groups;
	t->room = room;
	return 0;
}

/* @latency: NULL if the end was not seen. */
static int count(struct tally *t, const struct ptev_hdr *event, uint64_t time, const __u64 *latency)
{
	int64_t slot = groups_find(&t->by, event);
	int err;

	if (slot < 0)
		return (int)slot;
	err = make_room(t, slot);
	if (err)
		return err;
	t->events++;
	t->last = (uint32_t)slot;
	t->groups[slot].count++;
	t->groups[slot].inclusive++;
	t->groups[slot].seen = t->events;
	if (t->events == 1 || time < t->first_time)
		t->first_time = time;
	if (time > t->last_time)
		t->last_time = time;
	if (!latency)
		return 0;
	t->has_latency = true;
	return percentile_add(&t->groups[slot].latency, *latency);
}

int tally_fault(struct tally *t, const struct ptev_fault *f)
{
	return count(t, &f->hdr, f->time, fault_parts(f) & PTEV_F_EXIT ? &f->x.latency : NULL);
}

int tally_vmexit(struct tally *t, const struct ptev_vmexit *e)
{
	return count(t, &e->hdr, e->time, e->flags & PTEV_K_LATENCY ? &e->latency : NULL);
}

int tally_remap(struct tally *t, const struct ptev_remap *r)
{
	return count(t, &r->hdr, r->time, NULL);
}

int64_t tally_caller(struct tally *t, const struct ptev_fault *f)
{
	int64_t slot = groups_find(&t->by, &f->hdr);
	int err = slot < 0 ? (int)slot : make_room(t, slot);

	if (err)
		return err;
	if (t->groups[slot].seen == t->events)
		return -EEXIST;
	t->groups[slot].seen = t->events;
	t->groups[slot].inclusive++;
	return slot;
}

static int join_group(struct tally *t, const struct tally *from, uint32_t group)
{
	const struct tally_group *theirs = &from->groups[group];
	int64_t slot = groups_join(&t->by, &from->by, group);
	int err;

	if (slot < 0)
		return (int)slot;
	err = make_room(t, slot);
	if (err)
		return err;
	t->groups[slot].count += theirs->count;
	return percentile_merge(&t->groups[slot].latency, &theirs->latency);
}

int tally_join(struct tally *t, const struct tally *from)
{
	uint32_t i;
	int err = 0;

	for (i = 0; i < from->by.n && !err; i++)
		err = join_group(t, from, i);
	if (from->events && (!t->events || from->first_time < t->first_time))
		t->first_time = from->first_time;
	if (from->last_time > t->last_time)
		t->last_time = from->last_time;
	t->events += from->events;
	t->has_latency |= from->has_latency;
	return err;
}

void tally_free(struct tally *t)
{
	uint32_t i;

	for (i = 0; i < t->room; i++)
		percentile_free(&t->groups[i].latency);
	free(t->groups);
	groups_free(&t->by);
	memset(t, 0, sizeof(*t));
}
