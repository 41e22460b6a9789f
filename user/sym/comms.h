/* SPDX-License-Identifier: GPL-2.0 */
/* Names of threads over time. A thread has the name of its creator until it gets its own. */
#ifndef SYM_COMMS_H
#define SYM_COMMS_H

#include <stddef.h>
#include <stdint.h>

#include "user/base/hash.h"
#include "user/sym/strings.h"

#define COMM_HITS 32 /* power of two */

struct comm_thread;

struct comms {
	struct comm_thread *threads;
	size_t n, size;
	struct hash_index index; /* by tid */
	struct strings names;
	/* Last answers, by tid: the name holds for @from <= time < @to. */
	struct comm_hit {
		uint32_t tid;
		uint64_t from, to;
		const char *name;
	} hits[COMM_HITS];
};

/* Both return 0 or -ENOMEM. */
int comms_set(struct comms *c, uint32_t tid, uint64_t time, const char *name);
int comms_fork(struct comms *c, uint32_t tid, uint32_t parent, uint64_t time);
/* Name at @time, the earliest known before that, or NULL. */
const char *comms_get(struct comms *c, uint32_t tid, uint64_t time);
void comms_free(struct comms *c);

#endif
