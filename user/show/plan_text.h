/* SPDX-License-Identifier: GPL-2.0 */
/* Changes that were made, or would be, and what became of them, as text and as JSON. */
#ifndef SHOW_PLAN_TEXT_H
#define SHOW_PLAN_TEXT_H

#include <stdio.h>

#include "user/base/json.h"
#include "user/base/line.h"
#include "user/remap/plan.h"
#include "user/show/entry_text.h"

/* How entries are shown: ->fmt and ->linux_version of a view, of level 1. */

/*
 * Lines:
 *
 *	transaction 3
 *	protect 42:0x7f0000001000 clear=RW
 *	  before 0x8000000012345867: P RW US A D addr=0x12345000 NX
 *	  after  0x8000000012345865: P US A D addr=0x12345000 NX
 *
 * A swap has them for the other page, too. After a dry run the first line says so, and the frames
 * that would be held and what would be flushed are there.
 */
void plan_text(struct line *l, const struct plan *p, const struct entry_view *style);

/*
 * One object: "id" (null after a dry run), "keep", "changes":[{"what","pid","address","other_pid",
 * "other_address","before","after","other_before","other_after","holds":[...]}], "flushes". Entries
 * are objects: "value", and what entry_json() has.
 */
void plan_json(struct json *j, const struct plan *p, const struct entry_view *style);

/*
 * One line for each: id, kept, state, cause, what, where, before, after; of a mapping at a new
 * address the last two are its length and what it is of. 0 or -errno.
 */
int records_print(FILE *out, const struct ptremap_record *records, size_t nr);
/*
 * An object: "id", "keep", "state", "cause" (or null), "what", "pid", "address", "before", "after";
 * of a VM's page also "vm_fd", "gpa", "sticky".
 */
void record_json(struct json *j, const struct ptremap_record *r, const struct entry_view *style);

/* The same members, of an object that is open. */
void record_members(struct json *j, const struct ptremap_record *r, const struct entry_view *style);

/* "42:0x7f0000001000", or "42/5:gpa=0x40001000": a page of the VM behind descriptor 5 of 42. */
void record_place(struct line *l, const struct ptremap_record *r);
/* "unmap", "clear", ...: of enum ptremap_cause; NULL: none. */
const char *record_cause(const struct ptremap_record *r);
/* Why a change is no longer in force, as the end of a sentence: "the kernel was about to ...". */
const char *record_ending(const struct ptremap_record *r);

#endif
