/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One change of a page-table entry, in words, as options and the lines of a file have them:
 *
 *	protect PID:VA [set=BITS] [clear=BITS]
 *	map PID:VA frame-of=PID:VA
 *	map PID:VA fresh
 *	map PID:VA phys=PA [force-frame=KINDS]
 *	map PID:VA mmio=PA
 *	swap PID:VA with=[PID:]VA
 *	trap PID:VA
 *
 * each with level=2, for a 2 MiB leaf, and expect=VALUE, if wanted. A change is the helper module's
 *item of it; what the module answers stays 0.
 *
 * Functions that can fail return 0, or -EINVAL with the reason in @why: "'XY' is no number".
 */
#ifndef REMAP_CHANGE_H
#define REMAP_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "kmod-helper/uapi/ptremap.h"
#include "user/base/line.h"

#define CHANGE_WHY_LEN 160

/*
 * "PID:VA", or "VA" alone where @pid, its process, is not 0. Numbers are decimal, or hexadecimal
 * with 0x.
 */
int change_place(const char *text, int32_t pid, int32_t *out_pid, __u64 *out_va, char *why);

/*
 * What stands behind "set", "clear", "frame-of", "fresh" (@value: NULL), "phys", "mmio",
 * "force-frame", "with", "expect" or "level" goes into @item. The process of an address without one
 * is ->other_pid 0 until change_check().
 * BITS is a comma list of names, RW, PWT, PCD, A, D, PAT, NX in letters of either case, and PK=N
 * (or pkey=N; to be cleared without a number).
 * Bits of several "set" and "clear" are added up. KINDS is a comma list of FORCE_KINDS; those of
 * several "force-frame" are added up, too.
 */
int change_key(struct ptremap_item *item, const char *key, const char *value, char *why);

/*
 * Is all there that a change needs, and nothing twice? Fills in the process of "with=VA", and puts
 * bits where the level has them.
 */
int change_check(struct ptremap_item *item, char *why);

/* A line of a file, which is written to; it has a change. */
int change_parse(struct ptremap_item *item, char *line, char *why);

/* The change in the same words: "protect 42:0x7f0000001000 clear=RW". */
void change_text(struct line *l, const struct ptremap_item *item);

/*
 * "protect", "map", "swap", "fresh", "trap", "phys", "mmio": of enum ptremap_what;
 * "mapped": of PTREMAP_MAPPED; "ept-protect", "ept-cache", "ept-map", "ept-swap", "ept-fresh": of
 * enum ptremap_ept_what; "?" for others.
 */
const char *change_name(uint32_t what);
/* "undo", "unmap", "clear" ...: of enum ptremap_cause; NULL: none; "?" for others. */
const char *change_cause(uint32_t cause);

#endif
