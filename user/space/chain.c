// SPDX-License-Identifier: GPL-2.0
#include "user/space/chain.h"

/* Levels of entries that the walk asked for: down to c->lowest, or none. */
static void walk_under(struct chain *c)
{
	unsigned int level;

	for (level = c->path.top; level >= c->lowest; level--)
		pt_lookup(c->under, c->path.at[level].addr, &c->table[level]);
	if (c->path.end.kind != PT_LEAF)
		return;
	pt_lookup(c->under, c->path.end.pa, &c->page);
	c->has_page = true;
}

enum pt_kind chain_walk(struct chain *c, const struct pt_space *space, const struct pt_space *under,
			uint64_t ia)
{
	const struct pt_path *end;
	const struct pt_fmt *fmt;

	c->space = space;
	c->under = under;
	c->has_page = false;
	pt_lookup(space, ia, &c->path);
	c->lowest = c->path.end.level;
	if (c->path.end.why == PT_WHY_NONCANONICAL || !c->path.top)
		c->lowest = c->path.top + 1;
	if (under)
		walk_under(c);
	end = chain_end(c, &fmt);
	c->pa = end->end.pa;
	return (enum pt_kind)end->end.kind;
}

const struct pt_path *chain_end(const struct chain *c, const struct pt_fmt **fmt)
{
	*fmt = c->space->fmt;
	if (!c->under)
		return &c->path;
	if (c->has_page) {
		*fmt = c->under->fmt;
		return &c->page;
	}
	if (c->path.end.why == PT_WHY_UNREADABLE && c->table[c->lowest].end.kind != PT_LEAF) {
		*fmt = c->under->fmt;
		return &c->table[c->lowest];
	}
	return &c->path;
}

/* True when a guest's entry could not be reached. */
static bool check_tables(const struct chain *c, struct chain_verdict *out)
{
	static const struct pt_cpu plain; /* rights of a second space do not depend on it */
	unsigned int level;

	for (level = c->path.top; level >= c->lowest; level--) {
		pt_check_access(out->fmt, &plain, &c->table[level], PT_ACC_WALK, &out->check);
		if (out->check.verdict == PT_ALLOWED)
			continue;
		out->level = (uint8_t)level;
		return true;
	}
	return false;
}

/* Which accesses are a user's depends on the page to an EPT, not on who makes them. */
static void check_page(const struct chain *c, unsigned int access, struct chain_verdict *out)
{
	static const struct pt_cpu plain;

	access &= PT_ACC_WRITE | PT_ACC_EXEC | PT_ACC_SHSTK;
	if (c->path.end.perm & PT_PERM_U)
		access |= PT_ACC_USER;
	pt_check_access(out->fmt, &plain, &c->page, access, &out->check);
}

void chain_check(const struct chain *c, const struct pt_cpu *cpu, unsigned int access,
		 struct chain_verdict *out)
{
	*out = (struct chain_verdict){ 0 };
	if (c->under) {
		out->fmt = c->under->fmt;
		out->where = CHAIN_TABLE;
		if (check_tables(c, out))
			return;
	}
	out->fmt = c->space->fmt;
	out->where = CHAIN_SPACE;
	pt_check_access(out->fmt, cpu, &c->path, access, &out->check);
	if (out->check.verdict != PT_ALLOWED || !c->under || !c->has_page)
		return;
	out->fmt = c->under->fmt;
	out->where = CHAIN_PAGE;
	check_page(c, access, out);
}
