// SPDX-License-Identifier: GPL-2.0
#include "user/report/top_text.h"

#include <wchar.h>
#include <wctype.h>

#include "user/base/printable.h"

/* The next character of *@s, which is moved behind it: its columns and bytes; 0: it is none. */
static size_t next(const char **s, size_t *bytes)
{
	mbstate_t state = { 0 };
	wchar_t c;
	size_t n = mbrtowc(&c, *s, strlen(*s), &state);
	int width;

	if (n == (size_t)-1 || n == (size_t)-2) {
		*bytes = 0;
		(*s)++;
		return 1;
	}
	width = iswprint((wint_t)c) && printable_code((uint32_t)c) ? wcwidth(c) : -1;
	*bytes = width < 0 ? 0 : n;
	*s += n;
	return width < 0 ? 1 : (size_t)width;
}

size_t top_text_columns(const char *s)
{
	size_t bytes, columns = 0;

	while (*s)
		columns += next(&s, &bytes);
	return columns;
}

/* Returns how many columns it took. */
static size_t put(struct line *l, const char *s, size_t width)
{
	size_t bytes, columns, used = 0;
	const char *from;

	while (*s) {
		from = s;
		columns = next(&s, &bytes);
		if (columns > width - used)
			break;
		if (bytes)
			line_bytes(l, from, bytes);
		else
			line_char(l, '?');
		used += columns;
	}
	return used;
}

void top_text_left(struct line *l, const char *s, size_t width)
{
	size_t used = put(l, s, width);

	if (width != TOP_TEXT_ALL)
		line_spaces(l, width - used);
}

void top_text_right(struct line *l, const char *s, size_t width)
{
	size_t columns = top_text_columns(s);

	if (width != TOP_TEXT_ALL && columns < width)
		line_spaces(l, width - columns);
	put(l, s, width);
}

const char *top_ink(unsigned int level, bool utf8)
{
	static const char *const ascii[] = { ":", "-", "=", "+", "*", "#", "%", "@" };
	static const char *const blocks[] = {
		"\xe2\x96\x81", "\xe2\x96\x82", "\xe2\x96\x83", "\xe2\x96\x84",
		"\xe2\x96\x85", "\xe2\x96\x86", "\xe2\x96\x87", "\xe2\x96\x88",
	};

	return (utf8 ? blocks : ascii)[(level - 1) % TOP_INK_LEVELS];
}

static unsigned int bits(uint64_t v)
{
	return 64 - (unsigned int)__builtin_clzll(v);
}

unsigned int top_ink_level(uint64_t value, uint64_t max)
{
	if (!value)
		return 0;
	if (value >= max || bits(max) == 1)
		return TOP_INK_LEVELS;
	return 1 + (bits(value) - 1) * (TOP_INK_LEVELS - 1) / bits(max);
}
