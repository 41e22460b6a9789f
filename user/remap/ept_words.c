// SPDX-License-Identifier: GPL-2.0
#include "user/remap/ept_words.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "user/base/units.h"
#include "user/remap/why.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define SMALL	      4096u
#define HUGE	      (2u << 20)

static const struct {
	char letter;
	uint32_t bit;
} accesses[] = {
	{ 'r', PTREMAP_EPT_READ },
	{ 'w', PTREMAP_EPT_WRITE },
	{ 'x', PTREMAP_EPT_EXEC },
};

static const struct {
	const char *name;
	uint32_t cache;
} caches[] = {
	{ "uc", PTREMAP_EPT_UC }, { "wc", PTREMAP_EPT_WC }, { "wt", PTREMAP_EPT_WT },
	{ "wp", PTREMAP_EPT_WP }, { "wb", PTREMAP_EPT_WB },
};

uint64_t ept_page_size(const struct ptremap_ept_item *item)
{
	return item->level == 2 ? HUGE : SMALL;
}

/* ---- places ----------------------------------------------------------------------------- */

int ept_gpa(const char *text, __u64 *gpa, char *why)
{
	const char *number = strncmp(text, "gpa=", 4) ? text : text + 4;
	uint64_t value;

	if (units_parse_u64(number, &value))
		return fail(why, "'%.40s' is not a guest-physical address", text);
	*gpa = value;
	return 0;
}

/* The number in text[0..len). */
static int parse_number(const char *text, size_t len, int32_t min, int32_t *out)
{
	char word[UNITS_LEN];
	uint64_t n;

	if (len >= sizeof(word))
		return -EINVAL;
	memcpy(word, text, len);
	word[len] = 0;
	if (units_parse_u64(word, &n) || n > INT32_MAX || (int32_t)n < min)
		return -EINVAL;
	*out = (int32_t)n;
	return 0;
}

/* "PID[/FD]:GPA" */
static int parse_other_vm(struct ptremap_ept_item *item, const char *text, char *why)
{
	const char *colon = strchr(text, ':'), *slash = strchr(text, '/');

	if (!colon)
		return fail(why, "'vm=%.40s': a VM's page is vm=PID[/FD]:GPA", text);
	if (slash && slash > colon)
		slash = NULL;
	item->other_fd = PTREMAP_EPT_ONLY_VM;
	if (parse_number(text, (size_t)((slash ? slash : colon) - text), 1, &item->other_pid) ||
	    (slash && parse_number(slash + 1, (size_t)(colon - slash) - 1, 0, &item->other_fd)))
		return fail(why, "'vm=%.40s': what is before the ':' is no PID[/FD]", text);
	return ept_gpa(colon + 1, &item->other, why);
}

static int parse_address(struct ptremap_ept_item *item, const char *text, const char *colon,
			 char *why)
{
	uint64_t va;

	if (parse_number(text, (size_t)(colon - text), 1, &item->other_pid))
		return fail(why, "'%.40s': what is before the ':' is no process id", text);
	if (units_parse_u64(colon + 1, &va))
		return fail(why, "'%.40s' is not an address", text);
	item->other_fd = PTREMAP_EPT_PROCESS;
	item->other = va;
	return 0;
}

static int parse_place(struct ptremap_ept_item *item, const char *text, char *why)
{
	const char *colon = strchr(text, ':');

	item->other_pid = item->other_fd = 0;
	if (!strncmp(text, "vm=", 3))
		return parse_other_vm(item, text + 3, why);
	return colon ? parse_address(item, text, colon, why) : ept_gpa(text, &item->other, why);
}

static void put_hex(struct line *l, uint64_t value)
{
	line_str(l, "0x");
	line_hex(l, value);
}

void ept_place_words(struct line *l, const struct ptremap_ept_item *item)
{
	if (item->other_pid && item->other_fd != PTREMAP_EPT_PROCESS)
		line_str(l, "vm=");
	if (item->other_pid)
		line_dec(l, (uint64_t)item->other_pid);
	if (item->other_pid && item->other_fd >= 0) {
		line_char(l, '/');
		line_dec(l, (uint64_t)item->other_fd);
	}
	if (item->other_pid)
		line_char(l, ':');
	put_hex(l, item->other);
}

/* ---- keys ------------------------------------------------------------------------------- */

static int set_what(struct ptremap_ept_item *item, uint32_t what, char *why)
{
	if (item->what && item->what != what)
		return fail(why, item->what == PTREMAP_EPT_PROTECT || what == PTREMAP_EPT_PROTECT
					 ? "access and memory type are two changes; make one"
					 : "frame-of and fresh exclude each other");
	item->what = what;
	return 0;
}

static int add_access(struct ptremap_ept_item *item, __u32 *to, const char *letters, char *why)
{
	const char *c;
	size_t i;

	for (c = letters; *c; c++) {
		for (i = 0; i < ARRAY_SIZE(accesses) && accesses[i].letter != *c; i++)
			;
		if (i == ARRAY_SIZE(accesses))
			break;
		*to |= accesses[i].bit;
	}
	if (c == letters || *c)
		return fail(why, "'%.32s' is not of the letters r, w, x", letters);
	return set_what(item, PTREMAP_EPT_PROTECT, why);
}

static int key_set(struct ptremap_ept_item *item, const char *value, char *why)
{
	return add_access(item, &item->set, value, why);
}

static int key_clear(struct ptremap_ept_item *item, const char *value, char *why)
{
	return add_access(item, &item->clear, value, why);
}

