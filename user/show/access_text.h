/* SPDX-License-Identifier: GPL-2.0 */
/* What a guest did in watched pages, event by event, as text and as JSON. */
#ifndef SHOW_ACCESS_TEXT_H
#define SHOW_ACCESS_TEXT_H

#include "kmod-helper/uapi/ptremap.h"
#include "user/base/json.h"
#include "user/base/line.h"

/*
 * A line: seconds since boot (CLOCK_MONOTONIC), the vCPU, what it did, and where.
 *
 *	1234.567890123 vcpu 0 write gpa=0x40001010 size=4 value=0x5 rip=0x40000013
 *	1234.567890456 vcpu 1 read gpa=0x40002000 rip=0x40000013 gva=0x7f00001000 by=walk
 *	1234.567890789 vcpu 1 opened for read gpa=0x40001000 rip=0x40000013: ...
 *	1234.575890789 closed gpa=0x40001000
 *
 * What is not known is not there. Before it, if events were lost, a line that says how many.
 */
void access_line(struct line *l, const struct ptremap_access *a);
/*
 * One object: "time" (ns), "event" ("access", "opened" or "closed"), "vcpu", "access" (letters),
 * "gpa", "gva", "rip", "size", "value", "by" ("instruction", "walk" or "delivery"). What is not
 * known is null. Before it, if events were lost, {"time","event":"missed","count"}.
 */
void access_json(struct json *j, const struct ptremap_access *a);

#endif
