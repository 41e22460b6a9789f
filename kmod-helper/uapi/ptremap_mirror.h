/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Mirrors: a window of a process' addresses shows a guest's virtual address space. The module walks
 * the guest's tables when the window is accessed where nothing is yet, and puts the frame that is
 * behind the guest's memory into the process' own tables: from then on the CPU translates alone.
 *
 * A mirror is to the guest what a TLB is. It holds what a walk has given until it is told to forget
 * it: PTREMAP_MIRROR_INVALIDATE is INVLPG, PTREMAP_MIRROR_SWITCH is a write to CR3. What the host
 * does to the guest's memory (munmap, copy on write, swap, migration, huge pages) needs no word:
 * entries are dropped before it happens. Holes are not held.
 *
 * The window is for CPUs alone: it must not become a slot of a KVM guest, nor memory of a device
 * that walks a process' tables (SVA), for they are not told when an entry is dropped.
 */
#ifndef UAPI_PTREMAP_MIRROR_H
#define UAPI_PTREMAP_MIRROR_H

#include "ptremap.h"

#define PTREMAP_MIRROR	    _IO(PTREMAP_TYPE, 13)
#define PTREMAP_MIRROR_LIST _IO(PTREMAP_TYPE, 14)
/* Calls of a mirror's own descriptor. */
#define PTREMAP_MIRROR_INVALIDATE _IO(PTREMAP_TYPE, 0x40)
#define PTREMAP_MIRROR_SWITCH	  _IO(PTREMAP_TYPE, 0x41)

/* How the guest's tables are built; without paging gva and gpa are the same. */
enum ptremap_mirror_mode {
	PTREMAP_MIRROR_NONE,
	PTREMAP_MIRROR_32BIT,
	PTREMAP_MIRROR_PAE,
	PTREMAP_MIRROR_4LEVEL,
	PTREMAP_MIRROR_5LEVEL,
};

/* ->features: what the guest's CPU has, and what it has switched on. */
#define PTREMAP_MIRROR_NX      1 /* EFER.NXE */
#define PTREMAP_MIRROR_PSE     2 /* CR4.PSE: 4 MiB leaves in 32-bit tables */
#define PTREMAP_MIRROR_PSE36   4
#define PTREMAP_MIRROR_PAGE1G  8  /* leaves of 1 GiB */
#define PTREMAP_MIRROR_AMD     16 /* an AMD CPU: bit 8 of PML4Es and PML5Es is reserved */
#define PTREMAP_MIRROR_PDPTE_A 32 /* PAE: A in PDPTEs is not reserved: some machines set it */

/* ->cpu: as whom the window accesses. Bits of what a CPU would have in registers. */
#define PTREMAP_MIRROR_USER 1 /* CPL 3; otherwise a supervisor */
#define PTREMAP_MIRROR_WP   2 /* CR0.WP: supervisors respect read-only pages */
#define PTREMAP_MIRROR_SMEP 4
#define PTREMAP_MIRROR_SMAP 8 /* CR4.SMAP, EFLAGS.AC being 0 */

/* A piece of the guest's physical memory. */
struct ptremap_mirror_range {
	__u64 gpa;
	__u64 len;
	__u64 hva; /* where it lies in the memory of the process that has it */
	__u32 flags;
	__u32 reserved;
};
#define PTREMAP_MIRROR_RANGE_RO 1 /* ROM: writes are MMIO */

#define PTREMAP_MIRROR_EXEC 1 /* what the guest may execute, the process may, too */
/* Accessed and dirty flags of the guest's tables are set as its CPU would. */
#define PTREMAP_MIRROR_AD 2
/*
 * The guest's tables, as far as they were walked, are write-protected in the window: the first
 * write to such a page makes the mirror forget all that it holds, and lets it through. Changes that
 * are made in another way than through the window are not noticed.
 */
#define PTREMAP_MIRROR_SYNC 4
/* The process may only read; a write gets SIGSEGV with SEGV_ACCERR, without a record. */
#define PTREMAP_MIRROR_RDONLY 8

