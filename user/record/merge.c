// SPDX-License-Identifier: GPL-2.0
#include "user/record/merge.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for @more elements of @size behind the @used ones. */
static int reserve(void **array, size_t *room, size_t used, size_t more, size_t size)
{
	size_t want = *room ? *room : 64;
	void *grown;

	if (used + more <= *room)
		return 0;
	while (want < used + more)
		want *= 2;
	grown = realloc(*array, want * size);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*room = want;
	return 0;
}

/* Those of one time in the order of their arrival. */
static inline int older(const struct merge_run *x, const struct merge_run *y)
{
	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->pos < y->pos ? -1 : x->pos > y->pos;
}

static int by_age(const void *a, const void *b)
{
	return older(a, b);
}

static int by_place(const void *a, const void *b)
{
	const struct merge_run *x = a, *y = b;

	return x->pos < y->pos ? -1 : x->pos > y->pos;
}

/* Lets the run at @i rise to its place in the heap. One that comes in order stays. */
static void rise(struct merge_run *heap, size_t i)
{
	struct merge_run e = heap[i];

	for (; i && older(&e, &heap[(i - 1) / 2]) < 0; i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = e;
}

/* Makes a heap of @nr runs whose first is void; @e takes its place. */
static void fill_top(struct merge_run *heap, size_t nr, struct merge_run e)
{
	size_t i = 0, child;

	while ((child = 2 * i + 1) < nr) {
		if (child + 1 < nr && older(&heap[child + 1], &heap[child]) < 0)
			child++;
		if (older(&e, &heap[child]) < 0)
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = e;
}

static const struct ptev_hdr *record_at(const struct merge *m, size_t pos)
{
	return (const void *)(m->data + pos);
}

/* All records have it in one place. */
static uint64_t time_of(const struct ptev_hdr *record)
{
	return ((const struct ptev_task *)record)->time;
}

static size_t size_of(const struct ptev_hdr *record)
{
	return (record->size + 7u) & ~(size_t)7;
}

/* The tail becomes a run among the others. */
static int end_tail(struct merge *m)
{
	if (m->tail.pos == m->tail.end)
		return 0;
	if (reserve((void **)&m->runs, &m->max, m->nr, 1, sizeof(*m->runs)))
		return -ENOMEM;
	m->runs[m->nr] = m->tail;
	rise(m->runs, m->nr++);
	m->tail.pos = m->tail.end;
	return 0;
}

/* Moves what is left to the front of data[]. */
static void give_back(struct merge *m)
{
	size_t i, len, size = 0;

	qsort(m->runs, m->nr, sizeof(*m->runs), by_place);
	for (i = 0; i <= m->nr; i++) {
		/* The tail is behind all others. */
		struct merge_run *run = i < m->nr ? &m->runs[i] : &m->tail;

		len = run->end - run->pos;
		memmove(m->data + size, m->data + run->pos, len);
		run->pos = size;
		size += len;
		run->end = size;
	}
	/* What is in order is a heap. */
	qsort(m->runs, m->nr, sizeof(*m->runs), by_age);
	m->size = size;
	m->gone = 0;
}

int merge_add(struct merge *m, const struct ptev_hdr *record)
{
	size_t size = size_of(record);
	uint64_t time = time_of(record);

	/* Seldom enough that a byte is moved three times at most, and mostly once or not at all. */
	if (m->gone >= 65536 && m->gone > m->size / 4)
		give_back(m);
	if (m->tail.pos < m->tail.end && time < m->last && end_tail(m))
		return -ENOMEM;
	if (reserve((void **)&m->data, &m->room, m->size, size, 1))
		return -ENOMEM;
	if (m->tail.pos == m->tail.end)
		m->tail = (struct merge_run){ .time = time, .pos = m->size };
	memcpy(m->data + m->size, record, record->size);
	m->last = time;
	m->size += size;
	m->tail.end = m->size;
	return 0;
}

/* The first record of the run is handed out. */
static const struct ptev_hdr *take(struct merge *m, struct merge_run *run)
{
	const struct ptev_hdr *record = record_at(m, run->pos);

	run->pos += size_of(record);
	m->gone += size_of(record);
	if (run->pos < run->end)
		run->time = time_of(record_at(m, run->pos));
	return record;
}

const struct ptev_hdr *merge_next(struct merge *m, uint64_t until)
{
	bool tail = m->tail.pos < m->tail.end;
	const struct ptev_hdr *record;
	struct merge_run run;

	if (tail && (!m->nr || older(&m->tail, m->runs) < 0))
		return m->tail.time <= until ? take(m, &m->tail) : NULL;
	if (!m->nr || m->runs[0].time > until)
		return NULL;
	run = m->runs[0];
	record = take(m, &run);
	if (run.pos == run.end)
		run = m->runs[--m->nr];
	if (m->nr)
		fill_top(m->runs, m->nr, run);
	return record;
}

static void forget(struct merge *m)
{
	m->nr = 0;
	m->size = 0;
	m->gone = 0;
	m->tail = (struct merge_run){ 0 };
}

int merge_flush(struct merge *m, uint64_t until, merge_put put, void *ctx)
{
	const struct ptev_hdr *record;
	int err = 0;

	while (!err && (record = merge_next(m, until)))
		err = put(ctx, record);
	if (err)
		forget(m);
	return err;
}

void merge_free(struct merge *m)
{
	free(m->data);
	free(m->runs);
	memset(m, 0, sizeof(*m));
}
