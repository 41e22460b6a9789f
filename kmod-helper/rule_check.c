// SPDX-License-Identifier: GPL-2.0
/* Rules that cannot be, and rules that are at odds with each other. Pure. */
#include <linux/kernel.h>
#include <linux/mm.h>

#include "leaf.h"
#include "rule.h"

#define ALL_ACCESS (PTREMAP_EPT_READ | PTREMAP_EPT_WRITE | PTREMAP_EPT_EXEC)
#define ALL_FLAGS  (PTREMAP_RULE_KEEP | PTREMAP_RULE_ONCE | PTREMAP_RULE_RETURN | PTREMAP_RULE_USER)

static bool is_call(const struct ptremap_rule *r)
{
	return r->on == PTREMAP_ON_HYPERCALL;
}

/* ---- can it be? ------------------------------------------------------------------------------ */

static bool has_page(const struct ptremap_rule *r)
{
	return r->act != PTREMAP_DO_TRACE;
}

static bool has_other(const struct ptremap_rule *r)
{
	return r->act == PTREMAP_DO_SWAP || r->act == PTREMAP_DO_MAP;
}

static bool is_nothing(const struct ptremap_operand *o)
{
	return o->reg == PTREMAP_REG_NONE && !o->add && !o->reserved;
}

/* Fixed pages are at the begin of one; what registers hold is seen later. */
static bool is_operand(const struct ptremap_rule *r, const struct ptremap_operand *o)
{
	if (o->reserved || o->reg > PTREMAP_REG_NONE || o->reg == PTREMAP_REG_RSP)
		return false;
	if (o->reg == PTREMAP_REG_NONE)
		return !(o->add & (leaf_size(r->level) - 1));
	return is_call(r) == (o->reg != PTREMAP_REG_PAGE);
}

static bool are_conditions(const struct ptremap_rule *r)
{
	u32 i;

	if (r->nr_conditions > (is_call(r) ? PTREMAP_CONDITIONS : 0))
		return false;
	for (i = 0; i < r->nr_conditions; i++) {
		const struct ptremap_condition *c = &r->conditions[i];

		if (c->reg >= PTREMAP_REG_PAGE || c->reg == PTREMAP_REG_RSP || c->reserved)
			return false;
	}
	return true;
}

static bool is_trigger(const struct ptremap_rule *r)
{
	if (r->on < PTREMAP_ON_HYPERCALL || r->on > PTREMAP_ON_FAULT || !are_conditions(r))
		return false;
	if (is_call(r))
		return !r->first && !r->last && !r->access;
	return !r->nr && r->first <= r->last && r->access && !(r->access & ~ALL_ACCESS) &&
	       !(r->flags & (PTREMAP_RULE_RETURN | PTREMAP_RULE_USER));
}

static bool is_act(const struct ptremap_rule *r)
{
	if (r->act < PTREMAP_DO_TRACE || r->act > PTREMAP_DO_PROTECT)
		return false;
	if (has_page(r) ? !is_operand(r, &r->page) : !is_nothing(&r->page))
		return false;
	if (has_other(r) ? !is_operand(r, &r->other) : !is_nothing(&r->other))
		return false;
	if (r->act != PTREMAP_DO_PROTECT)
		return !(r->set | r->clear);
	/* The access would be made, and taken away, without end. */
	if (r->clear & r->access && !(r->flags & PTREMAP_RULE_ONCE) && !r->per_second)
		return false;
	return (r->set | r->clear) && !(r->set & r->clear) && !((r->set | r->clear) & ~ALL_ACCESS);
}

int rule_check(const struct ptremap_rule *r)
{
	if (r->flags & ~ALL_FLAGS || r->level < 1 || r->level > 2 || r->reserved ||
	    (r->ret && !(r->flags & PTREMAP_RULE_RETURN)))
		return -EINVAL;
	if (r->on == PTREMAP_ON_FAULT ? r->fd != 0 : r->fd < -1)
		return -EINVAL;
	return is_trigger(r) && is_act(r) ? 0 : -EINVAL;
}

/* ---- two of one VM or process ---------------------------------------------------------------- */

/* A register that has to have two values. */
static bool exclude_each_other(const struct ptremap_rule *a, const struct ptremap_rule *b)
{
	u32 i, j;

	for (i = 0; i < a->nr_conditions; i++)
		for (j = 0; j < b->nr_conditions; j++)
			if (a->conditions[i].reg == b->conditions[j].reg &&
			    a->conditions[i].value != b->conditions[j].value)
				return true;
	return false;
}

static bool same_event(const struct ptremap_rule *a, const struct ptremap_rule *b)
{
	if (a->on != b->on)
		return false;
	if (is_call(a))
		return a->nr == b->nr && !exclude_each_other(a, b);
	return a->first <= b->last && b->first <= a->last && a->access & b->access;
}

static bool same_operand(const struct ptremap_operand *a, const struct ptremap_operand *b)
{
	return a->reg == b->reg && a->add == b->add;
}

/* As one that it changes: what MAP leads to stays as it is. */
static bool names(const struct ptremap_rule *r, const struct ptremap_operand *o)
{
	return same_operand(&r->page, o) ||
	       (r->act == PTREMAP_DO_SWAP && same_operand(&r->other, o));
}

bool rule_at_odds(const struct ptremap_rule *a, const struct ptremap_rule *b)
{
	if (!has_page(a) || !has_page(b) || !same_event(a, b))
		return false;
	return names(a, &b->page) || (b->act == PTREMAP_DO_SWAP && names(a, &b->other));
}
