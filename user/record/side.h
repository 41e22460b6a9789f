/* SPDX-License-Identifier: GPL-2.0 */
/* Records of names and mappings, as perf has them and as bpf/events.h has them. */
#ifndef RECORD_SIDE_H
#define RECORD_SIDE_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/events.h"
#include "user/record/perf_format.h"

/* Room for any of them: a struct ptev_mmap with its name is the longest. */
struct side_record {
	uint64_t room[(sizeof(struct ptev_mmap) + PERF_NAME_MAX) / 8];
};

/*
 * Takes a COMM, MMAP2, FORK, EXIT or KSYMBOL record that ends in @tail bytes of a sample's parts,
 * whose time is @time. 1: it is in @out; 0: another kind, or of no process; -EINVAL: shorter than
 * its parts.
 */
int side_from_perf(struct side_record *out, const struct perf_event_header *h, size_t tail,
		   uint64_t time);
/*
 * The other way round: writes the record without a tail at @out, of 64 KiB, and returns its size, a
 * multiple of 8, or 0: not of these kinds. Its header's size has @tail added. @time: the record's.
 */
size_t side_to_perf(void *out, const struct ptev_hdr *record, size_t tail, uint64_t *time);

#endif
