/* SPDX-License-Identifier: GPL-2.0 */
/* The files that were mapped to be run, and their build ids, for readers to compare. */
#ifndef RECORD_BUILD_IDS_H
#define RECORD_BUILD_IDS_H

#include "bpf/events.h"
#include "user/base/hash.h"
#include "user/record/blob.h"

#define BUILD_IDS_MAX 4096 /* files; with more, none has its ID */

/* Starts as zeros. */
struct build_ids {
	struct build_file *files;
	uint32_t nr;
	struct hash_index index;
};

/* Notes the file of a mapping. Without memory it is left out. */
void build_ids_see(struct build_ids *b, const struct ptev_mmap *map);
/*
 * The contents of perf's feature: a record for the running kernel and for each file that is still
 * the one that was mapped (by its inode), was not written to since, has a build id, and a path that
 * no other file had.
 */
void build_ids_put(const struct build_ids *b, struct blob *out);
void build_ids_free(struct build_ids *b);

#endif