#define PTREMAP_MIRROR_MAX_LEN	  (1ULL << 36) /* of a window */
#define PTREMAP_MIRROR_MAX_GPA	  (1ULL << 44)
#define PTREMAP_MIRROR_MAX_RANGES 4096
#define PTREMAP_MIRROR_TAGS	  16

/*
 * Makes a mirror. Its window is there until @fd is closed and its page unmapped, by whoever has
 * them last, or until the process unmaps it, ends, or becomes another program; children do not
 *inherit it. It can be unmapped as a whole alone, and mprotect() refuses it. It cannot be read by
 *ptrace(), nor lent to O_DIRECT.
 *
 * An access that the guest's CPU would not do, or that is not to memory, gets SIGSEGV; before that
 * there is a record (struct ptremap_mirror_page, below). A fetch from a page of the window that may
 * be read but not executed has no record: si_code is SEGV_ACCERR then, which nothing else has but
 * writes with RDONLY.
 * After the mirror's end accesses get SIGBUS; when the kernel was locked down, those to what the
 * window does not show yet.
 *
 * Frames of 2 MiB are mapped as such where the guest has a leaf as large, its process a huge page
 * behind it, window and guest the same offset in 2 MiB, and the window no small page there yet;
 * not with SYNC.
 *
 * Errors, beside those of all calls:
 *	EPROTO		no such @mode, or @maxphyaddr is not 32 to 52
 *	EDOM		@va, @len or @gva is no multiple of 4096, or the window is not in the user
 *			half, or has more of the guest's addresses than there are
 *	EADDRNOTAVAIL	@va is below what vm.mmap_min_addr allows
 *	EEXIST		something is mapped there already
 *	EMSGSIZE	longer than PTREMAP_MIRROR_MAX_LEN, or more than PTREMAP_MIRROR_MAX_RANGES
 *	ERANGE		a range is no multiple of 4096, empty, beyond PTREMAP_MIRROR_MAX_GPA or
 *			@maxphyaddr, not in the user half, not above the one before it, or overlaps
 *			it
 *	ENOEXEC		EXEC, and the process has forbidden itself what is writable and executable
 *	EINVAL		@tag is PTREMAP_MIRROR_TAGS or more; as of all calls
 */
struct ptremap_mirror {
	__u32 size;
	__u32 flags;   /* PTREMAP_MIRROR_EXEC ..., PTREMAP_PIDFD, PTREMAP_OTHER_PIDFD */
	__s32 pid;     /* that has the window; 0: the caller */
	__s32 ram_pid; /* that has the guest's memory; 0: the caller. Is other_pid to _OTHER_PIDFD
			*/
	__u64 va;      /* in: of the window, 0: any free place; out: where it is */
	__u64 len;
	__u64 gva;    /* the guest's address that the window begins with */
	__u64 ranges; /* pointer to struct ptremap_mirror_range, by gpa */
	__u32 nr_ranges;
	__u32 mode; /* enum ptremap_mirror_mode */
	__u32 features;
	__u32 maxphyaddr;
	__u64 root; /* CR3 */
	__u32 cpu;
	__u32 tag;
	__s32 fd; /* out: the mirror, close-on-exec */
	__u32 reserved;
};

#define PTREMAP_MIRROR_ALL_TAGS 1
/*
 * Forgets what the guest's addresses from @gva on, @len of them (0: all), led to, of @tag. When it
 * returns, no CPU uses that any more. An access that goes on meanwhile may have been before it.
 * @gva below the window, or parts beyond it, are no error. -ENOENT: @tag was never switched to.
 */
struct ptremap_mirror_invalidate {
	__u32 size;
	__u32 flags;
	__u64 gva;
	__u64 len;
	__u32 tag;
	__u32 reserved;
};

#define PTREMAP_MIRROR_FORGET 1 /* what @tag holds is not used: as MOV to CR3 with bit 63 clear */
/*
 * The window shows what @root leads to, as @cpu sees it. What each tag holds is kept for when it is
 * switched to again; if its @root or @cpu was another, it is forgotten.
 */
struct ptremap_mirror_switch {
	__u32 size;
	__u32 flags;
	__u64 root;
	__u32 tag;
	__u32 cpu;
};

