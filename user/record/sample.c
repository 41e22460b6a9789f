// SPDX-License-Identifier: GPL-2.0
#include "user/record/sample.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ID_PARTS (PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_ID)
/* In front of PERF_SAMPLE_ID in a sample, a word each. */
#define FRONT (PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR)
/* Of take_who(), and all of a sample that has one size: a word each. */
#define WHO                                                                       \
	(PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR | PERF_SAMPLE_ID | \
	 PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU)
#define FIXED (WHO | PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_PERIOD)

static int add_ids(struct attrs *a, const void *ids, size_t nr)
{
	size_t i, room = a->room ? a->room : 16;
	struct attr_id *grown;

	if (nr > IDS_MAX - a->nr_ids)
		return -EINVAL;
	while (room < a->nr_ids + nr)
		room *= 2;
	if (room != a->room) {
		grown = reallocarray(a->ids, room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		a->ids = grown;
		a->room = room;
	}
	for (i = 0; i < nr; i++) {
		a->ids[a->nr_ids].attr = a->nr;
		memcpy(&a->ids[a->nr_ids++].id, (const char *)ids + i * 8, 8);
	}
	a->sorted = false;
	a->has_last = false;
	return 0;
}

int attrs_add(struct attrs *a, const void *attr, size_t bytes, const void *ids, size_t nr)
{
	struct perf_event_attr known = { 0 };
	struct rec_attr *grown;
	int err;

	if (bytes < PERF_ATTR_SIZE_VER0 || a->nr == ATTRS_MAX)
		return -EINVAL;
	memcpy(&known, attr, bytes < sizeof(known) ? bytes : sizeof(known));
	err = add_ids(a, ids, nr);
	if (err)
		return err;
	grown = reallocarray(a->attr, a->nr + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	a->attr = grown;
	grown[a->nr++] = (struct rec_attr){
		.type = known.type,
		.id_all = known.sample_id_all,
		.config = known.config,
		.sample_type = known.sample_type,
		.words = (uint32_t)__builtin_popcountll(known.sample_type & FIXED),
	};
	return 0;
}

void attrs_free(struct attrs *a)
{
	free(a->attr);
	free(a->ids);
	*a = (struct attrs){ 0 };
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = ((const struct attr_id *)a)->id, y = ((const struct attr_id *)b)->id;

	return x < y ? -1 : x > y;
}

static const struct rec_attr *find_id(struct attrs *a, uint64_t id)
{
	struct attr_id key = { .id = id };
	const struct attr_id *found;

	if (!a->nr_ids)
		return NULL;
	/* Most samples are of the same event as the one before. */
	if (a->has_last && a->last.id == id)
		return &a->attr[a->last.attr];
	if (!a->sorted)
		qsort(a->ids, a->nr_ids, sizeof(*a->ids), by_id);
	a->sorted = true;
	found = bsearch(&key, a->ids, a->nr_ids, sizeof(*a->ids), by_id);
	if (!found || found->attr >= a->nr)
		return NULL;
	a->last = *found;
	a->has_last = true;
	return &a->attr[found->attr];
}

const struct rec_attr *attrs_of_sample(struct attrs *a, const struct perf_event_header *h)
{
	const uint64_t *words = (const uint64_t *)(h + 1);
	uint64_t type = a->nr ? a->attr[0].sample_type : 0;
	size_t at = 0;

	if (a->nr == 1)
		return a->attr;
	if (!(type & ID_PARTS))
		return NULL;
	if (!(type & PERF_SAMPLE_IDENTIFIER))
		at = (size_t)__builtin_popcountll(type & FRONT);
	if (h->size < sizeof(*h) + (at + 1) * sizeof(*words))
		return NULL;
	return find_id(a, words[at]);
}

const struct rec_attr *attrs_of_tail(const struct attrs *a)
{
	return a->nr && a->attr[0].id_all ? a->attr : NULL;
}

/* The rest of a record. */
struct words {
	const uint64_t *at;
	size_t nr;
	bool ok;
};

/* Whether @nr words are there; if so, they may be taken from ->at without a look at ->nr. */
static bool reserve(struct words *w, size_t nr)
{
	if (nr > w->nr)
		return false;
	w->nr -= nr;
	return true;
}

/*
 * What samples and other records have in one order; only samples have an address among it. As many
 * words as @type has bits of WHO.
 */
static inline void take_who(struct words *w, struct rec_sample *s, uint64_t type)
{
	if (type & PERF_SAMPLE_TID) {
		s->pid = (uint32_t)*w->at;
		s->tid = (uint32_t)(*w->at++ >> 32);
	}
	if (type & PERF_SAMPLE_TIME)
		s->time = *w->at++;
	if (type & PERF_SAMPLE_ADDR)
		s->addr = *w->at++;
	if (type & PERF_SAMPLE_ID)
		s->id = *w->at++;
	if (type & PERF_SAMPLE_STREAM_ID)
		w->at++;
	if (type & PERF_SAMPLE_CPU)
		s->cpu = (uint32_t)*w->at++;
}

static void take_chain(struct words *w, struct rec_sample *s)
{
	w->ok = reserve(w, 1);
	if (!w->ok)
		return;
	s->nr_chain = *w->at++;
	s->chain = w->at;
	w->ok = reserve(w, s->nr_chain);
	w->at += w->ok ? s->nr_chain : 0;
}

static void take_raw(struct words *w, struct rec_sample *s)
{
	uint32_t size;

	if (!w->nr) {
		w->ok = false;
		return;
	}
	memcpy(&size, w->at, sizeof(size));
	s->raw = (const char *)w->at + sizeof(size);
	s->raw_size = size;
	w->ok = w->ok && size <= w->nr * sizeof(*w->at) - sizeof(size);
}

/* perf_event_open(2), PERF_RECORD_SAMPLE: in this order. Behind the raw data nothing is wanted. */
bool sample_parse(struct rec_sample *s, const struct rec_attr *attr,
		  const struct perf_event_header *h)
{
	uint64_t type = attr->sample_type;
	struct words w = { (const uint64_t *)(h + 1), (h->size - sizeof(*h)) / 8, true };

	*s = (struct rec_sample){ 0 };
	if (type & PERF_SAMPLE_READ || !reserve(&w, attr->words))
		return false;
	if (type & PERF_SAMPLE_IDENTIFIER)
		s->id = *w.at++;
	if (type & PERF_SAMPLE_IP)
		s->ip = *w.at++;
	take_who(&w, s, type);
	if (type & PERF_SAMPLE_PERIOD)
		w.at++;
	if (type & PERF_SAMPLE_CALLCHAIN)
		take_chain(&w, s);
	if (type & PERF_SAMPLE_RAW && w.ok)
		take_raw(&w, s);
	return w.ok;
}

bool sample_tail(struct rec_sample *s, size_t *size, const struct rec_attr *attr,
		 const struct perf_event_header *h)
{
	const uint64_t parts = (WHO & ~(uint64_t)PERF_SAMPLE_ADDR) | PERF_SAMPLE_IDENTIFIER;
	uint64_t type = attr ? attr->sample_type & parts : 0;
	struct words w = { 0 };

	*s = (struct rec_sample){ 0 };
	*size = (size_t)__builtin_popcountll(type) * sizeof(*w.at);
	if (h->size < sizeof(*h) + *size)
		return false;
	w.at = (const uint64_t *)((const char *)h + h->size - *size);
	take_who(&w, s, type);
	if (type & PERF_SAMPLE_IDENTIFIER)
		s->id = *w.at;
	return true;
}
