/* SPDX-License-Identifier: GPL-2.0 */
/* Where the direct map of physical memory starts, and how deep the page tables are. */
#ifndef KERNEL_DIRECT_MAP_H
#define KERNEL_DIRECT_MAP_H

#include <stdint.h>

#include "user/pt/pt_fmt.h"

/* Reads 8 bytes of kernel memory at @address; 0 or -errno. */
typedef int (*direct_map_read)(void *ctx, uint64_t address, uint64_t *value);

/*
 * @pgd: direct-map address of the caller's own top table. Tries 4 and 5 levels: a guess is right
 * when walks of several of the caller's own pages lead to the frames that /proc/self/pagemap
 * names. KASLR places the direct map at a multiple of 1 GiB (arch/x86/mm/kaslr.c), so the guesses
 * are few, and no symbol is needed.
 * Returns 0 with *@base and *@fmt filled, -EPERM when pagemap hides frames, or -ENXIO.
 */
int direct_map_find(direct_map_read read, void *ctx, uint64_t pgd, const struct pt_feat *feat,
		    uint64_t *base, struct pt_fmt *fmt);

/* Last byte of the last "System RAM" in /proc/iomem; that of the first TiB when it is hidden. */
uint64_t direct_map_ram_last(void);

#endif
