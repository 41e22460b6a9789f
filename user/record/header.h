/* SPDX-License-Identifier: GPL-2.0 */
/* What stands in front of the data: header, attributes, features, for a file and for a stream. */
#ifndef RECORD_HEADER_H
#define RECORD_HEADER_H

#include "user/record/blob.h"
#include "user/record/perf_format.h"

/* Features of every recording, in the order of their bits: those of header.c's table. */
#define HEADER_FEATURES 13

/* What the samples of a session hold. */
#define HEADER_SAMPLE_TYPE                                                              \
	(PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | \
	 PERF_SAMPLE_ADDR | PERF_SAMPLE_CPU | PERF_SAMPLE_RAW)
/* Of other records: pid and tid, time, cpu, id. */
struct header_tail {
	uint32_t pid, tid;
	uint64_t time;
	uint32_t cpu, reserved;
	uint64_t id;
};
/* Whose are the records of names and mappings: an event of its own, as with perf record -a. */
#define HEADER_DUMMY_ID 100

/* The id of a kind's samples: what rec_kinds[] has at @index. */
#define HEADER_KIND_ID(index) ((uint64_t)(index) + 1)

struct header {
	struct blob front;			    /* the file up to its data */
	struct perf_section table[HEADER_FEATURES]; /* to stand behind the data */
	uint64_t times; /* where in ->front the times of the samples are */
};

/*
 * Makes what stands in front of a file's data. ->front.failed: no memory. blob_free(&h->front) in
 * any case.
 */
void header_file(struct header *h, const struct rec_info *info);
/* The same as records of a stream. */
void header_stream(struct blob *out, const struct rec_info *info);
/* The place of a feature in ->table. */
struct perf_section *header_section(struct header *h, enum perf_feature feature);

/* Trace data of perf (tools/perf/util/trace-event-info.c): the formats of the tool's events. */
void header_tracing_data(struct blob *out, const struct rec_info *info);

/* The first record of the data. */
void header_session(struct rec_session *s, const struct rec_info *info);
/*
 * Tells perf where the kernel's text is, so that it knows this boot's addresses. Nothing when the
 * address is not known.
 */
void header_kernel_map(struct blob *out, const struct rec_info *info);

#endif
