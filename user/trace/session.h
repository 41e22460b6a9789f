/* SPDX-License-Identifier: GPL-2.0 */
/* One tracing session: the programs loaded with a configuration, their ring, their counts. */
#ifndef TRACE_SESSION_H
#define TRACE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/config.h"
#include "user/kernel/kinfo.h"
#include "user/record/record.h"
#include "user/trace/kvm_source.h"
#include "user/trace/names.h"

struct session;

struct session_opts {
	enum fault_hook hook; /* HOOK_AUTO: the best that attaches */
	struct fault_cfg
		cfg; /* filters and parts; has_exit and wake_bytes are set by the session */
	const uint32_t *targets; /* tgids, or tids with cfg.target == FAULT_BY_TID */
	size_t nr_targets;
	pid_t launch;	       /* a target that counts from its exec on, or 0 */
	uint64_t ring_bytes;   /* rounded up to a power of two, at least a page */
	bool sideband;	       /* names and mappings are wanted */
	const struct abi *abi; /* whose hypercalls' buffers are read, or NULL */
};

/* What came of trying one kind of hook: 0, or -errno of its load or attach. */
struct session_tries {
	bool tried[HOOK_NR];
	int error[HOOK_NR];
};

/* Receives every record, side band first; non-zero stops the drain and is returned. */
typedef int (*session_put)(void *ctx, const void *record, size_t size);

/*
 * Loads and attaches; tracing runs when it returns 0. @tries is filled in any case. Returns
 * -errno of the last try; nothing is left attached then. -ENOPKG: remaps are wanted, and the module
 * ptremap does not tell of them.
 */
int session_start(struct session **s, const struct session_opts *opts, const struct kinfo *k,
		  struct session_tries *tries);
enum fault_hook session_hook(const struct session *s);
/*
 * Adds what wakes a reader to @epoll. The ring is edge-triggered: it is readable whenever there
 * is one record, but only its wake-ups, one per cfg.wake_bytes, are worth a drain. 0 or -errno.
 */
int session_watch(const struct session *s, int epoll);
/* False: every process that was traced, followed children included, has ended. */
bool session_targets_left(const struct session *s);
/* Hands on what is there now. @fresh: what running processes were called and had mapped. */
int session_drain(struct session *s, session_put put, void *ctx);
int session_synthesise(struct session *s, session_put put, void *ctx);
/*
 * Detaches; gives faults that are being handled a moment to end, so that they are not counted
 * as in flight. Afterwards one session_drain() empties the ring.
 */
void session_stop(struct session *s);
/* Sums the counters of all CPUs. Exact after session_stop(). */
void session_totals(const struct session *s, struct rec_totals *totals);
int session_stats(const struct session *s, struct ptev_stat *stats);
/* What `stat` counted of VM exits; as kvm_source_counts(), nothing without KVM events. */
int session_kvm_counts(const struct session *s, struct kvm_count **counts, size_t *n);
uint64_t session_kvm_lost(const struct session *s); /* VM exits for which there was no memory */
void session_free(struct session *s);

#endif
