// SPDX-License-Identifier: GPL-2.0
#include "user/html/slowest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/report/view.h"

static uint64_t latency_of(const struct ptev_fault *f)
{
	return fault_parts(f) & PTEV_F_EXIT ? f->x.latency : 0;
}

static uint32_t quickest(const struct slowest *s)
{
	uint32_t i, best = 0;

	for (i = 1; i < s->nr; i++)
		if (latency_of(s->faults[i]) < latency_of(s->faults[best]))
			best = i;
	return best;
}

/* A record is readable as a whole struct, whatever its own size is. */
static struct ptev_fault *copy_of(const struct ptev_fault *f)
{
	size_t size = f->hdr.size > sizeof(*f) ? f->hdr.size : sizeof(*f);
	struct ptev_fault *copy = malloc(size);

	if (copy)
		memcpy(copy, f, size);
	return copy;
}

int slowest_add(struct slowest *s, const struct ptev_fault *f)
{
	uint32_t at = s->nr < SLOWEST_MAX ? s->nr : quickest(s);
	struct ptev_fault *copy;

	if (at < s->nr && latency_of(f) <= latency_of(s->faults[at]))
		return 0;
	copy = copy_of(f);
	if (!copy)
		return -ENOMEM;
	if (at < s->nr)
		free(s->faults[at]);
	else
		s->nr++;
	s->faults[at] = copy;
	return 0;
}

static int compare(const void *pa, const void *pb)
{
	const struct ptev_fault *a = *(struct ptev_fault *const *)pa;
	const struct ptev_fault *b = *(struct ptev_fault *const *)pb;

	if (latency_of(a) != latency_of(b))
		return latency_of(a) < latency_of(b) ? 1 : -1;
	return (a->time > b->time) - (a->time < b->time);
}

void slowest_sort(struct slowest *s)
{
	qsort(s->faults, s->nr, sizeof(*s->faults), compare);
}

void slowest_free(struct slowest *s)
{
	while (s->nr)
		free(s->faults[--s->nr]);
}
