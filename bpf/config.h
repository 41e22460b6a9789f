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

enum fault_target_state { FAULT_ON = 1, FAULT_WAIT_EXEC = 2 };

/* Value of a target in the `targets` map. */
struct target_entry {
	/* Address of the process' signal_struct, which no other has while a task of it is left; 0:
	 * not known. */
	__u64 process;
	__u64 state; /* enum fault_target_state */
};

/* Which hypercalls lead to memory: the map `call_specs`. */
struct call_key {
	__u64 number;
	__u32 wide;  /* 1: of 64-bit code, 0: of other code */
	__u32 other; /* 1: of the calls that have no entry of their own; ->number is 0 then */
};

/* Registers are numbers in the order of struct ptev_hypercall. */
struct buffer_spec {
	__u8 used; /* 0: there is no such buffer */
	__u8 reg;  /* that has the address */
	__u8 virt, string;
	__u8 len_is_reg;
	__u8 pad;
	__u16 len; /* of a string: at most; with ->len_is_reg: the register that has it */
};

struct call_spec {
	struct buffer_spec buffer[PTEV_MAX_BUFFERS];
};

/* Where the number of a call is, and whether there is any with buffers. */
struct call_number {
	__u8 used, reg;
	__u8 shift, bits;
};

#define FAULT_NR_REGS 10 /* of a hypercall's record */

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
	__u8 kvm;		    /* enum ptev_kvm_want */
	__u8 remap;		    /* what the module ptremap changes is recorded */
	__u8 vcpu_exit;		    /* ptremap_kvm tells what Intel keeps in the VMCS */
	struct call_number call[2]; /* [wide] */
	char comm[16];
	__u64 cpus[FAULT_MAX_CPUS / 64];
};

#endif
