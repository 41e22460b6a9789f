/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* What the files that change tables share. Not for callers of the library. */
#ifndef PT_PRIV_H
#define PT_PRIV_H

#include "pt_edit.h"

/*
 * How often a store is tried while A or D are set under it. The CPU sets each once; an entry that
 * changes more often than that has other writers, and they are not to be fought with.
 */
#define PT_TRIES 4

/*
 * The one place that writes to tables: stores @new at @pos if pos->entry is still there, which
 * remains as it is; -EAGAIN: pos->entry is the value now there; -EROFS or another error of the
 * memory. @flush: @pos's range is flushed then. Only entries of tables that no CPU can reach yet,
 * and ranges that the caller flushes later, go without.
 */
int pt_store(const struct pt_space *space, struct pt_pos *pos, pt_u64 new, bool flush);

/* As pt_store(), but A and D that the CPU sets meanwhile are no reason to give up. */
int pt_store_over_ad(const struct pt_space *space, struct pt_pos *pos, pt_u64 new, bool flush);

/* Is @now @then, or what a CPU may have made of it? */
bool pt_only_ad_set(const struct pt_fmt *fmt, unsigned int level, pt_u64 then, pt_u64 now);

/* [@start, @last], and where a recursive slot shows the tables that translate it. */
void pt_flush(const struct pt_space *space, pt_u64 start, pt_u64 last, unsigned int level);

/* The entry of @level for @ia in the table at @table: where it is, not yet its value (0). */
void pt_pos_in_table(struct pt_pos *pos, const struct pt_space *space, unsigned int level,
		     pt_u64 table, pt_u64 ia);

/* The bits that a CPU may set in this @entry: A, in leaves also D; none if it has none. */
pt_u64 pt_ad_bits(const struct pt_fmt *fmt, unsigned int level, pt_u64 entry);

/* A leaf of @level that says @bits and leads to @pa. -EINVAL: no entry of @level reaches @pa. */
int pt_leaf_at(const struct pt_fmt *fmt, unsigned int level, pt_u64 bits, pt_u64 pa, pt_u64 *entry);

/* A table for entries of @level, zeroed, where tables of the space can lie. 0 or -ENOMEM. */
int pt_table_alloc(const struct pt_space *space, struct pt_alloc *alloc, unsigned int level,
		   pt_u64 *table);
void pt_table_free(const struct pt_space *space, struct pt_alloc *alloc, unsigned int level,
		   pt_u64 table);

/* The entry of @level that leads to @table and restricts nothing; @accessed sets A. */
pt_u64 pt_table_entry(const struct pt_space *space, unsigned int level, pt_u64 table,
		      bool accessed);

/* -EINVAL unless [@start, @last] are whole pages that the space has; -EOPNOTSUPP: recursive. */
int pt_range_check(const struct pt_space *space, pt_u64 start, pt_u64 last);

/*
 * Is @table one of those that @path leads through from @top down to @level? What is met again below
 * itself must not be changed as if it were a table of the lower level only.
 */
bool pt_path_loops(const pt_u64 *path, unsigned int top, unsigned int level, pt_u64 table);

/*
 * One pass that takes a range out. When pt_map() undoes what it did on [@start, @last], tables
 * that were there before stay even if they are empty: all that reach beyond ->last, and those that
 * begin before ->start from ->undo_level upwards. In between there were none.
 */
struct pt_eraser {
	const struct pt_space *space;
	struct pt_alloc *alloc;
	pt_u64 start, last;
	pt_u64 path[PT_MAX_LEVEL + 1]; /* tables that are being looked through */
	pt_u8 top;		       /* level of the table that the pass begins with */
	pt_u8 undo_level;	       /* level of the lowest such table; 0: nothing is undone */
};

/* Takes [@ia, @last] out of the table of @level. Leaves are not flushed, but tables are. */
int pt_erase(struct pt_eraser *e, unsigned int level, pt_u64 table, pt_u64 ia, pt_u64 last);

/* PAT of a leaf of @level; EPT entries have none. */
static inline pt_u64 pt_pat_bit(const struct pt_fmt *fmt, unsigned int level)
{
	if (fmt->ept)
		return 0;
	return level == 1 ? PT_PAT_4K : PT_PAT_LARGE;
}

#endif
