/* SPDX-License-Identifier: GPL-2.0 */
/* What the reader's files share. */
#ifndef RECORD_READER_PRIV_H
#define RECORD_READER_PRIV_H

#include "user/record/foreign.h"
#include "user/record/input.h"
#include "user/record/merge.h"
#include "user/record/part.h"
#include "user/record/perf_format.h"
#include "user/record/sample.h"
#include "user/record/side.h"
#include "user/record/zip.h"

struct rec_reader {
	struct input in;
	int state;   /* INPUT_OK, or what rec_next() goes on to return */
	bool stream; /* perf's, without a file header */
	bool own;    /* made by this tool: ->session tells of it */
	struct attrs attrs;
	struct rec_session session;
	struct foreign *foreign; /* NULL: own */
	struct part *part;	 /* NULL: all records are handed out here */
	/*
	 * perf writes one buffer after the other; by the end of a round, what is not later than the
	 * end of the round before is complete. Our own are in order.
	 */
	struct merge order;
	uint64_t order_until, last_round, round_end;
	struct zip_reader *zip; /* NULL: nothing compressed yet */
	uint32_t packed; /* size of the COMPRESSED record that is being unpacked; not consumed */
	uint32_t plain;	 /* size of the record that was handed out last; not consumed */
	uint64_t events, lost;
	uint64_t unknown; /* records of types that nobody has told of yet */
	uint64_t useless; /* samples of events that this tool knows nothing of */
	char *build_ids;  /* PERF_FEAT_BUILD_ID as it is in the file, or NULL */
	size_t build_ids_size;
	struct side_record side;
	_Alignas(8) unsigned char aligned[1 << 16]; /* a record that was not */
	_Alignas(8) unsigned char record[1 << 16];  /* what was made of it */
};

/*
 * Reads what stands in front of the data, of a file or a stream: attributes, the session. 0, or
 * -errno after msg_error().
 */
int reader_front(struct rec_reader *r);
/* The next record of perf's, unpacked and aligned. INPUT_OK, INPUT_END, or -errno (said). */
int reader_raw(struct rec_reader *r, const struct perf_event_header **h);
/* Takes the record with a session. 0, or -EINVAL after msg_error(). */
int reader_session(struct rec_reader *r, const struct perf_event_header *h);
/* Whether it is such a record. */
bool is_session(const struct perf_event_header *h);

/* Of front.c: "PATH: WHAT" and "PATH: no memory" on stderr; -EINVAL, -ENOMEM. */
int reader_refuse(const struct rec_reader *r, const char *what);
int reader_no_memory(const struct rec_reader *r);
/* Bytes from anywhere in the file, at most @max, to be freed. NULL: *@err, said. */
void *reader_copy(const struct rec_reader *r, const struct perf_section *s, size_t max, int *err);
/* A recording of perf itself: of its formats of tracepoints; of a file. 0 or -errno, said. */
int reader_foreign(struct rec_reader *r, const void *formats, size_t size);
int reader_foreign_file(struct rec_reader *r, const struct perf_file_header *h);

/* Where a feature is, from the table behind the data. False: it is not there. */
bool reader_feature(const struct rec_reader *r, const struct perf_file_header *h,
		    unsigned int feature, struct perf_section *where);
/* Takes the build IDs of a file, if it has such; without them, names are checked otherwise. */
void reader_build_ids(struct rec_reader *r, const struct perf_file_header *h);

#define TRACING_DATA_MAX (64u << 20)

#endif
