/* SPDX-License-Identifier: GPL-2.0 */
/* VM exits that were counted in the kernel, by reason, as a table and as JSON. */
#ifndef REPORT_STAT_KVM_H
#define REPORT_STAT_KVM_H

#include <stdio.h>

#include "user/base/json.h"
#include "user/trace/kvm_source.h"

/*
 * One row for each reason of each VM, or with @per_vcpu of each vCPU, most time first. Sorts
 * @counts. 0 or -ENOMEM.
 */
int stat_kvm_text(FILE *out, struct kvm_count *counts, size_t n, bool per_vcpu);
/*
 * "exits": one object for each reason of each vCPU: "pid", "vcpu", "isa", "reason", "reason_name",
 * "count", "ended" (those that have a latency), "latency_sum_ns", "latency_min_ns",
 * "latency_max_ns", "latency_histogram".
 */
void stat_kvm_json(struct json *json, struct kvm_count *counts, size_t n);
/* Sorts @counts by VM, reason and vCPU and, without @per_vcpu, adds up the vCPUs of a VM, in place.
 * Returns how many rows are left. */
size_t stat_kvm_rows(struct kvm_count *counts, size_t n, bool per_vcpu);
/* Adds @b to @a. */
void stat_kvm_add(struct ptev_kvm_stat *a, const struct ptev_kvm_stat *b);
/*
 * Upper end in ns of the slot in which @percent of the latencies are reached, at most the longest
 * that there was; 0 without any.
 */
uint64_t stat_kvm_quantile(const struct ptev_kvm_stat *s, unsigned int percent);

#endif
