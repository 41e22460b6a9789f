// SPDX-License-Identifier: GPL-2.0
#include "user/show/facts_text.h"

#include <errno.h>
#include <stdlib.h>

#include "user/show/words.h"

#define NR_FLAG_BITS 64

/* ---- the page --------------------------------------------------------------------------- */

static void put_page_flags(struct line *l, const struct page_info *page)
{
	const char *name;
	unsigned int bit;

	for (bit = 0; bit < NR_FLAG_BITS; bit++) {
		if (!(page->flags >> bit & 1))
			continue;
		line_char(l, ' ');
		name = page_flag_name(bit);
		if (name) {
			line_str(l, name);
		} else {
			line_str(l, "bit");
			line_dec(l, bit);
		}
	}
}

static void put_count(struct line *l, const char *name, int64_t count)
{
	line_str(l, name);
	if (count < 0)
		line_char(l, '-');
	line_dec(l, (uint64_t)llabs(count));
}

static void put_page(struct line *l, const struct facts *f)
{
	line_str(l, "  page: pfn ");
	line_0x(l, f->frame.pfn);
	if (f->page.has_flags && f->page.flags) {
		line_char(l, ',');
		put_page_flags(l, &f->page);
	}
	if (f->page.has_mapcount)
		put_count(l, ", mapcount ", (int64_t)f->page.mapcount);
	if (f->frame.valid) {
		put_count(l, ", refcount ", f->frame.refcount);
		put_count(l, ", node ", f->frame.node);
	}
	if (f->not_ram)
		line_str(l, ", not this kernel's RAM (no struct page)");
	line_char(l, '\n');
}

/* ---- the mapping ------------------------------------------------------------------------ */

static bool has(const struct proc_vma *vma, enum proc_vma_flag flag)
{
	return vma->flags & VMA_BIT(flag);
}

static void put_vma_flags(struct line *l, const struct proc_vma *vma)
{
	unsigned int flag;

	if (!vma->flags && !*vma->other)
		return;
	line_str(l, "   ");
	for (flag = 0; flag < VMA_NR_FLAGS; flag++) {
		if (!has(vma, flag))
			continue;
		line_char(l, ' ');
		line_str(l, proc_vma_flag_name(flag));
	}
	if (*vma->other) {
		line_char(l, ' ');
		line_text(l, vma->other);
	}
	line_char(l, '\n');
}

static void put_vma(struct line *l, const struct proc_vma *vma)
{
	line_str(l, "  mapping: ");
	line_0x(l, vma->start);
	line_char(l, '-');
	line_0x(l, vma->end - 1);
	line_char(l, ' ');
	line_char(l, has(vma, VMA_READ) ? 'r' : '-');
	line_char(l, has(vma, VMA_WRITE) ? 'w' : '-');
	line_char(l, has(vma, VMA_EXEC) ? 'x' : '-');
	line_char(l, has(vma, VMA_SHARED) ? 's' : 'p');
	line_str(l, " offset ");
	line_0x(l, vma->pgoff);
	if (vma->pkey > 0)
		put_count(l, " pkey ", vma->pkey);
	line_char(l, ' ');
	line_text(l, *vma->name ? vma->name : "(anonymous)");
	line_char(l, '\n');
	put_vma_flags(l, vma);
}

static void put_verdict(struct line *l, const struct vma_verdict *v)
{
	line_str(l, v->legal ? "  permissions: as the VMA calls for"
			     : "  permissions: not as the VMA calls for");
	if (v->why) {
		line_str(l, ": ");
		line_str(l, v->why);
	}
	line_char(l, '\n');
}

void facts_text(struct line *l, const struct facts *f)
{
	if (f->has_frame)
		put_page(l, f);
	if (!f->vma_error)
		put_vma(l, &f->vma);
	else if (f->vma_error == -ENOENT)
		line_str(l, "  mapping: none\n");
	if (f->has_verdict)
		put_verdict(l, &f->verdict);
}

/* ---- JSON ------------------------------------------------------------------------------- */

