// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "tests/unit/random.h"
#include "user/base/csv.h"
#include "user/report/noise.h"
#include "user/report/percentile.h"

static struct noise_side side(const double *values, size_t n)
{
	struct noise_side s = { 0 };
	size_t i;

	for (i = 0; i < n; i++)
		noise_add(&s, values[i]);
	return s;
}

#define SIDE(...) \
	side((const double[]){ __VA_ARGS__ }, sizeof((double[]){ __VA_ARGS__ }) / sizeof(double))

static void expect(struct noise_side a, struct noise_side b, enum noise want)
{
	cr_assert_eq(noise_compare(&a, &b), want);
	cr_assert_eq(noise_compare(&b, &a), want, "whichever is first");
}

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-9 * fabs(b);
}

/* The numbers are Python's statistics.variance() put into Welch's formulas. */
Test(noise, welch)
{
	struct noise_side a = SIDE(27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1);
	struct noise_side b = SIDE(27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8);
	struct noise_test test;

	cr_assert(noise_test(&test, &a, &b));
	cr_assert(near(test.t2, 4.812079945836752), "%.17g", test.t2);
	cr_assert(near(test.df, 11.513935987037346), "%.17g", test.df);
	expect(a, b, NOISE_WITHIN);
}

Test(noise, sides)
{
	expect(SIDE(100, 101, 99), SIDE(200, 201, 199), NOISE_BEYOND);
	expect(SIDE(100, 140, 60), SIDE(130, 170, 90), NOISE_WITHIN);
	expect(SIDE(100), SIDE(200), NOISE_UNKNOWN);
	expect(SIDE(100, 101), SIDE(100.5), NOISE_WITHIN);
	/* Two runs tell little: a single third must be very far away. */
	expect(SIDE(100, 101), SIDE(110), NOISE_WITHIN);
	expect(SIDE(100, 101), SIDE(1000), NOISE_BEYOND);
	expect((struct noise_side){ 0 }, SIDE(1, 2, 3), NOISE_UNKNOWN);
	expect((struct noise_side){ 0 }, (struct noise_side){ 0 }, NOISE_UNKNOWN);
}

Test(noise, runs_that_agree)
{
	struct noise_side a = SIDE(100, 100), b = SIDE(101, 101);

	expect(SIDE(100, 100), SIDE(100, 100), NOISE_WITHIN);
	expect(a, b, NOISE_BEYOND);
	expect(SIDE(0, 0, 0), SIDE(5), NOISE_BEYOND);
	/* Unless measuring alone makes that much. */
	a.least = b.least = 1;
	expect(a, b, NOISE_WITHIN);
}

Test(noise, limits)
{
	double df;

	cr_assert_eq(noise_limit(1), 63.657);
	cr_assert_eq(noise_limit(2.999), 9.925, "rounded down");
	cr_assert_eq(noise_limit(30), 2.750);
	cr_assert_eq(noise_limit(39), 2.750);
	cr_assert_eq(noise_limit(1e9), 2.617);
	cr_assert_eq(noise_limit(0.5), 63.657);
	for (df = 1; df < 200; df += 0.25)
		cr_assert_leq(noise_limit(df + 0.25), noise_limit(df));
}

/*
 * Sides from one and the same source: one in a hundred is said to differ, or fewer. It is one in
 * 196; of 20,000 that is 102, with a standard deviation of 11 from one seed to the next.
 */
Test(noise, false_alarms)
{
	unsigned int seed = random_seed("noise_false_alarms"), round, i, alarms = 0;

	for (round = 0; round < 20000; round++) {
		struct noise_side s[2] = { 0 };

		for (i = 0; i < 8; i++) {
			/* Nearly normal: a sum of uniform ones. */
			double v = 0;
			int k;

			for (k = 0; k < 12; k++)
				v += (double)(random() % 100000) / 100000;
			noise_add(&s[i % 2], 1000 + v);
		}
		alarms += noise_compare(&s[0], &s[1]) == NOISE_BEYOND;
	}
	cr_assert_leq(alarms, 200, "seed %u: %u of 20000", seed, alarms);
	cr_assert_geq(alarms, 30, "seed %u: %u of 20000", seed, alarms);
}

Test(percentile, merged_is_as_added)
{
	unsigned int seed = random_seed("percentile_merge"), round, i, percent;

	for (round = 0; round < 200; round++) {
		struct percentile parts[3] = { 0 }, all = { 0 }, sum = { 0 };

		for (i = 0; i < round; i++) {
			uint64_t v = random64() >> (random() % 64);

			cr_assert_eq(percentile_add(&parts[random() % 3], v), 0);
			cr_assert_eq(percentile_add(&all, v), 0);
		}
		for (i = 0; i < 3; i++)
			cr_assert_eq(percentile_merge(&sum, &parts[i]), 0);
		cr_assert_eq(sum.count, all.count);
		cr_assert_eq(sum.total, all.total);
		cr_assert_eq(sum.min, all.min);
		cr_assert_eq(sum.max, all.max);
		for (percent = 0; percent <= 100; percent++)
			cr_assert_eq(percentile_at(&sum, percent), percentile_at(&all, percent),
				     "seed %u", seed);
		for (i = 0; i < 3; i++)
			percentile_free(&parts[i]);
		percentile_free(&all);
		percentile_free(&sum);
	}
}

Test(csv, fields)
{
	size_t len;
	char *text;
	struct csv c = { .out = open_memstream(&text, &len) };

	csv_str(&c, "plain");
	csv_str(&c, NULL);
	csv_str(&c, "");
	csv_str(&c, "a,b");
	csv_str(&c, "say \"x\"");
	csv_str(&c, "two\nlines");
	csv_u64(&c, UINT64_MAX);
	csv_double(&c, 0.5);
	csv_end_line(&c);
	csv_u64(&c, 0);
	csv_str(&c, "=HYPERLINK(\"x\")");
	csv_str(&c, "@x,");
	csv_str(&c, "-");
	csv_str(&c, "+1");
	csv_end_line(&c);
	fclose(c.out);
	cr_assert_str_eq(text, "plain,,,\"a,b\",\"say \"\"x\"\"\",two?lines,"
			       "18446744073709551615,0.5\n"
			       "0,\"'=HYPERLINK(\"\"x\"\")\",\"'@x,\",-,'+1\n");
	free(text);
}
