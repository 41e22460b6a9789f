/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Large leaves into tables of small ones, and back. SDM vol. 3, tables 4-4, 4-6, 4-10, 4-11, 4-16
 * to 4-20 and 29-3 to 29-7: where the attributes lie at each level.
 */
#ifndef PT_LARGE_H
#define PT_LARGE_H

#include "pt_edit.h"

/*
 * Replaces the leaf at @pos by a table of 512 (32-bit: 1024) leaves of the level below that
 * together say the same: address, attributes, software's bits, A and D, the PAT bit at its place.
 * The table comes from @alloc; its entry restricts nothing. 0 with @edit filled and pos->entry the
 * new one; -EAGAIN as pt_set(); -EINVAL: no large leaf, or one of 32-bit tables that reaches above
 * 4 GiB; -ENOMEM; -EOPNOTSUPP: through a recursive slot a table cannot be filled before it is in
 * use. Nothing is changed then.
 *
 * pt_join() is the way back. pt_undo() of @edit works, too, but knows nothing of the table: it is
 * then the caller's to free (edit->new & addr_mask), and A and D set in it are lost.
 */
PT_MUST_CHECK int pt_split(const struct pt_space *space, struct pt_pos *pos, struct pt_alloc *alloc,
			   struct pt_edit *edit);

/*
 * The reverse: the table under the entry at @pos becomes one large leaf, if all its leaves are
 * present, contiguous, aligned and alike; A and D are those of any of them, also when the CPU sets
 * them meanwhile. Flushes, then gives the table's memory to @alloc. The range stays mapped all the
 * time. 0 with pos->entry the leaf. -EINVAL: the leaves are not alike, say what a large leaf cannot
 * (EPT: sub-page permissions), the table's entry restricts them, or the format has no leaf there.
 * -EFAULT: the table cannot be read. -EOPNOTSUPP as pt_split(). -EAGAIN: somebody else has changed
 * the entry, and pos->entry is the value now there; or one of the leaves just when the large one
 * went in: then the table is back, and its leaves have A and D if any had.
 */
PT_MUST_CHECK int pt_join(const struct pt_space *space, struct pt_pos *pos, struct pt_alloc *alloc);

#endif
