// SPDX-License-Identifier: GPL-2.0
#include "user/record/part.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "user/record/board.h"

/* A frame has no more: it is made of a chunk of the writer's. Packed, with the blocks between. */
#define UNPACKED_MAX REC_BUFFER
#define PACKED_MAX   (2 * REC_BUFFER)

struct part {
	struct rec_board *board;
	unsigned int self;
	uint64_t frames; /* that have begun */
	uint64_t next;	 /* the frame whose records are to be handed out next, if they are wanted */
	bool gathering;	 /* a frame has begun, and its end was not seen */
	bool unpacked;	 /* the last one that began is in out[], and not handed out yet */
	bool lent;	 /* what is handed out is the board's, of frame ->next */
	const char *at, *end; /* of the records that are handed out */
	ZSTD_DCtx *zstd;
	size_t packed, size; /* bytes of in[] and out[] */
	char in[PACKED_MAX];
	_Alignas(8) char out[UNPACKED_MAX];
};

struct part *part_new(struct rec_board *board, unsigned int self)
{
	struct part *p = malloc(sizeof(*p));

	if (!p)
		return NULL;
	memset(p, 0, offsetof(struct part, in));
	p->board = board;
	p->self = self;
	p->zstd = ZSTD_createDCtx();
	if (p->zstd)
		return p;
	free(p);
	return NULL;
}

void part_free(struct part *p)
{
	if (!p)
		return;
	ZSTD_freeDCtx(p->zstd);
	free(p);
}

/* Whether the frame that began last is one of this part. */
static bool is_own(const struct part *p)
{
	return (p->frames - 1) % board_readers(p->board) == p->self;
}

static bool is_side(uint32_t type)
{
	return type == PERF_RECORD_COMM || type == PERF_RECORD_MMAP2 || type == PERF_RECORD_FORK ||
	       type == PERF_RECORD_EXIT || type == PERF_RECORD_KSYMBOL;
}

/* Collects what all readers want; every record in out[] is then known to be whole. */
static int scan(const struct part *p, struct blob *side)
{
	struct perf_event_header h;
	size_t at;

	for (at = 0; at < p->size; at += h.size) {
		if (p->size - at < sizeof(h))
			return -ECANCELED;
		memcpy(&h, p->out + at, sizeof(h));
		if (h.size < sizeof(h) || h.size % 8 || h.size > p->size - at)
			return -ECANCELED;
		if (is_side(h.type))
			blob_put(side, p->out + at, h.size);
	}
	return side->failed ? -ENOMEM : 0;
}

/*
 * Whether the reader of whole recordings would take the frame, whose window has to be in memory:
 * RFC 8878, 3.1.1.1: a descriptor, then, unless the contents are one segment, the window's.
 */
static bool window_ok(const struct part *p)
{
	enum { DESCRIPTOR = 4, WINDOW = 5, ONE_SEGMENT = 0x20, EXPONENT_SHIFT = 3 };
	/* 128 MiB: ZSTD_WINDOWLOG_LIMIT_DEFAULT */
	const unsigned int exponent_end = 27 - 10;

	return p->packed > WINDOW && (p->in[DESCRIPTOR] & ONE_SEGMENT ||
				      (uint8_t)p->in[WINDOW] >> EXPONENT_SHIFT < exponent_end);
}

/* The frame has been gathered: it is unpacked and told to the others. */
static int unpack(struct part *p)
{
	struct blob side = { 0 };
	int err;

	if (!window_ok(p) || ZSTD_findFrameCompressedSize(p->in, p->packed) != p->packed)
		return -ECANCELED;
	p->size = ZSTD_decompressDCtx(p->zstd, p->out, sizeof(p->out), p->in, p->packed);
	if (ZSTD_isError(p->size))
		return -ECANCELED;
	err = scan(p, &side);
	if (!err)
		err = board_put(p->board, p->frames - 1, &side);
	blob_free(&side);
	p->unpacked = !err;
	return err;
}

/* Makes the next record readable as a whole: INPUT_OK, INPUT_END, -errno. */
static int whole_record(struct input *in, struct perf_event_header *h)
{
	int ret = input_fill(in, sizeof(*h));

	if (ret != INPUT_OK)
		return ret;
	memcpy(h, input_at(in), sizeof(*h));
	return h->size < sizeof(*h) ? -ECANCELED : input_fill(in, h->size);
}

static bool begins_frame(const struct input *in, const struct perf_event_header *h)
{
	const uint32_t magic = ZSTD_MAGICNUMBER;

	return h->size >= sizeof(*h) + sizeof(magic) &&
	       !memcmp((const char *)input_at(in) + sizeof(*h), &magic, sizeof(magic));
}

/* Takes the record into the frame at hand, or passes over it. */
static int gather(struct part *p, struct input *in, const struct perf_event_header *h)
{
	size_t size = h->size - sizeof(*h);

	if (!p->gathering)
		return -ECANCELED;
	if (is_own(p)) {
		if (size > sizeof(p->in) - p->packed)
			return -ECANCELED;
		memcpy(p->in + p->packed, (const char *)input_at(in) + sizeof(*h), size);
		p->packed += size;
	}
	input_consume(in, h->size);
	return INPUT_OK;
}

/*
 * One step through the file. INPUT_END is its end. Nothing but the writer's housekeeping may stand
 * between the frames.
 */
static int step(struct part *p, struct input *in)
{
	struct perf_event_header h = { 0 };
	int ret = whole_record(in, &h);
	bool begins = ret == INPUT_OK && h.type == PERF_COMPRESSED && begins_frame(in, &h);

	if (ret < 0)
		return ret;
	if (p->gathering && (ret == INPUT_END || begins || h.type != PERF_COMPRESSED)) {
		p->gathering = false;
		return is_own(p) ? unpack(p) ?: INPUT_OK : INPUT_OK;
	}
	if (ret == INPUT_END)
		return ret;
	if (begins) {
		p->frames++;
		p->gathering = true;
		p->packed = 0;
	}
	if (h.type == PERF_COMPRESSED)
		return gather(p, in, &h);
	if (h.type != PERF_HEADER_EVENT_TYPE && h.type != PERF_FINISHED_ROUND)
		return -ECANCELED;
	input_consume(in, h.size);
	return INPUT_OK;
}

/* Goes on to the records of another frame. An own one is unpacked: first those before it. */
static int next_frame(struct part *p)
{
	const struct blob *side;

	if (p->next == p->frames - 1) {
		p->at = p->out;
		p->end = p->out + p->size;
		p->unpacked = false;
		p->next++;
		return INPUT_OK;
	}
	side = board_get(p->board, p->next);
	if (!side)
		return -ECANCELED;
	p->at = side->data;
	p->end = p->at + side->size;
	p->lent = true;
	return INPUT_OK;
}

int part_next(struct part *p, struct input *in, const struct perf_event_header **h)
{
	int ret = INPUT_OK;

	while (ret == INPUT_OK && p->at == p->end) {
		if (p->lent)
			board_done(p->board, p->next++);
		p->lent = false;
		ret = p->unpacked ? next_frame(p) : step(p, in);
	}
	if (ret != INPUT_OK)
		return ret;
	*h = (const struct perf_event_header *)p->at;
	p->at += (*h)->size;
	return INPUT_OK;
}
