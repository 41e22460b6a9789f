/* SPDX-License-Identifier: GPL-2.0 */
/* The fuzzer's rules. */
#ifndef TESTS_FUZZ_RULES_H
#define TESTS_FUZZ_RULES_H

#include "tests/system/fuzz_worker.h"

/*
 * Of a hypercall the guest's page, said by a number, or a register of tiny_call_code that has one.
 * Of others the page of the address, and @add: what is far from that, in a process, may be written.
 */
static inline struct ptremap_operand any_operand(struct worker *w, bool hypercall, uint64_t add)
{
	if (!hypercall)
		return (struct ptremap_operand){ .reg = mix32(&w->c, PTREMAP_REG_PAGE),
						 .add = add };
	if (choose(&w->c, 2))
		return (struct ptremap_operand){ .reg = PTREMAP_REG_NONE, .add = any_gpa(w) };
	return (struct ptremap_operand){ .reg = mix32(&w->c, 3), .add = mix(&w->c, add) };
}

static inline void choose_trigger(struct worker *w, struct ptremap_rule *r)
{
	bool fault = r->on == PTREMAP_ON_FAULT;

	if (r->on != PTREMAP_ON_HYPERCALL) {
		r->first = fault ? FUZZ_BASE : 0;
		r->last = fault ? fuzz_va(FUZZ_POKE, 0) - 1 : mix(&w->c, ~0ull);
		r->access = mix32(&w->c, 1 + choose(&w->c, 7));
		return;
	}
	r->nr = mix(&w->c, TINY_CALL);
	r->flags |= choose_flags(w, PTREMAP_RULE_RETURN | PTREMAP_RULE_USER);
	r->ret = r->flags & PTREMAP_RULE_RETURN ? choose_bytes(&w->c, 4) : 0;
	r->nr_conditions = seldom(&w->c, 4) ? mix32(&w->c, 1) : 0;
	r->conditions[0] = (struct ptremap_condition){ .reg = mix32(&w->c, 0), .value = TINY_CALL };
}

static inline void choose_act(struct worker *w, struct ptremap_rule *r)
{
	bool call = r->on == PTREMAP_ON_HYPERCALL;
	const struct ptremap_operand none = { .reg = PTREMAP_REG_NONE };

	r->act = mix32(&w->c, 1 + choose(&w->c, 5));
	r->page = r->act == PTREMAP_DO_TRACE ? none : any_operand(w, call, 0);
	r->other = r->act == PTREMAP_DO_SWAP || r->act == PTREMAP_DO_MAP
			   ? any_operand(w, call, PAGE)
			   : none;
	if (r->act == PTREMAP_DO_PROTECT)
		r->clear = mix32(&w->c, PTREMAP_EPT_WRITE);
}

/* A rule may name pages of guests, or of a process: of those only clean ones, or they get zeros. */
static inline struct ptremap_rule any_rule(struct worker *w)
{
	struct ptremap_rule r = { .on = mix32(&w->c, 1 + choose(&w->c, 3)) };
	bool fault = r.on == PTREMAP_ON_FAULT;

	r.pid = fault ? any_pid(w, &r.flags, 0) : vm_pid(w, &r.flags, 0);
	r.fd = fault ? 0 : -1;
	r.level = mix32(&w->c, 1 + seldom(&w->c, 4));
	r.per_second = choose(&w->c, 100);
	choose_trigger(w, &r);
	choose_act(w, &r);
	r.flags |= choose_flags(w, PTREMAP_RULE_KEEP | PTREMAP_RULE_ONCE);
	return r;
}

/* Of rules that were added or listed; the buffer may be another one, or read-only. */
static inline void note_rules(struct worker *w, const struct ptremap_rules *a, uint32_t nr)
{
	static const uint32_t forms[] = { [PTREMAP_ON_HYPERCALL] = FORM_RULE_HYPERCALL,
					  [PTREMAP_ON_VIOLATION] = FORM_RULE_VIOLATION,
					  [PTREMAP_ON_FAULT] = FORM_RULE_FAULT };
	const struct ptremap_rule *rules = (const void *)w->room;
	uint32_t i;

	if (a->rules != at(w->room))
		return;
	for (i = 0; i < nr; i++) {
		if (a->op == PTREMAP_RULE_LIST)
			note_form(w, !rules[i].done, FORM_RULE_ACTED);
		else if (rules[i].on >= PTREMAP_ON_HYPERCALL && rules[i].on <= PTREMAP_ON_FAULT)
			note_form(w, 0, forms[rules[i].on]);
		w->rule = rules[i].id;
	}
}

static inline int fuzz_rule(struct worker *w)
{
	struct ptremap_rule *rules = (void *)w->room;
	struct ptremap_rules a = { .op = mix32(&w->c, 1 + choose(&w->c, 3)) };
	uint32_t nr = 1 + choose(&w->c, 3), i;
	int err;

	for (i = 0; i < nr; i++)
		rules[i] = any_rule(w);
	a.rules = a.op == PTREMAP_RULE_REMOVE ? 0 : fuzz_pointer(w);
	a.nr = a.op == PTREMAP_RULE_REMOVE ? 0 : nr;
	a.rule_size = a.op == PTREMAP_RULE_REMOVE ? 0 : mix32(&w->c, sizeof(struct ptremap_rule));
	a.id = a.op == PTREMAP_RULE_REMOVE ? mix32(&w->c, w->rule) : 0;
	err = fuzz_issue(w, PTREMAP_RULE, &a, sizeof(a));
	if (!err && a.op != PTREMAP_RULE_REMOVE)
		note_rules(w, &a, a.nr < nr ? a.nr : nr);
	return err;
}

#endif
