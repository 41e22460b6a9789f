// SPDX-License-Identifier: GPL-2.0
#include "user/remap/bits.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "user/base/units.h"
#include "user/pt/pt_entry.h"
#include "user/remap/why.h"

#define BITS_LEN     128 /* of a list of bits */
#define PRESENT	     0x1u
#define PAGE_SIZE_2M 0x80u
/* Of a leaf of level 1, where a leaf of level 2 has the bit of its size; and of level 2. */
#define PAT    0x80ull
#define PAT_2M 0x1000ull

static uint64_t field_mask(const struct pt_field *f)
{
	return (~0ull >> (63 - f->hi)) & (~0ull << f->lo);
}

/* The fields of a leaf of @level that may be changed. */
static unsigned int changeable(unsigned int level, struct pt_field *fields)
{
	const uint64_t bits = level == 2 ? PTREMAP_PROTECT_BITS_2M : PTREMAP_PROTECT_BITS;
	const struct pt_feat feat = { .maxphyaddr = 52, .nx = 1 };
	unsigned int i, n, nr = 0;
	struct pt_fmt fmt;

	if (pt_fmt_init(&fmt, PT_MODE_4LEVEL, &feat))
		return 0;
	n = pt_entry_fields(&fmt, level, level == 2 ? PRESENT | PAGE_SIZE_2M : PRESENT, fields);
	for (i = 0; i < n; i++)
		if (!(field_mask(&fields[i]) & ~bits))
			fields[nr++] = fields[i];
	return nr;
}

static int unknown_bit(const char *word, const struct pt_field *fields, unsigned int nr, char *why)
{
	char list[BITS_LEN] = "";
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < nr && len < sizeof(list); i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s%s", i ? ", " : "",
					pt_field_name(fields[i].id),
					fields[i].lo < fields[i].hi ? "=N" : "");
	return fail(why, "'%.32s' is not one of %s", word, list);
}

static const struct pt_field *find_field(const char *word, size_t len,
					 const struct pt_field *fields, unsigned int nr)
{
	const char *name;
	unsigned int i;

	if (len == 4 && !strncasecmp(word, "pkey", len))
		len = 2; /* what /proc and others call PK */
	for (i = 0; i < nr; i++) {
		name = pt_field_name(fields[i].id);
		if (strlen(name) == len && !strncasecmp(word, name, len))
			return &fields[i];
	}
	return NULL;
}

/* A number takes the place of the one that is there: bits of it are set, and others cleared. */
static int set_number(struct ptremap_item *item, const struct pt_field *f, const char *value,
		      char *why)
{
	uint64_t n, max = field_mask(f) >> f->lo;

	if (units_parse_u64(value, &n) || n > max)
		return fail(why, "%s is a number from 0 to %u", pt_field_name(f->id),
			    (unsigned int)max);
	item->set |= n << f->lo;
	item->clear |= ~(n << f->lo) & field_mask(f);
	return 0;
}

static int add_bit(struct ptremap_item *item, const char *word, bool set, char *why)
{
	struct pt_field fields[PT_MAX_FIELDS];
	unsigned int nr = changeable(1, fields); /* until bits_place() */
	size_t len = strcspn(word, "=");
	const char *value = word[len] ? word + len + 1 : NULL;
	const struct pt_field *f = find_field(word, len, fields, nr);
	bool number = set && f && f->lo < f->hi;

	if (!f)
		return unknown_bit(word, fields, nr, why);
	if (number && value)
		return set_number(item, f, value, why);
	if (number)
		return fail(why, "%s needs a number: %s=N", pt_field_name(f->id),
			    pt_field_name(f->id));
	if (value)
		return fail(why, "'%.32s': a value can be given to a number that is set, only",
			    word);
	*(set ? &item->set : &item->clear) |= field_mask(f);
	return 0;
}

int bits_add(struct ptremap_item *item, const char *list, bool set, char *why)
{
	char word[BITS_LEN];
	size_t len;
	int err;

	do {
		len = strcspn(list, ",");
		snprintf(word, sizeof(word), "%.*s", len < sizeof(word) ? (int)len : BITS_LEN - 1,
			 list);
		err = add_bit(item, word, set, why);
		list += len;
	} while (!err && *list++);
	return err;
}

static uint64_t moved(uint64_t bits)
{
	return (bits & ~PAT) | (bits & PAT ? PAT_2M : 0);
}

void bits_place(struct ptremap_item *item)
{
	if (item->level != 2)
		return;
	item->set = moved(item->set);
	item->clear = moved(item->clear);
}

void bits_text(struct line *l, const struct ptremap_item *item, const char *key, bool set)
{
	struct pt_field fields[PT_MAX_FIELDS];
	unsigned int i, nr = changeable(item->level == 2 ? 2 : 1, fields);
	bool first = true;

	for (i = 0; i < nr; i++) {
		uint64_t mask = field_mask(&fields[i]);
		/* A number that is set has bits of both kinds. */
		bool is_set = item->set & mask;

		if (!((item->set | item->clear) & mask) || is_set != set)
			continue;
		line_str(l, first ? key : ",");
		first = false;
		line_str(l, pt_field_name(fields[i].id));
		if (set && fields[i].lo < fields[i].hi) {
			line_char(l, '=');
			line_str(l, "0x");
			line_hex(l, pt_field_get(&fields[i], item->set));
		}
	}
}
