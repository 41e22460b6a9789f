/* SPDX-License-Identifier: GPL-2.0 */
/* Names of the kernel's addresses: of what is always there, and of what came and went. */
#ifndef SYM_KERNEL_NAMES_H
#define SYM_KERNEL_NAMES_H

#include <stdbool.h>

#include "user/sym/ksyms.h"
#include "user/sym/symbols.h"

struct kernel_names { /* filled by kernel_names_init() */
	bool same_boot;
	struct kallsyms *kallsyms;
	int err; /* 0: loaded or not tried yet */
	char note[128];
	struct ksyms ksyms;
};

/* @boot_id: of the recording; only this boot's kallsyms are read. */
void kernel_names_init(struct kernel_names *k, const char *boot_id);
void kernel_names_free(struct kernel_names *k);
/*
 * What is at @ip and may be another function at another time: 0, its @symbol, and a @number of its
 * own, below 2^31. -ENOENT: kernel_names_find() knows.
 */
int kernel_names_made(struct kernel_names *k, uint64_t ip, uint64_t time, struct symbol *symbol,
		      uint32_t *number);
/* What is at @ip for all of the boot. Its strings are valid until kernel_names_free(). */
struct symbol kernel_names_find(struct kernel_names *k, uint64_t ip);

#endif