/* One mirror, as it is now. */
struct ptremap_mirror_info {
	__u32 flags;   /* as it was made with, without those of pids */
	__s32 pid;     /* that has the window, as who made it knew it */
	__s32 ram_pid; /* that has the guest's memory */
	__u32 mode;    /* enum ptremap_mirror_mode */
	__u64 va;      /* of the window */
	__u64 len;
	__u64 gva;
	__u64 held;	 /* entries of all tags */
	__u32 nr_ranges; /* of the guest's memory */
	__u32 nr_roots;
	struct ptremap_mirror_tag {
		__u64 root;
		__u32 tag;
		__u32 cpu;
	} roots[PTREMAP_MIRROR_TAGS]; /* the first one is what the window shows */
};

#define PTREMAP_MIRROR_LIST_MAX	  4096	/* mirrors that one call lists */
#define PTREMAP_MIRROR_RANGES_MAX 65536 /* and ranges */
/*
 * Lists the mirrors whose windows are there, oldest first. If there is room for all ranges, they
 * are at @ranges, those of one mirror behind those of the other; else none is. -EMSGSIZE: @nr or
 * @nr_ranges is more than one call lists.
 */
struct ptremap_mirror_list {
	__u32 size;
	__u32 flags;	 /* 0 */
	__u64 mirrors;	 /* pointer to struct ptremap_mirror_info */
	__u64 ranges;	 /* pointer to struct ptremap_mirror_range */
	__u32 nr;	 /* in: how many fit; out: how many there are, perhaps more */
	__u32 nr_ranges; /* the same */
	__u32 info_size; /* bytes of struct ptremap_mirror_info */
	__u32 reserved;	 /* 0 */
};

enum ptremap_mirror_why {
	PTREMAP_MIRROR_NOT_PRESENT = 1, /* the guest's entry says so */
	PTREMAP_MIRROR_PERMISSION,	/* its entries forbid this access */
	PTREMAP_MIRROR_RESERVED,	/* one of them has reserved bits */
	PTREMAP_MIRROR_CANONICAL,	/* no such address can be walked */
	PTREMAP_MIRROR_MMIO,		/* @gpa is in no range, or it is a write to ROM */
	PTREMAP_MIRROR_TABLE,		/* a table of the guest is not in its memory; @gpa is it */
	PTREMAP_MIRROR_HOST, /* the process that has the memory has no page for @gpa, or may not
			      * write there */
};

/* Why an access got SIGSEGV. */
struct ptremap_mirror_record {
	__u64 seq; /* number of this record; 0: it is being written */
	__u64 va;  /* in the window */
	__u64 gva;
	__u64 gpa;	  /* of MMIO, HOST and TABLE */
	__u64 entry;	  /* of the guest's tables, that the walk ended with */
	__u32 error_code; /* of the page fault that the guest's CPU would raise; MMIO, HOST: 0 */
	__u32 tid;	  /* in its own PID namespace */
	__u32 tag;
	__u8 why;    /* enum ptremap_mirror_why */
	__u8 access; /* PTREMAP_MAP_READ, PTREMAP_MAP_WRITE or PTREMAP_MAP_EXEC */
	__u8 level;  /* of @entry */
	__u8 reserved[9];
};

#define PTREMAP_MIRROR_RECORDS 60

/*
 * What mmap() of the mirror's descriptor shows: one page, to be read. Record number N is in
 * record[N % PTREMAP_MIRROR_RECORDS] until others come in its place: one that was read is whole if
 * its seq was N before and after that.
 */
struct ptremap_mirror_page {
	__u64 last; /* number of the last record; 0: there was none */
	/* Counters of what was done. */
	__u64 faults;	/* of the window */
	__u64 walked;	/* of those, that a walk answered with a page */
	__u64 again;	/* that were answered from what a tag holds */
	__u64 entries;	/* 4 KiB entries that walks gave, those around a fault included */
	__u64 huge;	/* 2 MiB entries */
	__u64 dropped;	/* entries that the host's changes took */
	__u64 unsynced; /* writes to protected tables */
	__u64 held;	/* entries that are held now, of all tags */
	__u64 reserved[3];
	struct ptremap_mirror_record record[PTREMAP_MIRROR_RECORDS];
};

#endif
