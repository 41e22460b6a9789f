/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A mapping at a new address of a process, in words, as options have them:
 *
 *	frames-of=PID:VA | fresh | phys=PA | mmio=PA
 *	len=SIZE prot=r|rw|rx|rwx cache=wb|uc|wc
 *
 * A graft is the helper module's request of it; what the module answers stays 0.
 */
#ifndef REMAP_GRAFT_H
#define REMAP_GRAFT_H

#include <stdint.h>

#include "kmod-helper/uapi/ptremap.h"
#include "user/base/line.h"
#include "user/remap/change.h"

#define GRAFT_PROT_LEN 4

/* One page of nothing yet, to be read. */
void graft_init(struct ptremap_map *m);

/*
 * What stands behind one of these keys (@value: NULL for "fresh") goes into @m. "mmio" makes it
 * uncached, unless a "cache" comes later. 0, or -EINVAL with the reason in @why (CHANGE_WHY_LEN
 * bytes).
 */
int graft_key(struct ptremap_map *m, const char *key, const char *value, char *why);

/*
 * The address: "PID:VA", or with @pid "VA"; NULL for any free place, or with PTREMAP_MAP_LOW a low
 * one. As graft_key().
 */
int graft_place(struct ptremap_map *m, const char *text, int32_t pid, char *why);

/* Is all there, and does it fit together? As graft_key(). */
int graft_check(const struct ptremap_map *m, char *why);

/* Makes it; @fd is the device. 0, or -errno after one line on stderr. */
int graft_make(struct ptremap_map *m, int fd);

/* In words: "graft 42:0x10000 frames-of=43:0x7f0000001000 len=16K prot=rw cache=wb". */
void graft_words(struct line *l, const struct ptremap_map *m);

/* "rw" */
const char *graft_prot_text(char buf[GRAFT_PROT_LEN], uint32_t prot);
/* "frames", "fresh", "phys", "mmio"; "wb", "uc", "wc"; "?" for others. */
const char *graft_source_name(uint32_t source);
const char *graft_cache_name(uint32_t cache);

#endif
