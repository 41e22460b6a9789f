/* SPDX-License-Identifier: GPL-2.0 */
/* Changes of guest-physical pages that were made, or would be, as text and as JSON. */
#ifndef SHOW_EPT_TEXT_H
#define SHOW_EPT_TEXT_H

#include "user/base/json.h"
#include "user/base/line.h"
#include "user/remap/ept_plan.h"
#include "user/show/entry_text.h"

/*
 * Lines:
 *
 *	transaction 3, VM 42/5
 *	swap gpa=0x40001000 with=0x40002000
 *	  before 0x8000000012345867: P RW US A D addr=0x12345000 NX
 *	  after  0x8000000023456867: P RW US A D addr=0x23456000 NX
 *
 * The entries are those of the VMM's tables, or of protect those of EPT or NPT. A dry run and a
 * rehearsal say so in the first line. @style: ->fmt and ->linux_version of this machine's own
 * tables.
 */
void ept_plan_text(struct line *l, const struct ept_plan *p, const struct entry_view *style);
/*
 * One object: "id" (null after a dry run or a rehearsal), "rehearsed", "keep", "sticky", "pid",
 * "vm_fd", "changes":[{"what","gpa","level","other":{"pid","vm_fd","guest_physical","address"} or
 * null,"before","after"}],"flushes". Entries are objects: "value", and what entry_json() has.
 */
void ept_plan_json(struct json *j, const struct ept_plan *p, const struct entry_view *style);

#endif
