/* SPDX-License-Identifier: GPL-2.0 */
/* A walk with all its levels, of one space or of two, as text and as JSON. */
#ifndef SHOW_CHAIN_TEXT_H
#define SHOW_CHAIN_TEXT_H

#include "user/base/json.h"
#include "user/base/line.h"
#include "user/space/chain.h"

/*
 * Several lines:
 *
 *	0x201000: 4level, root 0x1000
 *	  PML4E[0]  0x1000: 0x2067  P RW US A D addr=0x2000
 *	  ...
 *	  = 0x5000, 4K page, rwxu
 *
 * With a second space the walk to each entry, and to the page, stands before it, indented. The
 * last line is "= no page: PDE not present" where the walk does not lead to one. @linux_version:
 * as in struct entry_view.
 */
void chain_text(struct line *l, const struct chain *c, unsigned int linux_version);

/*
 * An object's members, into the one that is open: "address", then those of a walk: "format",
 * "root", "levels":[{"index","at","value", as entry_json(), "nested": a walk or null},...],
 * "result" (leaf, hole, bad), "why", "stop" (name of the last entry, or null), "pa", "page_size",
 * "read", "write", "exec", "user" (of EPT "exec_user"); then "nested", the walk to the page or
 * null, and "hpa": where all of it leads, or null.
 */
void chain_json(struct json *j, const struct chain *c, unsigned int linux_version);

/* "not present at PDE", "reserved bits at EPT PTE": why there is no page. */
void chain_why_line(struct line *l, const struct chain *c);

/* "write, user: #PF, error code 0x7 (P W U): write to a read-only page, at PDE\n" */
void verdict_text(struct line *l, const struct chain_verdict *v, unsigned int access);

/*
 * "access":{"write","exec","user","verdict":"allowed|fault|gp|violation|misconfig|unknown",
 * "rule","where":"space|table|page","level","error_code","error_bits","qualification"}; what does
 * not apply is null.
 */
void verdict_json(struct json *j, const struct chain_verdict *v, unsigned int access);

#endif
