// SPDX-License-Identifier: GPL-2.0
/* The build IDs that a recording has, perf's own or ours. */
#include <stdlib.h>
#include <string.h>

#include "user/record/reader_priv.h"

#define TABLE_MAX (32u << 20)
#define ID_MAX	  20
/* tools/lib/perf/include/perf/event.h: the ID's size is told. */
#define MISC_BUILD_ID_SIZE (1 << 15)

/* struct perf_record_header_build_id; the name is behind it. */
struct id_record {
	struct perf_event_header header;
	uint32_t pid;
	uint8_t id[ID_MAX];
	uint8_t size, reserved[3];
	char name[];
};

void reader_build_ids(struct rec_reader *r, const struct perf_file_header *h)
{
	struct perf_section where;
	char *table;

	if (!r->in.seekable || !reader_feature(r, h, PERF_FEAT_BUILD_ID, &where) || !where.size ||
	    where.size > TABLE_MAX)
		return;
	table = malloc(where.size);
	if (!table || input_copy(&r->in, where.offset, table, (size_t)where.size)) {
		free(table);
		return;
	}
	r->build_ids = table;
	r->build_ids_size = (size_t)where.size;
}

/* The record at @at, which has a whole name. Its size; 0: there is none. */
static size_t record_at(const struct rec_reader *r, size_t at, struct id_record *record,
			const char **name)
{
	const char *from = r->build_ids + at;

	if (r->build_ids_size - at <= sizeof(*record))
		return 0;
	memcpy(record, from, sizeof(*record));
	if (record->header.size <= sizeof(*record) ||
	    record->header.size > r->build_ids_size - at ||
	    !memchr(from + sizeof(*record), 0, record->header.size - sizeof(*record)))
		return 0;
	*name = from + sizeof(*record);
	return record->header.size;
}

int rec_build_ids(const struct rec_reader *r, rec_build_id put, void *ctx)
{
	struct id_record record;
	const char *name = NULL;
	size_t at, size;
	int err = 0;

	if (!r->build_ids)
		return 0;
	for (at = 0; !err && (size = record_at(r, at, &record, &name)); at += size) {
		size_t bytes = record.header.misc & MISC_BUILD_ID_SIZE ? record.size : ID_MAX;

		if (*name == '/' && bytes && bytes <= ID_MAX)
			err = put(ctx, name, record.id, bytes);
	}
	return err;
}
