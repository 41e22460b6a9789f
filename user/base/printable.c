// SPDX-License-Identifier: GPL-2.0
#include "user/base/printable.h"

#include <string.h>

bool printable_code(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{ 0, 0x1f },	    { 0x7f, 0x9f },	  { 0xad, 0xad },	{ 0x34f, 0x34f },
		{ 0x61c, 0x61c },   { 0x115f, 0x1160 },	  { 0x17b4, 0x17b5 },	{ 0x180b, 0x180f },
		{ 0x200b, 0x200f }, { 0x2028, 0x202e },	  { 0x2060, 0x206f },	{ 0x3164, 0x3164 },
		{ 0xd800, 0xdfff }, { 0xfe00, 0xfe0f },	  { 0xfeff, 0xfeff },	{ 0xffa0, 0xffa0 },
		{ 0xfff9, 0xfffb }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
	};
	size_t i;

	for (i = 0; i < sizeof(hidden) / sizeof(*hidden); i++)
		if (code >= hidden[i].first && code <= hidden[i].last)
			return false;
	return true;
}

size_t printable_utf8(const char *text, size_t room)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf;
	size_t i, len;

	if (!room || s[0] < 0x80)
		return room ? 1 : 0;
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
	if (len > room || s[1] < low || s[1] > high)
		return 0;
	for (i = 2; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

uint32_t printable_code_of(const char *s, size_t len)
{
	static const unsigned char first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t code = (unsigned char)s[0] & first_bits[len];
	size_t i;

	for (i = 1; i < len; i++)
		code = code << 6 | ((unsigned char)s[i] & 0x3f);
	return code;
}

size_t printable_next(const char *s, size_t len, bool *shown)
{
	size_t n = printable_utf8(s, len);

	*shown = n && printable_code(printable_code_of(s, n));
	return n ? n : 1;
}

size_t printable_copy(char *to, const char *s, size_t len)
{
	size_t at = 0, used = 0, n;
	bool shown;

	for (; at < len; at += n) {
		n = 1;
		shown = s[at] >= ' ' && s[at] < 0x7f; /* nearly all are */
		if (!shown)
			n = printable_next(s + at, len - at, &shown);
		if (shown)
			memmove(to + used, s + at, n);
		else
			to[used] = '?';
		used += shown ? n : 1;
	}
	return used;
}
