// SPDX-License-Identifier: GPL-2.0
#include "user/remap/change.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/units.h"
#include "user/remap/bits.h"
#include "user/remap/force.h"
#include "user/remap/why.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BLANKS	      " \t\r\n"

/* ---- addresses -------------------------------------------------------------------------- */

static int parse_pid(const char *text, size_t len, int32_t *pid)
{
	char word[UNITS_LEN];
	uint64_t n;

	if (len >= sizeof(word))
		return -EINVAL;
	memcpy(word, text, len);
	word[len] = 0;
	if (units_parse_u64(word, &n) || !n || n > INT32_MAX)
		return -EINVAL;
	*pid = (int32_t)n;
	return 0;
}

int change_place(const char *text, int32_t pid, int32_t *out_pid, __u64 *out_va, char *why)
{
	const char *colon = strchr(text, ':');
	uint64_t va;

	*out_pid = pid;
	if (colon && parse_pid(text, (size_t)(colon - text), out_pid))
		return fail(why, "'%.32s': what is before the ':' is no process id", text);
	if (units_parse_u64(colon ? colon + 1 : text, &va))
		return fail(why, "'%.32s' is not an address", text);
	*out_va = va;
	if (!*out_pid)
		return fail(why, "'%.32s' is an address of which process?", text);
	return 0;
}

/* ---- keys ------------------------------------------------------------------------------- */

static int key_set(struct ptremap_item *item, const char *value, char *why)
{
	return bits_add(item, value, true, why);
}

static int key_clear(struct ptremap_item *item, const char *value, char *why)
{
	return bits_add(item, value, false, why);
}

static int set_what(struct ptremap_item *item, uint32_t what, char *why)
{
	if (item->what && item->what != what)
		return fail(why, "frame-of, fresh, phys and mmio exclude each other");
	item->what = what;
	return 0;
}

static int key_frame_of(struct ptremap_item *item, const char *value, char *why)
{
	int err = set_what(item, PTREMAP_FRAME, why);

	if (!err && !strchr(value, ':'))
		return fail(why, "'%.32s' is not PID:VA", value);
	return err ? err : change_place(value, 0, &item->other_pid, &item->other_va, why);
}

static int key_fresh(struct ptremap_item *item, const char *value, char *why)
{
	(void)value;
	return set_what(item, PTREMAP_FRESH, why);
}

static int set_physical(struct ptremap_item *item, uint32_t what, const char *value, char *why)
{
	int err = set_what(item, what, why);
	uint64_t pa;

	if (!err && units_parse_u64(value, &pa))
		return fail(why, "'%.32s' is not an address", value);
	if (!err)
		item->other_va = pa;
	return err;
}

static int key_phys(struct ptremap_item *item, const char *value, char *why)
{
	return set_physical(item, PTREMAP_RAM, value, why);
}

static int key_mmio(struct ptremap_item *item, const char *value, char *why)
{
	return set_physical(item, PTREMAP_MMIO, value, why);
}

/* Of a list, to be printed. */
static int word_len(const char *list)
{
	size_t len = strcspn(list, ",");

	return len < 32 ? (int)len : 32;
}

static int key_force(struct ptremap_item *item, const char *value, char *why)
{
	const char *wrong = force_parse(value, &item->flags);

	return wrong ? fail(why, "'%.*s' is not one of " FORCE_KINDS, word_len(wrong), wrong) : 0;
}

static int key_with(struct ptremap_item *item, const char *value, char *why)
{
	int err = change_place(value, 1, &item->other_pid, &item->other_va, why);

	if (!strchr(value, ':'))
		item->other_pid = 0; /* the same process, which may not be known yet */
	return err;
}

static int key_expect(struct ptremap_item *item, const char *value, char *why)
{
	uint64_t n;

	if (units_parse_u64(value, &n))
		return fail(why, "expect: '%.32s' is not a number", value);
	item->expected = n;
	item->flags |= PTREMAP_ITEM_EXPECT;
	return 0;
}

static int key_level(struct ptremap_item *item, const char *value, char *why)
{
	uint64_t n;

	if (units_parse_u64(value, &n) || n < 1 || n > 2)
		return fail(why, "level: '%.32s' is neither 1 (4 KiB) nor 2 (2 MiB)", value);
	item->level = n == 2 ? 2 : 0; /* 0 is what 1 means */
	return 0;
}

