// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#include "pt_entry.h"

/* Kinds of entries, as bits: where a row below holds. */
#define IN_PAGE	  1  /* leaf of level 1 */
#define IN_LARGE  2  /* leaf above */
#define IN_TABLE  4  /* refers to a table, at a level that has no leaves */
#define IN_BRANCH 8  /* refers to a table, where PS set would make it a leaf */
#define IN_PDPTE  16 /* PAE's level 3 */
#define IN_HOLE	  32 /* not present */
#define IN_LEAVES (IN_PAGE | IN_LARGE)
#define IN_TABLES (IN_TABLE | IN_BRANCH)
#define IN_USE	  (IN_LEAVES | IN_TABLES)

/*
 * One named field. It is not there where pt_fmt says that its bits are reserved (NX without
 * EFER.NXE, PK in PAE), or ends outside the entry.
 */
struct row {
	pt_u8 id; /* enum pt_field_id */
	pt_u8 lo, hi;
	pt_u8 where; /* IN_* */
	pt_u8 need;  /* offset of the switch in struct pt_feat that it depends on; 0: none */
};

#define NEED(feature) offsetof(struct pt_feat, feature)

/* From where a 4 MiB leaf has address bits 32 and up to where they belong. */
#define PSE36_SHIFT 19

/* Ordered by ->lo, as is the next one. SDM vol. 3, tables 4-4 to 4-6, 4-8 to 4-11, 4-14 to 4-20. */
static const struct row x86_rows[] = {
	{ PT_FIELD_P, 0, 0, IN_USE | IN_PDPTE | IN_HOLE, 0 },
	{ PT_FIELD_RW, 1, 1, IN_USE, 0 },
	{ PT_FIELD_US, 2, 2, IN_USE, 0 },
	{ PT_FIELD_PWT, 3, 3, IN_USE | IN_PDPTE, 0 },
	{ PT_FIELD_PCD, 4, 4, IN_USE | IN_PDPTE, 0 },
	{ PT_FIELD_A, 5, 5, IN_USE, 0 },
	{ PT_FIELD_D, 6, 6, IN_LEAVES, 0 },
	{ PT_FIELD_PAT, 7, 7, IN_PAGE, 0 },
	{ PT_FIELD_PS, 7, 7, IN_LARGE | IN_BRANCH, 0 },
	{ PT_FIELD_G, 8, 8, IN_LEAVES, 0 },
	{ PT_FIELD_PAT, 12, 12, IN_LARGE, 0 },
	{ PT_FIELD_PK, 59, 62, IN_LEAVES, 0 },
	{ PT_FIELD_NX, 63, 63, IN_USE, 0 },
};

/* SDM vol. 3, tables 29-1 to 29-7. SVE of an entry that is not present: 26.5.7.1. */
static const struct row ept_rows[] = {
	{ PT_FIELD_EPT_R, 0, 0, IN_USE | IN_HOLE, 0 },
	{ PT_FIELD_EPT_W, 1, 1, IN_USE | IN_HOLE, 0 },
	{ PT_FIELD_EPT_X, 2, 2, IN_USE | IN_HOLE, 0 },
	{ PT_FIELD_EPT_MEMTYPE, 3, 5, IN_LEAVES, 0 },
	{ PT_FIELD_EPT_IPAT, 6, 6, IN_LEAVES, 0 },
	{ PT_FIELD_PS, 7, 7, IN_LARGE | IN_BRANCH, 0 },
	{ PT_FIELD_A, 8, 8, IN_USE, NEED(ept_ad) },
	{ PT_FIELD_D, 9, 9, IN_LEAVES, NEED(ept_ad) },
	{ PT_FIELD_EPT_XU, 10, 10, IN_USE | IN_HOLE, NEED(ept_mbec) },
	{ PT_FIELD_EPT_VGP, 57, 57, IN_LEAVES, 0 },
	{ PT_FIELD_EPT_PW, 58, 58, IN_LEAVES, 0 },
	{ PT_FIELD_EPT_SSS, 60, 60, IN_LEAVES, NEED(ept_sss) },
	{ PT_FIELD_EPT_SPP, 61, 61, IN_PAGE, 0 },
	{ PT_FIELD_EPT_SVE, 63, 63, IN_LEAVES | IN_HOLE, 0 },
};

#define NR(array)    (sizeof(array) / sizeof((array)[0]))
#define MEMBER(name) offsetof(struct pt_entry, name)

