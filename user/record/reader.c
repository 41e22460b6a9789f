// SPDX-License-Identifier: GPL-2.0
/*
 * Reads a recording front to back through one bounded window, from files and pipes alike. Nothing
 * in the file is believed before it has been checked: sizes, types, flags, strings.
 */
#include "user/record/record.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/record/check.h"
#include "user/record/kinds.h"
#include "user/record/reader_priv.h"

/* The last kinds of records that were known when this was written. */
#define LAST_KERNEL_RECORD 21 /* PERF_RECORD_AUX_OUTPUT_HW_ID */
#define LAST_USER_RECORD   PERF_COMPRESSED2
/* Bytes of records that wait for their order: 700,000 faults. */
#define ORDER_MAX (32u << 20)

/* A record that keeps record.h's promises, or an error. */
static int hand_out(struct rec_reader *r, const struct ptev_hdr *made,
		    const struct ptev_hdr **record)
{
	if (!record_ok(made))
		return input_corrupt(&r->in, "a record contradicts itself");
	*record = made;
	return INPUT_OK;
}

static int take_sample(struct rec_reader *r, const struct perf_event_header *h,
		       const struct ptev_hdr **record)
{
	const struct rec_attr *attr = attrs_of_sample(&r->attrs, h);
	const struct rec_kind *kind;
	struct rec_sample s;
	int ret;

	kind = attr && r->own && attr->type == PERF_TYPE_TRACEPOINT ? kind_of_config(attr->config)
								    : NULL;
	if (!attr || (r->own ? !kind : !attr->use)) {
		r->useless++;
		return INPUT_OK;
	}
	if (!sample_parse(&s, attr, h))
		return input_corrupt(&r->in, "a sample is shorter than its parts");
	if (!kind) {
		ret = foreign_sample(r->foreign, attr, &s, (union foreign_record *)r->record);
		if (!ret)
			return INPUT_OK;
	} else {
		ret = kind_unpack(kind, &s, (struct ptev_hdr *)r->record);
	}
	if (ret < 0)
		return input_corrupt(&r->in, "a sample's raw data have the wrong size");
	return hand_out(r, (const struct ptev_hdr *)r->record, record);
}

static int take_side(struct rec_reader *r, const struct perf_event_header *h,
		     const struct ptev_hdr **record)
{
	struct rec_sample tail;
	size_t size;
	int ret;

	if (!sample_tail(&tail, &size, attrs_of_tail(&r->attrs), h))
		return input_corrupt(&r->in, "a record is shorter than its tail");
	ret = side_from_perf(&r->side, h, size, tail.time);
	if (ret < 0)
		return input_corrupt(&r->in, "a record is shorter than its parts");
	return ret ? hand_out(r, (const struct ptev_hdr *)r->side.room, record) : INPUT_OK;
}

static int take_lost(struct rec_reader *r, const struct perf_event_header *h)
{
	const uint64_t *words = (const uint64_t *)(h + 1);
	size_t at = h->type == PERF_RECORD_LOST; /* behind an id */

	if (h->size < sizeof(*h) + (at + 1) * sizeof(*words))
		return input_corrupt(&r->in, "a record is shorter than its parts");
	r->lost += words[at];
	return INPUT_OK;
}

/* What AUXTRACE tells of follows it. */
static int skip_auxtrace(struct rec_reader *r, const struct perf_event_header *h)
{
	uint64_t size;

	if (h->size < sizeof(*h) + sizeof(size) || !r->plain)
		return input_corrupt(&r->in, "a record is shorter than its parts");
	memcpy(&size, h + 1, sizeof(size));
	input_consume(&r->in, r->plain);
	r->plain = 0;
	if (size > INT64_MAX)
		return input_corrupt(&r->in, "a record tells of more than there can be");
	return input_skip_to(&r->in, r->in.offset + size);
}

static bool is_known(uint32_t type)
{
	return (type && type <= LAST_KERNEL_RECORD) ||
	       (type >= PERF_HEADER_ATTR && type <= LAST_USER_RECORD);
}

/*
 * One record of perf's; *@record stays NULL when nothing comes of it. Sizes are multiples of 8, but
 * for some that perf itself makes up.
 */
static int take(struct rec_reader *r, const struct perf_event_header *h,
		const struct ptev_hdr **record)
{
	if (h->size % 8 && (h->type <= LAST_KERNEL_RECORD || !is_known(h->type)))
		return input_corrupt(&r->in, "a record of an odd size");
	switch (h->type) {
	case PERF_RECORD_SAMPLE:
		return take_sample(r, h, record);
	case PERF_RECORD_COMM:
	case PERF_RECORD_MMAP2:
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
	case PERF_RECORD_KSYMBOL:
		return take_side(r, h, record);
	case PERF_RECORD_LOST:
	case PERF_RECORD_LOST_SAMPLES:
		return take_lost(r, h);
	case PERF_AUXTRACE:
		return skip_auxtrace(r, h);
	case PERF_FINISHED_ROUND:
		r->order_until = r->last_round;
		r->last_round = r->round_end;
		return INPUT_OK;
	case PERF_COMPRESSED:
	case PERF_COMPRESSED2:
		return input_corrupt(&r->in, "something compressed twice");
	case PERF_HEADER_EVENT_TYPE:
		/* Behind the end of a stream nothing comes. */
		if (r->own && r->stream && is_session(h))
			return reader_session(r, h) ? -EINVAL : INPUT_END;
		return INPUT_OK;
	default:
		r->unknown += !is_known(h->type);
		return INPUT_OK;
	}
}

