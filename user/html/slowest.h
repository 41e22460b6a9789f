/* SPDX-License-Identifier: GPL-2.0 */
/* The faults that took longest, kept whole; without latencies the first ones. */
#ifndef HTML_SLOWEST_H
#define HTML_SLOWEST_H

#include <stdint.h>

#include "bpf/events.h"

#define SLOWEST_MAX 48

struct slowest { /* all zero: empty */
	struct ptev_fault *faults[SLOWEST_MAX];
	uint32_t nr;
};

/* 0 or -ENOMEM. */
int slowest_add(struct slowest *s, const struct ptev_fault *f);
/* Slowest first, those of the same latency by time. */
void slowest_sort(struct slowest *s);
void slowest_free(struct slowest *s);

#endif
