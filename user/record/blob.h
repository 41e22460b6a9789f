/* SPDX-License-Identifier: GPL-2.0 */
/* Bytes put one behind the other, for the parts of a file that are made in memory. */
#ifndef RECORD_BLOB_H
#define RECORD_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Starts as zeros. ->failed: memory ran out, the rest is not there. */
struct blob {
	char *data;
	size_t size, room;
	bool failed;
};

/* @data NULL: zeros. */
void blob_put(struct blob *b, const void *data, size_t size);
void blob_u32(struct blob *b, uint32_t value);
void blob_u64(struct blob *b, uint64_t value);
void blob_align(struct blob *b, size_t align); /* zeros up to a multiple of @align */
/* As perf's header has strings: u32 length, then the text, with its NUL and zeros up to 64. */
void blob_string(struct blob *b, const char *text);
void blob_printf(struct blob *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void blob_free(struct blob *b);

#endif
