/* SPDX-License-Identifier: GPL-2.0 */
/* Records for the tests of user/sym/procs.h. */
#ifndef TESTS_PROCS_FEED_H
#define TESTS_PROCS_FEED_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/sym/procs.h"

static inline struct procs *new_procs(void)
{
	struct procs *p = procs_new();

	cr_assert_not_null(p);
	return p;
}

static inline void feed_comm(struct procs *p, uint32_t pid, uint32_t tid, uint64_t time,
			     const char *comm, uint32_t exec)
{
	struct ptev_task r = { .hdr = { sizeof(r), PTEV_COMM, 0 },
			       .exec = exec,
			       .time = time,
			       .pid = pid,
			       .tid = tid };
	size_t len = strlen(comm);

	memcpy(r.comm, comm, len < sizeof(r.comm) ? len : sizeof(r.comm));
	cr_assert_eq(procs_feed(p, &r.hdr), 0);
}

static inline void feed_fork(struct procs *p, uint32_t pid, uint32_t tid, uint32_t ppid,
			     uint32_t ptid, uint64_t time)
{
	struct ptev_task r = { .hdr = { sizeof(r), PTEV_FORK, 0 },
			       .time = time,
			       .pid = pid,
			       .tid = tid,
			       .ppid = ppid,
			       .ptid = ptid };

	cr_assert_eq(procs_feed(p, &r.hdr), 0);
}

static inline void feed_exit(struct procs *p, uint32_t pid, uint32_t tid, uint64_t time)
{
	struct ptev_task r = {
		.hdr = { sizeof(r), PTEV_EXIT, 0 }, .time = time, .pid = pid, .tid = tid
	};

	cr_assert_eq(procs_feed(p, &r.hdr), 0);
}

/* Maps [start, last] under a name. */
static inline void feed_mmap(struct procs *p, uint32_t pid, uint64_t time, uint64_t start,
			     uint64_t last, const char *name, uint64_t ino)
{
	struct ptev_mmap *r = calloc(1, sizeof(*r) + 64);

	cr_assert_not_null(r);
	r->hdr = (struct ptev_hdr){ sizeof(*r) + 64, PTEV_MMAP, 0 };
	r->time = time;
	r->pid = r->tid = pid;
	r->start = start;
	r->len = last - start + 1;
	r->ino = ino;
	r->pgoff = start;
	snprintf(r->name, 64, "%s", name);
	cr_assert_eq(procs_feed(p, &r->hdr), 0);
	free(r);
}

#endif
