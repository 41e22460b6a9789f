// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/record/merge.h"

#define MAX 4096

struct seen {
	uint64_t times[MAX];
	uint32_t pids[MAX];
	size_t nr;
	int fail_at; /* 0: never */
};

static int take(void *ctx, const struct ptev_hdr *record)
{
	const struct ptev_task *t = (const void *)record;
	struct seen *s = ctx;

	s->times[s->nr] = t->time;
	s->pids[s->nr++] = t->pid;
	return s->fail_at && (int)s->nr == s->fail_at ? -5 : 0;
}

static void add(struct merge *m, uint64_t time, uint32_t pid)
{
	struct ptev_task t = { .hdr = { .size = sizeof(t), .type = PTEV_COMM },
			       .time = time,
			       .pid = pid };

	cr_assert_eq(merge_add(m, &t.hdr), 0);
}

Test(merge, two_sources_in_one_order)
{
	struct merge m = { 0 };
	struct seen s = { 0 };

	add(&m, 10, 1);
	add(&m, 30, 2);
	add(&m, 20, 3);
	add(&m, 20, 4); /* the same time: order of arrival */
	cr_assert_eq(merge_flush(&m, 25, take, &s), 0);
	cr_assert_eq(s.nr, 3);
	cr_assert_eq(s.pids[0], 1);
	cr_assert_eq(s.pids[1], 3);
	cr_assert_eq(s.pids[2], 4);
	add(&m, 26, 5);
	cr_assert_eq(merge_flush(&m, UINT64_MAX, take, &s), 0);
	cr_assert_eq(s.nr, 5);
	cr_assert_eq(s.pids[3], 5);
	cr_assert_eq(s.pids[4], 2);
	merge_free(&m);
}

Test(merge, an_error_stops_and_forgets)
{
	struct merge m = { 0 };
	struct seen s = { .fail_at = 1 };

	add(&m, 1, 1);
	add(&m, 2, 2);
	cr_assert_eq(merge_flush(&m, UINT64_MAX, take, &s), -5);
	cr_assert_eq(s.nr, 1);
	cr_assert_eq(merge_flush(&m, UINT64_MAX, take, &s), 0);
	cr_assert_eq(s.nr, 1);
	merge_free(&m);
}

Test(merge, random_rounds_lose_nothing)
{
	unsigned int seed = (unsigned int)time(NULL), round;
	struct merge m = { 0 };
	struct seen s = { 0 };
	uint32_t pid = 0;
	uint64_t until = 0;
	size_t i;

	cr_log_info("seed %u\n", seed);
	srandom(seed);
	for (round = 0; round < 50; round++) {
		for (i = 0; i < 40; i++)
			add(&m, until + 1 + (uint64_t)random() % 200, pid++);
		until += 100;
		cr_assert_eq(merge_flush(&m, until, take, &s), 0);
	}
	cr_assert_eq(merge_flush(&m, UINT64_MAX, take, &s), 0);
	cr_assert_eq(s.nr, pid, "seed %u", seed);
	for (i = 1; i < s.nr; i++)
		cr_assert_leq(s.times[i - 1], s.times[i], "seed %u", seed);
	merge_free(&m);
}

/* What waits for its time costs nothing with every record that comes. */
Test(merge, those_that_wait_are_not_sorted_again, .timeout = 10)
{
	const struct ptev_hdr *record;
	struct merge m = { 0 };
	uint64_t i, nr = 100000;

	for (i = 0; i < nr; i++) {
		add(&m, i % 2 ? 2 * nr - i : 2 * nr + i, (uint32_t)i);
		cr_assert_null(merge_next(&m, 10));
		add(&m, i % 10, 0); /* one that is late */
		record = merge_next(&m, 10);
		cr_assert_not_null(record);
		cr_assert_eq(((const struct ptev_task *)record)->time, i % 10);
	}
	for (i = 0; (record = merge_next(&m, UINT64_MAX)); i++)
		cr_assert_eq(((const struct ptev_task *)record)->time >= 2 * nr, i >= nr / 2);
	cr_assert_eq(i, nr);
	merge_free(&m);
}

Test(merge, one_by_one_in_order_of_time_and_arrival)
{
	unsigned int seed = (unsigned int)time(NULL), round, i;
	struct ptev_task last = { 0 }, t;
	const struct ptev_hdr *record;
	struct merge m = { 0 };
	uint32_t added = 0, taken = 0;

	cr_log_info("seed %u\n", seed);
	srandom(seed);
	for (round = 1; round <= 200; round++) {
		for (i = 0; i < 100; i++)
			add(&m, round * 100ul + (uint64_t)random() % 300, ++added);
		while ((record = merge_next(&m, round < 200 ? round * 100ul + 99 : UINT64_MAX))) {
			memcpy(&t, record, sizeof(t));
			cr_assert(t.time > last.time || (t.time == last.time && t.pid > last.pid),
				  "seed %u", seed);
			last = t;
			taken++;
		}
		cr_assert(round == 200 || last.time <= round * 100 + 99, "seed %u", seed);
	}
	cr_assert_eq(taken, added, "seed %u", seed);
	merge_free(&m);
}
