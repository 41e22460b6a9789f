// SPDX-License-Identifier: GPL-2.0
/* Mappings at new addresses in words: what they mean, what is refused, how they are shown. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/kernel/helper.h"
#include "user/remap/graft.h"
#include "user/show/graft_text.h"

#define RW (PTREMAP_MAP_READ | PTREMAP_MAP_WRITE)
#define RX (PTREMAP_MAP_READ | PTREMAP_MAP_EXEC)

/* "key=value key ..." as options would have it. */
static int take(struct ptremap_map *m, const char *words, char *why)
{
	char text[256], *save, *word, *value;
	int err = 0;

	graft_init(m);
	snprintf(text, sizeof(text), "%s", words);
	for (word = strtok_r(text, " ", &save); word && !err; word = strtok_r(NULL, " ", &save)) {
		value = strchr(word, '=');
		if (value)
			*value++ = 0;
		err = graft_key(m, word, value, why);
	}
	return err ? err : graft_check(m, why);
}

Test(graft, keys_and_their_meaning)
{
	static const struct {
		const char *words;
		struct ptremap_map map;
	} cases[] = {
		{ "fresh", { .source = PTREMAP_MAP_FRESH, .len = 4096, .prot = 1 } },
		{ "fresh len=64K prot=rwx cache=wc",
		  { .source = PTREMAP_MAP_FRESH,
		    .len = 65536,
		    .prot = 7,
		    .cache = PTREMAP_CACHE_WC } },
		{ "frames-of=43:0x2000 len=1G prot=rw",
		  { .source = PTREMAP_MAP_FRAMES,
		    .other_pid = 43,
		    .from = 0x2000,
		    .len = 1 << 30,
		    .prot = RW } },
		{ "phys=0x12345000 prot=rx len=8192",
		  { .source = PTREMAP_MAP_PHYS, .from = 0x12345000, .len = 8192, .prot = RX } },
		{ "mmio=0xfed00000",
		  { .source = PTREMAP_MAP_MMIO,
		    .from = 0xfed00000,
		    .len = 4096,
		    .prot = 1,
		    .cache = PTREMAP_CACHE_UC } },
		{ "mmio=0xfed00000 cache=wc",
		  { .source = PTREMAP_MAP_MMIO,
		    .from = 0xfed00000,
		    .len = 4096,
		    .prot = 1,
		    .cache = PTREMAP_CACHE_WC } },
	};
	struct ptremap_map m;
	char why[CHANGE_WHY_LEN] = "";
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_eq(take(&m, cases[i].words, why), 0, "%s: %s", cases[i].words, why);
		cr_expect_eq(memcmp(&m, &cases[i].map, sizeof(m)), 0, "%s", cases[i].words);
	}
}

Test(graft, what_makes_no_sense)
{
	static const struct {
		const char *words, *why;
	} cases[] = {
		{ "len=4K", "is missing" },
		{ "fresh phys=0x1000", "another source" },
		{ "phys=0x1000 mmio=0x2000", "another source" },
		{ "phys=0x1001", "no multiple of 4096" },
		{ "phys=here", "not a physical address" },
		{ "frames-of=0x1000", "of which process" },
		{ "frames-of=0:0x1000", "no process id" },
		{ "frames-of=43:there", "not an address" },
		{ "fresh len=0", "no multiple" },
		{ "fresh len=4095", "no multiple" },
		{ "fresh len=4X", "not a size" },
		{ "fresh len=1048580K", "longer than 1 GiB" },
		{ "fresh len=99999999999999999999", "not a size" },
		{ "fresh prot=w", "not one of r, rw, rx, rwx" },
		{ "fresh prot=", "not one of" },
		{ "fresh cache=wt", "not one of wb, uc, wc" },
		{ "mmio=0xfed00000 cache=wb", "never cached as wb" },
		{ "stale", "not known" },
	};
	struct ptremap_map m;
	char why[CHANGE_WHY_LEN];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		why[0] = 0;
		cr_expect_eq(take(&m, cases[i].words, why), -EINVAL, "%s", cases[i].words);
		cr_expect(strstr(why, cases[i].why), "%s: %s", cases[i].words, why);
	}
}

