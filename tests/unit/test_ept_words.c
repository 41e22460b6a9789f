// SPDX-License-Identifier: GPL-2.0
/* user/remap/ept_words.c, user/show/plan_text.c: changes of guests' pages, in words. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "user/remap/change.h"
#include "user/remap/ept_words.h"
#include "user/show/plan_text.h"

static char why[CHANGE_WHY_LEN];

static void expect_words(const struct ptremap_ept_item *item, const char *want)
{
	struct line l = { 0 };

	ept_words(&l, item);
	cr_expect_eq(l.len, strlen(want));
	cr_expect(!strncmp(l.buf, want, l.len), "%.*s, not %s", (int)l.len, l.buf, want);
	line_free(&l);
}

static struct ptremap_ept_item item_of(const char *key, const char *value)
{
	struct ptremap_ept_item item = { .gpa = 0x1000 };

	cr_expect_eq(ept_key(&item, key, value, why), 0, "%s=%s: %s", key, value ? value : "", why);
	return item;
}

Test(ept_words, places)
{
	static const struct {
		const char *text;
		uint64_t other;
		int32_t pid, fd;
		const char *words;
	} places[] = {
		{ "0x2000", 0x2000, 0, 0, "0x2000" },
		{ "gpa=8192", 0x2000, 0, 0, "0x2000" },
		{ "vm=42:0x2000", 0x2000, 42, PTREMAP_EPT_ONLY_VM, "vm=42:0x2000" },
		{ "vm=42/7:gpa=0x2000", 0x2000, 42, 7, "vm=42/7:0x2000" },
		{ "42:0x7f0000001000", 0x7f0000001000, 42, PTREMAP_EPT_PROCESS,
		  "42:0x7f0000001000" },
	};
	struct line l = { 0 };
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct ptremap_ept_item item = item_of("with", places[i].text);

		cr_expect_eq(item.other, places[i].other);
		cr_expect_eq(item.other_pid, places[i].pid);
		cr_expect_eq(item.other_fd, places[i].fd);
		l.len = 0;
		ept_place_words(&l, &item);
		cr_expect(l.len == strlen(places[i].words) &&
				  !strncmp(l.buf, places[i].words, l.len),
			  "%.*s", (int)l.len, l.buf);
	}
	line_free(&l);
}

Test(ept_words, wrong_words)
{
	static const struct {
		const char *key, *value, *why;
	} wrong[] = {
		{ "with", "nowhere", "'nowhere' is not a guest-physical address" },
		{ "with", "vm=42", "'vm=42': a VM's page is vm=PID[/FD]:GPA" },
		{ "with", "vm=0:1", "'vm=0:1': what is before the ':' is no PID[/FD]" },
		{ "with", "vm=42/-1:1", "'vm=42/-1:1': what is before the ':' is no PID[/FD]" },
		{ "with", "vm=42/:1", "'vm=42/:1': what is before the ':' is no PID[/FD]" },
		{ "with", "0:0x1000", "'0:0x1000': what is before the ':' is no process id" },
		{ "with", "42:x", "'42:x' is not an address" },
		{ "set", "", "'' is not of the letters r, w, x" },
		{ "set", "rwz", "'rwz' is not of the letters r, w, x" },
		{ "cache", "wb2", "'wb2' is not one of uc, wc, wt, wp, wb" },
		{ "level", "3", "'3' is not one of 1, 2" },
		{ "expect", "-", "'-' is not an entry" },
		{ "fresh", "0x1000", "'fresh' takes no value" },
		{ "with", NULL, "'with' needs a value" },
		{ "colour", "red", "'colour' is not a part of a change" },
	};
	struct ptremap_ept_item item;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		item = (struct ptremap_ept_item){ 0 };
		cr_expect_eq(ept_key(&item, wrong[i].key, wrong[i].value, why), -EINVAL);
		cr_expect_str_eq(why, wrong[i].why);
	}
}

Test(ept_words, two_at_once)
{
	struct ptremap_ept_item item = item_of("fresh", NULL);

	cr_expect_eq(ept_key(&item, "frame-of", "0x2000", why), -EINVAL);
	cr_expect_str_eq(why, "frame-of and fresh exclude each other");
	item = item_of("set", "r");
	cr_expect_eq(ept_key(&item, "cache", "uc", why), -EINVAL);
	cr_expect_str_eq(why, "access and memory type are two changes; make one");
}

Test(ept_words, checks)
{
	struct ptremap_ept_item item = item_of("with", "0x1000");

	cr_expect_eq(ept_check(&item, why), -EINVAL);
	cr_expect_str_eq(why, "a page cannot be exchanged with itself");
	item.other = 0x2000;
	cr_expect_eq(ept_check(&item, why), 0);
	item.level = 2;
	cr_expect_eq(ept_check(&item, why), -EINVAL);
	cr_expect_str_eq(why, "0x1000 is no multiple of 2 MiB");
	item = item_of("set", "rw");
	cr_expect_eq(ept_key(&item, "clear", "w", why), 0);
	cr_expect_eq(ept_check(&item, why), -EINVAL);
	cr_expect_str_eq(why, "an access cannot be given and taken at once");
	item = item_of("fresh", NULL);
	cr_expect_eq(ept_key(&item, "split", NULL, why), 0);
	cr_expect_eq(ept_check(&item, why), -EINVAL);
	item.gpa = 0x1001;
	cr_expect_eq(ept_check(&item, why), -EINVAL);
	cr_expect_str_eq(why, "0x1001 is no multiple of 4096");
}

Test(ept_words, whole_changes)
{
	struct ptremap_ept_item item = item_of("with", "vm=42:0x200000");

	item.gpa = 0x400000;
	item.level = 2;
	expect_words(&item, "swap gpa=0x400000 with=vm=42:0x200000 level=2");
	item = item_of("frame-of", "42:0x7000");
	expect_words(&item, "map gpa=0x1000 frame-of=42:0x7000");
	item = item_of("fresh", NULL);
	item.flags = PTREMAP_EPT_ITEM_EXPECT;
	item.expected = 0x67;
	expect_words(&item, "map gpa=0x1000 fresh expect=0x67");
	item = item_of("clear", "xw");
	item.flags = PTREMAP_EPT_ITEM_SPLIT;
	expect_words(&item, "protect gpa=0x1000 clear=wx split");
	item = item_of("cache", "wt");
	expect_words(&item, "protect gpa=0x1000 cache=wt");
	cr_expect_eq(item.cache, PTREMAP_EPT_WT);
}

Test(ept_words, records)
{
	struct ptremap_record r = { .what = PTREMAP_EPT_SWAP,
				    .pid = 42,
				    .va = 0x7000,
				    .gpa = 0x40001000,
				    .vm_fd = 5,
				    .flags = PTREMAP_RECORD_VM,
				    .state = PTREMAP_TAKEN,
				    .cause = PTREMAP_CAUSE_SLOT };
	struct line l = { 0 };

	record_place(&l, &r);
	line_char(&l, ' ');
	r.flags = 0;
	record_place(&l, &r);
	cr_expect_eq(l.len, strlen("42/5:gpa=0x40001000 42:0x7000"));
	cr_expect(!strncmp(l.buf, "42/5:gpa=0x40001000 42:0x7000", l.len));
	line_free(&l);
	cr_expect_str_eq(change_name(r.what), "ept-swap");
	cr_expect_str_eq(record_cause(&r), "slot");
	cr_expect_str_eq(record_ending(&r), "a memory slot of the VM was made, changed or deleted");
}
