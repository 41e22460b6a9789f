/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The mappings of one address space over time. A log of what was mapped when, in order of time;
 * the mapping of an address at some time is the newest one until then that covers it, so what a
 * newer mapping leaves uncovered of an older one stays valid without being cut to pieces.
 *
 * Searching backwards through the log would be slow with thousands of mappings. The log is
 * therefore seen as a Fenwick tree over blocks of events, whose partial sums are "views": sorted
 * lists of address ranges with the newest mapping of each. A lookup scans less than a block and
 * searches at most log2(blocks) views. Processes with few mappings never have a view.
 */
#ifndef SYM_MAP_LOG_H
#define SYM_MAP_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "user/sym/procs.h"

struct map_event {
	uint64_t since;
	struct proc_map map;
};

struct map_view {
	struct map_span {
		uint64_t start, last;
		size_t event;
	} * spans;
	size_t n;
};

struct map_log {
	struct map_event *events; /* ordered by ->since */
	size_t n, size;
	struct map_view *views; /* [i]: node i + 1 of the Fenwick tree */
	size_t nviews, views_size;
};

/* A question about @address. The answer holds for all of @lo..@hi, which lookups narrow. */
struct map_probe {
	uint64_t address;
	uint64_t lo, hi;
};

/* Adds a mapping made at @since, behind those of the same time. 0 or -ENOMEM. */
int map_log_add(struct map_log *log, uint64_t since, const struct proc_map *map);
/* Moves all made at @since or later to the empty log @later. 0 or -ENOMEM. */
int map_log_split(struct map_log *log, uint64_t since, struct map_log *later);
/* Number of mappings made until @time. */
size_t map_log_count(const struct map_log *log, uint64_t time);
/* Mapping that covers the address after the first @count events, or NULL. */
const struct proc_map *map_log_find(struct map_log *log, size_t count, struct map_probe *probe);
/* The earliest mapping that ever covered the address, or NULL. */
const struct proc_map *map_log_first(struct map_log *log, struct map_probe *probe);
void map_log_free(struct map_log *log);

#endif