static void page_flags_json(struct json *j, const struct page_info *page)
{
	char number[16];
	unsigned int bit;

	json_array(j, "flags");
	for (bit = 0; bit < NR_FLAG_BITS; bit++) {
		if (!(page->flags >> bit & 1))
			continue;
		snprintf(number, sizeof(number), "bit%u", bit);
		json_str(j, NULL, page_flag_name(bit) ? page_flag_name(bit) : number);
	}
	json_end_array(j);
}

static void page_json(struct json *j, const struct facts *f)
{
	if (!f->has_frame) {
		json_null(j, "page");
		return;
	}
	json_object(j, "page");
	json_hex(j, "pfn", f->frame.pfn);
	if (f->page.has_flags)
		page_flags_json(j, &f->page);
	if (f->page.has_mapcount)
		json_u64(j, "mapcount", f->page.mapcount);
	if (f->frame.valid) {
		json_double(j, "refcount", f->frame.refcount);
		json_double(j, "node", f->frame.node);
	}
	json_end_object(j);
}

static void vma_json(struct json *j, const struct proc_vma *vma)
{
	unsigned int flag;

	json_object(j, "vma");
	json_hex(j, "start", vma->start);
	json_hex(j, "last", vma->end - 1);
	json_bool(j, "read", has(vma, VMA_READ));
	json_bool(j, "write", has(vma, VMA_WRITE));
	json_bool(j, "exec", has(vma, VMA_EXEC));
	json_bool(j, "shared", has(vma, VMA_SHARED));
	json_hex(j, "offset", vma->pgoff);
	json_str(j, "name", *vma->name ? vma->name : NULL);
	json_array(j, "flags");
	for (flag = 0; flag < VMA_NR_FLAGS; flag++)
		if (has(vma, flag))
			json_str(j, NULL, proc_vma_flag_name(flag));
	json_end_array(j);
	json_str(j, "other_flags", *vma->other ? vma->other : NULL);
	if (vma->pkey >= 0)
		json_u64(j, "pkey", (uint64_t)vma->pkey);
	json_end_object(j);
}

void facts_json(struct json *j, const struct facts *f)
{
	page_json(j, f);
	if (f->vma_error)
		json_null(j, "vma");
	else
		vma_json(j, &f->vma);
	if (f->has_verdict) {
		json_bool(j, "as_vma_calls_for", f->verdict.legal);
		json_str(j, "vma_note", f->verdict.why);
	} else {
		json_null(j, "as_vma_calls_for");
	}
}

/* ---- without a walk --------------------------------------------------------------------- */

void pagemap_words(struct line *l, const struct pagemap_info *info)
{
	line_str(l, info->present ? "present" : info->swapped ? "not present" : "nothing there");
	if (info->present && !info->pfn)
		line_str(l, ", frame hidden");
	if (info->swapped) {
		put_count(l, ", swap type ", info->swap_type);
		line_str(l, " offset ");
		line_0x(l, info->swap_offset);
	}
	line_str(l, info->file ? ", file or shared" : "");
	line_str(l, info->exclusive ? ", mapped once" : "");
	line_str(l, info->soft_dirty ? ", soft-dirty" : "");
	line_str(l, info->uffd_wp ? ", uffd-wp" : "");
}

void pagemap_text(struct line *l, uint64_t va, const struct pagemap_info *info)
{
	line_0x(l, va);
	line_str(l, ": no walk\n  = ");
	if (info->pfn) {
		line_0x(l, pagemap_pa(info, va));
		line_str(l, ", ");
	}
	pagemap_words(l, info);
	line_char(l, '\n');
}

void pagemap_json(struct json *j, uint64_t va, const struct pagemap_info *info)
{
	json_hex(j, "address", va);
	if (info->pfn)
		json_hex(j, "pa", pagemap_pa(info, va));
	else
		json_null(j, "pa");
	json_object(j, "pagemap");
	json_bool(j, "present", info->present);
	json_bool(j, "swapped", info->swapped);
	json_bool(j, "file", info->file);
	json_bool(j, "soft_dirty", info->soft_dirty);
	json_bool(j, "exclusive", info->exclusive);
	json_bool(j, "uffd_wp", info->uffd_wp);
	if (info->swapped) {
		json_u64(j, "swap_type", info->swap_type);
		json_hex(j, "swap_offset", info->swap_offset);
	}
	json_end_object(j);
}
