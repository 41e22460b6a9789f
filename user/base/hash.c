// SPDX-License-Identifier: GPL-2.0
#include "user/base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MIN_SIZE  64
#define ROOMY_MAX 16384

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

	/* Long runs make linear probing slow; a large index has other things to be slow by. */
	if (h->used >= (h->size < ROOMY_MAX ? h->size / 4 : h->size / 4 * 3)) {
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
