/* SPDX-License-Identifier: GPL-2.0 */
/* What became of changes, event by event, as text and as JSON. */
#ifndef SHOW_EVENT_TEXT_H
#define SHOW_EVENT_TEXT_H

#include "kmod-helper/uapi/ptremap.h"
#include "user/base/json.h"
#include "user/base/line.h"
#include "user/show/entry_text.h"

/*
 * A line: seconds since boot (CLOCK_MONOTONIC), what happened, the transaction, the change, its
 *entry before and after what happened, and of what the kernel took the cause.
 *
 *	1234.567890123 made   3 protect 42:0x7f0000001000 0x8000000012345867 -> 0x8000000012345865
 *	1235.000000001 taken  3 protect 42:0x7f0000001000 0x... -> 0x... before unmap: the kernel
 *...
 *
 * Of a mapping at a new address its length and what it is of stand in the place of entries. Before
 * it, if events were lost, a line that says how many.
 */
void event_line(struct line *l, const struct ptremap_event *e);

/*
 * One object: "time" (ns), "event" ("made", "taken", "undone" or "lost"), and what record_json()
 * has. Before it, if events were lost, {"time","event":"missed","count"}. @style: as there.
 */
void event_json(struct json *j, const struct ptremap_event *e, const struct entry_view *style);

#endif