static int key_cache(struct ptremap_ept_item *item, const char *value, char *why)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(caches); i++) {
		if (!strcmp(value, caches[i].name)) {
			item->cache = caches[i].cache;
			return set_what(item, PTREMAP_EPT_CACHE, why);
		}
	}
	return fail(why, "'%.32s' is not one of uc, wc, wt, wp, wb", value);
}

static int key_split(struct ptremap_ept_item *item, const char *value, char *why)
{
	(void)value;
	(void)why;
	item->flags |= PTREMAP_EPT_ITEM_SPLIT;
	return 0;
}

static int key_frame_of(struct ptremap_ept_item *item, const char *value, char *why)
{
	int err = set_what(item, PTREMAP_EPT_FRAME, why);

	return err ? err : parse_place(item, value, why);
}

static int key_fresh(struct ptremap_ept_item *item, const char *value, char *why)
{
	(void)value;
	return set_what(item, PTREMAP_EPT_FRESH, why);
}

static int key_with(struct ptremap_ept_item *item, const char *value, char *why)
{
	int err = set_what(item, PTREMAP_EPT_SWAP, why);

	return err ? err : parse_place(item, value, why);
}

static int key_expect(struct ptremap_ept_item *item, const char *value, char *why)
{
	uint64_t entry;

	if (units_parse_u64(value, &entry))
		return fail(why, "'%.32s' is not an entry", value);
	item->expected = entry;
	item->flags |= PTREMAP_EPT_ITEM_EXPECT;
	return 0;
}

static int key_level(struct ptremap_ept_item *item, const char *value, char *why)
{
	if (strcmp(value, "1") && strcmp(value, "2"))
		return fail(why, "'%.32s' is not one of 1, 2", value);
	item->level = (__u32)(value[0] - '0');
	return 0;
}

static const struct {
	const char *name;
	bool alone; /* without a value */
	int (*parse)(struct ptremap_ept_item *item, const char *value, char *why);
} keys[] = {
	{ "set", false, key_set },	     { "clear", false, key_clear },
	{ "cache", false, key_cache },	     { "split", true, key_split },
	{ "frame-of", false, key_frame_of }, { "fresh", true, key_fresh },
	{ "with", false, key_with },	     { "expect", false, key_expect },
	{ "level", false, key_level },
};

int ept_key(struct ptremap_ept_item *item, const char *key, const char *value, char *why)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strcmp(key, keys[i].name))
			continue;
		if (!value != keys[i].alone)
			return fail(why,
				    keys[i].alone ? "'%s' takes no value" : "'%s' needs a value",
				    key);
		return keys[i].parse(item, value, why);
	}
	return fail(why, "'%.32s' is not a part of a change", key);
}

/* ---- the whole -------------------------------------------------------------------------- */

static bool is_entry(const struct ptremap_ept_item *item)
{
	return item->what == PTREMAP_EPT_PROTECT || item->what == PTREMAP_EPT_CACHE;
}

int ept_check(const struct ptremap_ept_item *item, char *why)
{
	const unsigned long long size = ept_page_size(item);

	if (item->gpa % size)
		return fail(why, "0x%llx is no multiple of %s", item->gpa,
			    size == HUGE ? "2 MiB" : "4096");
	if (item->other % size)
		return fail(why, "0x%llx is no multiple of %s", item->other,
			    size == HUGE ? "2 MiB" : "4096");
	if (item->set & item->clear)
		return fail(why, "an access cannot be given and taken at once");
	if (item->flags & PTREMAP_EPT_ITEM_SPLIT && !is_entry(item))
		return fail(why, "split is for access and memory type");
	if (item->flags & PTREMAP_EPT_ITEM_SPLIT && item->level == 2)
		return fail(why, "split makes 4 KiB entries, and level=2 wants one of 2 MiB");
	if (item->what == PTREMAP_EPT_SWAP && !item->other_pid && item->other == item->gpa)
		return fail(why, "a page cannot be exchanged with itself");
	return 0;
}

static void put_access(struct line *l, const char *key, uint32_t bits)
{
	size_t i;

	if (!bits)
		return;
	line_str(l, key);
	for (i = 0; i < ARRAY_SIZE(accesses); i++)
		if (bits & accesses[i].bit)
			line_char(l, accesses[i].letter);
}

static void put_cache(struct line *l, uint32_t cache)
{
	size_t i;

	line_str(l, " cache=");
	for (i = 0; i < ARRAY_SIZE(caches) && caches[i].cache != cache; i++)
		;
	line_str(l, i < ARRAY_SIZE(caches) ? caches[i].name : "?");
}

void ept_words(struct line *l, const struct ptremap_ept_item *item)
{
	const bool map = item->what == PTREMAP_EPT_FRAME || item->what == PTREMAP_EPT_FRESH;

	line_str(l, is_entry(item) ? "protect gpa=" : map ? "map gpa=" : "swap gpa=");
	put_hex(l, item->gpa);
	if (item->what == PTREMAP_EPT_CACHE)
		put_cache(l, item->cache);
	put_access(l, " set=", item->set);
	put_access(l, " clear=", item->clear);
	if (item->what == PTREMAP_EPT_FRESH)
		line_str(l, " fresh");
	if (item->what == PTREMAP_EPT_FRAME || item->what == PTREMAP_EPT_SWAP) {
		line_str(l, map ? " frame-of=" : " with=");
		ept_place_words(l, item);
	}
	if (item->flags & PTREMAP_EPT_ITEM_SPLIT)
		line_str(l, " split");
	if (item->level == 2)
		line_str(l, " level=2");
	if (item->flags & PTREMAP_EPT_ITEM_EXPECT) {
		line_str(l, " expect=");
		put_hex(l, item->expected);
	}
}