static void tell_left_out(struct rec_reader *r)
{
	/* Of a part: rec_part_whole() looks at the numbers. */
	if (r->in.quiet)
		return;
	if (r->unknown)
		msg_note("%s: %" PRIu64 " records of unknown types left out", r->in.path,
			 r->unknown);
	if (r->useless)
		msg_note("%s: %" PRIu64 " samples of other events left out", r->in.path,
			 r->useless);
	r->unknown = 0;
	r->useless = 0;
}

/* The next record in the order of the file. */
static int next_record(struct rec_reader *r, const struct ptev_hdr **record)
{
	const struct perf_event_header *h = NULL;

	while (r->state == INPUT_OK && !*record) {
		r->state = r->part ? part_next(r->part, &r->in, &h) : reader_raw(r, &h);
		if (r->state != INPUT_OK)
			break;
		assert(h);
		r->state = take(r, h, record);
	}
	return *record ? INPUT_OK : r->state;
}

/* All records have it in one place. */
static uint64_t time_of(const struct ptev_hdr *record)
{
	return ((const struct ptev_task *)record)->time;
}

static int no_order(struct rec_reader *r)
{
	merge_free(&r->order);
	return r->state = reader_no_memory(r);
}

/* The next record in the order of time, made of one sample. */
static int next_in_time(struct rec_reader *r, const struct ptev_hdr **record)
{
	const struct ptev_hdr *made;
	int ret;

	while (!(*record = merge_next(&r->order, r->order_until))) {
		made = NULL;
		ret = next_record(r, &made);
		if (!made && r->order_until == UINT64_MAX)
			return ret;
		/* A round that is larger than that has to do without an end. */
		if (!made || r->order.size - r->order.gone > ORDER_MAX)
			r->order_until = UINT64_MAX;
		if (!made)
			continue;
		if (merge_add(&r->order, made))
			return no_order(r);
		if (time_of(made) > r->round_end)
			r->round_end = time_of(made);
	}
	return INPUT_OK;
}

/* The next record of a recording of perf's: what belongs together is found in the order of time. */
static int next_foreign(struct rec_reader *r, const struct ptev_hdr **record)
{
	union foreign_record *made = (union foreign_record *)r->record;
	int ret;

	while ((ret = next_in_time(r, record)) == INPUT_OK)
		if (foreign_pair(r->foreign, record, made))
			return INPUT_OK;
	*record = NULL;
	/* What the last samples left open. */
	if (ret != INPUT_END || !foreign_rest(r->foreign, made))
		return ret;
	*record = &made->fault.hdr;
	return INPUT_OK;
}

int rec_next(struct rec_reader *r, const struct ptev_hdr **record)
{
	int ret;

	*record = NULL;
	ret = r->foreign ? next_foreign(r, record) : next_record(r, record);
	if (*record)
		r->events += ptev_is_event((*record)->type);
	else
		tell_left_out(r);
	return ret;
}

/* A record that has no end. */
static bool part_left(const struct rec_reader *r)
{
	return (r->stream && r->in.len != r->in.pos) || (r->zip && zip_rest(r->zip));
}

bool rec_totals(const struct rec_reader *r, struct rec_totals *totals)
{
	const struct rec_end *end = &r->session.end;
	bool complete;

	*totals = (struct rec_totals){ .events = r->events };
	if (r->own) {
		complete = r->state == INPUT_END && end->complete && r->in.offset == end->bytes &&
			   !(r->zip && zip_rest(r->zip));
		if (complete)
			*totals = end->totals;
		return complete;
	}
	complete =
		r->state == INPUT_END && !part_left(r) && (r->stream || r->in.offset == r->in.end);
	if (complete)
		totals->lost[PTEV_LOST_RING] = r->lost;
	return complete;
}

const struct rec_info *rec_info(const struct rec_reader *r)
{
	return &r->session.info;
}

uint64_t rec_file_size(const struct rec_reader *r)
{
	return r->in.file_size ? r->in.file_size : r->in.offset;
}

bool rec_has_parts(const struct rec_reader *r)
{
	/* Standard input cannot be opened once more: it has one offset. */
	return r->own && !r->stream && r->in.seekable && strcmp(r->in.path, "-") &&
	       r->session.info.zstd;
}

int rec_take_part(struct rec_reader *r, struct rec_board *board, unsigned int self)
{
	r->part = part_new(board, self);
	r->in.quiet = true;
	return r->part ? 0 : -ENOMEM;
}

bool rec_part_whole(const struct rec_reader *r)
{
	struct rec_totals totals;

	return rec_totals(r, &totals) && !r->unknown && !r->useless;
}

int rec_open(struct rec_reader **out, const char *path)
{
	struct rec_reader *r = calloc(1, sizeof(*r));
	int err;

	if (!r) {
		msg_error("%s: %s", path, strerror(ENOMEM));
		return -ENOMEM;
	}
	r->state = INPUT_OK;
	err = input_open(&r->in, path);
	if (!err)
		err = reader_front(r);
	if (err) {
		rec_reader_close(r);
		return err;
	}
	*out = r;
	return 0;
}

void rec_reader_close(struct rec_reader *r)
{
	if (!r)
		return;
	attrs_free(&r->attrs);
	foreign_free(r->foreign);
	merge_free(&r->order);
	zip_reader_free(r->zip);
	free(r->build_ids);
	part_free(r->part);
	input_close(&r->in);
	free(r);
}
