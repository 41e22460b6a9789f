// SPDX-License-Identifier: GPL-2.0
/* Entries as text and as JSON, against what is written down here. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "user/pt/pt_linux.h"
#include "user/show/entry_text.h"
#include "user/show/words.h"

static struct entry_view view(struct pt_fmt *fmt, enum pt_mode mode, unsigned int level,
			      uint64_t entry)
{
	const struct pt_feat feat = {
		.maxphyaddr = 46, .nx = 1, .page1g = 1, .pse = 1, .pse36 = 1, .ept_ad = 1
	};

	cr_assert_eq(pt_fmt_init(fmt, mode, &feat), 0);
	return (struct entry_view){ .fmt = fmt, .entry = entry, .level = level };
}

static void expect(struct line *l, const char *expected)
{
	line_char(l, '\0');
	cr_expect_str_eq(l->buf, expected);
	line_free(l);
}

Test(entry_text, fields_that_say_something)
{
	static const struct {
		enum pt_mode mode;
		unsigned int level;
		uint64_t entry;
		const char *text;
	} cases[] = {
		{ PT_MODE_4LEVEL, 1, 0, "empty" },
		{ PT_MODE_4LEVEL, 1, 0x80000000deadb867,
		  "P RW US A D sw[11:9]=0x4 addr=0xdeadb000 NX" },
		{ PT_MODE_4LEVEL, 1, 0x1001, "P addr=0x1000" },
		{ PT_MODE_4LEVEL, 4, 0x2007, "P RW US addr=0x2000" },
		{ PT_MODE_4LEVEL, 2, 0x18000000002010e3, "P RW A D PS PAT addr=0x200000 PK=0x3" },
		{ PT_MODE_4LEVEL, 4, 0x2087, "P RW US rsvd[7] addr=0x2000" },
		{ PT_MODE_4LEVEL, 1, 0xff0, "ignored[63:1]=0x7f8" },
		{ PT_MODE_EPT4, 1, 0x5007, "R W X memtype=UC addr=0x5000" },
		{ PT_MODE_EPT4, 2, 0x2000b7, "R W X memtype=WB PS addr=0x200000" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct line l = { 0 };
		struct pt_fmt fmt;
		struct entry_view v = view(&fmt, cases[i].mode, cases[i].level, cases[i].entry);

		entry_fields_line(&l, &v);
		expect(&l, cases[i].text);
	}
}

Test(entry_text, all_of_an_entry)
{
	struct line l = { 0 };
	struct pt_fmt fmt;
	struct entry_view v = view(&fmt, PT_MODE_PAE, 3, 0x3001);

	entry_text(&l, &v);
	expect(&l, "0x3001: PDPTE (level 3), table, next table at 0x3000, rwxu\n"
		   "      0  P        1\n"
		   "    2:1  rsvd     0x0\n"
		   "      3  PWT      0\n"
		   "      4  PCD      0\n"
		   "    8:5  rsvd     0x0\n"
		   "   11:9  sw       0x0\n"
		   "  45:12  addr     0x3000\n"
		   "  63:46  rsvd     0x0\n");
}

Test(entry_text, why_an_entry_is_bad)
{
	struct line l = { 0 };
	struct pt_fmt fmt;
	struct entry_view v = view(&fmt, PT_MODE_EPT4, 1, 0x2);

	entry_text(&l, &v);
	line_char(&l, '\0');
	cr_expect(strstr(l.buf,
			 "0x2: PTE (level 1), bad, access bits that may not stand together\n") ==
			  l.buf,
		  "%s", l.buf);
	line_free(&l);
}

/* A swap entry of 6.1: type 2, offset 0x1234, which is stored inverted from bit 9 on. */
Test(entry_text, linux_meaning)
{
	const uint64_t swap = 2ull << 59 | (~0x1234ull << 14 >> 5);
	struct line l = { 0 };
	struct pt_fmt fmt;
	struct entry_view v = view(&fmt, PT_MODE_4LEVEL, 1, swap);

	cr_expect_not(linux_adds(&v));
	v.linux_version = PT_LINUX_VERSION(6, 1);
	cr_expect(linux_adds(&v));
	linux_line(&l, &v);
	expect(&l, "swap type 2 offset 0x1234");
	l = (struct line){ 0 };
	v.entry |= 2; /* soft-dirty */
	linux_line(&l, &v);
	expect(&l, "swap type 2 offset 0x1234 soft-dirty");
	v.entry = 0;
	cr_expect_not(linux_adds(&v));
	v.entry = 0x1067;
	cr_expect_not(linux_adds(&v));
}

Test(entry_text, json)
{
	struct json j;
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);
	struct pt_fmt fmt;
	struct entry_view v = view(&fmt, PT_MODE_4LEVEL, 1, 0);

	v.linux_version = PT_LINUX_VERSION(6, 1);
	json_init(&j, out);
	json_object(&j, NULL);
	entry_json(&j, &v);
	json_end_object(&j);
	fclose(out);
	cr_expect_str_eq(text,
			 "{\"level\":1,\"name\":\"PTE\",\"kind\":\"hole\",\"why\":\"not present\","
			 "\"address\":null,\"page_size\":null,\"fields\":["
			 "{\"name\":\"P\",\"lo\":0,\"hi\":0,\"value\":\"0x0\"},"
			 "{\"name\":\"ignored\",\"lo\":1,\"hi\":63,\"value\":\"0x0\"}],"
			 "\"linux\":{\"kind\":\"empty\",\"sub\":null,\"flags\":[]}}");
	free(text);
}

Test(words, sizes)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "16E" },
		{ 1, "1" },
		{ 1023, "1023" },
		{ 4096, "4K" },
		{ 2052 << 10, "2052K" },
		{ 2 << 20, "2M" },
		{ 1ull << 63, "8E" },
		{ UINT64_MAX, "18446744073709551615" },
		{ 0xfffffffffffff000, "18014398509481980K" },
	};
	char buf[SIZE_LEN];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_str_eq(size_text(buf, cases[i].bytes), cases[i].text);
}

Test(words, permissions)
{
	struct pt_fmt fmt;
	char buf[PERM_LEN];

	view(&fmt, PT_MODE_4LEVEL, 1, 0);
	cr_expect_str_eq(perm_text(buf, &fmt, PT_PERM_ALL), "rwxu");
	cr_expect_str_eq(perm_text(buf, &fmt, PT_PERM_R), "r--s");
	view(&fmt, PT_MODE_EPT4, 1, 0);
	cr_expect_str_eq(perm_text(buf, &fmt, PT_PERM_R | PT_PERM_X), "r-x");
	fmt.feat.ept_mbec = 1;
	cr_expect_str_eq(perm_text(buf, &fmt, PT_PERM_R | PT_PERM_XU), "r--X");
}
