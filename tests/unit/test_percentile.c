// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>
#include <stdlib.h>

#include "user/report/percentile.h"

/* xorshift64*, so that a failure can be repeated. */
static uint64_t next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void check_against(uint64_t *values, size_t n)
{
	struct percentile p = { 0 };
	uint64_t exact, got, error;
	unsigned int percent;
	size_t i;

	for (i = 0; i < n; i++)
		cr_assert_eq(percentile_add(&p, values[i]), 0);
	qsort(values, n, sizeof(*values), by_value);
	for (percent = 1; percent <= 100; percent++) {
		exact = values[(n * percent + 99) / 100 - 1];
		got = percentile_at(&p, percent);
		error = got > exact ? got - exact : exact - got;
		cr_assert_leq(error, exact / 32 + 1, "p%u: %lu instead of %lu", percent, got,
			      exact);
	}
	cr_assert_eq(percentile_at(&p, 100), values[n - 1]);
	cr_assert_eq(p.min, values[0]);
	cr_assert_leq(p.octaves, 61);
	percentile_free(&p);
}

Test(percentile, empty)
{
	struct percentile p = { 0 };

	cr_assert_eq(percentile_at(&p, 50), 0);
	percentile_free(&p);
}

Test(percentile, one_value_is_exact)
{
	static const uint64_t values[] = { 0, 1, 15, 16, 17, 1000, 123456789, UINT64_MAX };
	struct percentile p;
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		p = (struct percentile){ 0 };
		cr_assert_eq(percentile_add(&p, values[i]), 0);
		cr_assert_eq(percentile_at(&p, 0), values[i]);
		cr_assert_eq(percentile_at(&p, 50), values[i]);
		cr_assert_eq(percentile_at(&p, 99), values[i]);
		cr_assert_eq(p.max, values[i]);
		percentile_free(&p);
	}
}

Test(percentile, small_numbers_are_exact)
{
	struct percentile p = { 0 };
	uint64_t v;

	for (v = 1; v <= 30; v++)
		percentile_add(&p, v);
	cr_assert_eq(percentile_at(&p, 50), 15);
	cr_assert_eq(percentile_at(&p, 90), 27);
	cr_assert_eq(percentile_at(&p, 100), 30);
	percentile_free(&p);
}

Test(percentile, nearest_rank)
{
	struct percentile p = { 0 };
	int i;

	for (i = 0; i < 99; i++)
		percentile_add(&p, 10);
	percentile_add(&p, 20);
	cr_assert_eq(percentile_at(&p, 99), 10);
	cr_assert_eq(percentile_at(&p, 100), 20);
	cr_assert_eq(p.total, 99 * 10 + 20);
	percentile_free(&p);
}

Test(percentile, error_is_bounded)
{
	static uint64_t values[20000];
	uint64_t seed = 42;
	size_t i, n = sizeof(values) / sizeof(values[0]);
	unsigned int shift;

	for (shift = 0; shift < 64; shift += 9) {
		for (i = 0; i < n; i++)
			values[i] = next(&seed) >> shift;
		check_against(values, n);
	}
	/* Latencies as they are: many magnitudes at once. */
	for (i = 0; i < n; i++)
		values[i] = 200 + (next(&seed) >> (40 + next(&seed) % 20));
	check_against(values, n);
}

Test(percentile, range_grows_both_ways)
{
	uint64_t values[] = { 1ull << 40, 5, 1ull << 63, 100, 0, 1ull << 20, UINT64_MAX, 77777 };

	check_against(values, sizeof(values) / sizeof(values[0]));
}
