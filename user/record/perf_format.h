/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The record file is a perf.data file (tools/perf/Documentation/perf.data-file-format.txt):
 *
 *	header | ids | attributes | features | data ... | table of the features [| build ids]
 *
 * and through a pipe perf's stream: a small header, then records only. Little-endian.
 *
 * What only this tool knows rides in records of the kind HEADER_EVENT_TYPE, which perf has not used
 * since 2013 and steps over. The first record of the data is one, struct rec_session. In a file it
 * is written again when the recording ends (a full disk takes it); a pipe gets a second one as its
 * last record.
 */
#ifndef RECORD_PERF_FORMAT_H
#define RECORD_PERF_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include <linux/perf_event.h>

#include "user/record/record.h"

#define PERF_MAGIC 0x32454c4946524550ull /* "PERFILE2" */

struct perf_section {
	uint64_t offset, size;
};

struct perf_file_header {
	uint64_t magic;
	uint64_t size;	    /* of this */
	uint64_t attr_size; /* of one attribute with the section of its ids */
	struct perf_section attrs, data, event_types;
	uint64_t features[4]; /* bit mask; their table follows the data */
};

struct perf_pipe_header {
	uint64_t magic;
	uint64_t size; /* of this: tells a stream from a file */
};

/* The attribute as all kernels with MMAP2 build ids know it; a longer one is for newer fields. */
#define PERF_ATTR_SIZE	   PERF_ATTR_SIZE_VER5
#define PERF_ATTR_SIZE_MAX 4096

/* Kinds of records that perf, not the kernel, writes: tools/lib/perf/include/perf/event.h */
enum perf_user_record {
	PERF_HEADER_ATTR = 64,
	PERF_HEADER_EVENT_TYPE = 65,
	PERF_HEADER_TRACING_DATA = 66, /* its data follows the record, padded to 8 bytes */
	PERF_HEADER_BUILD_ID = 67,
	PERF_FINISHED_ROUND = 68,
	PERF_AUXTRACE = 71, /* its data follows the record */
	PERF_HEADER_FEATURE = 80,
	PERF_COMPRESSED = 81,
	PERF_COMPRESSED2 = 83, /* perf 6.16: a word with the size of what is packed, then padding */
};

/* Features: tools/perf/util/header.h */
enum perf_feature {
	PERF_FEAT_TRACING_DATA = 1,
	PERF_FEAT_BUILD_ID = 2,
	PERF_FEAT_HOSTNAME = 3,
	PERF_FEAT_OSRELEASE = 4,
	PERF_FEAT_VERSION = 5,
	PERF_FEAT_ARCH = 6,
	PERF_FEAT_NRCPUS = 7,
	PERF_FEAT_CMDLINE = 11,
	PERF_FEAT_EVENT_DESC = 12,
	PERF_FEAT_SAMPLE_TIME = 21,
	PERF_FEAT_CLOCKID = 23,
	PERF_FEAT_COMPRESSED = 27,
	PERF_FEAT_CLOCK_DATA = 29,
	PERF_FEAT_NR = 256,
};

/* Behind PERF_FEAT_COMPRESSED, u32 each: version, this, level, ratio, longest that is unpacked. */
#define PERF_COMP_ZSTD 1

/* The longest name in a MMAP2 record, its NUL included (the kernel's PATH_MAX). */
#define PERF_NAME_MAX 4096

#define REC_MAGIC      "PTSCOPE\n"
#define REC_MAGIC_SIZE 8
/* 1 was a format of its own. */
#define REC_VERSION 2

/* How the recording ended. All zero: not yet. */
struct rec_end {
	uint32_t complete; /* 1: the rest is filled */
	uint32_t reserved;
	uint64_t bytes; /* up to the end of the data: a shorter file has been cut */
	struct rec_totals totals;
};

struct rec_session {
	struct perf_event_header header; /* PERF_HEADER_EVENT_TYPE */
	char magic[REC_MAGIC_SIZE];
	uint32_t version;
	uint32_t reserved;
	struct rec_info info;
	struct rec_end end;
};

/* The writer's chunk and the reader's window; holds any record (their size is 16 bits). */
#define REC_BUFFER (1u << 20)

_Static_assert(sizeof(struct perf_file_header) == 104, "format");
_Static_assert(sizeof(struct perf_event_attr) >= PERF_ATTR_SIZE, "format");
_Static_assert(sizeof(struct rec_info) == 512, "format");
_Static_assert(sizeof(struct rec_totals) == 88, "format");
_Static_assert(sizeof(struct rec_session) == 24 + 512 + 104, "format");

#endif
