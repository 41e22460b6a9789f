// SPDX-License-Identifier: GPL-2.0
/* Random histories of processes, each answer compared with that of a naive model. */
#include <time.h>

#include "tests/unit/procs_feed.h"

/* The model: all records in a list, every question answered by looking at each of them. */
struct record {
	enum { MAP, EXEC, FORK } kind;
	uint32_t pid, ppid;
	uint64_t time, start, last, tag;
};

struct model {
	struct record *records;
	size_t n; /* so many have been fed */
};

static bool is_map(const struct record *r, uint32_t pid, uint64_t from, uint64_t to,
		   uint64_t address)
{
	return r->kind == MAP && r->pid == pid && from <= r->time && r->time < to &&
	       r->start <= address && address <= r->last;
}

/* The latest of [from, to), and the earliest. */
static uint64_t model_scan(const struct model *m, uint32_t pid, uint64_t address, uint64_t from,
			   uint64_t to, bool latest)
{
	const struct record *best = NULL;
	size_t i;

	for (i = 0; i < m->n; i++) {
		const struct record *r = &m->records[i];

		if (!is_map(r, pid, from, to, address))
			continue;
		if (!best || (latest ? r->time >= best->time : r->time < best->time))
			best = r;
	}
	return best ? best->tag : 0;
}

/* First start of an era in [from, to). */
static const struct record *model_start(const struct model *m, uint32_t pid, uint64_t from,
					uint64_t to, bool latest)
{
	const struct record *best = NULL;
	size_t i;

	for (i = 0; i < m->n; i++) {
		const struct record *r = &m->records[i];

		if (r->kind == MAP || r->pid != pid || r->time < from || r->time >= to)
			continue;
		if (!best || (r->time > best->time) == latest)
			best = r;
	}
	return best;
}

static bool model_has_map(const struct model *m, uint32_t pid, uint64_t to)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->records[i].kind == MAP && m->records[i].pid == pid &&
		    m->records[i].time < to)
			return true;
	return false;
}

static uint64_t model_find(const struct model *m, uint32_t pid, uint64_t address, uint64_t time)
{
	int hops;

	for (hops = 0; hops < 32; hops++) {
		const struct record *first = model_start(m, pid, 0, UINT64_MAX, false);
		const struct record *era = model_start(m, pid, 0, time + 1, true);
		const struct record *next;
		uint64_t from, to, tag;

		if (!era && first && !model_has_map(m, pid, first->time))
			era = first;
		from = era ? era->time : 0;
		next = model_start(m, pid, from + 1, UINT64_MAX, false);
		to = next ? next->time : UINT64_MAX;
		tag = model_scan(m, pid, address, from, time + 1 < to ? time + 1 : to, true);
		if (tag)
			return tag;
		if (!era || (era->kind == EXEC && time < from))
			return model_scan(m, pid, address, from, to, false);
		if (era->kind == EXEC)
			return 0;
		pid = era->ppid;
		time = from;
	}
	return 0;
}

#define PIDS 6

struct plan {
	unsigned int seed;
	size_t n;
	unsigned int exec_percent, fork_percent;
	uint32_t parents; /* pids up to this one fork, the others are forked */
	size_t shuffle;	  /* records come up to so many places early or late */
	uint64_t pages, longest;
};

static uint32_t random_below(struct plan *plan, uint64_t n)
{
	return (uint32_t)((uint64_t)rand_r(&plan->seed) % n);
}

static struct record random_record(struct plan *plan, size_t i)
{
	uint32_t dice = random_below(plan, 100);
	struct record r = { .kind = MAP, .time = 1000 + i * 2, .tag = i + 1 };

	r.pid = 1 + random_below(plan, PIDS);
	r.start = random_below(plan, plan->pages);
	r.last = r.start + random_below(plan, plan->longest);
	if (dice < plan->exec_percent) {
		r.kind = EXEC;
	} else if (dice < plan->exec_percent + plan->fork_percent) {
		r.kind = FORK;
		r.ppid = 1 + random_below(plan, plan->parents);
		if (plan->parents < PIDS)
			r.pid = plan->parents + 1 + random_below(plan, PIDS - plan->parents);
		else if (r.pid == r.ppid)
			r.pid = r.ppid % PIDS + 1;
	}
	return r;
}

