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

/* Slot of the entry that equals @key, or -1. Inline, so that @equal is no call. */
static inline int64_t hash_find(const struct hash_index *h, uint64_t hash, hash_equal equal,
				const void *ctx, const void *key)
{
	const struct hash_entry *e;
	size_t i;

	if (!h->size)
		return -1;
	/* Ends: the index is never full. */
	for (i = hash & (h->size - 1);; i = (i + 1) & (h->size - 1)) {
		e = &h->entries[i];
		if (!e->slot)
			return -1;
		if (e->hash == hash && equal(ctx, e->slot - 1, key))
			return e->slot - 1;
	}
}
/* Adds a slot (not checked for duplicates). 0 or -ENOMEM. */
int hash_add(struct hash_index *h, uint64_t hash, uint32_t slot);
void hash_free(struct hash_index *h);

/*
 * Good mixing for integers and for bytes; not for hostile input. Two rounds of multiply and fold:
 * every bit of @v reaches the low bits, which choose the place.
 */
static inline uint64_t hash_u64(uint64_t v)
{
	v = (v ^ (v >> 31)) * UINT64_C(0x9e3779b97f4a7c15);
	v = (v ^ (v >> 29)) * UINT64_C(0xd1342543de82ef95);
	return v ^ (v >> 32);
}

uint64_t hash_bytes(const void *p, size_t len);

#endif
