/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Mapping and unmapping of ranges, with tables made and freed on the way: the builder of page
 * tables, EPTs and NPTs.
 *
 * The tables below a root are a tree: each is referred to by one entry. A table that is its own
 * ancestor (a recursive slot) is refused with -EINVAL; tables shared in other ways are not noticed,
 * and are freed as often as they are met. Work is bounded by the tables there are, whatever is in
 * them. One thread at a time maps and unmaps; the CPU may set A and D meanwhile.
 *
 * Through a recursive slot (pt_space.recursive) a table cannot be reached before it is in use:
 * everything here answers -EOPNOTSUPP for such a space, and -EINVAL where paging is off.
 */
#ifndef PT_MAP_H
#define PT_MAP_H

#include "pt_large.h"

/* What leaves are to say, in no format's own bits. */
struct pt_prot {
	pt_u8 perm;	 /* PT_PERM_*; U: x86 user pages; XU: EPT with mode-based execute */
	pt_u8 memtype;	 /* EPT: memory type 0, 1, 4, 5, 6; x86: PAT index 0..7 */
	pt_u8 ipat;	 /* EPT: ignore the guest's PAT */
	pt_u8 global;	 /* x86: G */
	pt_u8 pkey;	 /* 4- and 5-level: protection key 0..15 */
	pt_u8 ad;	 /* accessed and dirty are set from the start, where there are such bits */
	pt_u8 max_level; /* largest leaves that may be used; 0: as the format has them */
};

/*
 * The bits of a leaf of @level that @prot calls for. -EINVAL: the format cannot say it (no R; X
 * withheld without NX; X without R where the CPU has no such EPT entries; W without R; G or a key
 * in EPT and NPT; IPAT elsewhere), or it has no leaves of @level. What is nobody's choice is not
 * looked at: U in EPT, and in NPT, whose leaves are all user pages (APM 15.25.5); XU beside X
 * unless mode-based execute control is on.
 */
int pt_leaf_bits(const struct pt_fmt *fmt, unsigned int level, const struct pt_prot *prot,
		 pt_u64 *bits);

/*
 * A new, empty top table: 0 with its address as space->root, or -ENOMEM, also when @alloc gives
 * addresses that CR3 and entries cannot hold. ->fmt and ->mem are the caller's. PAE: the CPU reads
 * the top table only when CR3 is loaded (SDM vol. 3, 4.4.1); that is the caller's, or flush()'s.
 */
int pt_root_alloc(struct pt_space *space, struct pt_alloc *alloc);

/*
 * Maps [@start, @last] to @pa onwards with the largest leaves that alignment, the format and
 * @prot->max_level allow. Start, @last + 1 and @pa are multiples of 4096.
 *
 * New tables restrict nothing (R/W and U/S, EPT: RWX), and go in when what is below them is
 * complete. Tables that are there are used, and never changed to allow more, since that would open
 * what else they map: -EACCES if one denies what @prot allows. -EEXIST: an entry that lies wholly
 * within the range is not 0. It may be mapped, lead to a table (pt_unmap() leaves no empty ones),
 * or not be present but hold something of its owner's; a large leaf that the range touches counts,
 * too. -EINVAL: misaligned, out of the space, beyond what entries reach, a bad entry or a loop on
 * the way; -EFAULT: a table that cannot be read; -ENOMEM; or an error of the memory.
 *
 * On any error everything is as it was before, tables made on the way are freed.
 */
PT_MUST_CHECK int pt_map(const struct pt_space *space, pt_u64 start, pt_u64 last, pt_u64 pa,
			 const struct pt_prot *prot, struct pt_alloc *alloc);

/*
 * Unmaps [@start, @last], multiples of 4096 as above: leaves that reach beyond are split, holes
 * are no error, entries that lie wholly within the range are 0 then, whatever they held, and tables
 * that are empty are freed after the flush (never the top one). -ENOMEM (a split), -EAGAIN
 * (somebody else changes the tables), -EINVAL (bad arguments as above, a bad entry, a table that
 * is its own ancestor, a leaf that pt_split() refuses), or as pt_map(): what was unmapped until
 * then stays so, and calling again goes on.
 */
PT_MUST_CHECK int pt_unmap(const struct pt_space *space, pt_u64 start, pt_u64 last,
			   struct pt_alloc *alloc);

/*
 * Unmaps all and frees all tables, the top one too; space->root is 0 then. On errors, those of
 * pt_unmap(), the root and what was not freed stay.
 */
int pt_root_free(struct pt_space *space, struct pt_alloc *alloc);

#endif
