/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VMAs as small numbers. A heap or a stack grows between two faults and stays the same row of the
 * report: what counts is the end that does not move, the permissions and the name.
 */
#ifndef REPORT_VMA_IDS_H
#define REPORT_VMA_IDS_H

#include <stddef.h>
#include <stdint.h>

#include "user/base/hash.h"

struct vma_id {
	uint64_t start, end; /* widest range seen */
	uint64_t anchor;
	uint32_t name; /* number of the interned name */
	char perms[5];
};

struct vma_ids { /* all zero: empty */
	struct hash_index index;
	struct vma_id *vmas;
	size_t n, size;
};

/*
 * Number of the VMA @key (->anchor is filled in here), from 0; or -ENOMEM. @grows_down:
 * VM_GROWSDOWN, the end stays.
 */
int64_t vma_ids_find(struct vma_ids *ids, struct vma_id *key, bool grows_down);
void vma_ids_free(struct vma_ids *ids);

#endif
