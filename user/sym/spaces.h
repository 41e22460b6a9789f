/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The mappings of all processes over time. A process is a sequence of eras: a fork begins one in
 * which the parent's mappings of that moment show through its own, exec begins an empty one, and
 * so does the first sign of a process that got the pid of one that ended. A fork costs the same
 * however much the parent has mapped.
 */
#ifndef SYM_SPACES_H
#define SYM_SPACES_H

#include <stddef.h>
#include <stdint.h>

#include "user/base/hash.h"
#include "user/sym/procs.h"

struct space_proc;

struct spaces {
	struct space_proc *procs;
	size_t n, size;
	struct hash_index index; /* by pid */
	struct space_proc *last; /* of the last look-up */
	uint64_t generation;	 /* counts changes: an answer of another generation is void */
};

/* All return 0 or -ENOMEM. They may come somewhat out of the order of their times. */
int spaces_fork(struct spaces *s, uint32_t pid, uint32_t parent_pid, uint64_t time);
int spaces_exec(struct spaces *s, uint32_t pid, uint64_t time);
int spaces_map(struct spaces *s, uint32_t pid, uint64_t time, const struct proc_map *map);
/* The pid was in use at @time: it was reused when its process is known to have ended before. */
int spaces_alive(struct spaces *s, uint32_t pid, uint64_t time);

void spaces_exit(struct spaces *s, uint32_t pid, uint64_t time);
/* See procs_map(). */
const struct proc_map *spaces_find(struct spaces *s, uint32_t pid, uint64_t address, uint64_t time);
void spaces_free(struct spaces *s);

#endif
