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

/* Does the second space forbid the guest's walk its entry of @level? @how: 0 or PT_ACC_WRITE. */
static bool table_forbids(const struct chain *c, unsigned int level, unsigned int how,
			  struct chain_verdict *out)
{
	static const struct pt_cpu plain; /* rights of a second space do not depend on it */

	out->fmt = c->under->fmt;
	out->where = CHAIN_TABLE;
	out->level = (uint8_t)level;
	pt_check_access(out->fmt, &plain, &c->table[level], PT_ACC_WALK | how, &out->check);
	return out->check.verdict != PT_ALLOWED;
}

/* Is there an entry of the guest's that cannot be read? */
static bool reads_fail(const struct chain *c, struct chain_verdict *out)
{
	unsigned int level;

	for (level = c->path.top; level >= c->lowest; level--)
		if (table_forbids(c, level, 0, out))
			return true;
	return false;
}

/* Has the CPU to set A, or D by a write, in the guest's entry of @level? SDM vol. 3, 4.8. */
static bool is_marked(const struct chain *c, unsigned int level, unsigned int access)
{
	pt_u64 bits = PT_A;

	if (c->space->fmt->free_levels >> level & 1)
		return false;
	if (level == c->lowest && (access & PT_ACC_WRITE) && !(access & PT_ACC_EXEC))
		bits |= PT_D;
	return bits & ~c->path.at[level].entry;
}

/* Is there an entry that cannot be marked? That is a write to it: SDM vol. 3, 29.3.3.2. */
static bool marks_fail(const struct chain *c, unsigned int access, struct chain_verdict *out)
{
	unsigned int level;

	for (level = c->path.top; level >= c->lowest; level--)
		if (is_marked(c, level, access) && table_forbids(c, level, PT_ACC_WRITE, out))
			return true;
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
	if (c->under && reads_fail(c, out))
		return;
	out->fmt = c->space->fmt;
	out->where = CHAIN_SPACE;
	pt_check_access(out->fmt, cpu, &c->path, access, &out->check);
	if (out->check.verdict != PT_ALLOWED || !c->under || !c->has_page)
		return;
	if (marks_fail(c, access, out))
		return;
	out->fmt = c->under->fmt;
	out->where = CHAIN_PAGE;
	check_page(c, access, out);
}
