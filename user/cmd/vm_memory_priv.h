/* SPDX-License-Identifier: GPL-2.0 */
/* What reading and writing a guest's memory have in common. */
#ifndef CMD_VM_MEMORY_PRIV_H
#define CMD_VM_MEMORY_PRIV_H

#include "user/cmd/absent.h"
#include "user/cmd/readout.h"
#include "user/cmd/target.h"
#include "user/cmd/vm_memory.h"
#include "user/pt/pt_mem_cache.h"
#include "user/space/guest_run.h"

#define VM_MEMORY_PIECE (1U << 20) /* bytes that are transferred at once */

/* Starts as zeros but for ->opts. */
struct vm_memory {
	const struct vm_memory_opts *opts;
	struct target target;
	struct live *host; /* the target's */
	struct pt_cache_line *lines;
	struct pt_mem_cache cache; /* of the guest's memory: for its tables */
	struct pt_space space;	   /* the guest's tables as the cache has them */
	struct guest_map map;
	struct absent absent;
	unsigned int fetches; /* since the last byte or gap */
	unsigned int changes; /* the same */
};

/* The exit status, after a line on stderr; vm_memory_close() is for the caller in any case. */
int vm_memory_open(struct vm_memory *m);
void vm_memory_close(struct vm_memory *m);

/*
 * The VM's process gets a page at @hva, as if it had read there. 0: worth another try; -EOPNOTSUPP:
 * this was not asked for; or -errno of what the kernel said.
 */
int vm_memory_fetch(struct vm_memory *m, uint64_t hva);

/*
 * The same of the table that @run ended at. 0: the walk is to be made again, with run->len 0 until
 * then.
 */
int vm_memory_fetch_table(struct vm_memory *m, struct guest_run *run);

/*
 * In @why the reason for @err at @hva, and for @not_fetched. Returns how many bytes it is about: of
 * pages that were to be fetched no more than were tried, unless there is nothing that could be.
 */
uint64_t vm_memory_why_host(struct vm_memory *m, uint64_t hva, int err, int not_fetched, char *why);

/*
 * What was found out at @at counts only if the VM's slots are as they were. 1: they are; 0: they
 * were others, and it is to be found out again; -errno after @gaps and a line on stderr.
 */
int vm_memory_still_so(struct vm_memory *m, struct gaps *gaps, uint64_t at);

/* Something was had, or is known not to be: further tries are counted from here. */
void vm_memory_progress(struct vm_memory *m);

/* In @why (GAP_WHY_LEN) the reason why @run, which is no memory, cannot be had. */
void vm_memory_why_run(struct vm_memory *m, const struct guest_run *run, int not_fetched,
		       char *why);

#endif
