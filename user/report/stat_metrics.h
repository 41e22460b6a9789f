/* SPDX-License-Identifier: GPL-2.0 */
/* What was counted in the kernel, as a page of metrics. */
#ifndef REPORT_STAT_METRICS_H
#define REPORT_STAT_METRICS_H

#include <stdio.h>

#include "user/record/record.h"
#include "user/trace/kvm_source.h"

struct stat_metrics {
	const struct ptev_stat *faults; /* NULL: they were not counted */
	const struct rec_totals *totals;
	const uint64_t *remaps; /* by enum ptev_remap_event; NULL: they were not counted */
	bool exits_counted, per_vcpu;
	struct kvm_count *exits; /* are sorted, and added up without ->per_vcpu */
	size_t nr_exits;
	uint64_t duration; /* ns */
	const char *hook;
};

void stat_metrics_print(FILE *out, const struct stat_metrics *m);

#endif
