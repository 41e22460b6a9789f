/* SPDX-License-Identifier: GPL-2.0 */
/* What changes by ptremap can be grouped by; rows of the table in sort_keys.c. */
#ifndef REPORT_SORT_REMAP_H
#define REPORT_SORT_REMAP_H

#include "user/report/sort_keys.h"

/* Ids of outcomes from here on are enum ptev_remap_event. */
#define SORT_REMAP_OUTCOME 0x2000

uint64_t sort_remap_comm(struct sort_ctx *ctx, const struct ptev_remap *r);
uint64_t sort_remap_pid(struct sort_ctx *ctx, const struct ptev_remap *r);
uint64_t sort_remap_tid(struct sort_ctx *ctx, const struct ptev_remap *r);
uint64_t sort_remap_cpu(struct sort_ctx *ctx, const struct ptev_remap *r);
uint64_t sort_remap_event(struct sort_ctx *ctx, const struct ptev_remap *r);
uint64_t sort_remap_outcome(struct sort_ctx *ctx, const struct ptev_remap *r);
uint64_t sort_remap_page(struct sort_ctx *ctx, const struct ptev_remap *r); /* of a guest: gpa */
uint64_t sort_remap_vm(struct sort_ctx *ctx, const struct ptev_remap *r);
uint64_t sort_remap_what(struct sort_ctx *ctx, const struct ptev_remap *r);
uint64_t sort_remap_cause(struct sort_ctx *ctx, const struct ptev_remap *r);

#endif
