// SPDX-License-Identifier: GPL-2.0
#include "user/base/json.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

/* The unlocked calls are several times faster, and a stream here has one thread. */
static void put(struct json *j, const char *s, size_t len)
{
	fwrite_unlocked(s, 1, len, j->out);
}

static void put_char(struct json *j, char c)
{
	putc_unlocked(c, j->out);
}

/* Length of the valid UTF-8 sequence at @s, 0 if there is none (Unicode, table 3-7). */
static size_t utf8_len(const unsigned char *s)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t i, len;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		low = 0xa0; /* overlong */
	else if (s[0] == 0xed)
		high = 0x9f; /* surrogates */
	else if (s[0] == 0xf0)
		low = 0x90; /* overlong */
	else if (s[0] == 0xf4)
		high = 0x8f; /* beyond U+10FFFF */
	/* A terminating NUL is out of every range, so nothing behind it is read. */
	if (s[1] < low || s[1] > high)
		return 0;
	for (i = 2; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static void put_escape(struct json *j, unsigned char c)
{
	static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	static const char digits[] = "0123456789abcdef";
	size_t i;

	put_char(j, '\\');
	for (i = 0; short_forms[i]; i += 2) {
		if (short_forms[i] == (char)c) {
			put_char(j, short_forms[i + 1]);
			return;
		}
	}
	put(j, "u00", 3);
	put_char(j, digits[c >> 4]);
	put_char(j, digits[c & 15]);
}

static void put_quoted(struct json *j, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	const unsigned char *run = s; /* start of what needs no change */
	size_t len;

	put_char(j, '"');
	while (*s) {
		len = utf8_len(s);
		if (len && *s >= 0x20 && *s != '"' && *s != '\\') {
			s += len;
			continue;
		}
		put(j, (const char *)run, (size_t)(s - run));
		if (len)
			put_escape(j, *s);
		else
			put(j, "\\ufffd", 6);
		run = ++s;
	}
	put(j, (const char *)run, (size_t)(s - run));
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
