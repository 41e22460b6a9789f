// SPDX-License-Identifier: GPL-2.0
#include "user/sym/spaces.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "user/sym/array.h"
#include "user/sym/map_log.h"

/*
 * Forks without exec may nest; a parent so deep gets a copy of what it sees, so that lookups stay
 * short. HOPS is more, because records that come late may make chains longer than that.
 */
#define COPY_DEPTH 8
#define MAX_HOPS   32

struct era {
	uint64_t since;
	bool unseen; /* began before the first record: mappings may be older than their records */
	bool forked;
	uint32_t parent; /* slot of the process whose mappings of ->since shine through */
	struct map_log log;
};

struct space_proc {
	uint32_t pid;
	uint64_t ended;	  /* the main thread's end, 0: alive */
	struct era *eras; /* ordered by ->since */
	size_t n, size;
	/* The last answer, good for all of an address range and of a span of time. */
	struct map_hit {
		uint64_t generation;
		uint64_t lo, hi;
		uint64_t from, to; /* @to excluded */
		const struct proc_map *map;
	} hit;
};

static void free_proc(struct space_proc *proc)
{
	while (proc->n)
		map_log_free(&proc->eras[--proc->n].log);
	free(proc->eras);
}

void spaces_free(struct spaces *s)
{
	while (s->n)
		free_proc(&s->procs[--s->n]);
	free(s->procs);
	hash_free(&s->index);
	*s = (struct spaces){ 0 };
}

static bool same_pid(const void *ctx, uint32_t slot, const void *key)
{
	const struct spaces *s = ctx;

	return s->procs[slot].pid == *(const uint32_t *)key;
}

static struct space_proc *find_proc(struct spaces *s, uint32_t pid)
{
	int64_t slot;

	if (s->last && s->last->pid == pid)
		return s->last;
	slot = hash_find(&s->index, hash_u64(pid), same_pid, s, &pid);
	if (slot < 0)
		return NULL;
	s->last = &s->procs[slot];
	return s->last;
}

static struct space_proc *add_proc(struct spaces *s, uint32_t pid)
{
	struct space_proc *procs = array_room(s->procs, s->n, &s->size, sizeof(*procs));

	if (!procs)
		return NULL;
	s->procs = procs;
	s->last = NULL;
	if (hash_add(&s->index, hash_u64(pid), (uint32_t)s->n))
		return NULL;
	procs[s->n] = (struct space_proc){ .pid = pid };
	return &procs[s->n++];
}

/* Finds or adds. NULL without memory. */
static struct space_proc *get_proc(struct spaces *s, uint32_t pid)
{
	struct space_proc *proc = find_proc(s, pid);

	return proc ? proc : add_proc(s, pid);
}

/* Number of eras that began until @time. */
static size_t count_eras(const struct space_proc *proc, uint64_t time)
{
	size_t n = proc->n;

	while (n && proc->eras[n - 1].since > time)
		n--;
	return n;
}

/* The era at @time, before the first era that one; NULL when there is none. */
static struct era *era_at(const struct space_proc *proc, uint64_t time)
{
	size_t count = count_eras(proc, time);

	if (!proc->n)
		return NULL;
	return &proc->eras[count ? count - 1 : 0];
}

/* Mappings of later times that were seen before the era are part of it. */
static int add_era(struct space_proc *proc, const struct era *new)
{
	struct era *eras = array_room(proc->eras, proc->n, &proc->size, sizeof(*eras));
	struct map_log log = { 0 };
	size_t at;

	if (!eras)
		return -ENOMEM;
	proc->eras = eras;
	at = count_eras(proc, new->since);
	if (at && map_log_split(&eras[at - 1].log, new->since, &log))
		return -ENOMEM;
	memmove(&eras[at + 1], &eras[at], (proc->n - at) * sizeof(*eras));
	eras[at] = *new;
	eras[at].log = log;
	proc->n++;
	return 0;
}

/* An era that was only guessed gives way when it turns out that it held nothing. */
static void drop_empty_guess(struct space_proc *proc)
{
	if (!proc->eras[0].unseen || proc->eras[0].log.n)
		return;
	map_log_free(&proc->eras[0].log);
	proc->n--;
	memmove(proc->eras, proc->eras + 1, proc->n * sizeof(*proc->eras));
}

static int begin_era(struct space_proc *proc, const struct era *new)
{
	int err = add_era(proc, new);

	if (!err)
		drop_empty_guess(proc);
	return err;
}

/* How many forks without exec lie between the process and the first of the line. */
static unsigned int fork_depth(const struct spaces *s, const struct space_proc *proc, uint64_t time)
{
	unsigned int depth;

	for (depth = 0; depth < MAX_HOPS; depth++) {
		const struct era *era = era_at(proc, time);

		if (!era || !era->forked)
			break;
		time = era->since;
		proc = &s->procs[era->parent];
	}
	return depth;
}

static const struct proc_map *find_map(struct spaces *s, const struct space_proc *proc,
				       uint64_t time, struct map_probe *probe)
{
	unsigned int hops;

	for (hops = 0; hops < MAX_HOPS; hops++) {
		struct era *era = era_at(proc, time);
		const struct proc_map *map;

		if (!era)
			return NULL;
		map = map_log_find(&era->log, map_log_count(&era->log, time), probe);
		if (map)
			return map;
		if (!era->forked && (era->unseen || time < era->since))
			return map_log_first(&era->log, probe);
		if (!era->forked)
			return NULL;
		time = era->since;
		proc = &s->procs[era->parent];
	}
	return NULL;
}

