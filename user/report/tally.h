/* SPDX-License-Identifier: GPL-2.0 */
/* Events counted by group, with their latencies. */
#ifndef REPORT_TALLY_H
#define REPORT_TALLY_H

#include "user/report/groups.h"
#include "user/report/percentile.h"

struct tally_group {
	uint64_t count;
	struct percentile latency; /* of those whose end was seen */
};

struct tally { /* zero but for ->by, which groups_init() has filled */
	struct groups by;
	struct tally_group *groups; /* [by.n] */
	uint32_t room;
	uint64_t events;
	uint64_t first_time, last_time; /* of events */
	bool has_latency;
};

/* 0 or -ENOMEM. */
int tally_fault(struct tally *t, const struct ptev_fault *f);
int tally_vmexit(struct tally *t, const struct ptev_vmexit *e);
int tally_remap(struct tally *t, const struct ptev_remap *r);
/* Adds what @from has, whose groups are by the same keys. */
int tally_join(struct tally *t, const struct tally *from);
void tally_free(struct tally *t);

#endif
