// SPDX-License-Identifier: GPL-2.0
/* What the HTML page is made of: counts in bounded memory that add up, whatever comes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/random.h"
#include "user/html/page.h"

#define START 1000000ull

static uint64_t sum_of(const struct bins *b)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < b->nr; i++)
		sum += b->cells[i].count;
	return sum;
}

Test(html_bins, a_cell_is_where_it_was_put)
{
	struct bins b;

	cr_assert_eq(bins_init(&b, START, 16, 4, true), 0);
	cr_assert_eq(bins_add(&b, 7, 5, START + (3 << BINS_FIRST_SHIFT)), 0);
	cr_assert_eq(bins_add(&b, 7, 5, START + (3 << BINS_FIRST_SHIFT) + 9), 0);
	cr_assert_eq(bins_add(&b, 6, 8, 0), 0);
	bins_sort(&b);
	cr_assert_eq(b.nr, 2);
	cr_assert(b.cells[0].series == 6 && b.cells[0].row == 8 && b.cells[0].column == 0);
	cr_assert(b.cells[1].series == 7 && b.cells[1].row == 5 && b.cells[1].column == 3);
	cr_assert_eq(b.cells[1].count, 2);
	bins_free(&b);
}

Test(html_bins, time_becomes_coarser)
{
	struct bins b;

	cr_assert_eq(bins_init(&b, START, 16, 4, true), 0);
	cr_assert_eq(bins_add(&b, 1, 0, START + (5 << BINS_FIRST_SHIFT)), 0);
	cr_assert_eq(bins_add(&b, 1, 0, START + ((uint64_t)BINS_COLUMNS << BINS_FIRST_SHIFT)), 0);
	bins_sort(&b);
	cr_assert_eq(b.column_shift, BINS_FIRST_SHIFT + 1);
	cr_assert_eq(b.cells[0].column, 2);
	cr_assert_eq(b.cells[1].column, BINS_COLUMNS / 2);
	bins_free(&b);
}

Test(html_bins, the_end_of_time_has_a_column)
{
	struct bins b;

	cr_assert_eq(bins_init(&b, 0, 4, 2, true), 0);
	cr_assert_eq(bins_add(&b, 1, UINT64_MAX, UINT64_MAX), 0);
	cr_assert_eq(bins_add(&b, 1, 0, 0), 0);
	cr_assert_lt(b.cells[0].column, BINS_COLUMNS);
	bins_free(&b);
}

/* Whatever is thrown at it: no event is lost, and there are never more cells than allowed. */
Test(html_bins, random_events_add_up)
{
	unsigned int seed = random_seed("html_bins"), i;
	unsigned int max = 2 + (unsigned int)(random64() % 500);
	struct bins b;

	cr_assert_eq(bins_init(&b, START, max, (max + 1) / 2, true), 0);
	for (i = 0; i < 20000; i++) {
		uint64_t series = random64() >> random64() % 64;
		uint64_t value = random64() >> random64() % 64;
		uint64_t time = random64() >> random64() % 64;

		cr_assert_eq(bins_add(&b, series, value, time), 0, "seed %u", seed);
		cr_assert_leq(b.nr, max, "seed %u", seed);
	}
	bins_sort(&b);
	cr_assert_eq(sum_of(&b), 20000, "seed %u", seed);
	cr_assert_leq(b.nr_series, (max + 1) / 2);
	for (i = 1; i < b.nr; i++)
		cr_assert(b.cells[i - 1].series < b.cells[i].series ||
				  b.cells[i - 1].row < b.cells[i].row ||
				  b.cells[i - 1].column < b.cells[i].column,
			  "a cell is there twice, seed %u", seed);
	bins_free(&b);
}

Test(html_bins, rows_that_may_not_merge_can_be_too_many)
{
	struct bins b;
	uint64_t i;
	int err = 0;

	cr_assert_eq(bins_init(&b, 0, 8, 4, false), 0);
	for (i = 0; !err && i < 9; i++)
		err = bins_add(&b, 1, i, 0);
	cr_assert_eq(err, -E2BIG);
	cr_assert_eq(i, 9);
	bins_free(&b);
}

Test(html_flame, callers_have_what_callees_have)
{
	const uint32_t a[] = { 1, 2, 3 }, b[] = { 1, 2 }, c[] = { 4 };
	struct flame f;

	cr_assert_eq(flame_init(&f, 0), 0);
	cr_assert_eq(flame_add(&f, a, 3), 0);
	cr_assert_eq(flame_add(&f, a, 3), 0);
	cr_assert_eq(flame_add(&f, b, 2), 0);
	cr_assert_eq(flame_add(&f, c, 1), 0);
	cr_assert_eq(flame_add(&f, NULL, 0), 0);
	flame_sum(&f);
	cr_assert_eq(f.nr, 5);
	cr_assert_eq(f.nodes[FLAME_ROOT].all, 5);
	cr_assert(f.nodes[1].name == 1 && f.nodes[1].all == 3 && f.nodes[1].self == 0);
	cr_assert(f.nodes[2].name == 2 && f.nodes[2].all == 3 && f.nodes[2].self == 1);
	cr_assert(f.nodes[3].name == 3 && f.nodes[3].all == 2);
	cr_assert(f.nodes[4].name == 4 && f.nodes[4].parent == FLAME_ROOT);
	flame_free(&f);
}

