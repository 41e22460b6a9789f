// SPDX-License-Identifier: GPL-2.0
/* Entries of every format and level: every pattern there and back, and their fields. */
#include "tests/unit/pt_entry_formats.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* ---- every pattern ---------------------------------------------------------------------- */

static void check_round_trip(const struct config *c, const struct pt_fmt *fmt, unsigned int level,
			     uint64_t entry)
{
	struct pt_entry e;
	uint64_t again;

	pt_decode(fmt, level, entry, &e);
	if (!pt_encode(fmt, &e, &again) && again == entry)
		return;
	cr_assert_fail("%s, level %u: 0x%llx", c->name, level, (unsigned long long)entry);
}

/* Pattern @i of the bits that hold no address: 11..0 and 63..52; the others as in @between. */
static uint64_t pattern(const struct pt_fmt *fmt, unsigned int i, uint64_t between)
{
	return ((i & 4095) | (uint64_t)(i >> 12) << 52 | between << 12) & entry_bits(fmt);
}

/*
 * One of every @stride patterns, with random address bits, legal or not. Odd, so that every bit
 * changes.
 */
static void some_patterns(const struct config *c, const struct pt_fmt *fmt, unsigned int level,
			  unsigned int stride)
{
	unsigned int i;

	for (i = (unsigned int)(random_u64() % stride); i < 1U << 24; i += stride)
		check_round_trip(c, fmt, level, pattern(fmt, i, random_u64() & PT_BITS(39, 0)));
}

/* All that are legal, with a random address that is. */
static void legal_patterns(const struct config *c, const struct pt_fmt *fmt, unsigned int level,
			   unsigned int stride)
{
	unsigned int i, n = fmt->mode == PT_MODE_32BIT ? 1U << 12 : 1U << 24;
	uint64_t entry, fixed = PT_BITS(11, 0) | PT_BITS(63, 52);
	uint8_t why;

	for (i = 0; i < n; i += stride) {
		entry = pattern(fmt, i, random_u64() & PT_BITS(39, 0));
		if (pt_entry_is_leaf(fmt, level, entry))
			entry &= ~fmt->rsvd_leaf[level] | fixed;
		else
			entry &= ~fmt->rsvd_table[level] | fixed;
		if (pt_entry_kind(fmt, level, entry, &why) <= PT_LEAF)
			check_round_trip(c, fmt, level, entry);
	}
}

static void try_patterns(const struct config *c)
{
	struct pt_fmt fmt = format(c);
	unsigned int level;

	for (level = 1; level <= fmt.top; level++) {
		some_patterns(c, &fmt, level, SANITIZED ? 4001 : 401);
		if (c->every)
			legal_patterns(c, &fmt, level, SANITIZED ? 101 : 1);
	}
}

/* In two tests, which run side by side. */
Test(pt_entry, round_trip_of_every_x86_pattern)
{
	size_t i;

	random_start();
	for (i = 0; i < NR_CONFIGS; i++)
		if (configs[i].mode < PT_MODE_EPT4)
			try_patterns(&configs[i]);
}

Test(pt_entry, round_trip_of_every_ept_pattern)
{
	size_t i;

	random_start();
	for (i = 0; i < NR_CONFIGS; i++)
		if (configs[i].mode >= PT_MODE_EPT4)
			try_patterns(&configs[i]);
}

/* ---- fields ----------------------------------------------------------------------------- */

