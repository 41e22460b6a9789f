/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rules of the soak's controllers. The program that calls them calls all (call_rules.h): what they
 * change are pages that they name by address. An act is no deed of a log: it comes at any time.
 */
#ifndef TESTS_SOAK_RULES_H
#define TESTS_SOAK_RULES_H

#include "tests/system/soak_ask.h"

#define RULE_PER_SECOND 20

/* 0 or -errno; @nr: how many of @rules there are, or are to be. */
static int ask_rules(const struct checks *c, uint32_t op, struct ptremap_rule *rules, uint32_t *nr,
		     uint32_t id)
{
	struct ptremap_rules a = { .size = sizeof(a), .op = op, .id = id };
	int err;

	if (rules) {
		a.rules = at(rules);
		a.nr = *nr;
		a.rule_size = sizeof(*rules);
	}
	err = call(c, PTREMAP_RULE, &a);
	if (rules)
		*nr = a.nr;
	return err;
}

static struct ptremap_rule new_rule(const struct seen *t, uint32_t on, uint32_t act)
{
	const struct ptremap_operand none = { .reg = PTREMAP_REG_NONE };
	bool fault = on == PTREMAP_ON_FAULT, call = on == PTREMAP_ON_HYPERCALL;

	return (struct ptremap_rule){ .pid = t->pid,
				      .fd = fault ? 0 : -1,
				      .on = on,
				      .act = act,
				      .nr = call ? TINY_CALL : 0,
				      .last = call ? 0 : ~0ull,
				      .access = call ? 0 : 7,
				      .level = 1,
				      .per_second = RULE_PER_SECOND,
				      .page = none,
				      .other = none,
				      .clear = act == PTREMAP_DO_PROTECT ? PTREMAP_EPT_WRITE : 0 };
}

static void add_rule(struct control *c)
{
	uint32_t on = c->s->kvm ? PTREMAP_ON_HYPERCALL + random_of(&c->state, 3) : PTREMAP_ON_FAULT;
	uint32_t act = PTREMAP_DO_TRACE + random_of(&c->state, 5), nr = 1;
	struct ptremap_rule r;
	struct seen t;
	uint64_t base;
	int err;

	if (!see(c, on != PTREMAP_ON_FAULT, &t))
		return;
	base = on == PTREMAP_ON_FAULT ? at(t.base) : TINY_GPA;
	r = new_rule(&t, on, act);
	if (act != PTREMAP_DO_TRACE)
		r.page.add = base + small_offset(c);
	if (act == PTREMAP_DO_SWAP || act == PTREMAP_DO_MAP)
		r.other.add = base + small_offset(c);
	r.flags = random_of(&c->state, 8) ? 0 : PTREMAP_RULE_KEEP;
	err = ask_rules(&c->c, PTREMAP_RULE_ADD, &r, &nr, 0);
	note(c, "rule", err);
	if (err)
		return;
	c->rule = r.id;
	c->s->n.rules++;
}

static void count_acts(const struct control *c, const struct ptremap_rule *r)
{
	if (r->id != c->rule)
		return;
	c->s->n.acted[r->on] += (uint32_t)r->done;
	if (r->failed)
		note(c, "act of a rule", r->error);
}

static void end_rule(struct control *c)
{
	struct ptremap_rule rules[PTREMAP_RULES_MAX];
	uint32_t nr = PTREMAP_RULES_MAX, i;

	note(c, "list of rules", ask_rules(&c->c, PTREMAP_RULE_LIST, rules, &nr, 0));
	for (i = 0; i < nr; i++)
		count_acts(c, &rules[i]);
	note(c, "end of a rule", ask_rules(&c->c, PTREMAP_RULE_REMOVE, NULL, NULL, c->rule));
	c->rule = 0;
}

static void do_rule(struct control *c)
{
	if (c->rule)
		end_rule(c);
	else
		add_rule(c);
}

#endif
