/* SPDX-License-Identifier: GPL-2.0 */
/* Where finished records go: the ring, or the counters of `stat`; and what is counted on the way.
 */
#ifndef PTSCOPE_OUTPUT_BPF_H
#define PTSCOPE_OUTPUT_BPF_H

#include "events.h"
#include "filter.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* set by user space */
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ptev_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ptev_stat);
} stats SEC(".maps");

#define COUNT(field)                                                               \
	do {                                                                       \
		__u32 _zero = 0;                                                   \
		struct ptev_counters *_c = bpf_map_lookup_elem(&counters, &_zero); \
		if (_c)                                                            \
			__sync_fetch_and_add(&_c->field, 1);                       \
	} while (0)

static __always_inline struct ptev_stat *stat_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&stats, &zero);
}

/* Index of the highest bit set. */
static __always_inline __u32 log2_slot(__u64 v)
{
	__u32 slot = 0, step;

#pragma unroll
	for (step = 32; step; step /= 2) {
		if (!(v >> step))
			continue;
		v >>= step;
		slot += step;
	}
	barrier_var(slot); /* keeps the compiler from dropping the bound that the verifier needs */
	return slot % PTEV_STAT_LAT;
}

static __always_inline void stat_begin(__u8 origin, __u32 error_code)
{
	struct ptev_stat *s = stat_get();

	if (s && origin < PTEV_NR_ORIGINS)
		__sync_fetch_and_add(&s->by_ec[origin][error_code % PTEV_STAT_ECS], 1);
}

static __always_inline void stat_end(const struct ptev_fault *rec)
{
	struct ptev_stat *s = stat_get();

	if (!s || rec->outcome >= PTEV_NR_OUTCOMES)
		return;
	__sync_fetch_and_add(&s->by_outcome[rec->outcome], 1);
	if (rec->flags & PTEV_F_MAJOR)
		__sync_fetch_and_add(&s->major, 1);
	if (!(rec->flags & PTEV_F_EXIT))
		return;
	__sync_fetch_and_add(&s->latency[log2_slot(rec->x.latency)], 1);
	__sync_fetch_and_add(&s->latency_sum, rec->x.latency);
}

static __always_inline __u32 record_size(void)
{
	if (cfg.has_exit)
		return PTEV_FAULT_FULL;
	return cfg.walks ? PTEV_FAULT_BEFORE : PTEV_FAULT_BASE;
}

/*
 * Hands a finished record to the ring. The reader is woken once per cfg.wake_bytes: a wake-up
 * for each event would cost more than the event.
 */
static __always_inline void put_record(struct ptev_hdr *rec, __u32 size)
{
	__u64 pos = bpf_ringbuf_query(&ring, BPF_RB_PROD_POS);
	__u64 crossed = (pos ^ (pos + size + 8)) & ~((__u64)cfg.wake_bytes - 1);

	rec->size = size;
	if (bpf_ringbuf_output(&ring, rec, size, crossed ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP))
		COUNT(lost_ring);
	else
		COUNT(emitted);
}

static __always_inline void count_record(const struct ptev_fault *rec)
{
	if (filters_exit())
		stat_begin(rec->origin, rec->error_code);
	stat_end(rec);
	COUNT(emitted);
}

#endif
