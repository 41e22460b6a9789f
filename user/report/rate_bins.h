/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How many there were of some kinds of things, by time, in bounded memory: bins that double their
 * width when there would be too many. Times may come in any order.
 */
#ifndef REPORT_RATE_BINS_H
#define REPORT_RATE_BINS_H

#include <stdint.h>

#define RATE_BINS      1024
#define RATE_KINDS     3
#define RATE_FIRST_BIN 1000000u /* ns */

struct rate_bins {	/* all zero: empty */
	uint64_t start; /* of the first bin, a multiple of ->width */
	uint64_t width; /* ns; 0: empty */
	uint32_t n;	/* bins in use */
	uint64_t counts[RATE_BINS][RATE_KINDS];
};

void rate_bins_add(struct rate_bins *b, uint64_t time, unsigned int kind);
/* Of kind @kind in bin @bin, a second. */
double rate_bins_rate(const struct rate_bins *b, uint32_t bin, unsigned int kind);

#endif
