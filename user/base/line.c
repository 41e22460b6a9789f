// SPDX-License-Identifier: GPL-2.0
#include "user/base/line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/printable.h"

#define LINE_FIRST 1024
#define DIGITS	   20 /* of the largest 64-bit number */

/* Room for @n more bytes, or NULL. */
static char *reserve(struct line *l, size_t n)
{
	size_t size = l->size ? l->size : LINE_FIRST;
	char *buf;

	if (l->len + n > l->size) {
		while (size < l->len + n)
			size *= 2;
		buf = realloc(l->buf, size);
		if (!buf) {
			l->failed = true;
			return NULL;
		}
		l->buf = buf;
		l->size = size;
	}
	return l->buf + l->len;
}

void line_bytes(struct line *l, const char *s, size_t len)
{
	char *p = reserve(l, len);

	if (!p)
		return;
	memcpy(p, s, len);
	l->len += len;
}

void line_char(struct line *l, char c)
{
	line_bytes(l, &c, 1);
}

static void put_text(struct line *l, const char *s, size_t len)
{
	char *p = reserve(l, len);

	if (p)
		l->len += printable_copy(p, s, len);
}

void line_text(struct line *l, const char *s)
{
	put_text(l, s, strlen(s));
}

void line_spaces(struct line *l, size_t n)
{
	char *p = reserve(l, n);

	if (!p)
		return;
	memset(p, ' ', n);
	l->len += n;
}

/* Characters of valid UTF-8. */
static size_t width_of(const char *s, size_t len)
{
	size_t i, width = 0;

	for (i = 0; i < len; i++)
		width += (s[i] & 0xc0) != 0x80;
	return width;
}

void line_text_right(struct line *l, const char *s, size_t width)
{
	size_t from = l->len, len, used;

	line_text(l, s);
	if (l->failed)
		return;
	len = l->len - from;
	used = width_of(l->buf + from, len);
	if (used >= width)
		return;
	line_spaces(l, width - used);
	if (l->failed)
		return;
	memmove(l->buf + from + (width - used), l->buf + from, len);
	memset(l->buf + from, ' ', width - used);
}

void line_dec_zero(struct line *l, uint64_t v, unsigned int width)
{
	char digits[DIGITS];
	unsigned int n = 0;

	do {
		n++;
		digits[DIGITS - n] = (char)('0' + v % 10);
		v /= 10;
	} while (n < DIGITS && (v || n < width));
	line_bytes(l, digits + DIGITS - n, n);
}

void line_dec(struct line *l, uint64_t v)
{
	line_dec_zero(l, v, 1);
}

void line_hex_zero(struct line *l, uint64_t v, unsigned int width)
{
	unsigned int n = v ? (67u - (unsigned int)__builtin_clzll(v)) / 4 : 1;
	unsigned int i;
	char *p;

	if (n < width)
		n = width;
	p = reserve(l, n);
	if (!p)
		return;
	for (i = n; i-- > 0; v >>= 4)
		p[i] = "0123456789abcdef"[v & 15];
	l->len += n;
}

void line_hex(struct line *l, uint64_t v)
{
	line_hex_zero(l, v, 1);
}

int line_write(struct line *l, FILE *out)
{
	size_t len = l->len;

	l->len = 0;
	if (l->failed) {
		l->failed = false;
		return -ENOMEM;
	}
	errno = 0;
	if (fwrite_unlocked(l->buf, 1, len, out) == len)
		return 0;
	return errno ? -errno : -EIO;
}

void line_free(struct line *l)
{
	free(l->buf);
	*l = (struct line){ 0 };
}