/* Where pt_decode() puts a field; 0 (which is ->kind): nowhere. */
static const pt_u8 members[PT_NR_FIELD_IDS] = {
	[PT_FIELD_P] = MEMBER(r),
	[PT_FIELD_RW] = MEMBER(w),
	[PT_FIELD_US] = MEMBER(us),
	[PT_FIELD_PWT] = MEMBER(pwt),
	[PT_FIELD_PCD] = MEMBER(pcd),
	[PT_FIELD_A] = MEMBER(a),
	[PT_FIELD_D] = MEMBER(d),
	[PT_FIELD_PAT] = MEMBER(pat),
	[PT_FIELD_G] = MEMBER(g),
	[PT_FIELD_PK] = MEMBER(pkey),
	[PT_FIELD_NX] = MEMBER(x), /* the opposite of it */
	[PT_FIELD_EPT_R] = MEMBER(r),
	[PT_FIELD_EPT_W] = MEMBER(w),
	[PT_FIELD_EPT_X] = MEMBER(x),
	[PT_FIELD_EPT_XU] = MEMBER(xu),
	[PT_FIELD_EPT_MEMTYPE] = MEMBER(memtype),
	[PT_FIELD_EPT_IPAT] = MEMBER(ipat),
	[PT_FIELD_EPT_VGP] = MEMBER(vgp),
	[PT_FIELD_EPT_PW] = MEMBER(pw),
	[PT_FIELD_EPT_SSS] = MEMBER(sss),
	[PT_FIELD_EPT_SPP] = MEMBER(spp),
	[PT_FIELD_EPT_SVE] = MEMBER(sve),
};

/* What the bits of one kind of entry are: rows, and masks for the bits between them. */
struct layout {
	const struct row *row, *end;
	const pt_u8 *feat;
	pt_u64 bits; /* all of an entry */
	pt_u64 rsvd, addr, addr_hi, enc;
	pt_u8 where; /* one of IN_* */
	pt_u8 rest;  /* the field that every other bit belongs to */
};

static pt_u8 where_is(const struct pt_fmt *fmt, unsigned int level, bool leaf)
{
	if (leaf)
		return level == 1 ? IN_PAGE : IN_LARGE;
	if (fmt->free_levels >> level & 1)
		return IN_PDPTE;
	return fmt->leaf_levels >> level & 1 ? IN_BRANCH : IN_TABLE;
}

static void layout_init(struct layout *l, const struct pt_fmt *fmt, unsigned int level,
			enum pt_kind kind, bool leaf)
{
	*l = (struct layout){
		.row = fmt->ept ? ept_rows : x86_rows,
		.end = fmt->ept ? ept_rows + NR(ept_rows) : x86_rows + NR(x86_rows),
		.feat = (const pt_u8 *)&fmt->feat,
		.bits = fmt->entry_shift == 2 ? PT_BITS(31, 0) : PT_BITS(63, 0),
		.where = IN_HOLE,
		.rest = PT_FIELD_LOST,
	};
	if (kind == PT_HOLE)
		return;
	l->where = where_is(fmt, level, leaf);
	l->rest = PT_FIELD_SW;
	l->rsvd = leaf ? fmt->rsvd_leaf[level] : fmt->rsvd_table[level];
	l->addr = fmt->addr_mask & ~l->rsvd;
	if (fmt->feat.enc_bit)
		l->enc = PT_BIT(fmt->feat.enc_bit) & PT_BITS(PT_PA_HI, PT_PA_LO) & l->bits;
	if (l->where != IN_LARGE)
		return;
	l->addr &= ~(pt_level_size(fmt, level) - 1);
	l->addr_hi = fmt->pse36_mask;
}

/* The row's bits, or 0 where it does not hold. */
static pt_u64 row_bits(const struct layout *l, const struct row *row)
{
	pt_u64 bits = PT_BITS(row->hi, row->lo);

	if (!(row->where & l->where) || bits & (l->rsvd | ~l->bits))
		return 0;
	return row->need && !l->feat[row->need] ? 0 : bits;
}

/* ---- fields ----------------------------------------------------------------------------- */

/* What a bit is that no row names. */
static pt_u8 unnamed_id(const struct layout *l, unsigned int bit)
{
	if (l->rsvd >> bit & 1)
		return PT_FIELD_RSVD;
	if (l->addr >> bit & 1)
		return PT_FIELD_ADDR;
	if (l->addr_hi >> bit & 1)
		return PT_FIELD_ADDR_HI;
	return l->enc >> bit & 1 ? PT_FIELD_ENC : l->rest;
}

