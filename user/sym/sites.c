// SPDX-License-Identifier: GPL-2.0
#include "user/sym/sites.h"

#include <stdlib.h>
#include <string.h>

#include "user/sym/array.h"

struct site {
	struct place place;
	struct symbol_site is;
	const char *inlined[];
};

static bool same_place(const void *ctx, uint32_t slot, const void *key)
{
	return place_equal(&((const struct sites *)ctx)->sites[slot]->place, key);
}

int64_t sites_find(const struct sites *s, const struct place *place)
{
	return hash_find(&s->index, place_hash(place), same_place, s, place);
}

const struct symbol_site *sites_get(const struct sites *s, int64_t slot)
{
	const struct symbol_site *site = &s->sites[slot]->is;

	return site->file || site->nr_inlined ? site : NULL;
}

const struct symbol_site *sites_add(struct sites *s, const struct place *place,
				    const struct symbol_site *site)
{
	struct site **sites = array_room(s->sites, s->n, &s->size, sizeof(struct site *));
	size_t size = site->nr_inlined * sizeof(char *);
	struct site *new;

	if (!sites)
		return NULL;
	s->sites = sites;
	new = malloc(sizeof(*new) + size);
	if (!new || hash_add(&s->index, place_hash(place), (uint32_t)s->n)) {
		free(new);
		return NULL;
	}
	new->place = *place;
	new->is = *site;
	new->is.inlined = new->inlined;
	memcpy(new->inlined, site->inlined, size);
	s->sites[s->n++] = new;
	return sites_get(s, (int64_t)s->n - 1);
}

void sites_free(struct sites *s)
{
	while (s->n)
		free(s->sites[--s->n]);
	free(s->sites);
	hash_free(&s->index);
	*s = (struct sites){ 0 };
}
