/* SPDX-License-Identifier: GPL-2.0 */
/* What the sinks read out of a record of a VM exit. */
#ifndef REPORT_KVM_VIEW_H
#define REPORT_KVM_VIEW_H

#include "user/report/sink.h"
#include "user/report/walk_text.h"

/* The tables of a violation; false: not recorded. @info: of the recording. */
bool violation_before(struct walk_view *view, const struct rec_info *info,
		      const struct ptev_violation *v);
bool violation_after(struct walk_view *view, const struct rec_info *info,
		     const struct ptev_violation *v);
/* The host's frame of ->gpa, by the tables afterwards; false: not known, or none. */
bool violation_pfn(uint64_t *pfn, const struct rec_info *info, const struct ptev_violation *v);

#endif
