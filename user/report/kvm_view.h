/* SPDX-License-Identifier: GPL-2.0 */
/* What the sinks read out of a record of a VM exit. */
#ifndef REPORT_KVM_VIEW_H
#define REPORT_KVM_VIEW_H

#include "user/abi/abi_text.h"
#include "user/report/sink.h"
#include "user/report/walk_text.h"

/* The tables of a violation; false: not recorded. @info: of the recording. */
bool violation_before(struct walk_view *view, const struct rec_info *info,
		      const struct ptev_violation *v);
bool violation_after(struct walk_view *view, const struct rec_info *info,
		     const struct ptev_violation *v);
/* The host's frame of ->gpa, by the tables afterwards; false: not known, or none. */
bool violation_pfn(uint64_t *pfn, const struct rec_info *info, const struct ptev_violation *v);

/* A hypercall as its ABI sees it. */
struct call_view {
	struct abi_seen seen;
	uint64_t regs[ABI_NR_REGS]; /* that ->seen points to: not to be copied */
};

/*
 * False: nothing can be told, for the registers were not recorded, or the ABI has nothing for that
 * mode of the guest, or @abi is NULL.
 */
bool call_view(struct call_view *view, const struct abi *abi, const struct ptev_hypercall *c);

#endif
