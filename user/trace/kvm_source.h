/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The programs that see VM exits. They put their records into the ring of the session's fault
 * programs, and use their targets and counters.
 */
#ifndef TRACE_KVM_SOURCE_H
#define TRACE_KVM_SOURCE_H

#include <bpf/libbpf.h>

#include "bpf/config.h"
#include "user/abi/abi.h"
#include "user/kernel/kinfo.h"
#include "user/trace/names.h"

struct kvm_source;

/* One line of a `stat` table. */
struct kvm_count {
	struct ptev_kvm_key key;
	struct ptev_kvm_stat stat;
};

/* What they are loaded for. */
struct kvm_source_opts {
	enum fault_hook hook;
	const struct fault_cfg *cfg;
	const struct kinfo *kernel;
	const struct abi *abi; /* whose calls' buffers are read, or NULL */
};

/*
 * Loads the programs that cfg->kvm and the hook call for, with the maps of the same names in @maps.
 * 0 or -errno; nothing runs yet.
 */
int kvm_source_load(struct kvm_source **s, const struct kvm_source_opts *opts,
		    const struct bpf_object *maps);
/* -ENOENT: KVM is not loaded. */
int kvm_source_attach(struct kvm_source *s);
/* Detaches; exits that are open then become events without a latency. */
void kvm_source_stop(struct kvm_source *s);
/* Runs of programs that the kernel skipped because the same one was active on that CPU. */
uint64_t kvm_source_missed(const struct kvm_source *s);
/*
 * What `stat` counted, *@n rows in no order, to be freed. The sum of the counts is exact after
 * kvm_source_stop(). 0 or -errno.
 */
int kvm_source_counts(const struct kvm_source *s, struct kvm_count **counts, size_t *n);
void kvm_source_free(struct kvm_source *s); /* NULL is fine */

#endif
