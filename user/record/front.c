// SPDX-License-Identifier: GPL-2.0
/* What stands in front of a recording's data: perf's header or its first records; the session. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/record/kinds.h"
#include "user/record/reader_priv.h"

int reader_refuse(const struct rec_reader *r, const char *what)
{
	msg_error("%s: %s", r->in.path, what);
	return -EINVAL;
}

static int cut_off(const struct rec_reader *r)
{
	return reader_refuse(r, "cut off within its header, nothing was recorded");
}

int reader_no_memory(const struct rec_reader *r)
{
	msg_error("%s: %s", r->in.path, strerror(ENOMEM));
	return -ENOMEM;
}

bool is_session(const struct perf_event_header *h)
{
	return h->type == PERF_HEADER_EVENT_TYPE && h->size >= sizeof(*h) + REC_MAGIC_SIZE &&
	       !memcmp(h + 1, REC_MAGIC, REC_MAGIC_SIZE);
}

int reader_session(struct rec_reader *r, const struct perf_event_header *h)
{
	struct rec_info *info = &r->session.info;

	if (h->size < offsetof(struct rec_session, info))
		return input_corrupt(&r->in, "the record of the session is too short");
	memcpy(&r->session, h, offsetof(struct rec_session, info));
	if (r->session.version != REC_VERSION) {
		msg_error("%s: recording of version %" PRIu32 ", this program reads version %d",
			  r->in.path, r->session.version, REC_VERSION);
		return -EINVAL;
	}
	if (h->size != sizeof(r->session))
		return input_corrupt(&r->in, "the record of the session has the wrong size");
	memcpy(&r->session, h, sizeof(r->session));
	info->boot_id[sizeof(info->boot_id) - 1] = 0;
	info->release[sizeof(info->release) - 1] = 0;
	info->hostname[sizeof(info->hostname) - 1] = 0;
	info->command[sizeof(info->command) - 1] = 0;
	return 0;
}

/* Adds an attribute, whose size is in it; @ids are @nr words. */
static int add_attr(struct rec_reader *r, const void *attr, size_t bytes, const void *ids,
		    uint64_t nr)
{
	int err = nr > IDS_MAX ? -EINVAL : attrs_add(&r->attrs, attr, bytes, ids, (size_t)nr);

	if (err == -ENOMEM)
		return reader_no_memory(r);
	return err ? reader_refuse(r, "corrupt: attributes of events that perf would not write")
		   : 0;
}

static int copy_failed(const struct rec_reader *r, int err)
{
	if (err == -ESPIPE)
		return reader_refuse(r, "this perf.data file cannot be read through a pipe");
	if (err == -ENODATA)
		return cut_off(r);
	msg_error("%s: cannot read: %s", r->in.path, strerror(-err));
	return err;
}

void *reader_copy(const struct rec_reader *r, const struct perf_section *s, size_t max, int *err)
{
	void *data;

	if (s->size > max) {
		*err = reader_refuse(r, "corrupt: its header tells of more than there can be");
		return NULL;
	}
	data = malloc(s->size + 1);
	if (!data) {
		*err = reader_no_memory(r);
		return NULL;
	}
	*err = input_copy(&r->in, s->offset, data, (size_t)s->size);
	if (!*err)
		return data;
	*err = copy_failed(r, *err);
	free(data);
	return NULL;
}

/* One attribute of the file's and its ids. */
static int read_attr(struct rec_reader *r, uint64_t offset, size_t size)
{
	struct perf_section where = { offset, size }, ids;
	char *attr, *words;
	int err;

	attr = reader_copy(r, &where, PERF_ATTR_SIZE_MAX, &err);
	if (!attr)
		return err;
	memcpy(&ids, attr + size - sizeof(ids), sizeof(ids));
	words = reader_copy(r, &ids, IDS_MAX * sizeof(uint64_t), &err);
	if (words)
		err = add_attr(r, attr, size - sizeof(ids), words, ids.size / sizeof(uint64_t));
	free(words);
	free(attr);
	return err;
}

