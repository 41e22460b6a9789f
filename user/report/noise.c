// SPDX-License-Identifier: GPL-2.0
#include "user/report/noise.h"

#include <math.h>

/* Welford: no sum of squares that is the difference of two large numbers. */
void noise_add(struct noise_side *s, double value)
{
	double distance = value - s->mean;

	s->n++;
	s->mean += distance / (double)s->n;
	s->squares += distance * (value - s->mean);
}

double noise_limit(double df)
{
	/* Student's t, 0.995 quantile, 1 to 30 degrees of freedom. */
	static const double limits[] = {
		63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.250, 3.169,
		3.106,	3.055, 3.012, 2.977, 2.947, 2.921, 2.898, 2.878, 2.861, 2.845,
		2.831,	2.819, 2.807, 2.797, 2.787, 2.779, 2.771, 2.763, 2.756, 2.750,
	};
	static const struct {
		double df, limit;
	} more[] = { { 120, 2.617 }, { 60, 2.660 }, { 40, 2.704 } };
	size_t i;

	for (i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (df >= more[i].df)
			return more[i].limit;
	i = df >= 30 ? 29 : df >= 1 ? (size_t)df - 1 : 0;
	return limits[i];
}

static double variance(const struct noise_side *s)
{
	double v = s->squares / (double)(s->n - 1);

	return v > s->least ? v : s->least;
}

bool noise_test(struct noise_test *test, const struct noise_side *a, const struct noise_side *b)
{
	double distance = a->mean - b->mean, va, vb;

	if (!a->n || !b->n || a->n + b->n < 3)
		return false;
	/* The variances of the two means. */
	va = variance(a->n > 1 ? a : b) / (double)a->n;
	vb = variance(b->n > 1 ? b : a) / (double)b->n;
	test->df = (double)(a->n + b->n - 2);
	if (a->n > 1 && b->n > 1 && va + vb > 0)
		test->df = (va + vb) * (va + vb) /
			   (va * va / (double)(a->n - 1) + vb * vb / (double)(b->n - 1));
	if (va + vb > 0)
		test->t2 = distance * distance / (va + vb);
	else
		test->t2 = distance < 0 || distance > 0 ? HUGE_VAL : 0;
	return true;
}

enum noise noise_compare(const struct noise_side *a, const struct noise_side *b)
{
	struct noise_test test;
	double limit;

	if (!noise_test(&test, a, b))
		return NOISE_UNKNOWN;
	limit = noise_limit(test.df);
	return test.t2 > limit * limit ? NOISE_BEYOND : NOISE_WITHIN;
}
