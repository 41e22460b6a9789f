/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records of what the module ptremap changed in page tables, and of what became of that: what its
 * watches are told (kmod-helper/uapi/ptremap.h: struct ptremap_event), and who brought it about.
 * Included by events.h.
 */
#ifndef PTSCOPE_REMAP_EVENTS_H
#define PTSCOPE_REMAP_EVENTS_H

enum ptev_remap_event {
	PTEV_REMAP_MADE,   /* it came into force */
	PTEV_REMAP_TAKEN,  /* the kernel acted on the page: the original was back before */
	PTEV_REMAP_UNDONE, /* it was taken back on demand, or at the end of who made it */
	PTEV_REMAP_LOST,   /* the entry was replaced without a word, and left alone */
	PTEV_NR_REMAPS,
};

#define PTEV_R_VM     1 /* of EPT or NPT: ->gpa and ->vm_fd */
#define PTEV_R_STICKY 2
#define PTEV_R_KEEP   4 /* it outlives who made it */
#define PTEV_R_HIDDEN 8 /* of ->old and ->new only a mapping's length is told */
#define PTEV_R_ALL    15

struct ptev_remap {
	struct ptev_hdr hdr;
	__u32 id;	/* of the transaction */
	__u64 time;	/* CLOCK_MONOTONIC, ns; a watch of the module has the same */
	__u64 va;	/* with PTEV_R_VM: the guest's page in the VM's process */
	__u64 old, new; /* the entry before the change, and changed; of a mapping its length and
			 * what it is of */
	__u64 gpa;
	__u32 pid, tid; /* of who did it: ptremap, or whose call or exit the kernel acted for */
	__u32 of;	/* the process whose memory it is */
	__s32 vm_fd;	/* of the VM in that process */
	__u16 cpu;
	__u16 what;    /* enum ptremap_what, ptremap_ept_what, or PTREMAP_MAPPED */
	__u8 event;    /* enum ptev_remap_event */
	__u8 cause;    /* enum ptremap_cause */
	__u8 level;    /* of the leaf; of a mapping 0 */
	__u8 flags;    /* PTEV_R_* */
	char comm[16]; /* of ->tid: it may be nobody whose names the session follows */
};

_Static_assert(sizeof(struct ptev_remap) == 88, "ABI");

#endif
