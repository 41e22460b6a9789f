/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A recorded walk, read again: the raw entries go through the same stepper as they did in the
 * BPF program, so that what is printed is what the tracer saw.
 */
#ifndef REPORT_WALK_TEXT_H
#define REPORT_WALK_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/events.h"
#include "user/base/json.h"
#include "user/pt/pt_walk.h"
#include "user/record/record.h"
#include "user/base/line.h"

enum walk_stop {
	WALK_LEAF,
	WALK_HOLE, /* the entry of ->level is not present */
	WALK_BAD,  /* reserved bits in the entry of ->level, or no canonical address */
	WALK_CUT,  /* the table of ->level could not be read */
};

/* What a not-present entry is to Linux (arch/x86/include/asm/pgtable_64.h). */
enum walk_hole { HOLE_EMPTY, HOLE_SWAP, HOLE_PROTNONE, HOLE_SPECIAL };

struct walk_view {
	const struct ptev_walk *raw;
	uint64_t pfn;  /* WALK_LEAF: first frame of the page */
	uint64_t size; /* WALK_LEAF: of the page in bytes */
	enum walk_stop stop;
	enum walk_hole hole; /* WALK_HOLE */
	uint8_t top;	     /* level of the root table */
	uint8_t level;	     /* where the walk stopped */
	uint8_t last;	     /* lowest level that was read; top + 1: none */
	bool spte;	     /* of KVM's tables for a guest: levels are l5 to l1 */
};

/* The page-table format of the recorded machine. Values out of range are taken for x86's widest. */
void walk_fmt(struct pt_fmt *fmt, const struct rec_info *info);
/* @cut: PTEV_F_BEFORE_CUT or PTEV_F_AFTER_CUT was set. @raw must outlive @view. */
void walk_decode(struct walk_view *view, const struct pt_fmt *fmt, uint64_t address,
		 const struct ptev_walk *raw, bool cut);
/* The same of KVM's EPT or NPT, whose holes may have any bits but those of access. */
void walk_decode_spte(struct walk_view *view, const struct pt_fmt *fmt, uint64_t gpa,
		      const struct ptev_walk *raw, bool cut);
/* Linux' name: pgd, p4d, pud, pmd, pte; without p4d when @top is 4. */
const char *walk_level_name(unsigned int top, unsigned int level);

/* "pgd:123067 pud:124067 pmd:0 -> hole at pmd", "... -> 2M pfn 0x1a200" */
void walk_line(struct line *line, const struct walk_view *view);
/*
 * {"levels":[{"level":4,"name":"pgd","entry":"0x123067"},...],"stop":"leaf|hole|bad|cut",
 * "stop_level":2} and with a leaf "pfn" and "page_size" (numbers), with a hole
 * "hole":"empty|swap|protnone|special".
 */
void walk_json(struct json *json, const char *key, const struct walk_view *view);

#endif
