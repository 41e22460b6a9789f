// SPDX-License-Identifier: GPL-2.0
/* What perf's own files tell of a recording: features behind the data, formats of tracepoints. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/record/reader_priv.h"

#define STRING_MAX 4096

bool reader_feature(const struct rec_reader *r, const struct perf_file_header *h,
		    unsigned int feature, struct perf_section *where)
{
	uint64_t table = h->data.offset + h->data.size;
	unsigned int i, before = 0;

	if (!(h->features[feature / 64] >> feature % 64 & 1) || table > INT64_MAX)
		return false;
	for (i = 0; i < feature; i++)
		before += (unsigned int)(h->features[i / 64] >> i % 64 & 1);
	return !input_copy(&r->in, table + before * sizeof(*where), where, sizeof(*where));
}

/* perf's strings: their length, then the text. */
static void read_string(const struct rec_reader *r, const struct perf_file_header *h,
			unsigned int feature, char *out, size_t size)
{
	struct perf_section where;
	char text[STRING_MAX] = "";

	if (!reader_feature(r, h, feature, &where) || where.size <= 4 ||
	    where.size > sizeof(text) || input_copy(&r->in, where.offset, text, (size_t)where.size))
		return;
	snprintf(out, size, "%.*s", (int)(where.size - 4), text + 4);
}

/* The command line, words that perf tells one by one. */
static void read_command(const struct rec_reader *r, const struct perf_file_header *h, char *out,
			 size_t size)
{
	struct perf_section where;
	char text[STRING_MAX];
	uint32_t n, len, at = sizeof(n);
	size_t used = 0;

	if (!reader_feature(r, h, PERF_FEAT_CMDLINE, &where) || where.size < sizeof(n) ||
	    input_copy(&r->in, where.offset, text,
		       where.size < sizeof(text) ? (size_t)where.size : sizeof(text)))
		return;
	if (where.size > sizeof(text))
		where.size = sizeof(text);
	for (memcpy(&n, text, sizeof(n)); n && at + sizeof(len) <= where.size; n--) {
		memcpy(&len, text + at, sizeof(len));
		at += (uint32_t)sizeof(len);
		if (len > where.size - at || used >= size)
			return;
		used += (size_t)snprintf(out + used, size - used, "%s%.*s", used ? " " : "",
					 (int)len, text + at);
		at += len;
	}
}

int reader_foreign(struct rec_reader *r, const void *data, size_t size)
{
	uint32_t i;
	bool use = false;

	r->foreign = foreign_new(data, size, &r->attrs);
	if (!r->foreign)
		return reader_no_memory(r);
	for (i = 0; i < r->attrs.nr; i++)
		use = use || r->attrs.attr[i].use;
	if (!use)
		return reader_refuse(
			r, "a perf.data file without page faults (exceptions:page_fault_*) "
			   "or VM exits (kvm:kvm_exit)");
	foreign_info(r->foreign, &r->session.info);
	return 0;
}

/* A file that perf has written. */
int reader_foreign_file(struct rec_reader *r, const struct perf_file_header *h)
{
	struct rec_info *info = &r->session.info;
	struct perf_section where = { 0 };
	void *data = NULL;
	int err;

	/* perf writes both when it ends, and the formats behind the data. */
	if (!h->data.size)
		return reader_refuse(r, "perf did not end this recording: "
					"the formats of its events are missing");
	if (!r->in.seekable)
		return reader_refuse(r, "this perf.data file cannot be read through a pipe");
	read_string(r, h, PERF_FEAT_HOSTNAME, info->hostname, sizeof(info->hostname));
	read_string(r, h, PERF_FEAT_OSRELEASE, info->release, sizeof(info->release));
	read_command(r, h, info->command, sizeof(info->command));
	if (reader_feature(r, h, PERF_FEAT_TRACING_DATA, &where)) {
		data = reader_copy(r, &where, TRACING_DATA_MAX, &err);
		if (!data)
			return err;
	}
	err = reader_foreign(r, data, data ? (size_t)where.size : 0);
	free(data);
	return err;
}
