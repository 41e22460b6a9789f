// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>

#include <iconv.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/base/json.h"

/* A writer into memory. */
struct out {
	struct json j;
	FILE *file;
	char *text;
	size_t size;
};

static void out_open(struct out *o)
{
	o->text = NULL;
	o->file = open_memstream(&o->text, &o->size);
	cr_assert_not_null(o->file);
	json_init(&o->j, o->file);
}

static void out_check(struct out *o, const char *expected)
{
	fclose(o->file);
	cr_assert_str_eq(o->text, expected);
	free(o->text);
}

Test(json, document)
{
	struct out o;

	out_open(&o);
	json_object(&o.j, NULL);
	json_str(&o.j, "name", "sleep");
	json_array(&o.j, "list");
	json_u64(&o.j, NULL, 0);
	json_u64(&o.j, NULL, UINT64_MAX);
	json_object(&o.j, NULL);
	json_end_object(&o.j);
	json_array(&o.j, NULL);
	json_end_array(&o.j);
	json_end_array(&o.j);
	json_hex(&o.j, "address", UINT64_C(0x7fff12345000));
	json_hex(&o.j, "zero", 0);
	json_bool(&o.j, "yes", true);
	json_bool(&o.j, "no", false);
	json_null(&o.j, "nothing");
	json_str(&o.j, "no name", NULL);
	json_double(&o.j, "half", 0.5);
	json_end_object(&o.j);
	json_end_line(&o.j);
	out_check(&o, "{\"name\":\"sleep\",\"list\":[0,18446744073709551615,{},[]],"
		      "\"address\":\"0x7fff12345000\",\"zero\":\"0x0\",\"yes\":true,\"no\":false,"
		      "\"nothing\":null,\"no name\":null,\"half\":0.5}\n");
}

Test(json, times_and_breaks)
{
	struct out o;

	out_open(&o);
	json_array(&o.j, NULL);
	json_break(&o.j);
	json_ns_as_us(&o.j, NULL, 1234567);
	json_break(&o.j);
	json_ns_as_us(&o.j, NULL, 5);
	json_ns_as_us(&o.j, NULL, UINT64_MAX);
	json_end_array(&o.j);
	out_check(&o, "[\n1234.567\n,0.005,18446744073709551.615]");
}

Test(json, one_object_per_line)
{
	struct out o;
	int i;

	out_open(&o);
	for (i = 0; i < 2; i++) {
		json_object(&o.j, NULL);
		json_u64(&o.j, "i", (uint64_t)i);
		json_end_object(&o.j);
		json_end_line(&o.j);
	}
	out_check(&o, "{\"i\":0}\n{\"i\":1}\n");
}

Test(json, doubles_are_numbers_or_null)
{
	struct out o;

	out_open(&o);
	json_array(&o.j, NULL);
	json_double(&o.j, NULL, 0.1);
	json_double(&o.j, NULL, -1e300);
	json_double(&o.j, NULL, NAN);
	json_double(&o.j, NULL, INFINITY);
	json_end_array(&o.j);
	out_check(&o, "[0.1,-1e+300,null,null]");
}

Test(json, escapes)
{
	struct out o;

	out_open(&o);
	json_str(&o.j, NULL, "a\"b\\c\n\t\r\b\f\x01\x1f\x7f/");
	out_check(&o, "\"a\\\"b\\\\c\\n\\t\\r\\b\\f\\u0001\\u001f\\u007f/\"");
}

Test(json, keys_are_escaped_too)
{
	struct out o;

	out_open(&o);
	json_object(&o.j, NULL);
	json_u64(&o.j, "a\"\xff", 1);
	json_end_object(&o.j);
	out_check(&o, "{\"a\\\"\\ufffd\":1}");
}

Test(json, utf8)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "\xc3\xa4", "\"\xc3\xa4\"" },
		{ "\xe2\x82\xac", "\"\xe2\x82\xac\"" },
		{ "\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"" },
		{ "\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\"" },
		{ "\xff", "\"\\ufffd\"" },
		{ "\x80x", "\"\\ufffdx\"" },
		{ "\xc3", "\"\\ufffd\"" },				    /* cut */
		{ "\xe2\x82", "\"\\ufffd\\ufffd\"" },			    /* cut */
		{ "\xc0\x80", "\"\\ufffd\\ufffd\"" },			    /* overlong */
		{ "\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\"" },	    /* overlong */
		{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" },	    /* surrogate */
		{ "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" }, /* too large */
		{ "\xc3\"", "\"\\ufffd\\\"\"" },
	};
	struct out o;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		out_open(&o);
		json_str(&o.j, NULL, cases[i].in);
		out_check(&o, cases[i].out);
	}
}

/* The C library as the judge of what is UTF-8. */
static bool is_utf8(const char *text, size_t len)
{
	iconv_t cd = iconv_open("UTF-32LE", "UTF-8");
	char *in = (char *)text, *to;
	char buf[1024];
	size_t room = sizeof(buf), ret;

	to = buf;
	cr_assert_neq(cd, (iconv_t)-1);
	ret = iconv(cd, &in, &len, &to, &room);
	iconv_close(cd);
	return ret != (size_t)-1;
}

Test(json, random_bytes_make_valid_strings)
{
	unsigned int seed = (unsigned int)time(NULL);
	char in[12];
	struct out o;
	size_t j;
	int i;

	fprintf(stderr, "random_bytes_make_valid_strings: seed %u\n", seed);
	srandom(seed);
	for (i = 0; i < 20000; i++) {
		for (j = 0; j < sizeof(in) - 1; j++)
			in[j] = (char)(random() % 3 ? 0x80 + random() % 128 : random() % 256);
		in[sizeof(in) - 1] = 0;
		out_open(&o);
		json_str(&o.j, NULL, in);
		fclose(o.file);
		cr_assert(is_utf8(o.text, o.size));
		cr_assert_eq(!strstr(o.text, "\\ufffd"), is_utf8(in, strlen(in)));
		for (j = 0; j < o.size; j++)
			cr_assert((unsigned char)o.text[j] >= 0x20);
		free(o.text);
	}
}
