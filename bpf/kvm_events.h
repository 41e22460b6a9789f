/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records of virtual machines: each is one VM exit, from the CPU's leaving the guest to its next
 * entry on the same thread. What kind it is decides what stands behind the common part. Included
 * by events.h.
 */
#ifndef PTSCOPE_KVM_EVENTS_H
#define PTSCOPE_KVM_EVENTS_H

/* What a session records of exits; bits of fault_cfg.kvm. */
enum ptev_kvm_want { PTEV_WANT_EXIT = 1, PTEV_WANT_HYPERCALL = 2, PTEV_WANT_VIOLATION = 4 };

/* arch/x86/kvm/trace.h: KVM_ISA_VMX, KVM_ISA_SVM */
enum ptev_isa { PTEV_ISA_VMX = 1, PTEV_ISA_SVM = 2 };

/* Basic exit reasons, Intel SDM vol. 3, appendix C; exit codes, AMD APM vol. 2, appendix C. */
#define PTEV_VMX_VMCALL	       18
#define PTEV_VMX_EPT_VIOLATION 48
#define PTEV_VMX_EPT_MISCONFIG 49
#define PTEV_SVM_VMMCALL       0x081
#define PTEV_SVM_NPF	       0x400
/* Of an Intel reason the low 16 bits are the basic one. */
#define PTEV_VMX_BASIC 0xffff

/* What the vCPU executed. Legacy: not 64-bit code, 16 or 32 is not known. */
enum ptev_guest_mode {
	PTEV_MODE_UNKNOWN,
	PTEV_MODE_REAL,
	PTEV_MODE_16,
	PTEV_MODE_32,
	PTEV_MODE_64,
	PTEV_MODE_LEGACY,
	PTEV_NR_MODES,
};

/* ptev_vmexit.flags: what is known. A field without its flag is 0. */
#define PTEV_K_LATENCY	  0x0001 /* the next entry was seen */
#define PTEV_K_CPL	  0x0002
#define PTEV_K_NESTED	  0x0004 /* a guest of this guest was running */
#define PTEV_K_USER	  0x0008 /* the VMM got it: ->user_exit is KVM_EXIT_* */
#define PTEV_K_ARGS	  0x0010 /* hypercall: rax rbx rcx rdx rsi */
#define PTEV_K_REGS	  0x0020 /* hypercall: rdi r8 r9 r10 r11, too */
#define PTEV_K_RET	  0x0040 /* hypercall: it has returned ->ret */
#define PTEV_K_GPA	  0x0080 /* violation */
#define PTEV_K_ACCESS	  0x0100 /* violation: Intel does not tell it of misconfigurations */
#define PTEV_K_BEFORE	  0x0200
#define PTEV_K_AFTER	  0x0400
#define PTEV_K_BEFORE_CUT 0x0800 /* a table could not be read: the walk stops early */
#define PTEV_K_AFTER_CUT  0x1000
#define PTEV_K_SLOT	  0x2000 /* violation: ->slot and ->hva; without it no slot was seen */
#define PTEV_K_BUFFERS	  0x4000 /* hypercall: what its registers point to is behind it */
#define PTEV_K_GVA	  0x8000 /* violation: ->gva */

/* The common part, and all of a PTEV_KVM_EXIT. */
struct ptev_vmexit {
	struct ptev_hdr hdr;
	__u32 reason;  /* Intel: exit reason, all 32 bits; AMD: exit code */
	__u64 time;    /* CLOCK_MONOTONIC, ns */
	__u64 latency; /* ns to the next entry, time in the VMM and halted included */
	__u64 rip;     /* as KVM reports it: of the instruction that caused the exit */
	__u64 info1;   /* Intel: exit qualification; AMD: EXITINFO1 */
	__u64 info2;   /* Intel: IDT-vectoring information; AMD: EXITINFO2 */
	__u32 pid, tid;
	__u32 vcpu; /* its id in the VM */
	__u16 cpu;
	__u16 flags;
	__u32 intr_info; /* Intel: exit interruption information; AMD: EXITINTINFO */
	__u8 isa;	 /* enum ptev_isa */
	__u8 mode;	 /* enum ptev_guest_mode */
	__u8 cpl;
	__u8 user_exit;
};

/*
 * Registers when the guest was left. The number is in rax for most ABIs. With PTEV_K_BUFFERS one or
 * two struct ptev_buffer follow, each with its bytes, padded to 8.
 */
struct ptev_hypercall {
	struct ptev_vmexit exit;
	__u64 rax, rbx, rcx, rdx, rsi, rdi, r8, r9, r10, r11;
	__u64 ret; /* rax at the next entry, if the guest goes on behind the instruction */
};

