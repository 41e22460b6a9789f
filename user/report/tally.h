/* SPDX-License-Identifier: GPL-2.0 */
/* Events counted by group, with their latencies. */
#ifndef REPORT_TALLY_H
#define REPORT_TALLY_H

#include "user/report/groups.h"
#include "user/report/percentile.h"

struct tally_group {
	uint64_t count;
	uint64_t inclusive;	   /* with the events of what it called: tally_caller() */
	uint64_t seen;		   /* number of the last of these */
	struct percentile latency; /* of those whose end was seen */
};

struct tally { /* zero but for ->by, which groups_init() has filled */
	struct groups by;
	struct tally_group *groups; /* [by.n] */
	uint32_t room;
	uint64_t events;
	uint64_t first_time, last_time; /* of events */
	bool has_latency;
	uint32_t last; /* group of the latest event */
};

/* 0 or -ENOMEM. */
int tally_fault(struct tally *t, const struct ptev_fault *f);
int tally_vmexit(struct tally *t, const struct ptev_vmexit *e);
int tally_remap(struct tally *t, const struct ptev_remap *r);
/*
 * A caller of the fault that was tallied last, which ->by.ctx.frame names: its group counts that
 * event as inclusive, once. Its group, -EEXIST: it has it already, or -ENOMEM.
 */
int64_t tally_caller(struct tally *t, const struct ptev_fault *f);
/* Adds what @from has, whose groups are by the same keys. */
int tally_join(struct tally *t, const struct tally *from);
void tally_free(struct tally *t);

#endif
