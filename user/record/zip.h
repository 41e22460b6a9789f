/* SPDX-License-Identifier: GPL-2.0 */
/*
 * zstd (RFC 8878) as perf has it in its files: records of the kind COMPRESSED, whose unpacked
 * contents, one behind the other, are records again.
 */
#ifndef RECORD_ZIP_H
#define RECORD_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/record/perf_format.h"

/* What one record is made of: even if nothing can be saved, its size fits its 16 bits. */
#define ZIP_PIECE 65000u
/* What a reader needs to have room for: perf's wants twice of it where a frame ends. */
#define ZIP_UNPACKED_MAX (2 * 65536u)

struct zip_writer;

/* @level 1 to 22. NULL: no memory. */
struct zip_writer *zip_writer_new(int level);
void zip_writer_free(struct zip_writer *z);
/*
 * Packs @size bytes (at most REC_BUFFER) into records, all of them 8-aligned and of one frame, so
 * that a chunk can be unpacked without those before it. Returns their bytes, *@records is valid
 * until the next call; 0: it cannot be packed.
 */
size_t zip_pack(struct zip_writer *z, const void *data, size_t size, const void **records);

struct zip_reader;

struct zip_reader *zip_reader_new(void); /* NULL: no memory */
void zip_reader_free(struct zip_reader *z);
/* Gives it the contents of the next COMPRESSED record; they must stay until zip_next() wants more.
 */
void zip_feed(struct zip_reader *z, const void *data, size_t size);
/*
 * The next record that was packed: 1 and *@record, aligned, valid until the following call; 0: more
 * must be fed; -EINVAL: not zstd's, or no records.
 */
int zip_next(struct zip_reader *z, const struct perf_event_header **record);
/* Whether a part of a record is left over. */
int zip_rest(const struct zip_reader *z);

#endif
