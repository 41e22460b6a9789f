// SPDX-License-Identifier: GPL-2.0
#include "user/show/entry_text.h"

#include <stdio.h>

#include "user/pt/pt_linux.h"
#include "user/show/words.h"

static bool is_address(const struct pt_field *f)
{
	return f->id == PT_FIELD_ADDR || f->id == PT_FIELD_ADDR_HI;
}

/* Does 0 mean something, too? */
static bool always_said(const struct pt_field *f)
{
	return f->id == PT_FIELD_ADDR || f->id == PT_FIELD_EPT_MEMTYPE;
}

/* Are there several fields of that name, so that the bits must be told? */
static bool is_spread(const struct pt_field *f)
{
	return f->id == PT_FIELD_SW || f->id == PT_FIELD_RSVD || f->id == PT_FIELD_LOST;
}

static void put_bits(struct line *l, const struct pt_field *f)
{
	line_char(l, '[');
	line_dec(l, f->hi);
	if (f->lo != f->hi) {
		line_char(l, ':');
		line_dec(l, f->lo);
	}
	line_char(l, ']');
}

static void put_value(struct line *l, const struct pt_field *f, uint64_t value)
{
	if (f->id == PT_FIELD_EPT_MEMTYPE)
		line_str(l, pt_memtype_name((unsigned int)value));
	else
		line_0x(l, value);
}

static void put_field(struct line *l, const struct pt_field *f, uint64_t value)
{
	line_str(l, pt_field_name(f->id));
	if (is_spread(f))
		put_bits(l, f);
	if (f->lo == f->hi && !is_address(f))
		return;
	line_char(l, '=');
	put_value(l, f, value);
}

void entry_fields_line(struct line *l, const struct entry_view *v)
{
	struct pt_field fields[PT_MAX_FIELDS];
	unsigned int i, n = pt_entry_fields(v->fmt, v->level, v->entry, fields);
	bool first = true;
	uint64_t value;

	for (i = 0; i < n; i++) {
		value = pt_field_get(&fields[i], v->entry);
		if (!value && !always_said(&fields[i]))
			continue;
		if (!first)
			line_char(l, ' ');
		put_field(l, &fields[i], value);
		first = false;
	}
	if (first)
		line_str(l, "empty");
}

/* "leaf, 4K page at 0x1000, rw-u" */
static void put_summary(struct line *l, const struct entry_view *v)
{
	char size[SIZE_LEN], perm[PERM_LEN];
	enum pt_kind kind;
	struct pt_entry e;
	uint8_t why;

	pt_decode(v->fmt, v->level, v->entry, &e);
	kind = pt_entry_kind(v->fmt, v->level, v->entry, &why);
	line_str(l, kind_name(kind));
	line_str(l, ", ");
	if (why) {
		line_str(l, pt_why_name(why));
		return;
	}
	if (kind == PT_LEAF)
		line_str(l, size_text(size, page_size(v->fmt, v->level)));
	line_str(l, kind == PT_LEAF ? " page at " : "next table at ");
	line_0x(l, e.addr);
	line_str(l, ", ");
	line_str(l, perm_text(perm, v->fmt, pt_entry_perm(v->fmt, v->level, v->entry)));
}

static void put_field_line(struct line *l, const struct pt_field *f, uint64_t entry)
{
	char bits[16], name[16];

	if (f->lo == f->hi)
		snprintf(bits, sizeof(bits), "%u", f->lo);
	else
		snprintf(bits, sizeof(bits), "%u:%u", f->hi, f->lo);
	snprintf(name, sizeof(name), "%-8s", pt_field_name(f->id));
	line_str(l, "  ");
	line_text_right(l, bits, 5);
	line_str(l, "  ");
	line_str(l, name);
	line_char(l, ' ');
	if (f->lo == f->hi && !is_address(f))
		line_dec(l, pt_field_get(f, entry));
	else
		put_value(l, f, pt_field_get(f, entry));
	line_char(l, '\n');
}

void entry_text(struct line *l, const struct entry_view *v)
{
	struct pt_field fields[PT_MAX_FIELDS];
	unsigned int i, n = pt_entry_fields(v->fmt, v->level, v->entry, fields);

	line_0x(l, v->entry);
	line_str(l, ": ");
	line_str(l, pt_level_name(v->fmt, v->level));
	line_str(l, " (level ");
	line_dec(l, v->level);
	line_str(l, "), ");
	put_summary(l, v);
	line_char(l, '\n');
	for (i = 0; i < n; i++)
		put_field_line(l, &fields[i], v->entry);
	if (!v->linux_version)
		return;
	line_str(l, "  Linux: ");
	linux_line(l, v);
	line_char(l, '\n');
}

/* ---- what Linux means ------------------------------------------------------------------- */

