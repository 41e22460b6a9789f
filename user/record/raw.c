// SPDX-License-Identifier: GPL-2.0
/* The records of perf's that a file or stream is made of: whole, unpacked and aligned. */
#include <errno.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/record/reader_priv.h"

static int unpack_failed(const struct rec_reader *r, int err)
{
	if (err == -ENOMEM) {
		msg_error("%s: %s", r->in.path, strerror(ENOMEM));
		return err;
	}
	return input_corrupt(&r->in, "what is compressed cannot be unpacked");
}

/* Goes on with the COMPRESSED record at the front of the input. INPUT_END: it is used up. */
static int next_packed(struct rec_reader *r, const struct perf_event_header **h)
{
	int ret = zip_next(r->zip, h);

	if (ret < 0)
		return unpack_failed(r, ret);
	if (ret)
		return INPUT_OK;
	input_consume(&r->in, r->packed);
	r->packed = 0;
	return INPUT_END;
}

static bool is_packed(uint32_t type)
{
	return type == PERF_COMPRESSED || type == PERF_COMPRESSED2;
}

static int feed_packed(struct rec_reader *r, const struct perf_event_header *h)
{
	const char *body = (const char *)input_at(&r->in) + sizeof(*h);
	uint64_t size = h->size - sizeof(*h);

	if (h->type == PERF_COMPRESSED2) {
		if (size < sizeof(size))
			return input_corrupt(&r->in, "a record is shorter than its parts");
		memcpy(&size, body, sizeof(size));
		body += sizeof(size);
		if (size > h->size - sizeof(*h) - sizeof(size))
			return input_corrupt(&r->in, "a record is shorter than its parts");
	}
	if (!r->zip)
		r->zip = zip_reader_new();
	if (!r->zip)
		return unpack_failed(r, -ENOMEM);
	r->packed = h->size;
	zip_feed(r->zip, body, (size_t)size);
	return INPUT_OK;
}

/* Makes the next record of the input readable as a whole; *@size is its size. */
static int whole_record(struct rec_reader *r, struct perf_event_header *header)
{
	int ret = input_fill(&r->in, sizeof(*header));

	if (ret != INPUT_OK)
		return ret;
	memcpy(header, input_at(&r->in), sizeof(*header));
	if (header->size < sizeof(*header))
		return input_corrupt(&r->in, "a record that is shorter than its header");
	return input_fill(&r->in, header->size);
}

/* Where the record can be read with its alignment. */
static const struct perf_event_header *aligned(struct rec_reader *r, size_t size)
{
	const void *at = input_at(&r->in);

	if ((uintptr_t)at % 8 == 0)
		return at;
	memcpy(r->aligned, at, size);
	return (const struct perf_event_header *)r->aligned;
}

int reader_raw(struct rec_reader *r, const struct perf_event_header **h)
{
	struct perf_event_header header;
	int ret;

	input_consume(&r->in, r->plain);
	r->plain = 0;
	for (;;) {
		ret = r->packed ? next_packed(r, h) : INPUT_END;
		if (ret != INPUT_END)
			return ret;
		ret = whole_record(r, &header);
		if (ret != INPUT_OK)
			return ret;
		if (!is_packed(header.type))
			break;
		ret = feed_packed(r, &header);
		if (ret != INPUT_OK)
			return ret;
	}
	if (r->zip && zip_rest(r->zip))
		return input_corrupt(&r->in, "a compressed record without its end");
	r->plain = header.size;
	*h = aligned(r, header.size);
	return INPUT_OK;
}
