// SPDX-License-Identifier: GPL-2.0
#include "user/record/zip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#define HEADER sizeof(struct perf_event_header)
/* An empty block of a frame, and one that ends it: RFC 8878, 3.1.1.2. */
#define EMPTY_BLOCK "\0\0\0"
#define LAST_BLOCK  "\1\0\0"
#define BLOCK	    3
/* Of one record: header, piece, what zstd adds to that, blocks to align it. */
#define RECORD_MAX 65528u
#define PIECES_MAX (REC_BUFFER / ZIP_PIECE + 1)

struct zip_writer {
	ZSTD_CCtx *ctx;
	char *out; /* PIECES_MAX records */
};

struct zip_writer *zip_writer_new(int level)
{
	struct zip_writer *z = calloc(1, sizeof(*z));

	if (!z)
		return NULL;
	z->ctx = ZSTD_createCCtx();
	z->out = malloc((size_t)PIECES_MAX * RECORD_MAX);
	if (z->ctx && z->out &&
	    !ZSTD_isError(ZSTD_CCtx_setParameter(z->ctx, ZSTD_c_compressionLevel, level)))
		return z;
	zip_writer_free(z);
	return NULL;
}

void zip_writer_free(struct zip_writer *z)
{
	if (!z)
		return;
	ZSTD_freeCCtx(z->ctx);
	free(z->out);
	free(z);
}

/* One record at @record of what is in @in. Its size, 0: failed. */
static size_t pack_piece(struct zip_writer *z, char *record, ZSTD_inBuffer *in, bool last)
{
	ZSTD_outBuffer out = { record + HEADER, RECORD_MAX - HEADER - 9 * BLOCK, 0 };
	struct perf_event_header header = { .type = PERF_COMPRESSED };
	size_t left = ZSTD_compressStream2(z->ctx, &out, in, ZSTD_e_flush);
	size_t size = HEADER + out.pos;

	if (ZSTD_isError(left) || left || in->pos < in->size)
		return 0;
	while ((size + last * BLOCK) % 8) {
		memcpy(record + size, EMPTY_BLOCK, BLOCK);
		size += BLOCK;
	}
	if (last) {
		memcpy(record + size, LAST_BLOCK, BLOCK);
		size += BLOCK;
	}
	header.size = (uint16_t)size;
	memcpy(record, &header, HEADER);
	return size;
}

size_t zip_pack(struct zip_writer *z, const void *data, size_t size, const void **records)
{
	size_t done, piece, got, packed = 0;

	*records = z->out;
	ZSTD_CCtx_reset(z->ctx, ZSTD_reset_session_only);
	for (done = 0; done < size; done += piece) {
		ZSTD_inBuffer in = { (const char *)data + done, 0, 0 };

		piece = size - done < ZIP_PIECE ? size - done : ZIP_PIECE;
		in.size = piece;
		got = pack_piece(z, z->out + packed, &in, done + piece == size);
		if (!got)
			return 0;
		packed += got;
	}
	return packed;
}

/* Holds the rest of a record and what is unpacked at a time. */
#define OUT_SIZE (4u << 16)

struct zip_reader {
	ZSTD_DCtx *ctx;
	ZSTD_inBuffer in;
	size_t pos, len; /* of the records in ->out that were not handed on */
	_Alignas(8) char out[OUT_SIZE];
};

struct zip_reader *zip_reader_new(void)
{
	struct zip_reader *z = calloc(1, sizeof(*z));

	if (!z)
		return NULL;
	z->ctx = ZSTD_createDCtx();
	if (z->ctx)
		return z;
	free(z);
	return NULL;
}

void zip_reader_free(struct zip_reader *z)
{
	if (!z)
		return;
	ZSTD_freeDCtx(z->ctx);
	free(z);
}

void zip_feed(struct zip_reader *z, const void *data, size_t size)
{
	z->in = (ZSTD_inBuffer){ data, size, 0 };
}

int zip_rest(const struct zip_reader *z)
{
	return z->len != z->pos;
}

/* 1: a whole record is at ->pos; 0: not yet; -EINVAL: none that the kernel would write. */
static int whole_record(const struct zip_reader *z)
{
	struct perf_event_header header;

	if (z->len - z->pos < HEADER)
		return 0;
	memcpy(&header, z->out + z->pos, HEADER);
	if (header.size < HEADER || header.size % 8)
		return -EINVAL;
	return z->len - z->pos >= header.size;
}

/* Unpacks into the room behind the rest. 1: there is more now; 0: nothing left to unpack. */
static int unpack(struct zip_reader *z)
{
	ZSTD_outBuffer out = { z->out, sizeof(z->out), 0 };
	size_t ret, before;

	z->len -= z->pos;
	memmove(z->out, z->out + z->pos, z->len);
	z->pos = 0;
	out.pos = z->len;
	do {
		before = z->in.pos;
		ret = ZSTD_decompressStream(z->ctx, &out, &z->in);
		if (ZSTD_isError(ret))
			return -EINVAL;
	} while (out.pos == z->len && z->in.pos > before);
	if (out.pos == z->len)
		return 0;
	z->len = out.pos;
	return 1;
}

int zip_next(struct zip_reader *z, const struct perf_event_header **record)
{
	int ret;

	while (!(ret = whole_record(z))) {
		ret = unpack(z);
		if (ret <= 0)
			return ret;
	}
	if (ret < 0)
		return ret;
	*record = (const struct perf_event_header *)(z->out + z->pos);
	z->pos += (*record)->size;
	return 1;
}
