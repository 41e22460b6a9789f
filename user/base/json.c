// SPDX-License-Identifier: GPL-2.0
#include "user/base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "user/base/printable.h"

#define REPLACEMENT 0xfffd

/* The unlocked calls are several times faster, and a stream here has one thread. */
static void put(struct json *j, const char *s, size_t len)
{
	fwrite_unlocked(s, 1, len, j->out);
}

static void put_char(struct json *j, char c)
{
	putc_unlocked(c, j->out);
}

static void put_unit(struct json *j, unsigned int unit)
{
	static const char digits[] = "0123456789abcdef";
	int shift;

	put(j, "\\u", 2);
	for (shift = 12; shift >= 0; shift -= 4)
		put_char(j, digits[unit >> shift & 15]);
}

/* In UTF-16, as JSON has it (RFC 8259, 7). */
static void put_escape(struct json *j, uint32_t code)
{
	static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	size_t i;

	for (i = 0; short_forms[i]; i += 2) {
		if ((uint32_t)short_forms[i] == code) {
			put_char(j, '\\');
			put_char(j, short_forms[i + 1]);
			return;
		}
	}
	if (code >= 0x10000) {
		put_unit(j, 0xd800 + ((code - 0x10000) >> 10));
		code = 0xdc00 + (code & 0x3ff);
	}
	put_unit(j, code);
}

/*
 * What may not be shown is escaped, so that neither a terminal nor a person is misled by JSON that
 * is looked at as it is; whoever parses it gets the name that there was.
 */
static void put_quoted(struct json *j, const char *s)
{
	const char *run = s, *end = s + strlen(s); /* start of what needs no change */
	size_t len;
	bool shown;

	put_char(j, '"');
	while (s < end) {
		len = printable_next(s, (size_t)(end - s), &shown);
		if (shown && *s != '"' && *s != '\\') {
			s += len;
			continue;
		}
		put(j, run, (size_t)(s - run));
		put_escape(j, printable_utf8(s, len) ? printable_code_of(s, len) : REPLACEMENT);
		s += len;
		run = s;
	}
	put(j, run, (size_t)(s - run));
	put_char(j, '"');
}

/* What goes before every value: a comma, and the key inside objects. */
static void begin_value(struct json *j, const char *key)
{
	if (j->need_comma[j->depth])
		put_char(j, ',');
	j->need_comma[j->depth] = true;
	if (key) {
		put_quoted(j, key);
		put_char(j, ':');
	}
}

static void open_level(struct json *j, const char *key, char bracket)
{
	begin_value(j, key);
	put_char(j, bracket);
	assert(j->depth + 1 < JSON_MAX_DEPTH);
	j->need_comma[++j->depth] = false;
}

static void close_level(struct json *j, char bracket)
{
	assert(j->depth > 0);
	j->depth--;
	put_char(j, bracket);
}

void json_init(struct json *j, FILE *out)
{
	memset(j, 0, sizeof(*j));
	j->out = out;
}

void json_object(struct json *j, const char *key)
{
	open_level(j, key, '{');
}

void json_end_object(struct json *j)
{
	close_level(j, '}');
}

void json_array(struct json *j, const char *key)
{
	open_level(j, key, '[');
}

void json_end_array(struct json *j)
{
	close_level(j, ']');
}

void json_str(struct json *j, const char *key, const char *value)
{
	if (!value) {
		json_null(j, key);
		return;
	}
	begin_value(j, key);
	put_quoted(j, value);
}

/* Digits of @value into the end of @buf (20 bytes); returns the first. */
static char *format_number(char *buf, uint64_t value, unsigned int base)
{
	char *p = buf + 20;

	do {
		*--p = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	return p;
}

void json_u64(struct json *j, const char *key, uint64_t value)
{
	char buf[20];
	const char *p = format_number(buf, value, 10);

	begin_value(j, key);
	put(j, p, (size_t)(buf + sizeof(buf) - p));
}

void json_hex(struct json *j, const char *key, uint64_t value)
{
	char buf[20];
	const char *p = format_number(buf, value, 16);

	begin_value(j, key);
	put(j, "\"0x", 3);
	put(j, p, (size_t)(buf + sizeof(buf) - p));
	put_char(j, '"');
}

void json_double(struct json *j, const char *key, double value)
{
	if (!isfinite(value)) {
		json_null(j, key);
		return;
	}
	begin_value(j, key);
	fprintf(j->out, "%.15g", value);
}

void json_ns_as_us(struct json *j, const char *key, uint64_t ns)
{
	begin_value(j, key);
	fprintf(j->out, "%" PRIu64 ".%03u", ns / 1000, (unsigned int)(ns % 1000));
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin_value(j, key);
	if (value)
		put(j, "true", 4);
	else
		put(j, "false", 5);
}

void json_null(struct json *j, const char *key)
{
	begin_value(j, key);
	put(j, "null", 4);
}

void json_raw(struct json *j, const char *key, const char *value, size_t len)
{
	begin_value(j, key);
	put(j, value, len);
}

void json_end_line(struct json *j)
{
	put_char(j, '\n');
	j->need_comma[0] = false;
}

void json_break(struct json *j)
{
	put_char(j, '\n');
}
