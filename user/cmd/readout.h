/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bytes of memory on stdout, as a hexdump or raw, and a line on stderr for each range of which
 * there are none.
 */
#ifndef CMD_READOUT_H
#define CMD_READOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/line.h"

#define GAP_WHY_LEN 240

/* Neighbouring ranges with the same reason, told of as one. Starts as zeros but for ->what. */
struct gaps {
	const char *what; /* "were not read" */
	uint64_t at, len;
	char why[GAP_WHY_LEN];
	bool any; /* some were told of */
};

/* @why: the end of a sentence; it is cut to GAP_WHY_LEN. */
void gaps_add(struct gaps *g, uint64_t at, uint64_t len, const char *why);
/* Tells of what was added: once there are no more, and before anything else is told. */
void gaps_tell(struct gaps *g);

/* Starts as READOUT_INIT; readout_end() gives back what it has. */
struct readout {
	bool raw; /* bytes as they are, and zeros in gaps */
	struct gaps gaps;
	struct line line;
};

#define READOUT_INIT(is_raw)                     \
	{                                        \
		.raw = (is_raw), .gaps = {       \
			.what = "were not read", \
		}                                \
	}

/* @n bytes, of address @at, or a gap of @n. Each in the order of addresses. 0 or -errno. */
int readout_bytes(struct readout *r, uint64_t at, const void *bytes, uint64_t n);
int readout_gap(struct readout *r, uint64_t at, uint64_t n, const char *why);

/* The exit status, for @err of the above: failed, too, when there were gaps. */
int readout_end(struct readout *r, int err);

#endif
