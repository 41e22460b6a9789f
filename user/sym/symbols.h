/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses to symbols: kernel through kallsyms of the running boot, user through elfutils. */
#ifndef SYM_SYMBOLS_H
#define SYM_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "user/sym/build_id.h"
#include "user/sym/procs.h"

struct symbols;

struct symbol {
	const char *name; /* never NULL: "[unknown]"; of C++ and Rust as in the source */
	const char *dso;  /* "[kernel]", "[module]" name, path of the file, or "[unknown]" */
	uint64_t offset;  /* of the address from the symbol's start */
};

/*
 * @boot_id: of the recording. Kernel symbols are given only when it is this boot's (another
 * boot has other addresses); symbols_kernel_note() then says why there are none.
 */
struct symbols *symbols_new(const char *boot_id);
void symbols_free(struct symbols *s);
/*
 * Names @ip in the context of pid at time. The answer is cached and valid until symbols_free().
 * @name of a symbol found is shared: equal symbols of one DSO have the same pointer.
 */
const struct symbol *symbols_find(struct symbols *s, struct procs *p, uint32_t pid, uint64_t ip,
				  uint64_t time);
/*
 * Functions of the kernel that come and go, and build IDs of files: what the recording tells of
 * them, before anything is asked that depends on it. A file with a known build ID is believed only
 * with that; perf's cache may have it where the file itself has changed. @source: a number of the
 * recording. 0 or -ENOMEM.
 */
int symbols_feed(struct symbols *s, const struct ptev_ksym *r);
int symbols_build_id(struct symbols *s, const char *path, const struct build_id *id,
		     uint32_t source);

/* What debug information says of an address. */
struct symbol_site {
	const char *file; /* of the source, without its folder; NULL: unknown */
	uint32_t line;
	uint32_t nr_inlined;
	const char *const *inlined; /* functions that are inlined there, innermost first */
};
/*
 * As symbols_find(); what is around what is inlined is the symbol. NULL: nothing is known, of the
 * kernel's addresses never.
 */
const struct symbol_site *symbols_site(struct symbols *s, struct procs *p, uint32_t pid,
				       uint64_t ip, uint64_t time);
/*
 * Why kernel addresses have no names; NULL: they have, or none was asked for yet (the kernel's
 * symbols are read at the first).
 */
const char *symbols_kernel_note(const struct symbols *s);

#endif
