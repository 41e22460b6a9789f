/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The last answers for instructions of files, by mapping and address: most events come from the few
 * places that made the ones before. A mapping is known again by what it says, since procs_map()'s
 * pointers do not last.
 */
#ifndef SYM_SYMBOL_MEMO_H
#define SYM_SYMBOL_MEMO_H

#include "user/sym/symbols.h"

#define SYMBOL_MEMO 512 /* power of two */

struct symbol_memo { /* starts as zeros */
	struct symbol_memo_entry {
		uint64_t ip;
		uint64_t since; /* the answer's time: what was known then stays known */
		const struct symbol *symbol;
		const struct procs *procs; /* whose ->map.name it is */
		struct proc_map map;
	} entries[SYMBOL_MEMO];
};

/* Where an answer would be: by a product whose upper bits depend on all of the address. */
static inline struct symbol_memo_entry *symbol_memo_at(struct symbol_memo *m, uint64_t ip)
{
	return &m->entries[(ip * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (SYMBOL_MEMO - 1)];
}

static inline bool symbol_memo_is(const struct symbol_memo_entry *e, const struct procs *procs,
				  const struct proc_map *map, uint64_t ip, uint64_t time)
{
	return e->ip == ip && e->procs == procs && e->map.start == map->start &&
	       e->map.pgoff == map->pgoff && e->map.ino == map->ino && e->map.maj == map->maj &&
	       e->map.min == map->min && e->map.name == map->name && time >= e->since;
}

#endif
