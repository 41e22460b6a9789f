// SPDX-License-Identifier: GPL-2.0
/*
 * Any entry of any format: its fields cover it, what is taken apart can be put together again,
 * and the other way round; all agree with the walk; every answer has a name.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/pt/pt_entry.h"
#include "user/pt/pt_linux.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

struct input {
	struct pt_feat feat;
	uint8_t mode, level;
	uint8_t field; /* which of them is set to ->value */
	uint64_t entry, value;
	uint32_t version; /* of Linux */
	uint8_t zero;	  /* how many bytes of ->e are cleared: small ones are seldom legal */
	struct pt_entry e;
};

/* Each byte of the features but the widths is a switch. */
static bool make_format(struct pt_fmt *fmt, const struct input *in)
{
	struct pt_feat feat;
	size_t i;

	for (i = 0; i < sizeof(feat); i++)
		((uint8_t *)&feat)[i] = ((const uint8_t *)&in->feat)[i] & 1;
	feat.maxphyaddr = 32 + in->feat.maxphyaddr % 24;
	feat.enc_bit = in->feat.enc_bit % 4 ? 0 : in->feat.enc_bit / 4;
	return !pt_fmt_init(fmt, in->mode % 8, &feat) && fmt->top;
}

static uint64_t entry_bits(const struct pt_fmt *fmt)
{
	return fmt->mode == PT_MODE_32BIT ? UINT32_MAX : UINT64_MAX;
}

static void check_fields(const struct pt_fmt *fmt, unsigned int level, uint64_t entry)
{
	unsigned int i, next = 0, leaf = (unsigned int)pt_entry_is_leaf(fmt, level, entry);
	uint64_t again = ~entry & entry_bits(fmt), rsvd = 0, addr = 0;
	struct pt_field f[PT_MAX_FIELDS + 1];
	unsigned int n = pt_entry_fields(fmt, level, entry, f);

	CHECK(n && n <= PT_MAX_FIELDS);
	for (i = 0; i < n; i++) {
		CHECK(f[i].lo == next && f[i].hi >= f[i].lo);
		CHECK(strcmp(pt_field_name(f[i].id), "?"));
		CHECK(!pt_field_set(&f[i], &again, pt_field_get(&f[i], entry)));
		if (f[i].id == PT_FIELD_RSVD)
			rsvd |= PT_BITS(f[i].hi, f[i].lo);
		if (f[i].id == PT_FIELD_ADDR || f[i].id == PT_FIELD_ADDR_HI)
			addr |= pt_field_get(&f[i], entry);
		next = f[i].hi + 1U;
	}
	CHECK(next == (fmt->mode == PT_MODE_32BIT ? 32 : 64) && again == entry);
	if (!(entry & fmt->present))
		return;
	CHECK(rsvd == (leaf ? fmt->rsvd_leaf[level] : fmt->rsvd_table[level]));
	CHECK(addr == pt_entry_addr(fmt, level, entry, (int)leaf));
}

/* Of a present and good entry: who may do what. */
static void check_permissions(const struct pt_fmt *fmt, const struct pt_entry *e, uint64_t entry)
{
	uint8_t perm = pt_entry_perm(fmt, e->level, entry);

	if (fmt->free_levels >> e->level & 1) {
		CHECK(e->r && e->x && !e->w && !e->us);
		return;
	}
	CHECK(e->r == !!(perm & PT_PERM_R) && e->w == !!(perm & PT_PERM_W));
	CHECK(e->x == !!(perm & PT_PERM_X));
	CHECK(fmt->ept || e->us == !!(perm & PT_PERM_U));
	CHECK(!fmt->feat.ept_mbec || !fmt->ept || e->xu == !!(perm & PT_PERM_XU));
}

static void check_decode(const struct pt_fmt *fmt, unsigned int level, uint64_t entry)
{
	struct pt_entry e;
	enum pt_kind kind;
	uint64_t again;
	uint8_t why;

	kind = pt_entry_kind(fmt, level, entry, &why);
	pt_decode(fmt, level, entry, &e);
	CHECK(e.kind == kind && e.why == why && e.level == level);
	CHECK(!pt_encode(fmt, &e, &again) && again == entry);
	CHECK(pt_pat_index(fmt, level, entry) < 8);
	CHECK(strcmp(pt_why_name(why), "?") && strcmp(pt_level_name(fmt, level), "?"));
	if (kind == PT_HOLE)
		return;
	CHECK(e.addr == pt_entry_addr(fmt, level, entry, pt_entry_is_leaf(fmt, level, entry)));
	if (kind != PT_BAD)
		check_permissions(fmt, &e, entry);
}

/* What can be encoded is what is decoded again. */
static void check_encode(const struct pt_fmt *fmt, const struct input *in)
{
	const size_t values = offsetof(struct pt_entry, enc) + 1;
	struct pt_entry e = in->e, again;
	uint64_t entry = in->entry;

	memset((uint8_t *)&e + values - in->zero % values, 0, in->zero % values);
	if (pt_encode(fmt, &e, &entry)) {
		CHECK(entry == in->entry);
		return;
	}
	CHECK(!(entry & ~entry_bits(fmt)));
	pt_decode(fmt, e.level, entry, &again);
	again.why = e.why;
	CHECK(!memcmp(&again, &e, values) && again.addr == e.addr && again.other == e.other);
}

static void check_field_set(const struct pt_fmt *fmt, unsigned int level, const struct input *in)
{
	struct pt_field f[PT_MAX_FIELDS], *one;
	uint64_t entry = in->entry & entry_bits(fmt), was = entry;

	one = &f[in->field % pt_entry_fields(fmt, level, entry, f)];
	if (pt_field_set(one, &entry, in->value)) {
		CHECK(entry == was);
		return;
	}
	CHECK(pt_field_get(one, entry) == in->value);
	CHECK(!((entry ^ was) & ~PT_BITS(one->hi, one->lo)));
}

static void check_linux(const struct pt_fmt *fmt, unsigned int level, const struct input *in)
{
	uint64_t entry = in->entry & entry_bits(fmt);
	struct pt_linux x;

	pt_linux_decode(fmt, level, entry, in->version, &x);
	CHECK((x.kind == PT_LINUX_PRESENT) == !!(entry & fmt->present));
	CHECK(x.kind != PT_LINUX_NONE || !(entry & ~(PT_A | PT_D)));
	CHECK(strcmp(pt_linux_kind_name(x.kind), "?"));
	CHECK(!x.sub || *x.sub);
	CHECK((x.uffd_wp | x.soft_dirty | x.exclusive | x.dev | x.special | x.saved_dirty |
	       x.young | x.dirty) <= 1);
	CHECK(x.type < 32 && x.pfn < PT_BIT(40) && x.offset < PT_BIT(50));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { .zero = 0 };
	unsigned int level;
	struct pt_fmt fmt;

	memcpy(&in, data, size < sizeof(in) ? size : sizeof(in));
	if (!make_format(&fmt, &in))
		return 0;
	level = 1 + in.level % fmt.top;
	check_fields(&fmt, level, in.entry & entry_bits(&fmt));
	check_decode(&fmt, level, in.entry & entry_bits(&fmt));
	check_encode(&fmt, &in);
	check_field_set(&fmt, level, &in);
	check_linux(&fmt, level, &in);
	CHECK(pt_field_name(in.value % 256) && pt_why_name(in.value % 256));
	CHECK(pt_memtype_name(in.version) && pt_linux_kind_name(in.value % 256));
	return 0;
}
