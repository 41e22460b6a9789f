// SPDX-License-Identifier: GPL-2.0
#include "user/base/hex.h"

#include <ctype.h>
#include <string.h>

static void put_row(struct line *l, uint64_t at, const unsigned char *bytes, size_t n)
{
	size_t i;

	line_hex_zero(l, at, 16);
	line_char(l, ' ');
	for (i = 0; i < HEX_ROW; i++) {
		if (i % 8 == 0)
			line_char(l, ' ');
		if (i < n)
			line_hex_zero(l, bytes[i], 2);
		else
			line_spaces(l, 2);
		line_char(l, ' ');
	}
	line_str(l, " |");
	for (i = 0; i < n; i++)
		line_char(l, isprint(bytes[i]) ? (char)bytes[i] : '.');
	line_str(l, "|\n");
}

void hex_rows(struct line *l, uint64_t at, const void *bytes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i += HEX_ROW)
		put_row(l, at + i, (const unsigned char *)bytes + i,
			n - i < HEX_ROW ? n - i : HEX_ROW);
}

static int hex_digit(char c)
{
	if (!isxdigit((unsigned char)c))
		return -1;
	return isdigit((unsigned char)c) ? c - '0' : tolower(c) - 'a' + 10;
}

size_t hex_parse(const char *s, char *buf, size_t max)
{
	size_t n = 0;
	int high, low;

	for (;; s += 2) {
		s += strspn(s, " ,:\t\n");
		if (!*s)
			return n;
		high = hex_digit(s[0]);
		low = high < 0 ? -1 : hex_digit(s[1]);
		if (low < 0 || n == max)
			return 0;
		if (buf)
			buf[n] = (char)(high << 4 | low);
		n++;
	}
}
