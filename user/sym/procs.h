/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who was what, when: names and mappings of processes over time, fed by side-band records.
 * A query carries a time, so that records of the side band and of the ring need not be merged
 * into one order.
 */
#ifndef SYM_PROCS_H
#define SYM_PROCS_H

#include <stdint.h>

#include "bpf/events.h"

struct procs;

struct proc_map {
	uint64_t start, last; /* both included */
	uint64_t pgoff;	      /* bytes */
	uint64_t ino;
	uint32_t maj, min;
	uint32_t prot;	/* PROT_* when it was made: mprotect() is not reported */
	uint32_t flags; /* MAP_SHARED, MAP_PRIVATE; 0: not known */
	uint32_t name;	/* index of the interned name: procs_name() */
};

struct procs *procs_new(void); /* NULL without memory */
void procs_free(struct procs *p);
/* Takes COMM, MMAP, FORK and EXIT records; others are ignored. 0 or -ENOMEM. */
int procs_feed(struct procs *p, const struct ptev_hdr *record);
/* Name of a thread at @time; falls back to its process, then to "[pid]" style text "?". */
const char *procs_comm(struct procs *p, uint32_t pid, uint32_t tid, uint64_t time);
/*
 * Mapping that held @address at @time, or NULL. It is told as it was made: newer ones may cover
 * other parts of it. Valid until the next procs_feed().
 */
const struct proc_map *procs_map(struct procs *p, uint32_t pid, uint64_t address, uint64_t time);
const char *procs_map_name(const struct procs *p, const struct proc_map *map);

#endif