Test(graft, places)
{
	struct ptremap_map m;
	char why[CHANGE_WHY_LEN];

	graft_init(&m);
	cr_expect_eq(graft_place(&m, "0x10000", 42, why), 0);
	cr_expect(m.pid == 42 && m.va == 0x10000);
	cr_expect_eq(graft_place(&m, "43:0x20000", 42, why), 0);
	cr_expect(m.pid == 43 && m.va == 0x20000);
	graft_init(&m);
	cr_expect_eq(graft_place(&m, NULL, 42, why), 0);
	cr_expect(m.pid == 42 && !m.va);
	cr_expect_eq(graft_place(&m, NULL, 0, why), -EINVAL);
	cr_expect(strstr(why, "process is missing"), "%s", why);
	cr_expect_eq(graft_place(&m, "0x10000", 0, why), -EINVAL);
	cr_expect(strstr(why, "of which process"), "%s", why);
	cr_expect_eq(graft_place(&m, "42:0", 0, why), -EINVAL);
	cr_expect(strstr(why, "address 0"), "%s", why);
	m.flags = PTREMAP_MAP_LOW;
	cr_expect_eq(graft_place(&m, "42:0x10000", 0, why), -EINVAL);
	cr_expect(strstr(why, "--low"), "%s", why);
}

static void expect_text(const struct ptremap_map *m, const char *text)
{
	struct line l = { 0 };

	graft_text(&l, m);
	line_char(&l, '\0');
	cr_expect_str_eq(l.buf, text);
	line_free(&l);
}

Test(graft, as_text)
{
	struct ptremap_map m = { .id = 3,
				 .pid = 42,
				 .other_pid = 43,
				 .va = 0x10000,
				 .len = 0x4000,
				 .from = 0x7f0000001000,
				 .source = PTREMAP_MAP_FRAMES,
				 .prot = RW };

	expect_text(&m, "transaction 3\n"
			"graft 42:0x10000 frames-of=43:0x7f0000001000 len=16K prot=rw cache=wb\n"
			"  mapped 0x10000-0x13fff, 16.0 KiB\n"
			"  of     frames of pid 43 at 0x7f0000001000-0x7f0000004fff\n");
	m = (struct ptremap_map){ .pid = 42,
				  .va = 0x10000,
				  .len = 4096,
				  .from = 0xfed00000,
				  .source = PTREMAP_MAP_MMIO,
				  .prot = 1,
				  .cache = PTREMAP_CACHE_UC,
				  .flags = PTREMAP_MAP_DRY_RUN };
	expect_text(&m, "dry run\n"
			"graft 42:0x10000 mmio=0xfed00000 len=4K prot=r cache=uc\n"
			"  mapped 0x10000-0x10fff, 4.0 KiB\n"
			"  of     device memory at 0xfed00000-0xfed00fff\n");
}

/* Each refusal that the ABI lists is told apart from every other one of the same source. */
Test(graft, refusals_have_sentences_of_their_own)
{
	static const int errors[] = {
		EPERM, EACCES,	      EKEYREJECTED, ENOTTY,	EINVAL,	   ESRCH,   ENXIO,
		EDOM,  EADDRNOTAVAIL, EEXIST,	    ENOMEM,	EMSGSIZE,  ENOEXEC, EMEDIUMTYPE,
		EROFS, ENOENT,	      EOPNOTSUPP,   EAGAIN,	ERANGE,	   ENODEV,  ENODATA,
		ELOOP, ENOTEMPTY,     ENOTUNIQ,	    EADDRINUSE, EHWPOISON, EINTR,
	};
	const size_t nr = sizeof(errors) / sizeof(errors[0]);
	const char *text;
	uint32_t source;
	size_t i, k;

	for (source = PTREMAP_MAP_FRAMES; source <= PTREMAP_MAP_MMIO; source++)
		for (i = 0; i < nr; i++) {
			text = ptremap_map_strerror(source, -errors[i]);
			cr_expect_str_neq(text, strerror(errors[i]), "%d", errors[i]);
			for (k = 0; k < i; k++)
				cr_expect_str_neq(text, ptremap_map_strerror(source, -errors[k]),
						  "source %u, errors %d and %d", source, errors[i],
						  errors[k]);
		}
}
