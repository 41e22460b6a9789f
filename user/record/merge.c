// SPDX-License-Identifier: GPL-2.0
#include "user/record/merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Makes room for @more elements of @size behind the @used ones. */
static int reserve(void **array, size_t *room, size_t used, size_t more, size_t size)
{
	size_t want = *room ? *room : 64;
	void *grown;

	while (want < used + more)
		want *= 2;
	if (want == *room)
		return 0;
	grown = realloc(*array, want * size);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*room = want;
	return 0;
}

static int older(const void *a, const void *b)
{
	const struct merge_entry *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Lets the entry at @i rise to its place in the heap. One that comes in order stays. */
static void rise(struct merge_entry *heap, size_t i)
{
	struct merge_entry e = heap[i];

	for (; i && older(&e, &heap[(i - 1) / 2]) < 0; i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = e;
}

/* Makes a heap of @nr entries whose first has been taken; @e was the one behind them. */
static void fill_top(struct merge_entry *heap, size_t nr, struct merge_entry e)
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

int merge_add(struct merge *m, const struct ptev_hdr *record, uint64_t time)
{
	size_t size = (record->size + 7u) & ~7u;

	if (reserve((void **)&m->data, &m->room, m->size, size, 1) ||
	    reserve((void **)&m->entries, &m->max, m->nr, 1, sizeof(*m->entries)))
		return -ENOMEM;
	memcpy(m->data + m->size, record, record->size);
	m->entries[m->nr] = (struct merge_entry){ .time = time, .offset = m->size };
	rise(m->entries, m->nr++);
	m->size += size;
	return 0;
}

static const struct ptev_hdr *record_of(const struct merge *m, size_t i)
{
	return (const void *)(m->data + m->entries[i].offset);
}

/* Forgets the first @done entries. */
static int drop(struct merge *m, size_t done)
{
	struct merge rest = { 0 };
	size_t i;
	int err = 0;

	for (i = done; i < m->nr && !err; i++)
		err = merge_add(&rest, record_of(m, i), m->entries[i].time);
	merge_free(m);
	*m = rest;
	return err;
}

int merge_flush(struct merge *m, uint64_t until, merge_put put, void *ctx)
{
	size_t i = 0;
	int err = 0;

	if (m->nr > 1)
		qsort(m->entries, m->nr, sizeof(*m->entries), older);
	while (!err && i < m->nr && m->entries[i].time <= until)
		err = put(ctx, record_of(m, i++));
	if (err || i == m->nr) {
		m->nr = 0;
		m->size = 0;
		m->gone = 0;
		return err;
	}
	return i ? drop(m, i) : 0;
}

/* What is gone is given back when it is most of what there is. */
static int give_back(struct merge *m)
{
	if (!m->nr)
		m->size = m->gone = 0;
	if (m->gone < 4096 || m->gone <= m->size / 2)
		return 0;
	/* In order: those of one time keep theirs, and what is in order is a heap. */
	qsort(m->entries, m->nr, sizeof(*m->entries), older);
	return drop(m, 0);
}

int merge_next(struct merge *m, uint64_t until, const struct ptev_hdr **record)
{
	int err = give_back(m);

	if (err || !m->nr || m->entries[0].time > until)
		return err;
	*record = record_of(m, 0);
	m->gone += ((*record)->size + 7u) & ~7u;
	if (--m->nr)
		fill_top(m->entries, m->nr, m->entries[m->nr]);
	return 1;
}

void merge_free(struct merge *m)
{
	free(m->data);
	free(m->entries);
	memset(m, 0, sizeof(*m));
}
