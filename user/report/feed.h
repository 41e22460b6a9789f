/* SPDX-License-Identifier: GPL-2.0 */
/* From a stream of records, live or from a file, into one sink. */
#ifndef REPORT_FEED_H
#define REPORT_FEED_H

#include "user/report/sink.h"

#define FEED_FILES_MAX 64

struct feed {
	struct sink_env env;
	struct sink *sink; /* set by the caller after feed_init(); freed by feed_end() */
};

/* @info must outlive the feed. 0 or -ENOMEM. */
int feed_init(struct feed *f, const struct rec_info *info);
/* Side-band records teach the names, events go to the sink. 0, or the sink's -errno. */
int feed_put(struct feed *f, const struct ptev_hdr *record);
/* The same for a record as the ring has it: what its size does not cover is taken as zero. */
int feed_put_live(void *f, const void *record, size_t size);
void feed_end(struct feed *f);

/* What is to be read. Starts as FEED_INPUT_INIT. */
struct feed_input {
	const char *paths[FEED_FILES_MAX];
	unsigned int nr;
	uint64_t from, to; /* events that began between these, both included; CLOCK_MONOTONIC ns */
	unsigned int jobs; /* threads; 0: what suits the machine and the recording */
};

#define FEED_INPUT_INIT          \
	{                        \
		.to = UINT64_MAX \
	}

/*
 * Whole recordings: open, feed, totals. Several are of one boot, and come in one order of time;
 * perf's own do not tell their boot, but have to be of one machine and kernel.
 * Their totals are added up; with ->from or ->to, the events are those between. 0 or -errno, said
 * on stderr (-EPIPE is not).
 */
typedef struct sink *(*feed_sink)(const struct sink_env *env, const void *opts);
int feed_files(const struct feed_input *in, feed_sink make, const void *opts);

/* Of feed_files(): the build IDs of the recording number @source, for the symbols. 0 or -ENOMEM. */
int feed_build_ids(struct feed *f, const struct rec_reader *r, uint32_t source);
/*
 * Of feed_files(): one record; counts it in @events if it is an event of the time that is wanted.
 * 0, or the sink's -errno.
 */
int feed_wanted(struct feed *f, const struct feed_input *in, const struct ptev_hdr *record,
		uint64_t *events);
/*
 * The whole of a recording by several threads, each with its own names, symbols and sink, joined to
 * @f's empty sink at the end; the result is that of one thread. 1: it is done, @events and @totals
 * are filled; 0: it is not one for that, or not worth it, or damaged, and nothing has happened;
 * -ENOMEM.
 */
int feed_parts(struct feed *f, const struct feed_input *in, const struct rec_reader *r,
	       feed_sink make, const void *opts, struct rec_totals *totals, uint64_t *events);

#endif
