/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Changes of single entries: compared with the value that was seen, stored in one atomic step,
 * with a record that undoes them. Bits that the CPU sets at the same time (A and D; SDM vol. 3, 4.8
 * and 29.3.5) are never lost: the comparison sees them, or the undo keeps them.
 */
#ifndef PT_EDIT_H
#define PT_EDIT_H

#include "pt_iter.h"

/* An entry, as it was seen. */
struct pt_pos {
	pt_u64 start, last; /* input addresses that it translates */
	pt_u64 addr;	    /* in terms of the space's memory */
	pt_u64 entry;	    /* the value that was seen */
	pt_u8 level;
};

/* What was done to one entry; pt_undo() takes it back. */
struct pt_edit {
	struct pt_pos pos; /* ->entry: the value before */
	pt_u64 new;
};

/* The entry of @level on @path. -EINVAL: it was not read. */
int pt_pos_of_path(struct pt_pos *pos, const struct pt_space *space, const struct pt_path *path,
		   unsigned int level);
/* The item's entry; where none was read (not canonical, unreadable) pt_set() refuses @pos. */
void pt_pos_of_item(struct pt_pos *pos, const struct pt_space *space, const struct pt_item *item);

/*
 * The leaf of @ia: pt_lookup() and pt_pos_of_path() in one. 0, -ENOENT (hole), -EFAULT
 * (unreadable), -EINVAL (bad, or paging is off).
 */
int pt_get_leaf(const struct pt_space *space, pt_u64 ia, struct pt_pos *pos);

/*
 * Replaces the entry at @pos by @new, if it still is @pos->entry, and flushes its range. 0 with
 * @edit filled and pos->entry = @new; -EAGAIN: it has changed, pos->entry is the value now there;
 * -EINVAL: @new is present and malformed (pt_entry_kind() says PT_BAD) or wider than an entry;
 * -EROFS or another error of the memory. Nothing is changed then.
 */
PT_MUST_CHECK int pt_set(const struct pt_space *space, struct pt_pos *pos, pt_u64 new,
			 struct pt_edit *edit);

/*
 * Puts the entry back that @edit replaced. Accessed and dirty bits that the CPU has set since are
 * kept if both entries lead to the same place. 0; -ESTALE: somebody else has changed the entry
 * meanwhile, and it is left alone; or an error of the memory. Several edits of one entry are
 * undone last first, each once.
 */
PT_MUST_CHECK int pt_undo(const struct pt_space *space, const struct pt_edit *edit);

#endif
