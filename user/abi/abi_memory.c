// SPDX-License-Identifier: GPL-2.0
#include "user/abi/abi_memory.h"

#include <stdio.h>
#include <string.h>

#include "user/base/printable.h"

#define TEXT_BYTES 32 /* of memory that is not text */

/* Bytes of a part: of a string those before its NUL. */
static size_t part_len(const struct abi_arg *arg, const struct abi_part *p)
{
	if (arg->type == ABI_STRING && p->len)
		return strnlen((const char *)p->bytes, p->len);
	return p->len;
}

/* Is there a NUL in what was read of a string? */
static bool has_end(const struct abi_buffer *b)
{
	unsigned int i;

	for (i = 0; i < ABI_MAX_PARTS; i++)
		if (b->part[i].len && memchr(b->part[i].bytes, 0, b->part[i].len))
			return true;
	return false;
}

static bool is_printed(uint8_t byte)
{
	return (byte >= ' ' && byte <= '~') || byte == '\n' || byte == '\r' || byte == '\t';
}

/* A NUL at the end may belong to it. */
static bool part_is_text(const struct abi_arg *arg, const struct abi_part *p)
{
	size_t i, len = part_len(arg, p);

	for (i = 0; i < len; i++)
		if (!is_printed(p->bytes[i]) && (p->bytes[i] || i + 1 < len))
			return false;
	return true;
}

static bool is_text(const struct abi_arg *arg, const struct abi_buffer *b)
{
	unsigned int i;

	for (i = 0; i < ABI_MAX_PARTS; i++)
		if (!part_is_text(arg, &b->part[i]))
			return false;
	return true;
}

size_t abi_memory_start(uint8_t *to, const struct abi_buffer *b)
{
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < ABI_MAX_PARTS; i++) {
		const struct abi_part *p = &b->part[i];
		size_t n = p->len < ABI_MAX_BYTES - len ? p->len : ABI_MAX_BYTES - len;

		if (n)
			memcpy(to + len, p->bytes, n);
		len += n;
		if (p->len < p->wanted)
			break;
	}
	return len;
}

static void put_hex(struct line *l, uint64_t value)
{
	line_str(l, "0x");
	line_hex(l, value);
}

static void put_escape(struct line *l, uint8_t byte)
{
	static const char named[] = "\nn\rr\tt\"\"\\\\";
	size_t i;

	line_char(l, '\\');
	for (i = 0; named[i]; i += 2) {
		if ((uint8_t)named[i] == byte) {
			line_char(l, named[i + 1]);
			return;
		}
	}
	if (!byte) {
		line_char(l, '0');
		return;
	}
	line_char(l, 'x');
	line_hex_zero(l, byte, 2);
}

void abi_quoted(struct line *l, const uint8_t *bytes, size_t len)
{
	const char *s = (const char *)bytes;
	size_t i, n;
	bool shown;

	line_char(l, '"');
	for (; len; s += n, len -= n) {
		n = printable_next(s, len, &shown);
		if (shown && *s != '"' && *s != '\\') {
			line_bytes(l, s, n);
			continue;
		}
		for (i = 0; i < n; i++)
			put_escape(l, (uint8_t)s[i]);
	}
	line_char(l, '"');
}

static void put_bytes(struct line *l, const uint8_t *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len && i < TEXT_BYTES; i++) {
		if (i)
			line_char(l, ' ');
		line_hex_zero(l, bytes[i], 2);
	}
	if (i < len)
		line_str(l, " ...");
}

/* How long what is missing of a string is, its end would have told. */
static void put_missing(struct line *l, const struct abi_arg *arg, const struct abi_part *p)
{
	line_char(l, '<');
	if (arg->type == ABI_BYTES) {
		line_dec(l, p->wanted);
		line_str(l, p->wanted == 1 ? " byte " : " bytes ");
	}
	line_str(l, "at ");
	put_hex(l, p->address);
	line_str(l, ": ");
	line_text(l, p->why);
	line_char(l, '>');
}

