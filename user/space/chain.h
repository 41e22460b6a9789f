/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A walk with everything that it leads through: of one space, or of a guest's, whose entries and
 * pages are translated by a second one (its EPT or NPT): SDM vol. 3, 29.3.1; AMD APM vol. 2, 15.25.
 */
#ifndef SPACE_CHAIN_H
#define SPACE_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "user/pt/pt_access.h"

struct chain {
	const struct pt_space *space;
	const struct pt_space *under; /* NULL: there is no second space */
	struct pt_path path;
	struct pt_path table[PT_MAX_LEVEL + 1]; /* ->under: to the entries of ->path, by level */
	struct pt_path page;			/* ->under: to the page that ->path leads to */
	uint8_t lowest;				/* level of the last entry that ->path asked for */
	bool has_page;				/* ->page was walked */
	uint64_t pa; /* where it all leads, in terms of the lower space; if chain_walk() says so */
};

/*
 * Walks @ia in @space, whose memory must be that of @under (pt_mem_nested.h) unless @under is
 * NULL. Both must outlive @c. PT_LEAF when it leads to a page, with ->pa; otherwise what the walk
 * that stopped ended with.
 */
enum pt_kind chain_walk(struct chain *c, const struct pt_space *space, const struct pt_space *under,
			uint64_t ia);

/* The walk that decided: that of the page when it was reached, else the one that stopped. */
const struct pt_path *chain_end(const struct chain *c, const struct pt_fmt **fmt);

enum chain_where { CHAIN_SPACE, CHAIN_TABLE, CHAIN_PAGE };

struct chain_verdict {
	struct pt_check check;
	const struct pt_fmt *fmt; /* of the space that ->check is about */
	enum chain_where where;
	uint8_t level; /* CHAIN_TABLE: of the guest's entry that could not be reached or marked */
};

/*
 * Judges @access (PT_ACC_* but PT_ACC_WALK) in the order of the CPU: first the reads of the guest's
 * entries by the second space, then the guest's own rights, then the writes that set A and D in the
 * guest's entries, where these are clear, then the rights of the page in the second space. @cpu is
 * the guest's.
 */
void chain_check(const struct chain *c, const struct pt_cpu *cpu, unsigned int access,
		 struct chain_verdict *out);

#endif
