// SPDX-License-Identifier: GPL-2.0
/*
 * Any tables, any addresses: a lookup reads no more than one entry per level, says the same as
 * pt_translate() and as its own path, and the end that it reports is one that can be.
 */
#include "tests/fuzz/pt_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_leaf(const struct pt_fmt *fmt, const struct pt_walk *end)
{
	uint64_t offset = fmt->top ? pt_level_size(fmt, end->level) - 1 : UINT32_MAX;

	CHECK(end->why == PT_WHY_NONE && !((end->pa ^ end->ia) & offset));
	CHECK(end->level <= 1 || fmt->leaf_levels >> end->level & 1);
	CHECK(!(end->pa >> 52) && (fmt->ept || end->perm & PT_PERM_R));
}

/* Every entry above the last one is a table that leads to the next. */
static void check_path(const struct pt_fmt *fmt, const struct pt_path *path)
{
	unsigned int level, last = path->end.level;
	uint64_t table;
	pt_u8 why;

	for (level = path->top; level > last; level--) {
		CHECK(pt_entry_kind(fmt, level, path->at[level].entry, &why) == PT_TABLE);
		table = pt_entry_addr(fmt, level, path->at[level].entry, 0);
		CHECK(path->at[level - 1].addr ==
		      table + ((uint64_t)pt_index(fmt, path->end.ia, level - 1)
			       << fmt->entry_shift));
	}
	if (path->end.why == PT_WHY_UNREADABLE)
		CHECK(path->reads == path->top - last && !path->at[last].entry);
	else
		CHECK(path->reads == path->top - last + 1 &&
		      path->at[last].entry == path->end.entry);
}

static void check_translation(const struct pt_space *space, const struct pt_walk *end)
{
	uint64_t pa = 0;

	switch (pt_translate(space, end->ia, &pa)) {
	case 0:
		CHECK(end->kind == PT_LEAF && pa == end->pa);
		break;
	case -ENOENT:
		CHECK(end->kind == PT_HOLE);
		break;
	case -EFAULT:
		CHECK(end->why == PT_WHY_UNREADABLE);
		break;
	case -EINVAL:
		CHECK(end->kind == PT_BAD && end->why != PT_WHY_UNREADABLE);
		break;
	default:
		abort();
	}
}

static void check_address(struct pt_input *in, uint64_t ia)
{
	struct pt_path path;
	enum pt_kind kind;

	in->reads = 0;
	kind = pt_lookup(&in->space, ia, &path);
	CHECK(in->reads <= in->fmt.top && path.reads <= in->fmt.top);
	CHECK(kind == path.end.kind && kind != PT_TABLE && path.end.ia == ia);
	CHECK((path.end.why == PT_WHY_NONCANONICAL) == !pt_canonical(&in->fmt, ia));
	CHECK((kind == PT_HOLE) == (path.end.why == PT_WHY_NOT_PRESENT));
	if (kind == PT_LEAF)
		check_leaf(&in->fmt, &path.end);
	if (path.end.why != PT_WHY_NONCANONICAL && in->fmt.top)
		check_path(&in->fmt, &path);
	else
		CHECK(!path.reads && !in->reads);
	check_translation(&in->space, &path.end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pt_input in;
	uint64_t ia;

	if (pt_input_init(&in, data, size))
		return 0;
	check_address(&in, in.header.a);
	check_address(&in, in.header.b);
	/* And one that can be walked. */
	ia = in.header.a & (PT_BIT(in.fmt.va_bits - 1) - 1);
	check_address(&in, ia);
	check_address(&in, in.fmt.va_signed ? ~ia : ia | PT_BIT(in.fmt.va_bits - 1));
	return 0;
}
