/* SPDX-License-Identifier: GPL-2.0 */
/* A thread on each CPU that reads one word, and counts what it should not have read. */
#ifndef TESTS_READERS_H
#define TESTS_READERS_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "tests/system/edits.h"

#define MAX_CPUS 16
/* Reads of each CPU before, during and after an edit. */
#define READS 40

struct reader {
	pthread_t thread;
	int cpu;
	struct world *world;
	_Atomic unsigned long reads;
	unsigned long stale;
};

/* ->phase is odd while the answer changes. */
struct world {
	struct checks c;
	struct reader readers[MAX_CPUS];
	int nr_readers;
	_Atomic unsigned int phase;
	_Atomic uint64_t expected;
	_Atomic(volatile uint64_t *) where;
	_Atomic bool over;
};

static inline void *reader_run(void *arg)
{
	struct reader *r = arg;
	struct world *w = r->world;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(r->cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set))
		die("pthread_setaffinity_np");
	while (!w->over) {
		unsigned int phase = w->phase;
		volatile uint64_t *where = w->where;
		uint64_t want = w->expected;

		if (!(phase & 1) && where) {
			uint64_t got = *where;

			if (w->phase == phase) {
				r->stale += got != want;
				r->reads++;
			}
		}
		/* All CPUs of an emulator may share one. */
		if (!(r->reads % 16))
			sched_yield();
	}
	return NULL;
}

static inline void start_readers(struct world *w)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int i;

	w->nr_readers = cpus < MAX_CPUS ? (int)cpus : MAX_CPUS;
	for (i = 0; i < w->nr_readers; i++) {
		w->readers[i].cpu = i;
		w->readers[i].world = w;
		if (pthread_create(&w->readers[i].thread, NULL, reader_run, &w->readers[i]))
			die("pthread_create");
	}
}

static inline void stop_readers(struct world *w)
{
	int i;

	w->over = true;
	for (i = 0; i < w->nr_readers; i++)
		pthread_join(w->readers[i].thread, NULL);
}

/* From now on each CPU must read @expected at @where; returns when each has. */
static inline void settle(struct world *w, volatile void *where, uint64_t expected)
{
	unsigned long before[MAX_CPUS];
	int i;

	w->where = where;
	w->expected = expected;
	for (i = 0; i < w->nr_readers; i++)
		before[i] = w->readers[i].reads;
	w->phase++;
	for (i = 0; i < w->nr_readers; i++)
		while (w->readers[i].reads - before[i] < READS)
			sched_yield();
}

static inline void unsettle(struct world *w)
{
	w->phase++;
}

static inline unsigned long stale_reads(const struct world *w)
{
	unsigned long n = 0;
	int i;

	for (i = 0; i < w->nr_readers; i++)
		n += w->readers[i].stale;
	return n;
}

#endif
