/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What user space tells the programs before they are loaded. It becomes read-only data, so
 * that the verifier removes the code of every filter and part that a session does not use.
 */
#ifndef PTSCOPE_CONFIG_H
#define PTSCOPE_CONFIG_H

#include "events.h"

#define FAULT_MAX_CPUS	  1024
#define FAULT_MAX_TARGETS 65536

enum fault_target { FAULT_ALL, FAULT_BY_TGID, FAULT_BY_TID };

/* Value of a target in the `targets` map. */
enum fault_target_state { FAULT_ON = 1, FAULT_WAIT_EXEC = 2 };

struct fault_cfg {
	__u64 addr_first, addr_last; /* both included */
	__u64 min_latency;	     /* ns; 0: no filter */
	__u64 cgroup;		     /* id of a cgroup v2; 0: no filter */
	__u64 uffd_flags;	     /* VM_UFFD_* of this kernel */
	__u64 nr;		     /* of hypercalls, if by_nr */
	__u32 cgroup_level;
	__u32 self;	  /* tgid of the tracer, kept out of system-wide sessions */
	__u32 outcomes;	  /* bit per enum ptev_outcome; 0: no filter */
	__u32 wake_bytes; /* power of two: the reader is woken once per so many bytes */
	__u8 target;	  /* enum fault_target */
	__u8 inherit;	  /* children of targets are targets */
	__u8 origins;	  /* bit per enum ptev_origin */
	__u8 accesses;	  /* bit per enum ptev_access */
	__u8 has_exit;	  /* handle_mm_fault is hooked on both sides */
	__u8 stat;	  /* count, do not record */
	__u8 walks;
	__u8 kernel_stack, user_stack;
	__u8 by_comm, by_cpu, by_addr, by_nr;
	__u8 kvm; /* enum ptev_kvm_want */
	char comm[16];
	__u64 cpus[FAULT_MAX_CPUS / 64];
};

#endif
