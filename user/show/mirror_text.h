/* SPDX-License-Identifier: GPL-2.0 */
/* Mirrors that are there, as text and as JSON. */
#ifndef SHOW_MIRROR_TEXT_H
#define SHOW_MIRROR_TEXT_H

#include "kmod-helper/uapi/ptremap_mirror.h"
#include "user/base/json.h"
#include "user/base/line.h"

/*
 * Lines; @ranges are m->nr_ranges of the guest's memory, of which the first 8 are shown:
 *
 *	mirror 4242:0x100000000-0x1ffffffff
 *	  shows  0x0-0xffffffff of pid 4343, 4level, read only, 12 pages held
 *	  root   0x1000 tag 0, as a user, now
 *	  memory 0x0-0x9ffff at 0x7f0000000000
 */
void mirror_text(struct line *l, const struct ptremap_mirror_info *m,
		 const struct ptremap_mirror_range *ranges);

/*
 * One object: "what" ("mirror"), "pid", "address", "length", "gva", "memory_pid", "mode",
 * "read_only", "execute", "accessed_dirty", "sync", "held", "roots":[{"root","tag","user","now"}],
 * "memory":[{"gpa","length","hva","read_only"}].
 */
void mirror_json(struct json *j, const struct ptremap_mirror_info *m,
		 const struct ptremap_mirror_range *ranges);

#endif