static int read_attrs(struct rec_reader *r, const struct perf_file_header *h)
{
	uint64_t i, nr;
	int err = 0;

	if (h->attr_size < PERF_ATTR_SIZE_VER0 + sizeof(struct perf_section) ||
	    h->attr_size > PERF_ATTR_SIZE_MAX || h->attrs.offset > INT64_MAX)
		return reader_refuse(r, "corrupt: attributes of events that perf would not write");
	nr = h->attrs.size / h->attr_size;
	if (nr > ATTRS_MAX)
		return reader_refuse(r, "corrupt: its header tells of more than there can be");
	for (i = 0; i < nr && !err; i++)
		err = read_attr(r, h->attrs.offset + i * h->attr_size, (size_t)h->attr_size);
	return err;
}

/* Looks at the record in front of the data, or of what follows a stream's header. */
static int look_for_session(struct rec_reader *r)
{
	struct perf_event_header header;
	const struct perf_event_header *h;
	int ret = input_fill(&r->in, sizeof(header));

	if (ret != INPUT_OK)
		return ret < 0 ? ret : 0;
	memcpy(&header, input_at(&r->in), sizeof(header));
	if (header.type != PERF_HEADER_EVENT_TYPE)
		return 0;
	ret = input_fill(&r->in, header.size);
	if (ret < 0)
		return ret;
	if (ret == INPUT_END)
		return cut_off(r);
	/* Not handed out yet: it is only looked at. */
	h = input_at(&r->in);
	if ((uintptr_t)h % 8) {
		memcpy(r->aligned, h, header.size);
		h = (const struct perf_event_header *)r->aligned;
	}
	r->own = is_session(h);
	if (!r->own)
		return 0;
	ret = reader_session(r, h);
	if (!ret)
		input_consume(&r->in, header.size);
	return ret;
}

static int read_file(struct rec_reader *r)
{
	struct perf_file_header h;
	int ret = input_fill(&r->in, sizeof(h));

	if (ret != INPUT_OK)
		return ret < 0 ? ret : cut_off(r);
	memcpy(&h, input_at(&r->in), sizeof(h));
	if (h.data.offset < sizeof(h) || h.data.offset > INT64_MAX ||
	    h.data.size > INT64_MAX - h.data.offset)
		return reader_refuse(r, "corrupt: its header says that the data are nowhere");
	/* The attributes are in front of the data; then they are in the window of a pipe, too. */
	if (h.data.offset <= REC_BUFFER) {
		ret = input_fill(&r->in, (size_t)h.data.offset);
		if (ret != INPUT_OK)
			return ret < 0 ? ret : cut_off(r);
	}
	ret = read_attrs(r, &h);
	if (ret)
		return ret;
	reader_build_ids(r, &h);
	ret = input_skip_to(&r->in, h.data.offset);
	if (ret != INPUT_OK)
		return ret < 0 ? ret : cut_off(r);
	if (h.data.size)
		r->in.end = h.data.offset + h.data.size;
	ret = look_for_session(r);
	return ret || r->own ? ret : reader_foreign_file(r, &h);
}

/* What a stream's attribute has behind its header: the attribute, whose size is in it; ids. */
static int stream_attr(struct rec_reader *r, const char *body, size_t size)
{
	uint32_t bytes;

	if (size < PERF_ATTR_SIZE_VER0)
		return reader_refuse(r, "corrupt: attributes of events that perf would not write");
	memcpy(&bytes, body + offsetof(struct perf_event_attr, size), sizeof(bytes));
	if (bytes < PERF_ATTR_SIZE_VER0 || bytes > size)
		return reader_refuse(r, "corrupt: attributes of events that perf would not write");
	return add_attr(r, body, bytes, body + bytes, (size - bytes) / sizeof(uint64_t));
}