/* Adds the fields that the bits from @bit up to, not including, @end are; they have no row. */
static unsigned int add_unnamed(const struct layout *l, unsigned int bit, unsigned int end,
				struct pt_field *fields, unsigned int n)
{
	unsigned int first = n;

	for (; bit < end; bit++) {
		pt_u8 id = unnamed_id(l, bit);

		if (n == first || fields[n - 1].id != id)
			fields[n++] = (struct pt_field){ id, (pt_u8)bit, 0 };
		fields[n - 1].hi = (pt_u8)bit;
	}
	return n;
}

unsigned int pt_entry_fields(const struct pt_fmt *fmt, unsigned int level, pt_u64 entry,
			     struct pt_field *fields)
{
	unsigned int n = 0, bit = 0;
	const struct row *row;
	struct layout l;
	pt_u8 why;

	layout_init(&l, fmt, level, pt_entry_kind(fmt, level, entry, &why),
		    pt_entry_is_leaf(fmt, level, entry));
	for (row = l.row; row < l.end; row++) {
		if (!row_bits(&l, row))
			continue;
		n = add_unnamed(&l, bit, row->lo, fields, n);
		fields[n++] = (struct pt_field){ row->id, row->lo, row->hi };
		bit = row->hi + 1U;
	}
	return add_unnamed(&l, bit, 8U << fmt->entry_shift, fields, n);
}

/* By how much a field's bits are shifted down to give its value; negative: up. */
static int field_shift(const struct pt_field *field)
{
	if (field->id == PT_FIELD_ADDR)
		return 0;
	return field->id == PT_FIELD_ADDR_HI ? -PSE36_SHIFT : field->lo;
}

pt_u64 pt_field_get(const struct pt_field *field, pt_u64 entry)
{
	int shift = field_shift(field);

	entry &= PT_BITS(field->hi, field->lo);
	return shift < 0 ? entry << -shift : entry >> shift;
}

int pt_field_set(const struct pt_field *field, pt_u64 *entry, pt_u64 value)
{
	pt_u64 bits = PT_BITS(field->hi, field->lo);
	int shift = field_shift(field);
	pt_u64 new = (shift < 0 ? value >> -shift : value << shift) & bits;

	if (pt_field_get(field, new) != value)
		return -EINVAL;
	*entry = (*entry & ~bits) | new;
	return 0;
}

/* ---- decode and encode ------------------------------------------------------------------ */

/* Does a member hold the row's field? PS of all but a bad entry is what ->kind says. */
static bool is_said(const struct row *row, pt_u8 kind)
{
	return row->id != PT_FIELD_PS || kind != PT_BAD;
}

void pt_decode(const struct pt_fmt *fmt, unsigned int level, pt_u64 entry, struct pt_entry *out)
{
	pt_u64 bits, said;
	const struct row *row;
	struct layout l;

	__builtin_memset(out, 0, sizeof(*out));
	out->level = (pt_u8)level;
	out->kind = (pt_u8)pt_entry_kind(fmt, level, entry, &out->why);
	layout_init(&l, fmt, level, out->kind, pt_entry_is_leaf(fmt, level, entry));
	out->x = out->kind != PT_HOLE; /* unless a field says otherwise */
	said = l.addr | l.addr_hi | l.enc;
	for (row = l.row; row < l.end; row++) {
		bits = is_said(row, out->kind) ? row_bits(&l, row) : 0;
		said |= bits;
		if (bits && members[row->id])
			((pt_u8 *)out)[members[row->id]] =
				(pt_u8)((entry & bits) >> row->lo ^ (row->id == PT_FIELD_NX));
	}
	out->addr = (entry & l.addr) | (entry & l.addr_hi) << PSE36_SHIFT;
	out->enc = !!(entry & l.enc);
	out->other = entry & l.bits & ~said;
}

/* The entry that @e describes if it describes one. */
static pt_u64 put_together(const struct layout *l, const struct pt_entry *e)
{
	pt_u64 value, entry = e->other;
	const struct row *row;

	for (row = l->row; row < l->end; row++) {
		if (row->id == PT_FIELD_PS)
			value = e->kind == PT_LEAF;
		else
			value = ((const pt_u8 *)e)[members[row->id]] ^ (row->id == PT_FIELD_NX);
		entry |= value << row->lo & row_bits(l, row);
	}
	entry |= (e->addr & l->addr) | (e->addr >> PSE36_SHIFT & l->addr_hi);
	return e->enc ? entry | l->enc : entry;
}

