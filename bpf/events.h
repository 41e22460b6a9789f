/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The record ABI: what the BPF programs put into the ring, which is also what the record file
 * holds. Every record starts with struct ptev_hdr and is a multiple of 8 bytes long; sizes are
 * asserted at the end. Included by BPF (after vmlinux.h and linux/bpf.h) and by user space.
 */
#ifndef PTSCOPE_EVENTS_H
#define PTSCOPE_EVENTS_H

#include <linux/types.h>

enum ptev_type {
	PTEV_FAULT = 1,
	/* From user space (perf side band, /proc), never through the ring. */
	PTEV_COMM = 2,
	PTEV_MMAP = 3,
	PTEV_FORK = 4,
	PTEV_EXIT = 5,
	/* VM exits, see kvm_events.h. */
	PTEV_KVM_EXIT = 6,
	PTEV_HYPERCALL = 7,
	PTEV_VIOLATION = 8,
	/* Changes of page tables by ptremap, see remap_events.h. */
	PTEV_REMAP = 9,
	/* From user space, as the others: code that the kernel made. */
	PTEV_KSYM = 10,
	PTEV_NR_TYPES,
};

/* What happened, and not who or where: the records that are counted. */
static inline int ptev_is_event(__u8 type)
{
	return type == PTEV_FAULT || (type >= PTEV_KVM_EXIT && type <= PTEV_REMAP);
}

struct ptev_hdr {
	__u16 size; /* of the whole record, this header included */
	__u8 type;  /* enum ptev_type */
	__u8 pad;
};

/* Who took the fault. */
enum ptev_origin {
	PTEV_USER = 0,	 /* exception in user mode */
	PTEV_KERNEL = 1, /* exception in kernel mode */
	PTEV_GUP = 2,	 /* no exception: get_user_pages for ptrace, KVM, O_DIRECT... */
	PTEV_NR_ORIGINS,
};

enum ptev_access { PTEV_READ = 0, PTEV_WRITE = 1, PTEV_EXEC = 2, PTEV_NR_ACCESSES };

/* Hardware error code, Intel SDM vol. 3, 4.7 (figure 4-12). */
#define PTEV_EC_P    0x0001
#define PTEV_EC_W    0x0002
#define PTEV_EC_U    0x0004
#define PTEV_EC_RSVD 0x0008
#define PTEV_EC_I    0x0010
#define PTEV_EC_PK   0x0020
#define PTEV_EC_SS   0x0040
#define PTEV_EC_SGX  0x8000

/* How the fault ended. */
enum ptev_outcome {
	PTEV_OUT_UNKNOWN = 0, /* no exit hook in this session */
	PTEV_OUT_ANON,	      /* fresh anonymous page */
	PTEV_OUT_ZERO,	      /* the shared zero page was mapped */
	PTEV_OUT_FILE,	      /* page of a file or of shared memory, without I/O */
	PTEV_OUT_MAJOR,	      /* page of a file, I/O was waited for */
	PTEV_OUT_COW,	      /* copied on write */
	PTEV_OUT_WP,	      /* made writable in place: reuse after CoW, dirty tracking */
	PTEV_OUT_HUGE,	      /* a transparent huge page was mapped */
	PTEV_OUT_HUGETLB,     /* a hugetlb page was mapped */
	PTEV_OUT_SWAP,	      /* read back from swap */
	PTEV_OUT_MIGRATION,   /* waited for a page on the move, or another special entry */
	PTEV_OUT_NUMA,	      /* NUMA hint */
	PTEV_OUT_UFFD,	      /* resolved by userfaultfd */
	PTEV_OUT_SPURIOUS,    /* nothing to do: somebody else was faster */
	PTEV_OUT_RETRY,	      /* interrupted while it waited; the access is made again */
	PTEV_OUT_FIXUP,	      /* kernel access answered by its exception table (EFAULT) */
	PTEV_OUT_SIGSEGV,
	PTEV_OUT_SIGBUS,
	PTEV_OUT_OOM,
	PTEV_OUT_UNRESOLVED, /* exit hook there, but the end was not seen */
	PTEV_NR_OUTCOMES,
};

/* ptev_fault.flags: which parts are there and what is known about them. */
#define PTEV_F_BEFORE	  0x0001 /* ->before is there */
#define PTEV_F_EXIT	  0x0002 /* ->x is there and its handling fields are filled */
#define PTEV_F_VMA	  0x0004 /* ->x.vma_* are filled */
#define PTEV_F_AFTER	  0x0008 /* ->x.after is filled */
#define PTEV_F_STACKS	  0x0010 /* the record ends in two stacks (see struct ptev_fault) */
#define PTEV_F_BEFORE_CUT 0x0020 /* a table could not be read: the walk stops early */
#define PTEV_F_AFTER_CUT  0x0040
#define PTEV_F_VMA_ANON	  0x0080 /* vma_is_anonymous() */
#define PTEV_F_MAJOR	  0x0100 /* counted as ru_majflt by the kernel */
#define PTEV_F_RETRIED	  0x0200 /* took more than one handle_mm_fault call */
#define PTEV_F_DONE	  0x0400 /* handle_mm_fault finished without error: ru_minflt or ru_majflt */
#define PTEV_F_USER_PGD	  0x0800 /* PTI: the walks start at the user half's own root */

#define PTEV_LEVELS    5
#define PTEV_MAX_STACK 127