static const struct {
	const char *name;
	size_t offset;
} linux_flags[] = {
	{ "uffd-wp", offsetof(struct pt_linux, uffd_wp) },
	{ "soft-dirty", offsetof(struct pt_linux, soft_dirty) },
	{ "exclusive", offsetof(struct pt_linux, exclusive) },
	{ "dev", offsetof(struct pt_linux, dev) },
	{ "special", offsetof(struct pt_linux, special) },
	{ "saved-dirty", offsetof(struct pt_linux, saved_dirty) },
	{ "young", offsetof(struct pt_linux, young) },
	{ "dirty", offsetof(struct pt_linux, dirty) },
};

#define NR_LINUX_FLAGS (sizeof(linux_flags) / sizeof(linux_flags[0]))

static bool linux_flag(const struct pt_linux *x, size_t i)
{
	return *((const uint8_t *)x + linux_flags[i].offset);
}

bool linux_adds(const struct entry_view *v)
{
	struct pt_linux x;
	size_t i;

	if (!v->linux_version)
		return false;
	pt_linux_decode(v->fmt, v->level, v->entry, v->linux_version, &x);
	for (i = 0; i < NR_LINUX_FLAGS; i++)
		if (linux_flag(&x, i))
			return true;
	return x.kind != PT_LINUX_NONE && x.kind != PT_LINUX_PRESENT;
}

static bool has_pfn(const struct pt_linux *x)
{
	return x->kind == PT_LINUX_PROTNONE || x->kind == PT_LINUX_MIGRATION ||
	       x->kind == PT_LINUX_DEVICE || x->kind == PT_LINUX_HWPOISON;
}

static bool has_offset(const struct pt_linux *x)
{
	return x->kind == PT_LINUX_SWAP || x->kind == PT_LINUX_MARKER;
}

void linux_line(struct line *l, const struct entry_view *v)
{
	struct pt_linux x;
	size_t i;

	pt_linux_decode(v->fmt, v->level, v->entry, v->linux_version, &x);
	line_str(l, pt_linux_kind_name(x.kind));
	if (x.sub) {
		line_char(l, ' ');
		line_str(l, x.sub);
	}
	if (x.kind == PT_LINUX_SWAP) {
		line_str(l, " type ");
		line_dec(l, x.type);
	}
	if (has_pfn(&x)) {
		line_str(l, " pfn ");
		line_0x(l, x.pfn);
	}
	if (has_offset(&x)) {
		line_str(l, " offset ");
		line_0x(l, x.offset);
	}
	for (i = 0; i < NR_LINUX_FLAGS; i++) {
		if (!linux_flag(&x, i))
			continue;
		line_char(l, ' ');
		line_str(l, linux_flags[i].name);
	}
}

static void linux_json(struct json *j, const struct entry_view *v)
{
	struct pt_linux x;
	size_t i;

	pt_linux_decode(v->fmt, v->level, v->entry, v->linux_version, &x);
	json_object(j, "linux");
	json_str(j, "kind", pt_linux_kind_name(x.kind));
	json_str(j, "sub", x.sub);
	if (x.kind == PT_LINUX_SWAP)
		json_u64(j, "type", x.type);
	if (has_pfn(&x))
		json_hex(j, "pfn", x.pfn);
	if (has_offset(&x))
		json_hex(j, "offset", x.offset);
	json_array(j, "flags");
	for (i = 0; i < NR_LINUX_FLAGS; i++)
		if (linux_flag(&x, i))
			json_str(j, NULL, linux_flags[i].name);
	json_end_array(j);
	json_end_object(j);
}

/* ---- JSON ------------------------------------------------------------------------------- */

static void fields_json(struct json *j, const struct entry_view *v)
{
	struct pt_field fields[PT_MAX_FIELDS];
	unsigned int i, n = pt_entry_fields(v->fmt, v->level, v->entry, fields);

	json_array(j, "fields");
	for (i = 0; i < n; i++) {
		json_object(j, NULL);
		json_str(j, "name", pt_field_name(fields[i].id));
		json_u64(j, "lo", fields[i].lo);
		json_u64(j, "hi", fields[i].hi);
		json_hex(j, "value", pt_field_get(&fields[i], v->entry));
		json_end_object(j);
	}
	json_end_array(j);
}

void entry_json(struct json *j, const struct entry_view *v)
{
	enum pt_kind kind;
	struct pt_entry e;
	uint8_t why;

	pt_decode(v->fmt, v->level, v->entry, &e);
	kind = pt_entry_kind(v->fmt, v->level, v->entry, &why);
	json_u64(j, "level", v->level);
	json_str(j, "name", pt_level_name(v->fmt, v->level));
	json_str(j, "kind", kind_name(kind));
	json_str(j, "why", why ? pt_why_name(why) : NULL);
	if (kind <= PT_LEAF)
		json_hex(j, "address", e.addr);
	else
		json_null(j, "address");
	if (kind == PT_LEAF)
		json_u64(j, "page_size", page_size(v->fmt, v->level));
	else
		json_null(j, "page_size");
	fields_json(j, v);
	if (v->linux_version)
		linux_json(j, v);
}
