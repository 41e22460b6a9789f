/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hash index: maps a 64-bit hash to 32-bit slot numbers of the caller's own array. The caller
 * compares keys, so one index serves every kind of key.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash_index {
	struct hash_entry {
		uint64_t hash;
		uint32_t slot; /* + 1; 0: free */
	} * entries;
	size_t size; /* power of two, or 0 */
	size_t used;
};

typedef bool (*hash_equal)(const void *ctx, uint32_t slot, const void *key);

/* Slot of the entry that equals @key, or -1. */
int64_t hash_find(const struct hash_index *h, uint64_t hash, hash_equal equal, const void *ctx,
		  const void *key);
/* Adds a slot (not checked for duplicates). 0 or -ENOMEM. */
int hash_add(struct hash_index *h, uint64_t hash, uint32_t slot);
void hash_free(struct hash_index *h);

/* Good mixing for integers and for bytes; not for hostile input. */
uint64_t hash_u64(uint64_t v);
uint64_t hash_bytes(const void *p, size_t len);

#endif
