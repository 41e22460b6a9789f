// SPDX-License-Identifier: GPL-2.0
#include "user/sym/comms.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "user/sym/array.h"

#define NO_NAME	 UINT32_MAX
#define MAX_HOPS 8

struct comm_thread {
	uint32_t tid;
	struct comm_event {
		uint64_t since;
		uint32_t name;	 /* or NO_NAME */
		uint32_t parent; /* inherited from this thread, 0: its own */
	} * events;		 /* ordered by ->since */
	size_t n, size;
};

static bool same_tid(const void *ctx, uint32_t slot, const void *key)
{
	const struct comms *c = ctx;

	return c->threads[slot].tid == *(const uint32_t *)key;
}

static struct comm_thread *find_thread(const struct comms *c, uint32_t tid)
{
	int64_t slot = hash_find(&c->index, hash_u64(tid), same_tid, c, &tid);

	return slot >= 0 ? &c->threads[slot] : NULL;
}

/* Finds or adds. NULL without memory. */
static struct comm_thread *get_thread(struct comms *c, uint32_t tid)
{
	struct comm_thread *threads = find_thread(c, tid);

	if (threads)
		return threads;
	threads = array_room(c->threads, c->n, &c->size, sizeof(*threads));
	if (!threads)
		return NULL;
	c->threads = threads;
	if (hash_add(&c->index, hash_u64(tid), (uint32_t)c->n))
		return NULL;
	threads[c->n] = (struct comm_thread){ .tid = tid };
	return &threads[c->n++];
}

/* Number of events until @time; few threads have more than two. */
static size_t count_until(const struct comm_thread *t, uint64_t time)
{
	size_t low = 0, high = t->n;

	if (high && t->events[high - 1].since <= time)
		return high;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->events[mid].since <= time)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int add_event(struct comms *c, uint32_t tid, const struct comm_event *event)
{
	struct comm_thread *t = get_thread(c, tid);
	struct comm_event *events;
	size_t at;

	if (!t)
		return -ENOMEM;
	at = count_until(t, event->since);
	events = array_room(t->events, t->n, &t->size, sizeof(*events));
	if (!events)
		return -ENOMEM;
	t->events = events;
	memmove(&events[at + 1], &events[at], (t->n - at) * sizeof(*events));
	events[at] = *event;
	t->n++;
	/* Children may have inherited, so this is about more than one thread. */
	memset(c->hits, 0, sizeof(c->hits));
	return 0;
}

/* What happened to the name of the thread last before @time, or first; or NULL. */
static const struct comm_event *event_at(const struct comms *c, uint32_t tid, uint64_t time)
{
	const struct comm_thread *t = find_thread(c, tid);
	size_t count;

	if (!t || !t->n)
		return NULL;
	count = count_until(t, time);
	return &t->events[count ? count - 1 : 0];
}

/*
 * An inherited name was copied when the fork was seen. The parent is asked again, because its own
 * record may have come later; the copy serves when forks are nested deeply.
 */
static uint32_t name_at(const struct comms *c, uint32_t tid, uint64_t time)
{
	uint32_t name = NO_NAME;
	unsigned int hops;

	for (hops = 0; hops < MAX_HOPS; hops++) {
		const struct comm_event *event = event_at(c, tid, time);

		if (!event)
			break;
		if (event->name != NO_NAME)
			name = event->name;
		if (!event->parent)
			break;
		tid = event->parent;
		time = event->since;
	}
	return name;
}

int comms_set(struct comms *c, uint32_t tid, uint64_t time, const char *name)
{
	int64_t number = strings_add(&c->names, name);

	if (number < 0)
		return (int)number;
	return add_event(c, tid, &(struct comm_event){ time, (uint32_t)number, 0 });
}

int comms_fork(struct comms *c, uint32_t tid, uint32_t parent, uint64_t time)
{
	uint32_t name = name_at(c, parent, time);

	return add_event(c, tid, &(struct comm_event){ time, name, parent });
}

/* Looks a name up together with the time for which it holds. */
static struct comm_hit look_up(const struct comms *c, uint32_t tid, uint64_t time)
{
	const struct comm_thread *t = find_thread(c, tid);
	uint32_t name = name_at(c, tid, time);
	struct comm_hit hit = {
		.tid = tid,
		.to = UINT64_MAX,
		.name = name == NO_NAME ? NULL : strings_get(&c->names, name),
	};
	size_t count;

	if (!t)
		return hit;
	count = count_until(t, time);
	if (count)
		hit.from = t->events[count - 1].since;
	if (count < t->n)
		hit.to = t->events[count].since;
	return hit;
}

const char *comms_get(struct comms *c, uint32_t tid, uint64_t time)
{
	struct comm_hit *hit = &c->hits[tid & (COMM_HITS - 1)];

	if (hit->tid != tid || time < hit->from || time >= hit->to)
		*hit = look_up(c, tid, time);
	return hit->name;
}

void comms_free(struct comms *c)
{
	while (c->n)
		free(c->threads[--c->n].events);
	free(c->threads);
	hash_free(&c->index);
	strings_free(&c->names);
	*c = (struct comms){ 0 };
}