static void put_part(struct line *l, const struct abi_arg *arg, const struct abi_part *p, bool text)
{
	if (p->why)
		put_missing(l, arg, p);
	else if (text)
		abi_quoted(l, p->bytes, part_len(arg, p));
	else
		put_bytes(l, p->bytes, part_len(arg, p));
}

/* Both are missing, and for the same reason. */
static bool same_why(const struct abi_buffer *b)
{
	return b->part[0].why && b->part[1].why && !strcmp(b->part[0].why, b->part[1].why);
}

/* Parts that are there and follow each other are one text. */
static void put_parts(struct line *l, const struct abi_arg *arg, const struct abi_buffer *b)
{
	uint8_t bytes[ABI_MAX_BYTES];
	const struct abi_part whole = { .bytes = bytes,
					.len = (uint16_t)abi_memory_start(bytes, b) };
	bool text = is_text(arg, b);
	struct abi_part missing;
	unsigned int i;

	if (!b->part[0].why && !b->part[1].why) {
		put_part(l, arg, &whole, text);
		return;
	}
	if (same_why(b)) {
		missing = b->part[0];
		missing.wanted = (uint16_t)(missing.wanted + b->part[1].wanted);
		put_missing(l, arg, &missing);
		return;
	}
	for (i = 0; i < ABI_MAX_PARTS; i++) {
		if (!b->part[i].wanted)
			continue;
		line_str(l, i && !text ? " " : "");
		put_part(l, arg, &b->part[i], text);
	}
}

void abi_memory_text(struct line *l, const struct abi_arg *arg, const struct abi_buffer *b,
		     uint64_t address)
{
	size_t wanted;

	if (!b) {
		put_hex(l, address);
		return;
	}
	wanted = (size_t)b->part[0].wanted + b->part[1].wanted;
	put_parts(l, arg, b);
	if (arg->type == ABI_STRING ? wanted && !has_end(b) && !b->part[1].why && !b->part[0].why
				    : b->length > wanted)
		line_str(l, "...");
}

static void hex_json(struct json *j, const char *key, const uint8_t *bytes, size_t len)
{
	char hex[2 * ABI_MAX_BYTES + 1] = "";
	size_t i;

	for (i = 0; i < len && i < ABI_MAX_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	json_str(j, key, hex);
}

static void part_json(struct json *j, const struct abi_part *p)
{
	json_object(j, NULL);
	json_hex(j, "address", p->address);
	json_u64(j, "wanted", p->wanted);
	if (p->why)
		json_null(j, "bytes");
	else
		hex_json(j, "bytes", p->bytes, p->len);
	json_str(j, "missing", p->why);
	json_end_object(j);
}

static void buffer_json(struct json *j, const struct abi_arg *arg, const struct abi_buffer *b)
{
	uint8_t bytes[ABI_MAX_BYTES + 1];
	size_t len = abi_memory_start(bytes, b);
	unsigned int i;

	json_u64(j, "length", b->length);
	hex_json(j, "bytes", bytes, len);
	bytes[len] = 0;
	if (arg->type == ABI_STRING)
		json_str(j, "text", (const char *)bytes);
	json_array(j, "parts");
	for (i = 0; i < ABI_MAX_PARTS; i++)
		if (b->part[i].wanted)
			part_json(j, &b->part[i]);
	json_end_array(j);
}

void abi_memory_json(struct json *j, const struct abi_arg *arg, const struct abi_buffer *b,
		     uint64_t address)
{
	json_object(j, arg->name);
	json_hex(j, "address", address);
	if (b) {
		buffer_json(j, arg, b);
	} else {
		json_null(j, "length");
		json_null(j, "bytes");
		if (arg->type == ABI_STRING)
			json_null(j, "text");
		json_null(j, "parts");
	}
	json_end_object(j);
}