static bool same(const struct pt_entry *a, const struct pt_entry *b)
{
	/* The bytes from ->level to ->enc have no gaps. */
	return a->kind == b->kind && a->addr == b->addr && a->other == b->other &&
	       !__builtin_memcmp(&a->level, &b->level, MEMBER(enc) + 1 - MEMBER(level));
}

int pt_encode(const struct pt_fmt *fmt, const struct pt_entry *e, pt_u64 *entry)
{
	struct pt_entry check;
	struct layout l;
	pt_u64 new;
	bool leaf;

	if (e->level < 1 || e->level > fmt->top)
		return -EINVAL;
	leaf = e->kind == PT_LEAF ||
	       (e->kind == PT_BAD && pt_entry_is_leaf(fmt, e->level, e->other));
	layout_init(&l, fmt, e->level, e->kind, leaf);
	new = put_together(&l, e);
	/* What has no bit, or too few, is not there any more. */
	pt_decode(fmt, e->level, new, &check);
	if (!same(&check, e))
		return -EINVAL;
	*entry = new;
	return 0;
}

/* ---- names ------------------------------------------------------------------------------ */

static const char *name_of(const char *const *names, unsigned int n, unsigned int i)
{
	return i < n && names[i] ? names[i] : "?";
}

const char *pt_field_name(enum pt_field_id id)
{
	static const char *const names[] = {
		[PT_FIELD_P] = "P",
		[PT_FIELD_RW] = "RW",
		[PT_FIELD_US] = "US",
		[PT_FIELD_PWT] = "PWT",
		[PT_FIELD_PCD] = "PCD",
		[PT_FIELD_A] = "A",
		[PT_FIELD_D] = "D",
		[PT_FIELD_PS] = "PS",
		[PT_FIELD_PAT] = "PAT",
		[PT_FIELD_G] = "G",
		[PT_FIELD_PK] = "PK",
		[PT_FIELD_NX] = "NX",
		[PT_FIELD_ADDR] = "addr",
		[PT_FIELD_ADDR_HI] = "addr_hi",
		[PT_FIELD_EPT_R] = "R",
		[PT_FIELD_EPT_W] = "W",
		[PT_FIELD_EPT_X] = "X",
		[PT_FIELD_EPT_XU] = "XU",
		[PT_FIELD_EPT_MEMTYPE] = "memtype",
		[PT_FIELD_EPT_IPAT] = "IPAT",
		[PT_FIELD_EPT_VGP] = "VGP",
		[PT_FIELD_EPT_PW] = "PW",
		[PT_FIELD_EPT_SSS] = "SSS",
		[PT_FIELD_EPT_SPP] = "SPP",
		[PT_FIELD_EPT_SVE] = "SVE",
		[PT_FIELD_SW] = "sw",
		[PT_FIELD_RSVD] = "rsvd",
		[PT_FIELD_ENC] = "enc",
		[PT_FIELD_LOST] = "ignored",
	};

	return name_of(names, NR(names), id);
}

const char *pt_level_name(const struct pt_fmt *fmt, unsigned int level)
{
	static const char *const names[] = { NULL, "PTE", "PDE", "PDPTE", "PML4E", "PML5E" };

	return name_of(names, fmt->top + 1U, level);
}

const char *pt_why_name(enum pt_why why)
{
	static const char *const names[] = {
		[PT_WHY_NONE] = "",
		[PT_WHY_NOT_PRESENT] = "not present",
		[PT_WHY_NONCANONICAL] = "address not canonical",
		[PT_WHY_RESERVED] = "reserved bit set",
		[PT_WHY_EPT_ACCESS] = "access bits that may not stand together",
		[PT_WHY_EPT_MEMTYPE] = "reserved memory type",
		[PT_WHY_UNREADABLE] = "memory unreadable",
	};

	return name_of(names, NR(names), why);
}

const char *pt_memtype_name(unsigned int memtype)
{
	static const char *const names[] = { "UC", "WC", NULL, NULL, "WT", "WP", "WB", "UC-" };

	return name_of(names, NR(names), memtype);
}

unsigned int pt_pat_index(const struct pt_fmt *fmt, unsigned int level, pt_u64 entry)
{
	pt_u64 pat = 0;

	if (fmt->ept)
		return 0;
	if (pt_entry_is_leaf(fmt, level, entry))
		pat = level == 1 ? entry & PT_PAT_4K : entry & PT_PAT_LARGE;
	return (pat ? 4U : 0) | (entry & PT_PCD ? 2U : 0) | (entry & PT_PWT ? 1U : 0);
}
