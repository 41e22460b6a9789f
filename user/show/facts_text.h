/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel knows of a page and its mapping, as text and as JSON. */
#ifndef SHOW_FACTS_TEXT_H
#define SHOW_FACTS_TEXT_H

#include "user/base/json.h"
#include "user/base/line.h"
#include "user/kernel/facts.h"

/*
 * Lines; without those that nothing is known for:
 *
 *	  page: pfn 0x1a2b3, uptodate lru anon swapbacked, mapcount 1, refcount 2, node 0
 *	  mapping: 0x7f0000000000-0x7f0000020fff rw-p offset 0x0 /usr/bin/cat
 *	    VM_READ VM_WRITE VM_MAYREAD VM_MAYWRITE VM_MAYEXEC VM_ACCOUNT
 *	  permissions: as the VMA calls for: read-only until the next write (copy on write)
 */
void facts_text(struct line *l, const struct facts *f);

/*
 * Members of the open object: "page":{"pfn","flags":[...],"mapcount","refcount","node"} or null,
 * "vma":{"start","last","read","write","exec","shared","offset","name","flags":[...],"pkey"} or
 * null, "as_vma_calls_for" (bool or null), "vma_note" (words or null).
 */
void facts_json(struct json *j, const struct facts *f);

/*
 * What is known of the page at @va without a walk:
 *
 *	0x7f0000001000: no walk
 *	  = 0x1a2b3000, present, soft-dirty
 */
void pagemap_text(struct line *l, uint64_t va, const struct pagemap_info *info);
/* "present", "soft-dirty": what the kernel says of the page, after a blank each */
void pagemap_words(struct line *l, const struct pagemap_info *info);

/*
 * Members "address", "pa" (of the byte, or null), "pagemap":{"present","swapped","file",
 * "soft_dirty","exclusive","uffd_wp","swap_type","swap_offset"}.
 */
void pagemap_json(struct json *j, uint64_t va, const struct pagemap_info *info);

#endif
