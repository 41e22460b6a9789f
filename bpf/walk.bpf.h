/* SPDX-License-Identifier: GPL-2.0 */
/* Page-table walks inside a BPF program: the pt core's stepper round bounded kernel reads. */
#ifndef PTSCOPE_WALK_BPF_H
#define PTSCOPE_WALK_BPF_H

#include "events.h"
#include "../user/pt/pt_walk.h"

/* Set by user space before load (user/kernel/kinfo.c finds the values). */
const volatile struct pt_fmt walk_fmt = {};
const volatile __u64 walk_page_offset = 0; /* where the direct map starts, KASLR included */
const volatile bool walk_pti = false;	   /* user mode runs on its own copy of the top table */

struct walk_end {
	__u64 entry;
	__u8 level;
	__u8 kind; /* enum pt_kind; PT_TABLE: the table could not be read */
	__u8 perm; /* PT_PERM_* of all entries */
};

/*
 * Walks @ia from the table at physical address @root and stores the raw entries. The tables may
 * change or be freed meanwhile: every read is bounded by a fault handler, and what was read is
 * what was there at that moment.
 */
static __always_inline void walk_from(struct ptev_walk *out, struct walk_end *end,
				      const struct pt_fmt *fmt, __u64 root, __u64 ia)
{
	struct pt_walk w;
	__u64 entry;
	int i;

	barrier_var(fmt); /* the compiler must not take the initial zeros for the values */
	__builtin_memset(out, 0, sizeof(*out));
	pt_walk_start(&w, fmt, root, ia);
#pragma unroll
	for (i = 0; i < PTEV_LEVELS; i++) {
		if (w.kind != PT_TABLE || w.level < 1 || w.level > PTEV_LEVELS)
			break;
		if (bpf_probe_read_kernel(&entry, sizeof(entry),
					  (void *)(walk_page_offset + w.entry_pa)))
			break;
		out->entry[w.level - 1] = entry;
		pt_walk_feed(&w, fmt, entry);
	}
	end->entry = w.entry;
	end->level = w.level;
	end->kind = w.kind;
	end->perm = w.perm;
}

/* The same of the host's own tables; @pgd is a direct-map address. */
static __always_inline void walk_tables(struct ptev_walk *out, struct walk_end *end, __u64 pgd,
					__u64 va)
{
	walk_from(out, end, (const struct pt_fmt *)&walk_fmt, pgd - walk_page_offset, va);
}

#endif