Test(html_flame, the_same_name_under_two_callers_is_two_nodes)
{
	const uint32_t a[] = { 1, 9 }, b[] = { 2, 9 };
	struct flame f;

	cr_assert_eq(flame_init(&f, 0), 0);
	cr_assert_eq(flame_add(&f, a, 2), 0);
	cr_assert_eq(flame_add(&f, b, 2), 0);
	cr_assert_eq(f.nr, 5);
	flame_free(&f);
}

Test(html_flame, too_many_nodes_count_at_their_caller)
{
	struct flame f;
	uint32_t chain[2] = { 1, 0 }, i;

	cr_assert_eq(flame_init(&f, 0), 0);
	for (i = 0; i < FLAME_NODES_MAX; i++) {
		chain[1] = i;
		cr_assert_eq(flame_add(&f, chain, 2), 0);
	}
	flame_sum(&f);
	cr_assert_eq(f.nr, FLAME_NODES_MAX);
	cr_assert_eq(f.cut, 2);
	cr_assert_eq(f.nodes[1].self, 2);
	cr_assert_eq(f.nodes[FLAME_ROOT].all, FLAME_NODES_MAX);
	flame_free(&f);
}

static struct ptev_fault took(uint64_t latency, uint64_t time)
{
	return (struct ptev_fault){ .hdr = { .size = PTEV_FAULT_FULL, .type = PTEV_FAULT },
				    .flags = PTEV_F_EXIT,
				    .time = time,
				    .x.latency = latency };
}

Test(html_slowest, the_slowest_stay)
{
	struct slowest s = { 0 };
	struct ptev_fault f;
	uint64_t i;

	/* 1009 is prime: each latency below it comes once. */
	for (i = 1; i < 1009; i++) {
		f = took(i * 321 % 1009, i);
		cr_assert_eq(slowest_add(&s, &f), 0);
	}
	slowest_sort(&s);
	cr_assert_eq(s.nr, SLOWEST_MAX);
	for (i = 0; i < SLOWEST_MAX; i++)
		cr_assert_eq(s.faults[i]->x.latency, 1008 - i);
	slowest_free(&s);
}

Test(html_slowest, without_latencies_the_first_stay)
{
	struct slowest s = { 0 };
	struct ptev_fault f;
	uint64_t i;

	for (i = 0; i < 100; i++) {
		f = took(0, i);
		f.flags = 0;
		f.hdr.size = PTEV_FAULT_BASE;
		cr_assert_eq(slowest_add(&s, &f), 0);
	}
	slowest_sort(&s);
	for (i = 0; i < SLOWEST_MAX; i++)
		cr_assert_eq(s.faults[i]->time, i);
	slowest_free(&s);
}

/* Rows are where their latencies are, without a gap or an overlap. */
Test(html_latency, rows_follow_each_other)
{
	unsigned int row, last = page_latency_row(UINT64_MAX);

	cr_assert_eq(page_latency_from(0), 0);
	for (row = 1; row <= last; row++) {
		uint64_t from = page_latency_from(row);

		cr_assert_eq(page_latency_row(from), row, "row %u", row);
		cr_assert_eq(page_latency_row(from - 1), row - 1, "row %u", row);
	}
}

/* ---- the whole page ---------------------------------------------------------------------------
 */

static const struct rec_info info = {
	.start_mono = START,
	.levels = 4,
	.maxphyaddr = 46,
	.addr_mask = 0x3ffffffff000ull,
	.hostname = "lab</script><b>",
	.command = "<!-- \"quoted\" -->",
};

Test(html_page, names_cannot_leave_their_strings)
{
	const struct rec_totals totals = { .events = 1, .end_mono = START + 10 };
	struct ptev_fault f = took(5, START + 1);
	struct sink_env env = { .info = &info };
	struct html_opts opts = { 0 };
	struct sink *sink;
	char *text = NULL, *json, *end;
	size_t len;

	env.procs = procs_new();
	env.symbols = symbols_new("00000000-0000-0000-0000-000000000000");
	opts.out = open_memstream(&text, &len);
	sink = sink_html(&env, &opts);
	cr_assert_not_null(sink);
	cr_assert_eq(sink->fault(sink, &f), 0);
	cr_assert_eq(sink->finish(sink, &totals, true), 0);
	sink->free(sink);
	cr_assert_eq(fclose(opts.out), 0);
	json = strstr(text, "id=\"data\">");
	cr_assert_not_null(json);
	end = strstr(json, "</script>");
	cr_assert_not_null(end);
	*end = '\0';
	cr_assert_null(strchr(json, '<'));
	cr_assert_not_null(strstr(json, "lab\\u003c/script>\\u003cb>"));
	free(text);
	symbols_free(env.symbols);
	procs_free(env.procs);
}
