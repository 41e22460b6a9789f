/* SPDX-License-Identifier: GPL-2.0 */
/* Records of bpf/events.h as records of perf. */
#ifndef RECORD_ENCODE_H
#define RECORD_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include "user/record/record.h"

/* Starts as zeros, then encoder_init(). */
struct encoder {
	struct rec_info info;
	/*
	 * Times of samples. perf hands on, at the end of a round, what is not later than the end of
	 * the round before: nothing may come with an earlier time afterwards.
	 */
	uint64_t first, last, round_end, floor;
	_Alignas(8) unsigned char record[1 << 16];
};

void encoder_init(struct encoder *e, const struct rec_info *info);
/*
 * Makes ->record of @record, which record_ok() has found good. Returns its size, a multiple of 8;
 * 0: not a kind of record that the session has.
 */
size_t encode(struct encoder *e, const struct ptev_hdr *record);
/* A round has ended: all that had happened by then was encoded. */
void encoder_round(struct encoder *e);

#endif
