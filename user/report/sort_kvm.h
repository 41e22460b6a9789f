/* SPDX-License-Identifier: GPL-2.0 */
/* What VM exits can be grouped by; rows of the table in sort_keys.c. */
#ifndef REPORT_SORT_KVM_H
#define REPORT_SORT_KVM_H

#include "user/report/sort_keys.h"

/* Ids of outcomes and levels from here on are those of violations, and not of faults. */
#define SORT_KVM_OUTCOME 0x1000
#define SORT_KVM_LEVEL	 0x1000

uint64_t sort_kvm_comm(struct sort_ctx *ctx, const struct ptev_vmexit *e);
uint64_t sort_kvm_pid(struct sort_ctx *ctx, const struct ptev_vmexit *e);
uint64_t sort_kvm_tid(struct sort_ctx *ctx, const struct ptev_vmexit *e);
uint64_t sort_kvm_cpu(struct sort_ctx *ctx, const struct ptev_vmexit *e);
uint64_t sort_kvm_vcpu(struct sort_ctx *ctx, const struct ptev_vmexit *e);
uint64_t sort_kvm_event(struct sort_ctx *ctx, const struct ptev_vmexit *e);
uint64_t sort_kvm_reason(struct sort_ctx *ctx, const struct ptev_vmexit *e);
uint64_t sort_kvm_nr(struct sort_ctx *ctx, const struct ptev_vmexit *e);
uint64_t sort_kvm_access(struct sort_ctx *ctx, const struct ptev_vmexit *e);
uint64_t sort_kvm_outcome(struct sort_ctx *ctx, const struct ptev_vmexit *e);
uint64_t sort_kvm_page(struct sort_ctx *ctx, const struct ptev_vmexit *e); /* of the gpa */
/* Of the leaf that is there afterwards: what was mapped, 4K, 2M, 1G. */
uint64_t sort_kvm_level(struct sort_ctx *ctx, const struct ptev_vmexit *e);

const char *sort_kvm_reason_text(const struct sort_ctx *ctx, uint64_t id, char *buf, size_t size);
const char *sort_kvm_level_text(uint64_t id);

#endif
