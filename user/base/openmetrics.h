/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A page of metrics in the OpenMetrics text format 1.0, for Prometheus and what reads the same. The
 * writer sees to names' suffixes, escapes and the order that the format wants: each family once,
 * with all of its samples behind its metadata; histograms cumulative and ended by +Inf.
 */
#ifndef BASE_OPENMETRICS_H
#define BASE_OPENMETRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum om_type { OM_COUNTER, OM_GAUGE, OM_HISTOGRAM, OM_INFO };

struct om_label {
	const char *name, *value; /* ->value is any text */
};

struct om { /* starts with ->out alone */
	FILE *out;
	const char *family; /* that the samples are of */
	enum om_type type;
};

/* A family begins. @unit: NULL, or what @name ends with ("seconds"). All stay the caller's. */
void om_family(struct om *om, const char *name, enum om_type type, const char *unit,
	       const char *help);
/* A sample of a counter, gauge or info (whose value is 1). */
void om_u64(struct om *om, const struct om_label *labels, unsigned int n, uint64_t value);
void om_seconds(struct om *om, const struct om_label *labels, unsigned int n, uint64_t ns);
/*
 * A histogram of times, from 64 counts of powers of two: slot n has what took [2^n, 2^(n+1)) ns,
 * slot 0 also 0. Written in buckets from 256 ns to 137 s, whatever there is, so that they are the
 * same in each page.
 */
void om_histogram(struct om *om, const struct om_label *labels, unsigned int n,
		  const uint64_t slots[64], uint64_t sum_ns);
/* What tells a whole page from one that was cut. */
void om_end(struct om *om);

#endif