/* They cover the entry, and say what the walk's masks say. */
static void check_fields(const struct config *c, const struct pt_fmt *fmt, unsigned int level,
			 uint64_t entry)
{
	uint64_t rsvd = 0, addr = 0, again = 0, want;
	struct pt_field f[PT_MAX_FIELDS];
	unsigned int i, next = 0, n = pt_entry_fields(fmt, level, entry, f);
	int leaf = pt_entry_is_leaf(fmt, level, entry);

	cr_assert_leq(n, PT_MAX_FIELDS);
	for (i = 0; i < n; i++) {
		cr_assert_eq(f[i].lo, next, "%s, level %u, bit %u", c->name, level, next);
		cr_assert_geq(f[i].hi, f[i].lo);
		cr_assert_lt(f[i].id, PT_NR_FIELD_IDS);
		next = f[i].hi + 1U;
		if (f[i].id == PT_FIELD_RSVD)
			rsvd |= PT_BITS(f[i].hi, f[i].lo);
		if (f[i].id == PT_FIELD_ADDR || f[i].id == PT_FIELD_ADDR_HI)
			addr |= pt_field_get(&f[i], entry);
		cr_assert_eq(pt_field_set(&f[i], &again, pt_field_get(&f[i], entry)), 0);
	}
	cr_assert_eq(next, fmt->mode == PT_MODE_32BIT ? 32 : 64);
	cr_assert_eq(again, entry);
	if (!(entry & fmt->present))
		return;
	want = leaf ? fmt->rsvd_leaf[level] : fmt->rsvd_table[level];
	cr_assert_eq(rsvd, want, "%s, level %u, entry 0x%llx: rsvd 0x%llx", c->name, level,
		     (unsigned long long)entry, (unsigned long long)rsvd);
	cr_assert_eq(addr, pt_entry_addr(fmt, level, entry, leaf));
}

Test(pt_entry, fields_cover_the_entry)
{
	unsigned int level, n;
	size_t i;

	random_start();
	for (i = 0; i < NR_CONFIGS; i++) {
		struct pt_fmt fmt = format(&configs[i]);

		for (level = 1; level <= fmt.top; level++)
			for (n = 0; n < 200; n++)
				check_fields(&configs[i], &fmt, level, random_entry(&fmt, level));
	}
}

/* "P RW US ... addr[45:12] ...", the fields of an entry by name. */
static const char *fields_text(const struct pt_fmt *fmt, unsigned int level, uint64_t entry)
{
	static char text[512];
	struct pt_field f[PT_MAX_FIELDS];
	unsigned int i, n = pt_entry_fields(fmt, level, entry, f);
	size_t at = 0;

	for (i = 0; i < n; i++) {
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i ? " " : "",
				       pt_field_name(f[i].id));
		if (f[i].lo != f[i].hi)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "[%u:%u]", f[i].hi,
					       f[i].lo);
	}
	return text;
}