/* Why a part of a buffer is not there. */
enum ptev_stop {
	PTEV_STOP_NONE,	     /* it is there */
	PTEV_STOP_END,	     /* a string has ended before */
	PTEV_STOP_CR3,	     /* the guest's tables are not known */
	PTEV_STOP_ENCRYPTED, /* the guest's memory can be read by nobody else */
	PTEV_STOP_NESTED,    /* a guest of this guest called: its tables are not followed */
	PTEV_STOP_HOLE,	     /* the entry of ->level is not present in the guest's tables */
	PTEV_STOP_BAD,	     /* ... is malformed; at level 0: the address itself */
	PTEV_STOP_TABLE,     /* ... cannot be read: no slot, or not in the host's memory */
	PTEV_STOP_SLOT,	     /* the guest has no memory at that gpa */
	PTEV_STOP_HOST,	     /* it is not in the host's memory now */
	PTEV_STOP_SLOTS,     /* nothing is known of KVM's slots */
	PTEV_STOP_CHANGED,   /* the VM's slots changed while it was read */
	PTEV_NR_STOPS,
};

#define PTEV_MAX_BUFFERS  2   /* of one call */
#define PTEV_BUFFER_BYTES 256 /* of one buffer, at most */
#define PTEV_BUFFER_PARTS 2   /* within the first page, and behind it */

/*
 * Guest memory, read when the guest was left. What lies in one page is one part: all of it is there
 * (of strings up to the NUL), or none and ->stop says why. The bytes are those of the first part
 * and, right behind, those of the second.
 */
struct ptev_buffer {
	__u64 address;		       /* that a register had, as wide as the code that called */
	__u32 length;		       /* in bytes, of which ... */
	__u16 wanted;		       /* ... so many were looked for */
	__u16 len[PTEV_BUFFER_PARTS];  /* that are there */
	__u8 virt;		       /* 1: ->address is a gva, 0: a gpa */
	__u8 string;		       /* 1: it ends with its first NUL */
	__u8 stop[PTEV_BUFFER_PARTS];  /* enum ptev_stop */
	__u8 level[PTEV_BUFFER_PARTS]; /* of the guest's entry that ->stop is about */
};

/* Bytes that part @i of a buffer has when all of it is there. */
static inline __u32 ptev_part_size(const struct ptev_buffer *b, unsigned int i)
{
	__u32 first = 4096 - (__u32)(b->address & 4095);

	if (first > b->wanted)
		first = b->wanted;
	return i ? b->wanted - first : first;
}

/* Bytes of a buffer in a record, header and padding included. */
static inline __u32 ptev_buffer_size(const struct ptev_buffer *b)
{
	return (sizeof(*b) + b->len[0] + b->len[1] + 7) & ~7u;
}

/* How an EPT violation, EPT misconfiguration or nested page fault ended. */
enum ptev_violation_outcome {
	PTEV_VIO_UNKNOWN,    /* the tables were not looked at */
	PTEV_VIO_MAPPED,     /* there was no leaf, now there is */
	PTEV_VIO_CHANGED,    /* the leaf was replaced, or allows more */
	PTEV_VIO_SPURIOUS,   /* the leaf allowed it already */
	PTEV_VIO_EMULATED,   /* a leaf that forbids it stays: the instruction was emulated */
	PTEV_VIO_MMIO,	     /* no memory there: a device in the kernel */
	PTEV_VIO_MMIO_USER,  /* no memory there, or read-only: given to the VMM */
	PTEV_VIO_USER,	     /* given to the VMM for another reason */
	PTEV_VIO_UNRESOLVED, /* still no leaf: the guest tries again */
	PTEV_NR_VIO,
};

struct ptev_violation {
	struct ptev_vmexit exit;
	__u64 gpa;
	__u64 gva;  /* Intel, by ptremap_kvm: that the guest accessed, or whose tables it walked */
	__u64 hva;  /* of the gpa, in the VMM */
	__u64 root; /* host-physical address of the top table */
	__u16 slot, as_id;
	__u8 access;  /* enum ptev_access */
	__u8 levels;  /* depth of the table: 4 or 5; 0: not known */
	__u8 outcome; /* enum ptev_violation_outcome */
	__u8 pad;
	struct ptev_walk before, after;
};

/* Counted in the kernel by `stat`: exits of one vCPU for one reason. */
struct ptev_kvm_key {
	__u32 pid, vcpu, reason, isa;
};

#define PTEV_KVM_KEYS 16384 /* more are counted as lost for want of memory */

struct ptev_kvm_stat {
	__u64 count;
	__u64 ended; /* those whose latency is in the rest */
	__u64 sum, min, max;
	__u64 latency[64]; /* slot n counts [2^n, 2^(n+1)) ns */
};

_Static_assert(sizeof(struct ptev_vmexit) == 72, "ABI");
_Static_assert(sizeof(struct ptev_hypercall) == 160, "ABI");
_Static_assert(sizeof(struct ptev_buffer) == 24, "ABI");
_Static_assert(sizeof(struct ptev_violation) == 192, "ABI");

#endif