/* Adds the part of @map that a probe found to the log. */
static int copy_part(struct map_log *log, uint64_t since, const struct proc_map *map,
		     const struct map_probe *probe)
{
	struct proc_map part = *map;

	part.pgoff += probe->lo - map->start;
	part.start = probe->lo;
	part.last = probe->hi;
	return map_log_add(log, since, &part);
}

/* Collects all that the process saw of its parents when it began. */
static int copy_inherited(struct spaces *s, const struct era *era, struct map_log *log)
{
	uint64_t address = 0;

	do {
		struct map_probe probe = { address, 0, UINT64_MAX };
		const struct proc_map *map;

		map = find_map(s, &s->procs[era->parent], era->since, &probe);
		if (map && copy_part(log, era->since, map, &probe))
			return -ENOMEM;
		address = probe.hi + 1;
	} while (address);
	return 0;
}

/* Makes the era independent of its parents. */
static int copy_parents(struct spaces *s, struct era *era)
{
	struct map_log log = { 0 };
	int err = copy_inherited(s, era, &log);
	size_t i;

	for (i = 0; !err && i < era->log.n; i++)
		err = map_log_add(&log, era->log.events[i].since, &era->log.events[i].map);
	if (err) {
		map_log_free(&log);
		return err;
	}
	map_log_free(&era->log);
	era->log = log;
	era->forked = false;
	return 0;
}

int spaces_fork(struct spaces *s, uint32_t pid, uint32_t parent_pid, uint64_t time)
{
	struct space_proc *parent = get_proc(s, parent_pid);
	struct era new = { .since = time, .forked = true };
	struct space_proc *child;

	s->generation++;
	if (!parent)
		return -ENOMEM;
	if (fork_depth(s, parent, time) >= COPY_DEPTH && copy_parents(s, era_at(parent, time)))
		return -ENOMEM;
	new.parent = (uint32_t)(parent - s->procs);
	child = get_proc(s, pid);
	return child ? begin_era(child, &new) : -ENOMEM;
}

int spaces_exec(struct spaces *s, uint32_t pid, uint64_t time)
{
	struct space_proc *proc = get_proc(s, pid);

	s->generation++;
	return proc ? begin_era(proc, &(struct era){ .since = time }) : -ENOMEM;
}

void spaces_exit(struct spaces *s, uint32_t pid, uint64_t time)
{
	struct space_proc *proc = find_proc(s, pid);

	if (proc)
		proc->ended = time;
}

int spaces_alive(struct spaces *s, uint32_t pid, uint64_t time)
{
	struct space_proc *proc = find_proc(s, pid);
	const struct era *era = proc ? era_at(proc, time) : NULL;

	if (!era || !proc->ended || time <= proc->ended || era->since > proc->ended)
		return 0;
	return spaces_exec(s, pid, time);
}

/* The era to which a mapping belongs. NULL without memory. */
static struct era *era_for(struct space_proc *proc, uint64_t time)
{
	if (!count_eras(proc, time) && add_era(proc, &(struct era){ .unseen = true }))
		return NULL;
	return era_at(proc, time);
}

int spaces_map(struct spaces *s, uint32_t pid, uint64_t time, const struct proc_map *map)
{
	struct space_proc *proc = get_proc(s, pid);
	struct era *era = proc ? era_for(proc, time) : NULL;

	s->generation++;
	return era ? map_log_add(&era->log, time, map) : -ENOMEM;
}

/* Notes for which times the answer for @time holds: until the next event of any kind. */
static void note_times(const struct space_proc *proc, uint64_t time, struct map_hit *hit)
{
	const struct era *era = era_at(proc, time);
	const struct era *end = proc->eras + proc->n;
	size_t count = map_log_count(&era->log, time);

	hit->from = count ? era->log.events[count - 1].since : 0;
	hit->to = count < era->log.n ? era->log.events[count].since : UINT64_MAX;
	if (era->since > time && era->since < hit->to)
		hit->to = era->since;
	if (era->since <= time && era->since > hit->from)
		hit->from = era->since;
	if (era + 1 < end && era[1].since < hit->to)
		hit->to = era[1].since;
}

static void fill_hit(struct spaces *s, struct space_proc *proc, uint64_t address, uint64_t time)
{
	struct map_probe probe = { address, 0, UINT64_MAX };
	struct map_hit *hit = &proc->hit;

	note_times(proc, time, hit);
	hit->map = find_map(s, proc, time, &probe);
	hit->lo = probe.lo;
	hit->hi = probe.hi;
	hit->generation = s->generation;
}

const struct proc_map *spaces_find(struct spaces *s, uint32_t pid, uint64_t address, uint64_t time)
{
	struct space_proc *proc = find_proc(s, pid);
	const struct map_hit *hit;

	if (!proc || !proc->n)
		return NULL;
	hit = &proc->hit;
	if (hit->generation != s->generation || address < hit->lo || address > hit->hi ||
	    time < hit->from || time >= hit->to)
		fill_hit(s, proc, address, time);
	return hit->map;
}
