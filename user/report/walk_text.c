// SPDX-License-Identifier: GPL-2.0
#include "user/report/walk_text.h"

#include <stddef.h>

#include "bpf/classify.h"

static const char *const stop_names[] = {
	[WALK_LEAF] = "leaf",
	[WALK_HOLE] = "hole",
	[WALK_BAD] = "bad",
	[WALK_CUT] = "cut",
};

static const char *const hole_names[] = {
	[HOLE_EMPTY] = "empty",
	[HOLE_SWAP] = "swap",
	[HOLE_PROTNONE] = "protnone",
	[HOLE_SPECIAL] = "special",
};

void walk_fmt(struct pt_fmt *fmt, const struct rec_info *info)
{
	struct pt_feat feat = { .maxphyaddr = 52, .nx = 1, .page1g = 1 };

	if (info->maxphyaddr >= 32 && info->maxphyaddr < 52)
		feat.maxphyaddr = (pt_u8)info->maxphyaddr;
	if (info->enc_bit >= 32 && info->enc_bit <= PT_PA_HI)
		feat.enc_bit = (pt_u8)info->enc_bit;
	pt_fmt_init(fmt, info->levels == 5 ? PT_MODE_5LEVEL : PT_MODE_4LEVEL, &feat);
	if (info->addr_mask)
		fmt->addr_mask = fmt->root_mask = info->addr_mask & PT_BITS(PT_PA_HI, PT_PA_LO);
}

static enum walk_hole hole_of(uint64_t entry)
{
	if (!(entry & ~(PT_A | PT_D)))
		return HOLE_EMPTY;
	if (entry & PTE_PROTNONE)
		return HOLE_PROTNONE;
	return PTE_SWP_TYPE(entry) < PTE_SWP_NR_FILES ? HOLE_SWAP : HOLE_SPECIAL;
}

void walk_decode(struct walk_view *view, const struct pt_fmt *fmt, uint64_t address,
		 const struct ptev_walk *raw, bool cut)
{
	struct pt_walk w;

	*view = (struct walk_view){ .raw = raw, .top = fmt->top, .last = fmt->top + 1 };
	pt_walk_start(&w, fmt, 0, address);
	while (w.kind == PT_TABLE) {
		view->last = w.level;
		pt_walk_feed(&w, fmt, raw->entry[w.level - 1]);
	}
	view->level = w.level;
	if (w.kind == PT_LEAF) {
		view->stop = WALK_LEAF;
		view->size = pt_level_size(fmt, w.level);
		view->pfn = (w.pa & ~(view->size - 1)) >> 12;
	} else if (w.kind == PT_BAD) {
		view->stop = WALK_BAD;
	} else if (cut && !w.entry) {
		/* The zero was never read: it is what the record holds below the cut. */
		view->stop = WALK_CUT;
		view->last = w.level + 1;
	} else {
		view->stop = WALK_HOLE;
		view->hole = hole_of(w.entry);
	}
}

/*
 * SHADOW_NONPRESENT_VALUE (arch/x86/kvm/mmu/spte.h) has bit 63 set; other bits are those of an
 * entry that KVM is taking away at that moment.
 */
void walk_decode_spte(struct walk_view *view, const struct pt_fmt *fmt, uint64_t gpa,
		      const struct ptev_walk *raw, bool cut)
{
	walk_decode(view, fmt, gpa, raw, cut);
	view->spte = true;
	if (view->stop == WALK_HOLE)
		view->hole = raw->entry[view->level - 1] << 1 ? HOLE_SPECIAL : HOLE_EMPTY;
}

static const char *level_name(const struct walk_view *v, unsigned int level)
{
	static const char *const sptes[] = { "?", "l1", "l2", "l3", "l4", "l5" };

	if (v->spte)
		return sptes[level <= PT_MAX_LEVEL ? level : 0];
	return walk_level_name(v->top, level);
}

const char *walk_level_name(unsigned int top, unsigned int level)
{
	static const char *const names[] = { "pte", "pmd", "pud", "p4d", "pgd" };

	if (level < 1 || level > top || top > PT_MAX_LEVEL)
		return "?";
	return level == top ? "pgd" : names[level - 1];
}

/* KVM makes no bad entries but those that mark a gpa without memory. */
static const char *stop_name(const struct walk_view *v)
{
	return v->spte && v->stop == WALK_BAD ? "mmio" : stop_names[v->stop];
}

static const char *size_name(const struct walk_view *v)
{
	static const char *const names[] = { "4K", "2M", "1G" };

	return names[v->level - 1];
}

static void stop_line(struct line *l, const struct walk_view *v)
{
	line_str(l, "-> ");
	if (v->stop == WALK_LEAF) {
		line_str(l, size_name(v));
		line_str(l, " pfn 0x");
		line_hex(l, v->pfn);
		return;
	}
	line_str(l, stop_name(v));
	line_str(l, " at ");
	line_str(l, level_name(v, v->level));
	if (v->stop == WALK_HOLE && v->hole != HOLE_EMPTY) {
		line_str(l, " (");
		line_str(l, hole_names[v->hole]);
		line_char(l, ')');
	}
}

void walk_line(struct line *l, const struct walk_view *v)
{
	unsigned int level;

	for (level = v->top; level >= v->last; level--) {
		line_str(l, level_name(v, level));
		line_char(l, ':');
		line_hex(l, v->raw->entry[level - 1]);
		line_char(l, ' ');
	}
	stop_line(l, v);
}

static void levels_json(struct json *j, const struct walk_view *v)
{
	unsigned int level;

	json_array(j, "levels");
	for (level = v->top; level >= v->last; level--) {
		json_object(j, NULL);
		json_u64(j, "level", level);
		json_str(j, "name", level_name(v, level));
		json_hex(j, "entry", v->raw->entry[level - 1]);
		json_end_object(j);
	}
	json_end_array(j);
}

void walk_json(struct json *j, const char *key, const struct walk_view *v)
{
	json_object(j, key);
	levels_json(j, v);
	json_str(j, "stop", stop_name(v));
	json_u64(j, "stop_level", v->level);
	if (v->stop == WALK_LEAF) {
		json_u64(j, "pfn", v->pfn);
		json_u64(j, "page_size", v->size);
	} else if (v->stop == WALK_HOLE) {
		json_str(j, "hole", hole_names[v->hole]);
	}
	json_end_object(j);
}
