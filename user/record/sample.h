/* SPDX-License-Identifier: GPL-2.0 */
/* What a perf.data file says of its events, and the samples and tails that follow from it. */
#ifndef RECORD_SAMPLE_H
#define RECORD_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/record/perf_format.h"

#define ATTRS_MAX 4096
#define IDS_MAX	  (1u << 20)

struct rec_attr {
	uint32_t type; /* PERF_TYPE_* */
	bool id_all;   /* other records end in a tail, too */
	uint64_t config, sample_type;
	uint32_t words; /* of a sample's parts that have one size */
	uint32_t use;	/* the reader's own: what samples of it become */
};

struct attr_id {
	uint64_t id;
	uint32_t attr;
};

/* Starts as zeros. */
struct attrs {
	struct rec_attr *attr;
	uint32_t nr;
	struct attr_id *ids;
	size_t nr_ids, room;
	bool sorted;
	bool has_last;
	struct attr_id last; /* that was asked for */
};

/*
 * Adds the event that @bytes at @attr describe, as a file's attribute or a stream's has it, with
 * its @nr ids (unaligned). 0, -ENOMEM, or -EINVAL: not what perf writes, or more than there can be.
 */
int attrs_add(struct attrs *a, const void *attr, size_t bytes, const void *ids, size_t nr);
/*
 * The event of a sample or another record, NULL: not known, or the files' events cannot be told
 * apart.
 */
const struct rec_attr *attrs_of_sample(struct attrs *a, const struct perf_event_header *h);
/* Of a record that is no sample: all events of a file have the same tail. NULL: it has none. */
const struct rec_attr *attrs_of_tail(const struct attrs *a);
void attrs_free(struct attrs *a);

/* Parts that the event does not have are 0. */
struct rec_sample {
	uint64_t id, ip, time, addr;
	uint32_t pid, tid, cpu;
	uint32_t raw_size;
	uint64_t nr_chain;
	const uint64_t *chain; /* with PERF_CONTEXT_* in it */
	const void *raw;
};

/* Takes an aligned record apart. False: it is shorter than its parts, or has one of no use here. */
bool sample_parse(struct rec_sample *s, const struct rec_attr *attr,
		  const struct perf_event_header *h);
/*
 * The tail of a record that is no sample; all zero if it has none. Its @size is 0 then. False: it
 * does not fit the record.
 */
bool sample_tail(struct rec_sample *s, size_t *size, const struct rec_attr *attr,
		 const struct perf_event_header *h);

#endif
