/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One change of a guest-physical page, in words:
 *
 *	protect gpa=GPA [set=ACCESS] [clear=ACCESS] [split]
 *	protect gpa=GPA cache=TYPE [split]
 *	map gpa=GPA frame-of=PLACE
 *	map gpa=GPA fresh
 *	swap gpa=GPA with=PLACE
 *
 * each with level=2, for 2 MiB, and expect=VALUE, if wanted. ACCESS is of the letters r, w and x,
 * TYPE is uc, wc, wt, wp or wb. PLACE is GPA or gpa=GPA of the same VM, vm=PID[/FD]:GPA of another,
 * or PID:VA, an address of a process. A change is the helper module's item of it; what the module
 * answers stays 0.
 *
 * Functions that can fail return 0, or -EINVAL with the reason in @why (CHANGE_WHY_LEN bytes).
 */
#ifndef REMAP_EPT_WORDS_H
#define REMAP_EPT_WORDS_H

#include <stdint.h>

#include "kmod-helper/uapi/ptremap.h"
#include "user/base/line.h"
#include "user/remap/change.h"

/* "GPA" or "gpa=GPA" */
int ept_gpa(const char *text, __u64 *gpa, char *why);
/*
 * What stands behind "set", "clear", "cache", "split" (@value: NULL), "frame-of", "fresh" (NULL),
 * "with", "expect" or "level" goes into @item. ACCESS of several "set" and "clear" is added up.
 */
int ept_key(struct ptremap_ept_item *item, const char *key, const char *value, char *why);
/* Is all there that the change needs, and nothing that it has no use for? ->what is known. */
int ept_check(const struct ptremap_ept_item *item, char *why);

/* The change in the same words. */
void ept_words(struct line *l, const struct ptremap_ept_item *item);
/* PLACE of ->other. */
void ept_place_words(struct line *l, const struct ptremap_ept_item *item);
/* Bytes of the page that it is about. */
uint64_t ept_page_size(const struct ptremap_ept_item *item);

#endif
