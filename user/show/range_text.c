// SPDX-License-Identifier: GPL-2.0
#include "user/show/range_text.h"

#include "user/pt/pt_entry.h"
#include "user/show/words.h"

#define SIZE_COLUMN 8

static void put_name(struct line *l, const struct range_style *s, const struct pt_item *item)
{
	line_str(l, pt_level_name(s->fmt, item->level));
	line_str(l, " at ");
	line_0x(l, item->addr);
	if (item->why == PT_WHY_UNREADABLE)
		return;
	line_str(l, ": ");
	line_0x(l, item->entry);
}

static void put_ept(struct line *l, const struct pt_entry *e)
{
	line_char(l, ' ');
	line_str(l, pt_memtype_name(e->memtype));
	if (e->ipat)
		line_str(l, " ipat");
	if (e->sve)
		line_str(l, " sve");
	if (e->sss)
		line_str(l, " sss");
	if (e->vgp)
		line_str(l, " vgp");
	if (e->pw)
		line_str(l, " pw");
	if (e->spp)
		line_str(l, " spp");
}

static void put_x86(struct line *l, const struct range_style *s, const struct pt_item *item,
		    const struct pt_entry *e)
{
	unsigned int pat = pt_pat_index(s->fmt, item->level, item->entry);

	if (e->g)
		line_str(l, " G");
	if (pat) {
		line_str(l, " pat=");
		line_dec(l, pat);
	}
	if (e->pkey) {
		line_str(l, " pk=");
		line_dec(l, e->pkey);
	}
	if (e->enc)
		line_str(l, " enc");
}

/* What a leaf says beside its permissions. */
static void put_attributes(struct line *l, const struct range_style *s, const struct pt_item *item)
{
	struct pt_entry e;

	pt_decode(s->fmt, item->level, item->entry, &e);
	if (s->fmt->ept)
		put_ept(l, &e);
	else
		put_x86(l, s, item, &e);
	if (e.other)
		line_key_hex(l, "sw", e.other);
	if (s->ad && e.a)
		line_str(l, " A");
	if (s->ad && e.d)
		line_str(l, " D");
}

static void put_leaf(struct line *l, const struct range_style *s, const struct pt_item *item)
{
	char size[SIZE_LEN], perm[PERM_LEN];

	line_str(l, perm_text(perm, s->fmt, item->perm));
	if (item->level && !s->perms_only) {
		line_char(l, ' ');
		line_str(l, size_text(size, page_size(s->fmt, item->level)));
	}
	line_str(l, " pa ");
	line_0x(l, item->pa);
	if (item->level && !s->perms_only)
		put_attributes(l, s, item);
}

static void put_table(struct line *l, const struct range_style *s, const struct pt_item *item)
{
	char perm[PERM_LEN];

	line_str(l, perm_text(perm, s->fmt, item->perm));
	line_str(l, " table ");
	line_0x(l, item->pa);
	line_str(l, ", ");
	put_name(l, s, item);
}

static void put_hole(struct line *l, const struct range_style *s, const struct pt_item *item)
{
	line_str(l, "hole");
	if (item->why == PT_WHY_NONCANONICAL) {
		line_str(l, ": ");
		line_str(l, why_name(s->fmt, item->why));
	} else if (item->entry && !s->perms_only) {
		line_str(l, ": ");
		put_name(l, s, item);
	}
}

void range_says_text(struct line *l, const struct range_style *s, const struct pt_item *item)
{
	switch (item->kind) {
	case PT_LEAF:
		put_leaf(l, s, item);
		break;
	case PT_TABLE:
		put_table(l, s, item);
		break;
	case PT_HOLE:
		put_hole(l, s, item);
		break;
	default:
		line_str(l, "bad: ");
		line_str(l, why_name(s->fmt, item->why));
		line_str(l, ", ");
		put_name(l, s, item);
	}
}

void range_span_text(struct line *l, const struct range_style *s, const struct pt_item *item)
{
	unsigned int digits = s->fmt->va_bits > 32 ? 16 : 8;
	char size[SIZE_LEN];

	if (s->tree && item->level)
		line_spaces(l, 2U * (s->fmt->top - item->level));
	line_str(l, "0x");
	line_hex_zero(l, item->start, digits);
	line_str(l, "-0x");
	line_hex_zero(l, item->last, digits);
	line_char(l, ' ');
	line_text_right(l, size_text(size, item->last - item->start + 1), SIZE_COLUMN);
	line_char(l, ' ');
}

