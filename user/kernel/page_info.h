/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What /proc says of page frames: Documentation/admin-guide/mm/pagemap.rst,
 * include/uapi/linux/kernel-page-flags.h. Root's alone.
 */
#ifndef KERNEL_PAGE_INFO_H
#define KERNEL_PAGE_INFO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Bits of ->flags that are of interest beyond their names. */
#define KPF_BIT_ANON	  12
#define KPF_BIT_NOPAGE	  20
#define KPF_BIT_ZERO_PAGE 24

struct page_info {
	bool has_flags, has_mapcount;
	uint64_t flags; /* bits of /proc/kpageflags */
	uint64_t mapcount;
};

/* What can be had of frame @pfn. */
void page_info_read(uint64_t pfn, struct page_info *info);

/* "anon", "lru": of one bit; NULL for bits without a name. */
const char *page_flag_name(unsigned int bit);

/* What /proc/PID/pagemap has of one page. */
struct pagemap_info {
	bool present, swapped, file, soft_dirty, exclusive, uffd_wp;
	uint64_t pfn; /* 0: hidden, or not present */
	unsigned int swap_type;
	uint64_t swap_offset;
};

/* 0; -ENXIO: beyond the user half; -ESRCH; other -errno. */
int pagemap_read(pid_t pid, uint64_t va, struct pagemap_info *info);

/* Physical address of @va, which @info is about; only with ->pfn. */
uint64_t pagemap_pa(const struct pagemap_info *info, uint64_t va);

#endif
