// SPDX-License-Identifier: GPL-2.0
#include "user/record/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/record/build_ids.h"
#include "user/record/check.h"
#include "user/record/encode.h"
#include "user/record/header.h"
#include "user/record/output.h"
#include "user/record/zip.h"

#define TABLE_SIZE (HEADER_FEATURES * sizeof(struct perf_section))

struct rec_writer {
	struct output out;
	struct header header; /* of a file of our own; ->front is no more than its data's offset */
	uint64_t data_offset; /* in the file, likewise */
	uint64_t data_end;
	struct rec_session session;
	struct build_ids build_ids;
	struct zip_writer *zip; /* NULL: not compressed */
	uint64_t unwritten;
	struct encoder encoder;
	size_t used, chunk_events;
	unsigned char *chunk; /* REC_BUFFER bytes: what is to be written next */
};

static uint64_t data_size(const struct rec_writer *w)
{
	return w->data_end - w->data_offset;
}

/* The header says where the data end: at ->data_end. */
static int patch_size(struct rec_writer *w)
{
	uint64_t size = data_size(w);

	return output_patch(&w->out, offsetof(struct perf_file_header, data.size), &size,
			    sizeof(size));
}

/* The file as it was: of @bytes, with its data up to @data_end and the table behind them. */
static void take_back(struct rec_writer *w, uint64_t bytes, uint64_t data_end)
{
	w->data_end = data_end;
	patch_size(w);
	output_patch(&w->out, data_end, w->header.table, TABLE_SIZE);
	output_cut(&w->out, bytes);
}

/*
 * Adds to the data of a file. perf looks for the table of its features behind them. So a new one is
 * written with the new data, behind the old one, whose place becomes a record to be stepped over,
 * and then the header says that the data are longer. Killed at any moment, the file is whole up to
 * what the header says.
 */
static int append_data(struct rec_writer *w, const void *data, size_t size)
{
	struct perf_event_header skip = { .type = PERF_HEADER_EVENT_TYPE, .size = TABLE_SIZE };
	uint64_t bytes = w->out.bytes, data_end = w->data_end;
	struct blob both = { 0 };
	int err;

	blob_put(&both, data, size);
	blob_put(&both, w->header.table, TABLE_SIZE);
	err = both.failed ? -ENOMEM : output_append(&w->out, both.data, both.size);
	blob_free(&both);
	if (err)
		return err;
	err = output_patch(&w->out, data_end, &skip, sizeof(skip));
	w->data_end = w->out.bytes - TABLE_SIZE;
	if (!err)
		err = patch_size(w);
	if (err)
		take_back(w, bytes, data_end);
	return err;
}

static int append(struct rec_writer *w, const void *data, size_t size)
{
	return w->out.own ? append_data(w, data, size) : output_append(&w->out, data, size);
}

static int write_chunk(struct rec_writer *w)
{
	const void *data = w->chunk;
	size_t size = w->used;
	int err;

	if (w->zip)
		size = zip_pack(w->zip, w->chunk, w->used, &data);
	err = size ? append(w, data, size) : -EIO;
	if (err)
		w->unwritten += w->chunk_events;
	w->used = 0;
	w->chunk_events = 0;
	return err;
}

/* Adds a record to the chunk. The error of one that had to be written before, or 0. */
static int put(struct rec_writer *w, const void *record, size_t size)
{
	int err = 0;

	if (w->used + size > REC_BUFFER)
		err = write_chunk(w);
	memcpy(w->chunk + w->used, record, size);
	w->used += size;
	return err;
}

/* The header, the session and the first table. */
static int write_file(struct rec_writer *w, const struct rec_info *info)
{
	struct blob *front = &w->header.front;
	struct perf_file_header *file;

	header_file(&w->header, info);
	w->data_offset = front->size;
	blob_put(front, &w->session, sizeof(w->session));
	w->data_end = front->size;
	blob_put(front, w->header.table, TABLE_SIZE);
	if (front->failed)
		return -ENOMEM;
	file = (struct perf_file_header *)front->data;
	file->data.size = data_size(w);
	return output_append(&w->out, front->data, front->size);
}

static int write_stream(struct rec_writer *w, const struct rec_info *info)
{
	struct blob front = { 0 };
	int err;

	header_stream(&front, info);
	blob_put(&front, &w->session, sizeof(w->session));
	err = front.failed ? -ENOMEM : output_append(&w->out, front.data, front.size);
	blob_free(&front);
	return err;
}

static int write_front(struct rec_writer *w, const char *path, const struct rec_info *info)
{
	struct blob map = { 0 };
	int err;

	header_session(&w->session, info);
	err = w->out.own ? write_file(w, info) : write_stream(w, info);
	blob_free(&w->header.front);
	if (err) {
		msg_error("%s: cannot write: %s", path, strerror(-err));
		output_remove(&w->out);
		return err;
	}
	header_kernel_map(&map, info);
	if (!map.failed && map.size)
		put(w, map.data, map.size);
	blob_free(&map);
	return 0;
}

