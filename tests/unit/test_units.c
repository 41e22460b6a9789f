// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/base/units.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

typedef int (*parse_fn)(const char *, uint64_t *);
typedef char *(*format_fn)(char *, uint64_t);

struct parse_case {
	const char *text;
	uint64_t value;
};

struct format_case {
	uint64_t value;
	const char *text;
};

static void check_good(parse_fn parse, const struct parse_case *cases, size_t n)
{
	uint64_t v;
	size_t i;

	for (i = 0; i < n; i++) {
		cr_assert_eq(parse(cases[i].text, &v), 0, "'%s'", cases[i].text);
		cr_assert_eq(v, cases[i].value, "'%s': %" PRIu64, cases[i].text, v);
	}
}

/* Refused, and the value is left alone. */
static void check_bad(parse_fn parse, const char *const *cases, size_t n)
{
	uint64_t v = 42;
	size_t i;

	for (i = 0; i < n; i++) {
		cr_assert_eq(parse(cases[i], &v), -EINVAL, "'%s'", cases[i]);
		cr_assert_eq(v, 42, "'%s'", cases[i]);
	}
}

static void check_format(format_fn format, const struct format_case *cases, size_t n)
{
	char buf[UNITS_LEN];
	size_t i;

	for (i = 0; i < n; i++)
		cr_assert_str_eq(format(buf, cases[i].value), cases[i].text);
}

Test(units, numbers)
{
	static const struct parse_case good[] = {
		{ "0", 0 },
		{ "42", 42 },
		{ "010", 10 },
		{ "0x10", 16 },
		{ "0XfF", 0xff },
		{ "18446744073709551615", UINT64_MAX },
		{ "0xffffffffffffffff", UINT64_MAX },
	};
	static const char *const bad[] = { "",
					   " 1",
					   "1 ",
					   "-1",
					   "+1",
					   "0x",
					   "0xg",
					   "1.5",
					   "1a",
					   "18446744073709551616",
					   "abc",
					   "1,0",
					   "0x10000000000000000" };

	check_good(units_parse_u64, good, ARRAY_SIZE(good));
	check_bad(units_parse_u64, bad, ARRAY_SIZE(bad));
}

Test(units, sizes)
{
	static const struct parse_case good[] = {
		{ "4096", 4096 },      { "512B", 512 },
		{ "1k", 1024 },	       { "64M", 64u << 20 },
		{ "64MB", 64u << 20 }, { "64MiB", 64u << 20 },
		{ "1g", 1u << 30 },    { "2T", UINT64_C(2) << 40 },
		{ "0x10K", 16 << 10 }, { "16777215T", UINT64_C(16777215) << 40 },
	};
	static const char *const bad[] = { "",	   "M",	  "12Q", "12iB", "12MiBs",
					   "1.5G", "-1M", "1 M", "1KK",	 "16777216T" };

	check_good(units_parse_size, good, ARRAY_SIZE(good));
	check_bad(units_parse_size, bad, ARRAY_SIZE(bad));
}

Test(units, times)
{
	static const struct parse_case good[] = {
		{ "500", 500 },
		{ "500ns", 500 },
		{ "10us", 10000 },
		{ "2ms", 2000000 },
		{ "1s", 1000000000 },
		{ "2m", UINT64_C(120000000000) },
		{ "1.5ms", 1500000 },
		{ "0.000000001s", 1 },
		{ "0.0000000019s", 1 },
		{ "0.1m", UINT64_C(6000000000) },
		{ "18446744073.709551615s", UINT64_MAX },
	};
	static const char *const bad[] = { "",
					   "s",
					   ".5s",
					   "1.s",
					   "1..5s",
					   "1.5.s",
					   "1h",
					   "-1s",
					   "1 s",
					   "0x10us",
					   "1e3s",
					   "1S",
					   "18446744073.709551616s",
					   "307445734562m" };

	check_good(units_parse_time, good, ARRAY_SIZE(good));
	check_bad(units_parse_time, bad, ARRAY_SIZE(bad));
}

Test(units, lists)
{
	uint64_t map[3];

	cr_assert_eq(units_parse_list("0,2-3", map, 64), 0);
	cr_assert_eq(map[0], 0xd);
	cr_assert_eq(units_parse_list("63-64,129", map, 130), 0);
	cr_assert_eq(map[0], UINT64_C(1) << 63);
	cr_assert_eq(map[1], 1);
	cr_assert_eq(map[2], 2);
	cr_assert_eq(units_parse_list("0-129", map, 130), 0);
	cr_assert_eq(map[1], UINT64_MAX);
	cr_assert_eq(map[2], 3);
}

Test(units, bad_lists)
{
	static const char *const bad[] = {
		"",   "a",   ",",    "1,",  ",1", "1-",
		"-1", "3-2", "1--2", "0x1", "1 ", "99999999999999999999"
	};
	uint64_t map[2];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		cr_assert_eq(units_parse_list(bad[i], map, 128), -EINVAL, "'%s'", bad[i]);
	cr_assert_eq(units_parse_list("128", map, 128), -ERANGE);
	cr_assert_eq(units_parse_list("0-18446744073709551615", map, 128), -ERANGE);
}

Test(units, formats)
{
	static const struct format_case times[] = {
		{ 0, "0ns" },
		{ 850, "850ns" },
		{ 999, "999ns" },
		{ 1000, "1.00us" },
		{ 9994, "9.99us" },
		{ 9996, "10.0us" },
		{ 12340, "12.3us" },
		{ 99960, "100us" },
		{ 999499, "999us" },
		{ 999600, "1.00ms" },
		{ 4560000, "4.56ms" },
		{ 1200000000, "1.20s" },
		{ UINT64_C(90000000000), "90.0s" },
		{ UINT64_MAX, "18446744074s" },
	};
	static const struct format_case sizes[] = {
		{ 0, "0 B" },		{ 512, "512 B" },	    { 1023, "1023 B" },
		{ 1024, "1.0 KiB" },	{ 4096, "4.0 KiB" },	    { 20447232, "19.5 MiB" },
		{ 1048575, "1.0 MiB" }, { UINT64_MAX, "16.0 EiB" },
	};
	static const struct format_case counts[] = {
		{ 0, "0" },
		{ 999, "999" },
		{ 1000, "1,000" },
		{ 200000, "200,000" },
		{ 1234567, "1,234,567" },
		{ UINT64_MAX, "18,446,744,073,709,551,615" },
	};

	check_format(units_time, times, ARRAY_SIZE(times));
	check_format(units_size, sizes, ARRAY_SIZE(sizes));
	check_format(units_count, counts, ARRAY_SIZE(counts));
}

/* What units_time() prints can be read back and is off by half of the last digit at most. */
Test(units, random_times_round_trip)
{
	unsigned int seed = (unsigned int)time(NULL);
	char buf[UNITS_LEN];
	uint64_t v, back, off;
	int i;

	fprintf(stderr, "random_times_round_trip: seed %u\n", seed);
	srandom(seed);
	for (i = 0; i < 100000; i++) {
		v = ((uint64_t)random() << 31 | (uint64_t)random()) >> (random() % 62);
		cr_assert_eq(units_parse_time(units_time(buf, v), &back), 0, "%s", buf);
		off = back > v ? back - v : v - back;
		cr_assert_leq(off, v / 100 / 2 + 1, "%" PRIu64 " as %s", v, buf);
		cr_assert_leq(strlen(buf), v < UINT64_C(1000000000000) ? 6 : UNITS_LEN, "%s", buf);
	}
}