/* Raw entries as read, [level - 1]; 0 below the level where the walk stopped. */
struct ptev_walk {
	__u64 entry[PTEV_LEVELS];
};

/* What only an exit hook can tell. */
struct ptev_fault_exit {
	__u64 latency;	   /* ns from the exception (GUP: from handle_mm_fault) to the end */
	__u32 vm_fault;	   /* VM_FAULT_* of every call, or-ed */
	__u32 fault_flags; /* FAULT_FLAG_* of the last call */
	__u64 vma_start;
	__u64 vma_end; /* exclusive, as in /proc/PID/maps */
	__u64 vma_flags;
	__u64 vma_pgoff; /* in pages */
	__u64 ino;
	__u32 dev;	/* kernel encoding: major << 20 | minor */
	__u32 vma_tgid; /* whose address space: differs from ->pid for remote get_user_pages */
	struct ptev_walk after;
};

/*
 * A record is cut behind the last part that a session can fill: before ->before (no
 * walks), after ->before (no exit hook), or after ->x. With PTEV_F_STACKS all parts are there and
 * behind them: one __u64 with the frame counts (kernel | user << 32), then the addresses.
 */
struct ptev_fault {
	struct ptev_hdr hdr;
	__u32 error_code;
	__u64 time; /* CLOCK_MONOTONIC, ns */
	__u64 address;
	__u64 ip; /* 0 for PTEV_GUP */
	__u32 pid, tid;
	__u16 cpu;
	__u16 flags;
	__u8 origin;
	__u8 access;
	__u8 outcome;
	__u8 levels; /* depth of the page table: 4 or 5 */
	struct ptev_walk before;
	struct ptev_fault_exit x;
};

#define PTEV_FAULT_BASE	  __builtin_offsetof(struct ptev_fault, before)
#define PTEV_FAULT_BEFORE __builtin_offsetof(struct ptev_fault, x)
#define PTEV_FAULT_FULL	  sizeof(struct ptev_fault)

/* Side-band records; strings are NUL-terminated and padded to 8 bytes. */
struct ptev_task { /* COMM (comm set), FORK (ppid/ptid set), EXIT */
	struct ptev_hdr hdr;
	__u32 exec; /* COMM: 1 when set by exec */
	__u64 time;
	__u32 pid, tid, ppid, ptid;
	char comm[16];
};

struct ptev_mmap {
	struct ptev_hdr hdr;
	__u32 prot; /* PROT_* */
	__u64 time;
	__u32 pid, tid;
	__u64 start, len;
	__u64 pgoff; /* in bytes, as perf's MMAP2 */
	__u64 ino;
	__u32 maj, min;
	__u32 flags; /* MAP_* */
	__u32 pad;
	char name[]; /* path, [heap], [stack], //anon ... */
};

/* A BPF program or trampoline came or went (PERF_RECORD_KSYMBOL, perf_event_open(2)). */
struct ptev_ksym {
	struct ptev_hdr hdr;
	__u32 len;
	__u64 time;
	__u64 addr;
	__u16 ksym_type; /* PERF_RECORD_KSYMBOL_TYPE_* */
	__u16 flags;	 /* PERF_RECORD_KSYMBOL_FLAGS_* */
	__u32 pad;
	char name[];
};

/* Why an event did not get into the output. */
enum ptev_lost {
	PTEV_LOST_RING,	    /* the ring was full */
	PTEV_LOST_STATE,    /* no memory for per-task state */
	PTEV_LOST_INFLIGHT, /* seen to begin, but not ended when tracing stopped */
	PTEV_LOST_WRITE,    /* read, but the output could not take it (disk full) */
	PTEV_NR_LOST,
};

/* Counters kept per CPU by the programs. */
struct ptev_counters {
	__u64 opened;  /* events that passed the entry filters */
	__u64 emitted; /* handed to the ring */
	__u64 dropped; /* ended, but kept out by an exit filter (outcome, latency) */
	__u64 lost_ring;
	__u64 lost_state;
	__u64 lost_kvm;	     /* VM exits for which there was no memory */
	__u64 lost_children; /* targets' children that the map had no room for */
	__u64 missed_exit;   /* events emitted without having seen their end */
};

#include "remap_events.h"

#define PTEV_STAT_ECS 64 /* error codes 0..63 one by one; SGX is counted under its low bits */
#define PTEV_STAT_LAT 64 /* latency histogram: slot n counts [2^n, 2^(n+1)) ns */

/* Counted in the kernel by `stat`, per CPU. */
struct ptev_stat {
	__u64 by_ec[PTEV_NR_ORIGINS][PTEV_STAT_ECS];
	__u64 by_outcome[PTEV_NR_OUTCOMES];
	__u64 latency[PTEV_STAT_LAT];
	__u64 latency_sum;
	__u64 major;
	__u64 remaps[PTEV_NR_REMAPS];
};

_Static_assert(sizeof(struct ptev_hdr) == 4, "ABI");
_Static_assert(PTEV_FAULT_BASE == 48, "ABI");
_Static_assert(PTEV_FAULT_BEFORE == 88, "ABI");
_Static_assert(PTEV_FAULT_FULL == 192, "ABI");
_Static_assert(sizeof(struct ptev_task) == 48, "ABI");
_Static_assert(sizeof(struct ptev_mmap) == 72, "ABI");
_Static_assert(sizeof(struct ptev_ksym) == 32, "ABI");

#include "kvm_events.h"

#endif
