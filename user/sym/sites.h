/* SPDX-License-Identifier: GPL-2.0 */
/* What debug information has said of places: nobody wants to ask it twice. */
#ifndef SYM_SITES_H
#define SYM_SITES_H

#include <stddef.h>
#include <stdint.h>

#include "user/base/hash.h"
#include "user/sym/symbols.h"

/* An address that was asked for: offset in the file, or address in the kernel. */
struct place {
	uint32_t object;
	uint64_t offset;
};

static inline bool place_equal(const struct place *a, const struct place *b)
{
	return a->offset == b->offset && a->object == b->object;
}

static inline uint64_t place_hash(const struct place *place)
{
	return hash_u64(place->offset ^ hash_u64(place->object));
}

struct sites { /* starts as zeros */
	struct site **sites;
	size_t n, size;
	struct hash_index index;
};

/* Slot of the place, or -1. */
int64_t sites_find(const struct sites *s, const struct place *place);
/* NULL: nothing is known there. Valid until sites_free(). */
const struct symbol_site *sites_get(const struct sites *s, int64_t slot);
/* Adds a copy, of its strings only the pointers. As sites_get(); NULL without memory, too. */
const struct symbol_site *sites_add(struct sites *s, const struct place *place,
				    const struct symbol_site *site);
void sites_free(struct sites *s);

#endif