static void shuffle(struct plan *plan, struct record *records)
{
	size_t i;

	for (i = 0; plan->shuffle && i + plan->shuffle < plan->n; i++) {
		size_t other = i + random_below(plan, plan->shuffle);
		struct record r = records[i];

		records[i] = records[other];
		records[other] = r;
	}
}

static void feed_record(struct procs *p, const struct record *r)
{
	if (r->kind == MAP)
		feed_mmap(p, r->pid, r->time, r->start, r->last, "/x", r->tag);
	else if (r->kind == EXEC)
		feed_comm(p, r->pid, r->pid, r->time, "x", 1);
	else
		feed_fork(p, r->pid, r->pid, r->ppid, r->ppid, r->time);
}

static void ask(struct plan *plan, const struct model *m, struct procs *p)
{
	uint32_t pid = 1 + random_below(plan, PIDS);
	uint64_t address = random_below(plan, plan->pages + plan->longest);
	uint64_t time = 990 + random_below(plan, m->n * 2 + 20), expected;
	const struct proc_map *map;

	/* Mostly about now. */
	if (random_below(plan, 2))
		time = 1000 + m->n * 2 - random_below(plan, 20);
	expected = model_find(m, pid, address, time);
	map = procs_map(p, pid, address, time);
	cr_assert_eq(map ? map->ino : 0, expected, "pid %u address %lu time %lu after %zu", pid,
		     (unsigned long)address, (unsigned long)time, m->n);
}

/* A pid's first record may be a fork by a process not known yet: give each a known start. */
static void start_all(struct record *records)
{
	uint32_t i;

	for (i = 0; i < PIDS; i++)
		records[i] = (struct record){
			.kind = EXEC, .pid = i + 1, .time = 900 + i, .tag = UINT32_MAX
		};
}

static void compare_with_model(struct plan plan)
{
	struct record *records = calloc(plan.n, sizeof(*records));
	struct model m = { records, 0 };
	struct procs *p = new_procs();
	size_t i, j;

	cr_assert_not_null(records);
	cr_log_info("seed %u", plan.seed);
	for (i = 0; i < plan.n; i++)
		records[i] = random_record(&plan, i);
	shuffle(&plan, records);
	if (plan.parents == PIDS)
		start_all(records);
	for (i = 0; i < plan.n; i++) {
		feed_record(p, &records[i]);
		m.n = i + 1;
		for (j = 0; j < 4; j++)
			ask(&plan, &m, p);
	}
	procs_free(p);
	free(records);
}

static unsigned int new_seed(void)
{
	const char *given = getenv("PTSCOPE_SEED");
	unsigned int seed =
		given ? (unsigned int)strtoul(given, NULL, 0) : (unsigned int)time(NULL);

	fprintf(stderr, "PTSCOPE_SEED=%u\n", seed);
	return seed;
}

/* Many forks of forks, in order. */
Test(procs, model_in_order)
{
	unsigned int i, seed = new_seed();

	for (i = 0; i < 40; i++)
		compare_with_model((struct plan){ .seed = seed + i,
						  .n = 400,
						  .exec_percent = 2,
						  .fork_percent = 20,
						  .parents = PIDS,
						  .pages = 100,
						  .longest = 40 });
}

/* Records out of order; forks one deep, as a copy for deep ones cannot know what comes late. */
Test(procs, model_out_of_order)
{
	unsigned int i, seed = new_seed();

	for (i = 0; i < 40; i++)
		compare_with_model((struct plan){ .seed = seed + i,
						  .n = 400,
						  .exec_percent = 3,
						  .fork_percent = 10,
						  .parents = 3,
						  .shuffle = 20,
						  .pages = 100,
						  .longest = 40 });
}

/* Long logs with many blocks. */
Test(procs, model_many_maps)
{
	unsigned int seed = new_seed();

	compare_with_model((struct plan){ .seed = seed,
					  .n = 4000,
					  .parents = 3,
					  .shuffle = 30,
					  .pages = 5000,
					  .longest = 40 });
	compare_with_model((struct plan){ .seed = seed + 1,
					  .n = 4000,
					  .fork_percent = 1,
					  .parents = 3,
					  .pages = 300,
					  .longest = 300 });
}
