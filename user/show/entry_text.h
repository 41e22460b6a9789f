/* SPDX-License-Identifier: GPL-2.0 */
/* One page-table entry, as text and as JSON. */
#ifndef SHOW_ENTRY_TEXT_H
#define SHOW_ENTRY_TEXT_H

#include <stdint.h>

#include "user/base/json.h"
#include "user/base/line.h"
#include "user/pt/pt_entry.h"

struct entry_view {
	const struct pt_fmt *fmt;
	uint64_t entry;
	unsigned int level;	    /* 1..fmt->top */
	unsigned int linux_version; /* PT_LINUX_VERSION(); 0: Linux' meaning is not wanted */
};

/* The fields that say something: "P RW US A D addr=0x2a15000", "memtype=WB", "sw[11:9]=0x1". */
void entry_fields_line(struct line *l, const struct entry_view *v);

/*
 * Several lines: what the entry is, every field with its bits, and Linux' meaning.
 *
 *	0x2a15067: PTE (level 1), leaf, 4K page at 0x2a15000, rwxu
 *	  bit  0      P        1
 *	  bit  1      RW       1
 *	  ...
 */
void entry_text(struct line *l, const struct entry_view *v);

/*
 * Members of the object that is open: "level", "name", "kind", "why" (null or words), "address"
 * and "page_size" (null where there is none), "fields":[{"name","lo","hi","value"},...], and with
 * a version of Linux "linux": "kind", "sub", "type", "pfn", "offset", "flags".
 */
void entry_json(struct json *j, const struct entry_view *v);

/* Is there more to say of Linux' meaning than that the entry is present, or empty? */
bool linux_adds(const struct entry_view *v);
/* Linux' meaning: "swap type 2 offset 0x123 soft-dirty". */
void linux_line(struct line *l, const struct entry_view *v);

#endif
