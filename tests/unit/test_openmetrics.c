// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/random.h"
#include "user/base/openmetrics.h"
#include "user/report/rate_bins.h"

struct page {
	struct om om;
	char *text;
	size_t len;
};

static void start(struct page *p)
{
	memset(p, 0, sizeof(*p));
	p->om.out = open_memstream(&p->text, &p->len);
}

static void expect(struct page *p, const char *want)
{
	fclose(p->om.out);
	cr_assert_str_eq(p->text, want);
	free(p->text);
}

Test(openmetrics, samples)
{
	const struct om_label labels[] = { { "a", "x" }, { "b", "say \"\\\"\nthere" } };
	struct page p;

	start(&p);
	om_family(&p.om, "one", OM_COUNTER, NULL, "Back\\slash.");
	om_u64(&p.om, labels, 2, UINT64_MAX);
	om_u64(&p.om, NULL, 0, 0);
	om_family(&p.om, "two_seconds", OM_GAUGE, "seconds", "Time.");
	om_seconds(&p.om, labels, 1, 1500000001);
	om_family(&p.om, "three", OM_INFO, NULL, "What.");
	om_u64(&p.om, labels, 1, 1);
	om_end(&p.om);
	expect(&p, "# TYPE one counter\n"
		   "# HELP one Back\\\\slash.\n"
		   "one_total{a=\"x\",b=\"say \\\"\\\\\\\"\\nthere\"} 18446744073709551615\n"
		   "one_total 0\n"
		   "# TYPE two_seconds gauge\n"
		   "# UNIT two_seconds seconds\n"
		   "# HELP two_seconds Time.\n"
		   "two_seconds{a=\"x\"} 1.500000001\n"
		   "# TYPE three info\n"
		   "# HELP three What.\n"
		   "three_info{a=\"x\"} 1\n"
		   "# EOF\n");
}

/* The number of a bucket's sample. */
static uint64_t bucket(const char *text, const char *le)
{
	char key[64];
	const char *at;

	snprintf(key, sizeof(key), "t_bucket{le=\"%s\"} ", le);
	at = strstr(text, key);
	cr_assert_not_null(at, "no %s in %s", key, text);
	return strtoull(at + strlen(key), NULL, 10);
}

Test(openmetrics, histogram)
{
	uint64_t slots[64] = { [0] = 1, [7] = 2, [8] = 4, [36] = 8, [37] = 16, [63] = 32 };
	struct page p;

	start(&p);
	om_family(&p.om, "t", OM_HISTOGRAM, NULL, "T.");
	om_histogram(&p.om, NULL, 0, slots, 5);
	fclose(p.om.out);
	cr_assert_eq(bucket(p.text, "2.55e-07"), 3, "up to 255 ns, with all below");
	cr_assert_eq(bucket(p.text, "5.11e-07"), 7);
	cr_assert_eq(bucket(p.text, "1.023e-06"), 7);
	cr_assert_eq(bucket(p.text, "137.438953471"), 15);
	cr_assert_eq(bucket(p.text, "+Inf"), 63);
	cr_assert_not_null(strstr(p.text, "\nt_count 63\nt_sum 0.000000005\n"));
	free(p.text);
}

/* Whatever the order: no bin too many, nothing lost, each one where it belongs. */
Test(rate_bins, model)
{
	unsigned int seed = random_seed("rate_bins"), round, i;
	struct rate_bins *b = malloc(sizeof(*b));

	for (round = 0; round < 50; round++) {
		uint64_t times[500], start = random64() >> 8,
				     span = random64() >> (20 + round % 40);
		unsigned int kinds[500], n = 1 + (unsigned int)random() % 500, kind;
		uint64_t want[RATE_KINDS] = { 0 }, got[RATE_KINDS] = { 0 };
		uint32_t bin;

		memset(b, 0, sizeof(*b));
		for (i = 0; i < n; i++) {
			times[i] = start + (span ? random64() % span : 0);
			kinds[i] = (unsigned int)random() % RATE_KINDS;
			want[kinds[i]]++;
			rate_bins_add(b, times[i], kinds[i]);
			cr_assert_leq(b->n, RATE_BINS);
			cr_assert_eq(b->start % b->width, 0);
		}
		for (bin = 0; bin < b->n; bin++)
			for (kind = 0; kind < RATE_KINDS; kind++)
				got[kind] += b->counts[bin][kind];
		cr_assert_arr_eq(got, want, sizeof(want), "seed %u", seed);
		for (i = 0; i < n; i++) {
			cr_assert_geq(times[i], b->start);
			bin = (uint32_t)((times[i] - b->start) / b->width);
			cr_assert_lt(bin, b->n);
			cr_assert_gt(b->counts[bin][kinds[i]], 0, "seed %u", seed);
		}
		cr_assert_gt(b->counts[0][0] + b->counts[0][1] + b->counts[0][2], 0);
		bin = b->n - 1;
		cr_assert_gt(b->counts[bin][0] + b->counts[bin][1] + b->counts[bin][2], 0);
		/* As narrow as it goes: half the width would be too many. */
		if (b->width > RATE_FIRST_BIN)
			cr_assert_geq(2 * (uint64_t)b->n, RATE_BINS - 1, "%u bins", b->n);
	}
	free(b);
}

Test(rate_bins, rates)
{
	struct rate_bins *b = calloc(1, sizeof(*b));
	int i;

	for (i = 0; i < 5; i++)
		rate_bins_add(b, 7000000 + (uint64_t)i, 1);
	rate_bins_add(b, 9999999, 2);
	cr_assert_eq(b->start, 7000000);
	cr_assert_eq(b->n, 3);
	cr_assert_eq(rate_bins_rate(b, 0, 1), 5000.0);
	cr_assert_eq(rate_bins_rate(b, 1, 1), 0.0);
	cr_assert_eq(rate_bins_rate(b, 2, 2), 1000.0);
	free(b);
}
