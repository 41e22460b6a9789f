/* SPDX-License-Identifier: GPL-2.0 */
/* Which events a session wants, decided before anything is stored. */
#ifndef PTSCOPE_FILTER_BPF_H
#define PTSCOPE_FILTER_BPF_H

#include "config.h"

const volatile struct fault_cfg cfg = {};

/* tgid or tid (by cfg.target) */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FAULT_MAX_TARGETS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct target_entry);
} targets SEC(".maps");

static __always_inline bool filter_target(__u32 tgid, __u32 tid)
{
	__u32 key = cfg.target == FAULT_BY_TID ? tid : tgid;
	struct target_entry *target;

	if (cfg.target == FAULT_ALL)
		return tgid != cfg.self;
	target = bpf_map_lookup_elem(&targets, &key);
	return target && target->state == FAULT_ON;
}

static __always_inline bool filter_comm(void)
{
	char comm[16] = {};
	int i;

	bpf_get_current_comm(comm, sizeof(comm));
#pragma unroll
	for (i = 0; i < 16; i++) {
		if (comm[i] != cfg.comm[i])
			return false;
		if (!comm[i])
			break;
	}
	return true;
}

static __always_inline bool filter_cpu(__u32 cpu)
{
	/* A mask bounds the index: the verifier of 6.1 loses a comparison's bound in the shift. */
	__u64 word = cfg.cpus[cpu / 64 % (FAULT_MAX_CPUS / 64)];

	return cpu < FAULT_MAX_CPUS && (word >> (cpu % 64) & 1);
}

static __always_inline bool filter_addr(__u64 address)
{
	return !cfg.by_addr || (address >= cfg.addr_first && address <= cfg.addr_last);
}

/* Who does it, if not one of the targets, and where. */
static __always_inline bool filter_who(void)
{
	if (cfg.by_cpu && !filter_cpu(bpf_get_smp_processor_id()))
		return false;
	if (cfg.by_comm && !filter_comm())
		return false;
	return !cfg.cgroup || bpf_get_current_ancestor_cgroup_id(cfg.cgroup_level) == cfg.cgroup;
}

/* Whom it happens to, and where. */
static __always_inline bool filter_task(void)
{
	__u64 id = bpf_get_current_pid_tgid();

	return filter_target(id >> 32, (__u32)id) && filter_who();
}

/* Everything that is known when a fault begins. */
static __always_inline bool filter_enter(__u8 origin, __u8 access, __u64 address)
{
	if (!(cfg.origins >> origin & 1) || !(cfg.accesses >> access & 1))
		return false;
	return filter_addr(address) && filter_task();
}

/* Some faults are kept or not by how they ended. */
static __always_inline bool filters_exit(void)
{
	return cfg.outcomes || cfg.min_latency;
}

static __always_inline bool filter_outcome(__u8 outcome)
{
	return !cfg.outcomes || (cfg.outcomes >> outcome & 1);
}

#endif
