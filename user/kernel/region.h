/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an address is to a 64-bit kernel: Documentation/arch/x86/x86_64/mm.rst, with the bases that
 * this boot has (KASLR moves three of them and the kernel's image).
 */
#ifndef KERNEL_REGION_H
#define KERNEL_REGION_H

#include <stdbool.h>
#include <stdint.h>

#define KERNEL_MAP 0xffffffff80000000ULL /* __START_KERNEL_map: the image's window begins there */

enum region_kind {
	REGION_USER,
	REGION_NONCANONICAL,
	REGION_GUARD, /* a hypervisor's */
	REGION_LDT,
	REGION_DIRECT,
	REGION_VMALLOC,
	REGION_VMEMMAP,
	REGION_RANDOM, /* one of the last three, whose bases are not known */
	REGION_KASAN,
	REGION_CPU_ENTRY,
	REGION_ESPFIX,
	REGION_EFI,
	REGION_TEXT,
	REGION_MODULES,
	REGION_FIXMAP,
	REGION_VSYSCALL,
	REGION_UNUSED,
	REGION_NR_KINDS,
};

#define REGION_MAX 24

struct region {
	uint64_t start, last;
	enum region_kind kind;
};

/* The layout of this boot. What is not known is 0. */
struct layout {
	unsigned int levels;
	uint64_t page_offset, vmalloc_base, vmemmap_base;
	bool has_phys_base;
	uint64_t phys_base;	   /* __START_KERNEL_map is at this physical address */
	uint64_t text, etext, end; /* of the kernel's image: _text, _etext, _end */
	bool kasan;
	uint64_t ram_last;		  /* last physical address of RAM */
	uint32_t page_struct;		  /* bytes of struct page */
	struct region region[REGION_MAX]; /* disjoint, in no order */
	unsigned int nr_regions;
};

/* Asks the helper module behind @fd, if that is one, otherwise the kernel by BPF. */
void layout_detect(struct layout *l, int fd);

/* Fills ->region from the members above it. */
void layout_arrange(struct layout *l);

/* The region of @va: its own one, or the gap that it lies in (REGION_UNUSED, ..NONCANONICAL). */
struct region layout_find(const struct layout *l, uint64_t va);

/* Physical address of @va: of the direct map and the kernel's image alone. */
bool layout_pa(const struct layout *l, uint64_t va, uint64_t *pa);

/* "direct map", "vmalloc", ... */
const char *region_name(enum region_kind kind);

#endif
