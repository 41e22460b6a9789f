// SPDX-License-Identifier: GPL-2.0
#include "user/base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MIN_SIZE 64

int64_t hash_find(const struct hash_index *h, uint64_t hash, hash_equal equal, const void *ctx,
		  const void *key)
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

static void insert(struct hash_entry *entries, size_t size, uint64_t hash, uint32_t slot)
{
	size_t i = hash & (size - 1);

	while (entries[i].slot)
		i = (i + 1) & (size - 1);
	entries[i].hash = hash;
	entries[i].slot = slot;
}

static int grow(struct hash_index *h)
{
	size_t i, size = h->size ? h->size * 2 : MIN_SIZE;
	struct hash_entry *entries = calloc(size, sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	for (i = 0; i < h->size; i++)
		if (h->entries[i].slot)
			insert(entries, size, h->entries[i].hash, h->entries[i].slot);
	free(h->entries);
	h->entries = entries;
	h->size = size;
	return 0;
}

int hash_add(struct hash_index *h, uint64_t hash, uint32_t slot)
{
	int err;

	/* At most three quarters full: long runs make linear probing slow. */
	if (h->used >= h->size / 4 * 3) {
		err = grow(h);
		if (err)
			return err;
	}
	insert(h->entries, h->size, hash, slot + 1);
	h->used++;
	return 0;
}

void hash_free(struct hash_index *h)
{
	free(h->entries);
	memset(h, 0, sizeof(*h));
}

/* Two rounds of multiply and fold: every bit of @v reaches the low bits, which choose the place. */
uint64_t hash_u64(uint64_t v)
{
	v = (v ^ (v >> 31)) * UINT64_C(0x9e3779b97f4a7c15);
	v = (v ^ (v >> 29)) * UINT64_C(0xd1342543de82ef95);
	return v ^ (v >> 32);
}

uint64_t hash_bytes(const void *p, size_t len)
{
	const unsigned char *bytes = p;
	uint64_t word, hash = hash_u64(len);

	for (; len >= sizeof(word); len -= sizeof(word), bytes += sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		hash = hash_u64(hash ^ word);
	}
	word = 0;
	memcpy(&word, bytes, len);
	return hash_u64(hash ^ word);
}
