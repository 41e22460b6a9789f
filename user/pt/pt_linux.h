/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * What Linux puts into entries that the CPU ignores: arch/x86/include/asm/pgtable_64.h,
 * pgtable_types.h, pgtable-invert.h, include/linux/swap.h, swapops.h. 64-bit kernels only, from
 * 4.19 on (older ones did not invert addresses); the newest that was looked at is 6.17.
 */
#ifndef PT_LINUX_H
#define PT_LINUX_H

#include "pt_walk.h"

enum pt_linux_kind {
	PT_LINUX_NONE,	    /* nothing: the entry is empty (A and D may be left over) */
	PT_LINUX_PRESENT,   /* the CPU uses it */
	PT_LINUX_PROTNONE,  /* a page that nobody may touch: PROT_NONE or NUMA hinting; with ->sub
			       "invalid": a large page that is just being split or changed */
	PT_LINUX_SWAP,	    /* ->type is the swap area, ->offset the slot in pages */
	PT_LINUX_MIGRATION, /* ->pfn is being moved; ->sub says read, read-exclusive or write */
	PT_LINUX_DEVICE,    /* ->pfn is device-private or device-exclusive memory: see ->sub */
	PT_LINUX_HWPOISON,  /* ->pfn is broken memory */
	PT_LINUX_MARKER,    /* ->offset: PT_MARKER_*, ->sub: the one that weighs most */
	PT_LINUX_SWAPIN_ERROR, /* 5.19 to 6.1: the page was lost when it was read from swap */
	PT_LINUX_UNKNOWN,      /* nothing that such a kernel puts there */
};

#define PT_MARKER_UFFD_WP  1
#define PT_MARKER_POISONED 2 /* 6.2 to 6.5: swap-in error */
#define PT_MARKER_GUARD	   4

struct pt_linux {
	pt_u8 kind; /* enum pt_linux_kind */
	pt_u8 type; /* the swap type, also of MIGRATION to SWAPIN_ERROR */
	/* Flags, each 0 or 1, of a leaf or of what stands in the place of one. */
	pt_u8 uffd_wp, soft_dirty, exclusive, dev, special;
	pt_u8 saved_dirty;  /* written to, though the CPU's D is clear */
	pt_u8 young, dirty; /* MIGRATION: A and D of the page */
	const char *sub;    /* one word more, or NULL */
	pt_u64 pfn;	    /* PROTNONE, MIGRATION, DEVICE, HWPOISON */
	pt_u64 offset;	    /* SWAP, MARKER */
};

/* KERNEL_VERSION(6, 1, 0) as a number, for @version. */
#define PT_LINUX_VERSION(major, minor) ((major) << 16 | (minor) << 8)

/*
 * ORed into @version: the kernel has CONFIG_DEVICE_PRIVATE, which moves the swap types of the
 * special entries. Debian's kernels (6.1, 6.12) have not. That they have CONFIG_MIGRATION,
 * MEMORY_FAILURE, MEM_SOFT_DIRTY and PTE_MARKER is taken for granted.
 */
#define PT_LINUX_DEVICE_PRIVATE (1U << 31)

/*
 * Reads @entry of @level (1..fmt->top) as a 64-bit kernel of @version would. Entries of other
 * formats than 4-level and 5-level paging are no Linux process's: they are NONE, PRESENT or
 * UNKNOWN, without flags. Linux' bits in entries that refer to tables are not looked at.
 */
void pt_linux_decode(const struct pt_fmt *fmt, unsigned int level, pt_u64 entry,
		     unsigned int version, struct pt_linux *out);

/* "empty", "swap", "migration", ... "unknown"; "?" for no kind. */
const char *pt_linux_kind_name(enum pt_linux_kind kind);

#endif
