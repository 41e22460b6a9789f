/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Streaming JSON writer: commas, nesting and escapes are its business. One document or, with
 * json_end_line(), one object per line. Bytes that are not valid UTF-8 become U+FFFD, and what may
 * not be shown (printable.h) is escaped, so the output is always valid JSON that does no harm to a
 * terminal, whatever a process called itself.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_MAX_DEPTH 16

struct json {
	FILE *out;
	unsigned int depth;
	bool need_comma[JSON_MAX_DEPTH];
};

void json_init(struct json *j, FILE *out);
/* @key is NULL inside arrays and at the top level. */
void json_object(struct json *j, const char *key);
void json_end_object(struct json *j);
void json_array(struct json *j, const char *key);
void json_end_array(struct json *j);
void json_str(struct json *j, const char *key, const char *value); /* NULL: null */
void json_u64(struct json *j, const char *key, uint64_t value);
void json_double(struct json *j, const char *key, double value);
/* Nanoseconds as microseconds, to the last digit: 1234567 is 1234.567. */
void json_ns_as_us(struct json *j, const char *key, uint64_t ns);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);
/* A 64-bit value as the string "0x..." (JSON numbers lose bits beyond 2^53). */
void json_hex(struct json *j, const char *key, uint64_t value);
/* One value that is JSON already. */
void json_raw(struct json *j, const char *key, const char *value, size_t len);
void json_end_line(struct json *j);
/* A new line between two values, for those who look at large documents. */
void json_break(struct json *j);

#endif
