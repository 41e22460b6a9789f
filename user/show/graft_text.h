/* SPDX-License-Identifier: GPL-2.0 */
/* A mapping at a new address that was made, or would be, as text and as JSON. */
#ifndef SHOW_GRAFT_TEXT_H
#define SHOW_GRAFT_TEXT_H

#include "kmod-helper/uapi/ptremap.h"
#include "user/base/json.h"
#include "user/base/line.h"

/*
 * Lines:
 *
 *	transaction 3
 *	graft 42:0x10000 frames-of=43:0x7f0000001000 len=16K prot=rw cache=wb
 *	  mapped 0x10000-0x13fff, 16.0 KiB
 *	  of     frames of pid 43 at 0x7f0000001000-0x7f0000004fff
 *
 * After a dry run the first line says so.
 */
void graft_text(struct line *l, const struct ptremap_map *m);

/*
 * One object: "id" (null after a dry run), "keep", "what" ("graft"), "pid", "address", "last",
 * "length", "source", "other_pid", "other_address" (of frames), "pa" (of phys and mmio), "read",
 * "write", "exec", "cache".
 */
void graft_json(struct json *j, const struct ptremap_map *m);

#endif