/* The formats behind the record, into *@data, to be freed. */
static int stream_formats(struct rec_reader *r, const char *body, size_t size, void **data,
			  size_t *len)
{
	uint32_t bytes, done;
	size_t step;
	int ret;

	if (size < sizeof(bytes))
		return cut_off(r);
	memcpy(&bytes, body, sizeof(bytes));
	if (bytes > TRACING_DATA_MAX || *data)
		return reader_refuse(r, "corrupt: its header tells of more than there can be");
	*data = malloc(bytes + 1ul);
	if (!*data)
		return reader_no_memory(r);
	*len = bytes;
	input_consume(&r->in, sizeof(struct perf_event_header) + size);
	for (done = 0; done < bytes; done += (uint32_t)step) {
		step = bytes - done < REC_BUFFER ? bytes - done : REC_BUFFER;
		ret = input_fill(&r->in, step);
		if (ret != INPUT_OK)
			return ret < 0 ? ret : cut_off(r);
		memcpy((char *)*data + done, input_at(&r->in), step);
		input_consume(&r->in, step);
	}
	return 0;
}

/* Whether a record of this kind only prepares for what comes. */
static bool prepares(uint32_t type)
{
	return type >= PERF_HEADER_ATTR && type < 96 && type != PERF_FINISHED_ROUND &&
	       type != PERF_AUXTRACE && type != PERF_COMPRESSED && type != PERF_COMPRESSED2 &&
	       type != PERF_HEADER_EVENT_TYPE;
}

/* One record in front of the data. INPUT_END: there are no more. */
static int stream_record(struct rec_reader *r, void **data, size_t *len)
{
	const char *body;
	struct perf_event_header h;
	int ret = input_fill(&r->in, sizeof(h));

	if (ret != INPUT_OK)
		return ret;
	memcpy(&h, input_at(&r->in), sizeof(h));
	if (!prepares(h.type))
		return INPUT_END;
	ret = h.size < sizeof(h) ? INPUT_END : input_fill(&r->in, h.size);
	if (ret != INPUT_OK)
		return ret < 0 ? ret : cut_off(r);
	body = (const char *)input_at(&r->in) + sizeof(h);
	ret = 0;
	if (h.type == PERF_HEADER_TRACING_DATA)
		return stream_formats(r, body, h.size - sizeof(h), data, len) ?: INPUT_OK;
	if (h.type == PERF_HEADER_ATTR)
		ret = stream_attr(r, body, h.size - sizeof(h));
	input_consume(&r->in, h.size);
	return ret ? ret : INPUT_OK;
}

static int read_stream(struct rec_reader *r)
{
	void *data = NULL;
	size_t len = 0;
	int ret;

	r->stream = true;
	input_consume(&r->in, sizeof(struct perf_pipe_header));
	do
		ret = stream_record(r, &data, &len);
	while (ret == INPUT_OK);
	if (ret == INPUT_END) {
		ret = look_for_session(r);
		if (!ret && !r->own)
			ret = reader_foreign(r, data, len);
	}
	free(data);
	return ret;
}

int reader_front(struct rec_reader *r)
{
	struct perf_pipe_header h = { 0 };
	int ret = input_fill(&r->in, 1);
	size_t n;

	if (ret < 0)
		return ret;
	if (ret == INPUT_END)
		return reader_refuse(r, "empty, not a perf.data file");
	ret = input_fill(&r->in, sizeof(h));
	if (ret < 0)
		return ret;
	n = r->in.len - r->in.pos;
	memcpy(&h, input_at(&r->in), n < sizeof(h) ? n : sizeof(h));
	if (memcmp(&h.magic, "PERFILE2", n < 8 ? n : 8))
		return reader_refuse(r, "not a perf.data file");
	if (ret == INPUT_END)
		return cut_off(r);
	if (h.size == sizeof(struct perf_pipe_header))
		return read_stream(r);
	if (h.size == sizeof(struct perf_file_header))
		return read_file(r);
	return reader_refuse(r, "a perf.data file of an unknown version");
}