#define OF(what) (1u << (what))
#define OF_MAP	 (OF(0) | OF(PTREMAP_FRAME) | OF(PTREMAP_FRESH) | OF(PTREMAP_RAM) | OF(PTREMAP_MMIO))

static const struct key {
	const char *name;
	bool has_value;
	unsigned int of; /* changes that take it */
	int (*parse)(struct ptremap_item *item, const char *value, char *why);
} keys[] = {
	{ "set", true, OF(PTREMAP_PROTECT), key_set },
	{ "clear", true, OF(PTREMAP_PROTECT), key_clear },
	{ "frame-of", true, OF_MAP, key_frame_of },
	{ "fresh", false, OF_MAP, key_fresh },
	{ "phys", true, OF_MAP, key_phys },
	{ "mmio", true, OF_MAP, key_mmio },
	{ "force-frame", true, OF_MAP, key_force },
	{ "with", true, OF(PTREMAP_SWAP), key_with },
	{ "expect", true, ~0u, key_expect },
	{ "level", true, ~0u, key_level },
};

/* The row that "KEY" or "KEY=VALUE" is meant for; NULL: none. */
static const struct key *find_key(const char *word)
{
	size_t i, len = strcspn(word, "=");

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (strlen(keys[i].name) == len && !strncmp(keys[i].name, word, len))
			return &keys[i];
	return NULL;
}

int change_key(struct ptremap_item *item, const char *key, const char *value, char *why)
{
	const struct key *k = find_key(key);

	if (!k || !(k->of & OF(item->what)))
		return fail(why, "'%.32s' is not part of this change", key);
	if (k->has_value && !value)
		return fail(why, "%s needs a value", k->name);
	if (!k->has_value && value)
		return fail(why, "%s takes no value", k->name);
	return k->parse(item, value, why);
}

int change_check(struct ptremap_item *item, char *why)
{
	bool other = item->what == PTREMAP_FRAME || item->what == PTREMAP_SWAP;

	if (!item->what)
		return fail(why, "the frame is missing: frame-of, fresh, phys or mmio");
	if (item->flags & PTREMAP_ITEM_FORCE && item->what != PTREMAP_RAM)
		return fail(why, "force-frame is for the page that phys names");
	if (item->level == 2 && (item->what == PTREMAP_RAM || item->what == PTREMAP_MMIO))
		return fail(why, "phys and mmio are for pages of 4 KiB, not for level 2");
	if (item->what == PTREMAP_PROTECT && !(item->set | item->clear))
		return fail(why, "there are no bits to set or to clear");
	if (item->set & item->clear)
		return fail(why, "a bit is both set and cleared, or a number given twice");
	if (item->what == PTREMAP_SWAP && !item->other_pid && !item->other_va)
		return fail(why, "the other page is missing: with");
	if (other && !item->other_pid)
		item->other_pid = item->pid;
	if (item->what == PTREMAP_SWAP && item->other_pid == item->pid &&
	    item->other_va == item->va)
		return fail(why, "a page is not swapped with itself");
	bits_place(item);
	return 0;
}

/* ---- lines ------------------------------------------------------------------------------ */

static const struct verb {
	const char *name;
	uint32_t what; /* 0: the keys say it */
} verbs[] = {
	{ "protect", PTREMAP_PROTECT },
	{ "map", 0 },
	{ "swap", PTREMAP_SWAP },
	{ "trap", PTREMAP_TRAP },
};

static int parse_verb(struct ptremap_item *item, const char *word, char *why)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].name, word) != 0)
			continue;
		item->what = verbs[i].what;
		return 0;
	}
	return fail(why, "'%.32s' is not one of protect, map, swap, trap", word);
}

static int parse_word(struct ptremap_item *item, char *word, unsigned int *seen, char *why)
{
	const struct key *k = find_key(word);
	char *value = strchr(word, '=');
	unsigned int bit = k ? 1u << (k - keys) : 0;

	if (*seen & bit)
		return fail(why, "%s is there twice", k->name);
	*seen |= bit;
	if (value)
		*value++ = 0;
	return change_key(item, word, value, why);
}