static int writer_free(struct rec_writer *w)
{
	int err = output_close(&w->out);

	blob_free(&w->header.front);
	build_ids_free(&w->build_ids);
	zip_writer_free(w->zip);
	free(w->chunk);
	free(w);
	return err;
}

void rec_discard(struct rec_writer *w)
{
	output_remove(&w->out);
	writer_free(w);
}

static struct rec_writer *writer_new(const struct rec_info *info)
{
	struct rec_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->out.fd = -1;
	encoder_init(&w->encoder, info);
	w->chunk = malloc(REC_BUFFER);
	if (info->zstd)
		w->zip = zip_writer_new((int)info->zstd);
	if (w->chunk && (w->zip || !info->zstd))
		return w;
	writer_free(w);
	return NULL;
}

int rec_create(struct rec_writer **out, const char *path, const struct rec_info *info)
{
	struct rec_writer *w = writer_new(info);
	int err;

	if (!w) {
		msg_error("%s: %s", path, strerror(ENOMEM));
		return -ENOMEM;
	}
	err = output_open(&w->out, path);
	if (!err)
		err = write_front(w, path, info);
	if (err) {
		writer_free(w);
		return err;
	}
	*out = w;
	return 0;
}

int rec_put(struct rec_writer *w, const void *record, size_t size)
{
	const struct ptev_hdr *hdr = record;
	bool event = size >= sizeof(*hdr) && ptev_is_event(hdr->type);
	size_t made = 0;
	int err;

	if (size >= sizeof(*hdr) && size == hdr->size && record_ok(hdr))
		made = encode(&w->encoder, hdr);
	if (!made) {
		w->unwritten++;
		return -EINVAL;
	}
	if (hdr->type == PTEV_MMAP)
		build_ids_see(&w->build_ids, record);
	err = put(w, w->encoder.record, made);
	w->chunk_events += event;
	return err;
}

int rec_flush(struct rec_writer *w)
{
	struct perf_event_header round = { .type = PERF_FINISHED_ROUND, .size = sizeof(round) };
	int err;

	if (!w->used)
		return 0;
	err = put(w, &round, sizeof(round));
	encoder_round(&w->encoder);
	if (!err)
		err = write_chunk(w);
	return err;
}

uint64_t rec_bytes(const struct rec_writer *w)
{
	return w->out.bytes;
}

uint64_t rec_unwritten(const struct rec_writer *w)
{
	return w->unwritten;
}

/* What perf tells of as lost: a record for each cause. */
static void put_lost(struct rec_writer *w, const struct rec_totals *totals)
{
	struct {
		struct perf_event_header header;
		uint64_t id, lost;
		struct header_tail tail;
	} record = {
		.header = { .type = PERF_RECORD_LOST, .size = sizeof(record) },
		.id = HEADER_DUMMY_ID,
		.tail = { .time = w->encoder.last, .id = HEADER_DUMMY_ID },
	};
	size_t i;

	for (i = 0; i < PTEV_NR_LOST; i++) {
		record.lost = totals->lost[i];
		if (record.lost)
			put(w, &record, sizeof(record));
	}
}

/* The times of the samples, and build ids behind the table. A full disk has no room for the latter.
 */
static void finish_features(struct rec_writer *w)
{
	struct perf_section *ids = header_section(&w->header, PERF_FEAT_BUILD_ID);
	uint64_t times[2] = { w->encoder.first, w->encoder.last };
	struct blob out = { 0 };

	if (w->encoder.last)
		output_patch(&w->out, w->header.times, times, sizeof(times));
	build_ids_put(&w->build_ids, &out);
	*ids = (struct perf_section){ w->out.bytes, out.size };
	if (out.size && !out.failed && !output_append(&w->out, out.data, out.size))
		output_patch(&w->out, w->data_end, w->header.table, TABLE_SIZE);
	blob_free(&out);
}

static int write_end(struct rec_writer *w)
{
	struct rec_end *end = &w->session.end;

	if (!w->out.own) {
		end->bytes = w->out.bytes;
		return output_append(&w->out, &w->session, sizeof(w->session));
	}
	end->bytes = w->data_end;
	finish_features(w);
	return output_patch(&w->out, w->data_offset, &w->session, sizeof(w->session));
}

int rec_close(struct rec_writer *w, const struct rec_totals *totals)
{
	struct rec_end *end = &w->session.end;
	uint64_t unwritten = w->unwritten;
	int err, close_err, flush_err;

	put_lost(w, totals);
	flush_err = rec_flush(w);
	*end = (struct rec_end){ .complete = 1, .totals = *totals };
	/* The caller could not know of these. */
	end->totals.events -= w->unwritten - unwritten;
	end->totals.lost[PTEV_LOST_WRITE] += w->unwritten - unwritten;
	err = write_end(w);
	close_err = writer_free(w);
	if (!err)
		err = close_err;
	return flush_err ? flush_err : err;
}
