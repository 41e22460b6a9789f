/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Is the difference between two sets of runs more than what runs differ among themselves? Welch's
 * t-test, two-sided, at 99 %: variances of the two sides may differ, degrees of freedom are by
 * Welch and Satterthwaite, rounded down. Where one side has a single run, it is taken to vary as
 * the other does. Runs that all agree have no noise but what measuring makes (->least): any other
 * difference is beyond it then.
 */
#ifndef REPORT_NOISE_H
#define REPORT_NOISE_H

#include <stdbool.h>
#include <stddef.h>

/* Numbers of runs, as they come. */
struct noise_side { /* all zero: empty */
	size_t n;
	double mean;
	double squares; /* sum of the squared distances from the mean */
	double least;	/* variance that there is at least */
};

void noise_add(struct noise_side *s, double value);

enum noise {
	NOISE_UNKNOWN, /* no side has two runs, or one has none */
	NOISE_WITHIN,
	NOISE_BEYOND,
};

enum noise noise_compare(const struct noise_side *a, const struct noise_side *b);

/*
 * What noise_compare() decides by: the square of t (infinite without any noise) and the degrees of
 * freedom. False: NOISE_UNKNOWN.
 */
struct noise_test {
	double t2, df;
};
bool noise_test(struct noise_test *test, const struct noise_side *a, const struct noise_side *b);

/* The t that 99 % lie within, on both sides, for @df degrees of freedom (at least 1). */
double noise_limit(double df);

#endif
