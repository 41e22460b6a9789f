/* SPDX-License-Identifier: GPL-2.0 */
/* Ranges of addresses and what they lead to, as lines and as JSON. */
#ifndef SHOW_RANGE_TEXT_H
#define SHOW_RANGE_TEXT_H

#include <stdbool.h>

#include "user/base/json.h"
#include "user/base/line.h"
#include "user/pt/pt_iter.h"

struct range_style {
	const struct pt_fmt *fmt;
	bool perms_only; /* addresses and permissions count, and nothing else is said of leaves */
	bool ad;	 /* accessed and dirty bits count and are said */
	bool tree;	 /* indent by level */
};

/*
 * One line, with its end:
 *
 *	0x0000000000400000-0x0000000000401fff       8K r-xu 4K pa 0x7000 G
 *	0x0000000000600000-0x00000000007fffff       2M bad: reserved bits, PDE at 0x3018: 0x8...083
 *
 * 32-bit addresses have 8 digits. After the permissions come the size of the pages, the physical
 * address of the first byte, and what else the entries say: "G", "pat=1" (the index, if it is not
 * 0), of EPT the memory type and "ipat", "pk=2", "enc", "sw=0x200" (bits free for software, where
 * they are), with style->ad "A" and "D".
 */
void range_text(struct line *l, const struct range_style *style, const struct pt_item *item);

/* Its two parts: addresses and size, and what stands behind them. */
void range_span_text(struct line *l, const struct range_style *style, const struct pt_item *item);
void range_says_text(struct line *l, const struct range_style *style, const struct pt_item *item);

/*
 * Members "start", "last" of the open object, and those of range_says_json(): "kind" (table, leaf,
 * hole, bad), "entry" (name, or null), "at", "value", "why" of the entry of the first page, and of
 * leaves "pa", "page_size", "read", "write", "exec", "user" (EPT: "exec_user"), "global", "pat" or
 * "memtype" and "ipat", "pkey", "software", "accessed", "dirty"; of tables "table", the address,
 * and the permissions. "value" is null where the entry could not be read.
 */
void range_json(struct json *j, const struct range_style *style, const struct pt_item *item);
void range_says_json(struct json *j, const struct range_style *style, const struct pt_item *item);

/*
 * Do both say the same, apart from where they lead? @sa is the style of @a, @sb of @b; they may
 * have different formats of one mode. Bad ones do if their entries are the same, A and D left out
 * without ->ad; so do holes, at any level if the entries are 0; with ->perms_only all holes.
 */
bool range_same(const struct range_style *sa, const struct pt_item *a, const struct range_style *sb,
		const struct pt_item *b);

#endif
