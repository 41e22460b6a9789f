/* SPDX-License-Identifier: GPL-2.0 */
/* What the sinks read out of a record of a VM exit. */
#ifndef REPORT_KVM_VIEW_H
#define REPORT_KVM_VIEW_H

#include "user/abi/abi_text.h"
#include "user/report/learned.h"
#include "user/report/sink.h"
#include "user/report/walk_text.h"

/* The tables of a violation; false: not recorded. @info: of the recording. */
bool violation_before(struct walk_view *view, const struct rec_info *info,
		      const struct ptev_violation *v);
bool violation_after(struct walk_view *view, const struct rec_info *info,
		     const struct ptev_violation *v);
/* The host's frame of ->gpa, by the tables afterwards; false: not known, or none. */
bool violation_pfn(uint64_t *pfn, const struct rec_info *info, const struct ptev_violation *v);

#define VIEW_WHY 64

/* A hypercall as its ABI sees it. */
struct call_view {
	struct abi_seen seen;
	/* What ->seen points to: not to be copied. */
	uint64_t regs[ABI_NR_REGS];
	struct abi_buffer buffers[ABI_MAX_BUFFERS];
	char why[ABI_MAX_BUFFERS][ABI_MAX_PARTS][VIEW_WHY];
};

/*
 * False: nothing can be told, for the registers were not recorded, or the ABI has nothing for that
 * mode of the guest, or @abi is NULL. @learned: names that calls before it gave, or NULL.
 */
bool call_view(struct call_view *view, const struct abi *abi, const struct ptev_hypercall *c,
	       const struct learned *learned);
/* The name that the call gives to a number is in @learned from now on. 0 or -ENOMEM. */
int call_learn(struct learned *learned, const struct abi *abi, const struct call_view *view,
	       const struct ptev_hypercall *c);

#endif
