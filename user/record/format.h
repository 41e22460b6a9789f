/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The record file, version 1, little-endian:
 *
 *	header | chunk, records | chunk, records | ... [| end chunk, struct rec_end]
 *
 * A chunk is what one flush wrote; its records are those of bpf/events.h, one behind the other.
 * The end of the recording is told in the header, where its space is reserved (a full disk takes
 * it), or, by an output that cannot seek, in an end chunk. Everything is a multiple of 8 bytes
 * long, so that records can be used where they lie.
 */
#ifndef RECORD_FORMAT_H
#define RECORD_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "user/record/record.h"

#define REC_MAGIC      "PTSCOPE\n"
#define REC_MAGIC_SIZE 8
#define REC_VERSION    1

/* How the recording ended. All zero: not yet. */
struct rec_end {
	uint32_t complete; /* 1: the rest is filled */
	uint32_t reserved;
	uint64_t bytes; /* of the file, without an end chunk: a shorter file has been cut */
	struct rec_totals totals;
};

struct rec_header {
	char magic[REC_MAGIC_SIZE];
	uint32_t version;
	uint32_t size; /* of the header; a reader skips what it does not know */
	struct rec_info info;
	struct rec_end end;
};

#define REC_CHUNK_RECORDS 0x4b4e4843 /* "CHNK" */
#define REC_CHUNK_END	  0x21444e45 /* "END!" */

struct rec_chunk {
	uint32_t magic;
	uint32_t bytes; /* behind this header, at most REC_CHUNK_MAX */
	uint32_t records;
	uint32_t reserved;
};

#define REC_CHUNK_MAX  (16u << 20)
#define REC_HEADER_MAX (64u << 10)
/* The writer's chunk and the reader's window; holds any record (their size is 16 bits). */
#define REC_BUFFER (1u << 20)

_Static_assert(sizeof(struct rec_info) == 512, "format");
_Static_assert(sizeof(struct rec_totals) == 88, "format");
_Static_assert(sizeof(struct rec_header) == 16 + 512 + 104, "format");
_Static_assert(offsetof(struct rec_header, end) == 528, "format");
_Static_assert(sizeof(struct rec_chunk) == 16, "format");

#endif