void range_text(struct line *l, const struct range_style *s, const struct pt_item *item)
{
	range_span_text(l, s, item);
	range_says_text(l, s, item);
	line_char(l, '\n');
}

/* ---- JSON ------------------------------------------------------------------------------- */

static void attributes_json(struct json *j, const struct range_style *s, const struct pt_item *item)
{
	struct pt_entry e;

	pt_decode(s->fmt, item->level, item->entry, &e);
	if (s->fmt->ept) {
		json_str(j, "memtype", pt_memtype_name(e.memtype));
		json_bool(j, "ipat", e.ipat);
	} else {
		json_bool(j, "global", e.g);
		json_u64(j, "pat", pt_pat_index(s->fmt, item->level, item->entry));
		json_u64(j, "pkey", e.pkey);
		json_bool(j, "encrypted", e.enc);
	}
	json_hex(j, "software", e.other);
	if (!s->ad)
		return;
	json_bool(j, "accessed", e.a);
	json_bool(j, "dirty", e.d);
}

static void leaf_json(struct json *j, const struct range_style *s, const struct pt_item *item)
{
	json_hex(j, "pa", item->pa);
	if (item->level && !s->perms_only)
		json_u64(j, "page_size", page_size(s->fmt, item->level));
	perm_json(j, s->fmt, item->perm);
	if (item->level && !s->perms_only)
		attributes_json(j, s, item);
}

static void place_json(struct json *j, const struct range_style *s, const struct pt_item *item)
{
	json_str(j, "entry", pt_level_name(s->fmt, item->level));
	json_hex(j, "at", item->addr);
	if (item->why == PT_WHY_UNREADABLE)
		json_null(j, "value");
	else
		json_hex(j, "value", item->entry);
}

void range_says_json(struct json *j, const struct range_style *s, const struct pt_item *item)
{
	json_str(j, "kind", kind_name(item->kind));
	json_str(j, "why", item->why ? why_name(s->fmt, item->why) : NULL);
	if (item->level)
		place_json(j, s, item);
	if (item->kind == PT_LEAF)
		leaf_json(j, s, item);
	if (item->kind != PT_TABLE)
		return;
	json_hex(j, "table", item->pa);
	perm_json(j, s->fmt, item->perm);
}

void range_json(struct json *j, const struct range_style *s, const struct pt_item *item)
{
	json_hex(j, "start", item->start);
	json_hex(j, "last", item->last);
	range_says_json(j, s, item);
}

/* ---- comparison ------------------------------------------------------------------------- */

/* Does a field say something that counts? Where a page leads is compared apart from that. */
static bool tells(const struct range_style *s, unsigned int id)
{
	if (id == PT_FIELD_ADDR || id == PT_FIELD_ADDR_HI)
		return false;
	return s->ad || (id != PT_FIELD_A && id != PT_FIELD_D);
}

/* The bits of a leaf that count. */
static uint64_t leaf_bits(const struct range_style *s, const struct pt_item *leaf)
{
	struct pt_field fields[PT_MAX_FIELDS];
	unsigned int i, n = pt_entry_fields(s->fmt, leaf->level, leaf->entry, fields);
	uint64_t bits = leaf->entry;

	for (i = 0; i < n; i++)
		if (!tells(s, fields[i].id))
			bits &= ~PT_BITS(fields[i].hi, fields[i].lo);
	return bits;
}

/* The bits of another entry that count: all but those at the places of A and D. */
static uint64_t other_bits(const struct range_style *s, const struct pt_item *item)
{
	if (s->ad)
		return item->entry;
	return item->entry & ~(s->fmt->ept ? EPT_A | EPT_D : PT_A | PT_D);
}

static bool leaves_same(const struct range_style *sa, const struct pt_item *a,
			const struct range_style *sb, const struct pt_item *b)
{
	if (a->perm != b->perm)
		return false;
	if (sa->perms_only || (!a->level && !b->level))
		return true;
	return a->level == b->level &&
	       (a->entry == b->entry || leaf_bits(sa, a) == leaf_bits(sb, b));
}

bool range_same(const struct range_style *sa, const struct pt_item *a, const struct range_style *sb,
		const struct pt_item *b)
{
	uint64_t bits;

	if (a->kind != b->kind)
		return false;
	if (a->kind == PT_LEAF)
		return leaves_same(sa, a, sb, b);
	bits = other_bits(sa, a);
	if (a->kind == PT_HOLE && (sa->perms_only || (!bits && !other_bits(sb, b))))
		return true;
	return a->level == b->level && a->why == b->why && bits == other_bits(sb, b);
}
