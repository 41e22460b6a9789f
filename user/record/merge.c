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

int merge_add(struct merge *m, const struct ptev_hdr *record, uint64_t time)
{
	size_t size = (record->size + 7u) & ~7u;

	if (reserve((void **)&m->data, &m->room, m->size, size, 1) ||
	    reserve((void **)&m->entries, &m->max, m->nr, 1, sizeof(*m->entries)))
		return -ENOMEM;
	memcpy(m->data + m->size, record, record->size);
	m->entries[m->nr++] = (struct merge_entry){ .time = time, .offset = m->size };
	m->size += size;
	return 0;
}

static int older(const void *a, const void *b)
{
	const struct merge_entry *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
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
		return err;
	}
	return i ? drop(m, i) : 0;
}

const struct ptev_hdr *merge_next(struct merge *m, uint64_t until)
{
	/* What is gone is given back when it is most of what there is. */
	if (m->next > 64 && m->next > m->nr / 2 && drop(m, m->next))
		return NULL;
	if (m->sorted != m->nr)
		qsort(m->entries + m->next, m->nr - m->next, sizeof(*m->entries), older);
	m->sorted = m->nr;
	if (m->next == m->nr || m->entries[m->next].time > until)
		return NULL;
	return record_of(m, m->next++);
}

void merge_free(struct merge *m)
{
	free(m->data);
	free(m->entries);
	memset(m, 0, sizeof(*m));
}