int change_parse(struct ptremap_item *item, char *line, char *why)
{
	char *save = NULL, *word = strtok_r(line, BLANKS, &save);
	unsigned int seen = 0;
	int err;

	*item = (struct ptremap_item){ 0 };
	err = parse_verb(item, word ? word : "", why);
	if (err)
		return err;
	word = strtok_r(NULL, BLANKS, &save);
	if (!word)
		return fail(why, "PID:VA is missing");
	err = change_place(word, 0, &item->pid, &item->va, why);
	while (!err && (word = strtok_r(NULL, BLANKS, &save)))
		err = parse_word(item, word, &seen, why);
	return err ? err : change_check(item, why);
}

/* ---- text ------------------------------------------------------------------------------- */

static void put_hex(struct line *l, uint64_t value)
{
	line_str(l, "0x");
	line_hex(l, value);
}

static void put_place(struct line *l, int32_t pid, uint64_t va)
{
	line_dec(l, (uint64_t)pid);
	line_char(l, ':');
	put_hex(l, va);
}

static void put_physical(struct line *l, const struct ptremap_item *item)
{
	const char *kind;
	unsigned int i;

	line_str(l, item->what == PTREMAP_RAM ? " phys=" : " mmio=");
	put_hex(l, item->other_va);
	for (i = 0; (kind = force_name(item->flags, i)); i++) {
		line_str(l, i ? "," : " force-frame=");
		line_str(l, kind);
	}
}

static bool is_map(uint32_t what)
{
	return what < 32 && OF(what) & OF_MAP;
}

void change_text(struct line *l, const struct ptremap_item *item)
{
	line_str(l, is_map(item->what) ? "map" : change_name(item->what));
	line_char(l, ' ');
	put_place(l, item->pid, item->va);
	bits_text(l, item, " set=", true);
	bits_text(l, item, " clear=", false);
	if (item->what == PTREMAP_FRESH)
		line_str(l, " fresh");
	if (item->what == PTREMAP_RAM || item->what == PTREMAP_MMIO)
		put_physical(l, item);
	if (item->what == PTREMAP_FRAME || item->what == PTREMAP_SWAP) {
		line_str(l, item->what == PTREMAP_FRAME ? " frame-of=" : " with=");
		put_place(l, item->other_pid, item->other_va);
	}
	if (item->level == 2)
		line_str(l, " level=2");
	if (!(item->flags & PTREMAP_ITEM_EXPECT))
		return;
	line_str(l, " expect=");
	put_hex(l, item->expected);
}

const char *change_name(uint32_t what)
{
	static const char *const names[] = {
		[PTREMAP_PROTECT] = "protect", [PTREMAP_FRAME] = "map", [PTREMAP_SWAP] = "swap",
		[PTREMAP_FRESH] = "fresh",     [PTREMAP_TRAP] = "trap", [PTREMAP_RAM] = "phys",
		[PTREMAP_MMIO] = "mmio",
	};

	static const char *const of_guests[] = { "ept-protect", "ept-cache", "ept-map", "ept-swap",
						 "ept-fresh" };

	if (what == PTREMAP_MAPPED)
		return "mapped";
	if (what >= PTREMAP_EPT_PROTECT && what <= PTREMAP_EPT_FRESH)
		return of_guests[what - PTREMAP_EPT_PROTECT];
	return what && what < ARRAY_SIZE(names) ? names[what] : "?";
}

const char *change_cause(uint32_t cause)
{
	static const char *const names[] = {
		[PTREMAP_CAUSE_NONE] = NULL,	     [PTREMAP_CAUSE_UNDO] = "undo",
		[PTREMAP_CAUSE_UNMAP] = "unmap",     [PTREMAP_CAUSE_CLEAR] = "clear",
		[PTREMAP_CAUSE_PROTECT] = "protect", [PTREMAP_CAUSE_SOFT_DIRTY] = "soft-dirty",
		[PTREMAP_CAUSE_EXIT] = "exit",	     [PTREMAP_CAUSE_MIGRATE] = "migrate",
		[PTREMAP_CAUSE_OTHER] = "other",     [PTREMAP_CAUSE_SLOT] = "slot",
		[PTREMAP_CAUSE_ZAP] = "zap",	     [PTREMAP_CAUSE_ACCESS] = "access",
		[PTREMAP_CAUSE_VM] = "vm",
	};

	return cause < sizeof(names) / sizeof(names[0]) ? names[cause] : "?";
}