/* Each kind of entry, as the manuals' tables have it. */
Test(pt_entry, fields_of_the_manuals)
{
	static const struct {
		const char *format;
		unsigned int level;
		uint64_t entry;
		const char *fields;
	} cases[] = {
		/* SDM vol. 3, tables 4-4 to 4-6 */
		{ "32bit", 2, PT_P | PT_PS, "P RW US PWT PCD A sw[11:6] addr[31:12]" },
		{ "32bit pse", 2, PT_P, "P RW US PWT PCD A sw PS sw[11:8] addr[31:12]" },
		{ "32bit pse", 2, PT_P | PT_PS,
		  "P RW US PWT PCD A D PS G sw[11:9] PAT rsvd[21:13] addr[31:22]" },
		{ "32bit pse36 36", 2, PT_P | PT_PS,
		  "P RW US PWT PCD A D PS G sw[11:9] PAT addr_hi[16:13] rsvd[21:17] addr[31:22]" },
		{ "32bit pse36 40", 2, PT_P | PT_PS,
		  "P RW US PWT PCD A D PS G sw[11:9] PAT addr_hi[20:13] rsvd addr[31:22]" },
		{ "32bit pse36 40", 1, PT_P, "P RW US PWT PCD A D PAT G sw[11:9] addr[31:12]" },
		{ "32bit", 1, 0, "P ignored[31:1]" },
		/* tables 4-8 to 4-11 */
		{ "pae", 3, PT_P,
		  "P rsvd[2:1] PWT PCD rsvd[8:5] sw[11:9] addr[35:12] rsvd[63:36]" },
		{ "pae nx", 3, PT_P,
		  "P rsvd[2:1] PWT PCD rsvd[8:5] sw[11:9] addr[51:12] rsvd[63:52]" },
		{ "pae nx", 2, PT_P | PT_PS,
		  "P RW US PWT PCD A D PS G sw[11:9] PAT rsvd[20:13] addr[51:21] rsvd[62:52] NX" },
		{ "pae", 2, PT_P, "P RW US PWT PCD A sw PS sw[11:8] addr[35:12] rsvd[63:36]" },
		{ "pae nx", 1, PT_P,
		  "P RW US PWT PCD A D PAT G sw[11:9] addr[51:12] rsvd[62:52] NX" },
		/* tables 4-14 to 4-20 */
		{ "5level", 5, PT_P,
		  "P RW US PWT PCD A sw rsvd sw[11:8] addr[45:12] rsvd[51:46] sw[62:52] NX" },
		{ "5level", 3, PT_P,
		  "P RW US PWT PCD A sw PS sw[11:8] addr[45:12] rsvd[51:46] sw[62:52] NX" },
		{ "5level", 3, PT_P | PT_PS,
		  "P RW US PWT PCD A D PS G sw[11:9] PAT rsvd[29:13] addr[45:30] rsvd[51:46] "
		  "sw[58:52] PK[62:59] NX" },
		{ "4level 52", 2, PT_P | PT_PS,
		  "P RW US PWT PCD A D PS G sw[11:9] PAT rsvd[20:13] addr[51:21] sw[58:52] "
		  "PK[62:59] NX" },
		{ "4level 52", 3, PT_P,
		  "P RW US PWT PCD A sw rsvd sw[11:8] addr[51:12] sw[62:52] NX" },
		{ "4level plain", 1, PT_P,
		  "P RW US PWT PCD A D PAT G sw[11:9] addr[31:12] rsvd[51:32] sw[58:52] PK[62:59] "
		  "rsvd" },
		{ "4level", 4, 0, "P ignored[63:1]" },
		/* AMD APM vol. 2, 7.10: the C bit */
		{ "4level enc", 1, PT_P,
		  "P RW US PWT PCD A D PAT G sw[11:9] addr[46:12] enc rsvd[51:48] sw[58:52] "
		  "PK[62:59] NX" },
		{ "5level enc", 4, PT_P,
		  "P RW US PWT PCD A sw rsvd sw[11:8] addr[39:12] enc addr[51:41] sw[62:52] NX" },
		/* SDM vol. 3, tables 29-1 to 29-7 */
		{ "ept5 all", 5, EPT_R,
		  "R W X rsvd[7:3] A sw XU sw addr[45:12] rsvd[51:46] sw[63:52]" },
		{ "ept4", 4, EPT_R, "R W X rsvd[7:3] sw[11:8] addr[45:12] rsvd[51:46] sw[63:52]" },
		{ "ept5 all", 3, EPT_R,
		  "R W X rsvd[6:3] PS A sw XU sw addr[45:12] rsvd[51:46] sw[63:52]" },
		{ "ept5 all", 3, EPT_R | EPT_PS,
		  "R W X memtype[5:3] IPAT PS A D XU sw rsvd[29:12] addr[45:30] rsvd[51:46] "
		  "sw[56:52] VGP PW sw SSS sw[62:61] SVE" },
		{ "ept5 all", 2, EPT_R | EPT_PS,
		  "R W X memtype[5:3] IPAT PS A D XU sw rsvd[20:12] addr[45:21] rsvd[51:46] "
		  "sw[56:52] VGP PW sw SSS sw[62:61] SVE" },
		{ "ept5 all", 1, EPT_R,
		  "R W X memtype[5:3] IPAT sw A D XU sw addr[45:12] rsvd[51:46] sw[56:52] VGP PW sw "
		  "SSS SPP sw SVE" },
		{ "ept4", 1, EPT_R,
		  "R W X memtype[5:3] IPAT sw[11:7] addr[45:12] rsvd[51:46] sw[56:52] VGP PW "
		  "sw[60:59] SPP sw SVE" },
		{ "ept5 all", 4, 0, "R W X ignored[9:3] XU ignored[62:11] SVE" },
		{ "ept4", 1, EPT_XU, "R W X ignored[62:3] SVE" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pt_fmt fmt = format_named(cases[i].format);

		cr_assert_str_eq(fields_text(&fmt, cases[i].level, cases[i].entry), cases[i].fields,
				 "case %zu: %s", i,
				 fields_text(&fmt, cases[i].level, cases[i].entry));
	}
}
