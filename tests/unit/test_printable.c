// SPDX-License-Identifier: GPL-2.0
/* Names from outside, in every kind of output. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "user/base/json.h"
#include "user/base/line.h"
#include "user/base/openmetrics.h"
#include "user/base/printable.h"

#define BIDI "\xe2\x80\xae"	/* U+202E, right-to-left override */
#define TAG  "\xf3\xa0\x81\x81" /* U+E0041, an invisible letter */
#define C1   "\xc2\x9b"

static void check_copy(const char *text, const char *want)
{
	char got[64];
	size_t len = printable_copy(got, text, strlen(text));

	cr_assert_eq(len, strlen(want), "%s", want);
	cr_assert_arr_eq(got, want, len, "%s", want);
}

Test(printable, one_question_mark_for_each_character)
{
	check_copy("plain ~", "plain ~");
	check_copy("\x1b[31m\n\t\x7f", "?[31m???");
	check_copy("a" C1 "b" BIDI "c" TAG "d", "a?b?c?d");
	check_copy("\x9b"
		   "2J\xff\xc3",
		   "?2J??"); /* 8-bit C1; cut */
	check_copy("p\xc3\xa4ge \xe6\xbc\xa2 \xf0\x9f\x98\x80",
		   "p\xc3\xa4ge \xe6\xbc\xa2 \xf0\x9f\x98\x80");
	check_copy("", "");
}

Test(printable, nothing_behind_the_end_is_read)
{
	bool shown;

	cr_assert_eq(printable_utf8("\xe2\x82\xac", 2), 0);
	cr_assert_eq(printable_utf8("\xe2\x82\xac", 3), 3);
	cr_assert_eq(printable_next("\xe2\x82\xac", 1, &shown), 1);
	cr_assert(!shown);
	cr_assert_eq(printable_utf8("a", 0), 0);
}

Test(printable, codes)
{
	static const uint32_t hidden[] = { 0,	   0x1b,   0x7f,   0x85,    0x9f,   0x61c,  0x200b,
					   0x200f, 0x2028, 0x202a, 0x202e,  0x2066, 0x2069, 0xd800,
					   0xdfff, 0xfeff, 0xfffb, 0xe0001, 0xe007f };
	static const uint32_t shown[] = { ' ',	  '~',	  0xa0,	  0xe4,	  0x200a,
					  0x2010, 0x2030, 0x20ac, 0xfffd, 0x1f600 };
	size_t i;

	for (i = 0; i < sizeof(hidden) / sizeof(*hidden); i++)
		cr_assert(!printable_code(hidden[i]), "%x", hidden[i]);
	for (i = 0; i < sizeof(shown) / sizeof(*shown); i++)
		cr_assert(printable_code(shown[i]), "%x", shown[i]);
}

Test(printable, a_line_is_as_wide_as_its_characters)
{
	struct line l = { 0 };

	line_char(&l, '|');
	line_text_right(&l, "\xc3\xa4" C1 "x", 6);
	line_text_right(&l, "longer", 3);
	cr_assert_eq(l.len, 14);
	cr_assert_arr_eq(l.buf, "|   \xc3\xa4?xlonger", 14);
	line_free(&l);
}

Test(printable, json_keeps_what_it_escapes)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct json j;

	json_init(&j, out);
	json_str(&j, NULL, "<" BIDI "\x1b" C1 TAG "\x9b\\u202e");
	fclose(out);
	cr_assert_str_eq(text, "\"<\\u202e\\u001b\\u009b\\udb40\\udc41\\ufffd\\\\u202e\"");
	free(text);
}

Test(printable, metrics)
{
	const struct om_label label = { "name", "a\"\\\n" BIDI "\x1b\xff" };
	char *text;
	size_t len;
	struct om om = { .out = open_memstream(&text, &len) };

	om_family(&om, "f", OM_GAUGE, NULL, "x");
	om_u64(&om, &label, 1, 1);
	fclose(om.out);
	cr_assert_str_eq(text, "# TYPE f gauge\n# HELP f x\nf{name=\"a\\\"\\\\\\n???\"} 1\n");
	free(text);
}
