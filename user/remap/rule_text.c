// SPDX-License-Identifier: GPL-2.0
/* Rules in words: the writing of them. */
#include "user/remap/rule.h"
#include "user/remap/rule_names.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

const char *const rule_reg_names[PTREMAP_REGS] = {
	"rax", "rcx", "rdx", "rbx", NULL,  "rbp", "rsi", "rdi",	 "r8",
	"r9",  "r10", "r11", "r12", "r13", "r14", "r15", "page",
};

const char *const rule_trigger_names[RULE_TRIGGERS] = {
	[PTREMAP_ON_HYPERCALL] = "hypercall",
	[PTREMAP_ON_VIOLATION] = "violation",
	[PTREMAP_ON_FAULT] = "fault",
};

const char *rule_space(const struct ptremap_rule *r)
{
	return r->on == PTREMAP_ON_FAULT ? "va=" : "gpa=";
}

static void put_hex(struct line *l, uint64_t value)
{
	line_str(l, "0x");
	line_hex(l, value);
}

static void put_access(struct line *l, const char *before, uint32_t access)
{
	line_str(l, before);
	if (access & PTREMAP_EPT_READ)
		line_char(l, 'r');
	if (access & PTREMAP_EPT_WRITE)
		line_char(l, 'w');
	if (access & PTREMAP_EPT_EXEC)
		line_char(l, 'x');
}

static const char *reg_name(uint32_t reg)
{
	return reg < PTREMAP_REGS && rule_reg_names[reg] ? rule_reg_names[reg] : "?";
}

static void put_trigger(struct line *l, const struct ptremap_rule *r)
{
	uint32_t i;

	line_str(l, r->on < RULE_TRIGGERS && r->on ? rule_trigger_names[r->on] : "?");
	line_char(l, ':');
	if (r->on != PTREMAP_ON_HYPERCALL) {
		put_hex(l, r->first);
		line_char(l, '-');
		put_hex(l, r->last);
		if (r->access != RULE_ALL_ACCESS)
			put_access(l, ":", r->access);
		return;
	}
	put_hex(l, r->nr);
	for (i = 0; i < r->nr_conditions && i < PTREMAP_CONDITIONS; i++) {
		line_char(l, ':');
		line_str(l, reg_name(r->conditions[i].reg));
		line_char(l, '=');
		put_hex(l, r->conditions[i].value);
	}
}

static void put_page(struct line *l, const struct ptremap_rule *r, const struct ptremap_operand *o)
{
	line_char(l, ' ');
	line_str(l, rule_space(r));
	if (o->reg != PTREMAP_REG_NONE) {
		line_char(l, '$');
		line_str(l, reg_name(o->reg));
		if (!o->add)
			return;
		line_char(l, '+');
	}
	put_hex(l, o->add);
}

static void put_act(struct line *l, const struct ptremap_rule *r)
{
	static const char *const names[] = {
		[PTREMAP_DO_TRACE] = "trace",	  [PTREMAP_DO_SWAP] = "swap",
		[PTREMAP_DO_MAP] = "map",	  [PTREMAP_DO_FRESH] = "map",
		[PTREMAP_DO_PROTECT] = "protect",
	};

	line_str(l, r->act < ARRAY_SIZE(names) && r->act ? names[r->act] : "?");
	if (r->act != PTREMAP_DO_TRACE)
		put_page(l, r, &r->page);
	if (r->act == PTREMAP_DO_SWAP || r->act == PTREMAP_DO_MAP)
		put_page(l, r, &r->other);
	if (r->act == PTREMAP_DO_FRESH)
		line_str(l, " fresh");
	if (r->clear)
		put_access(l, " clear=", r->clear);
	if (r->set)
		put_access(l, " set=", r->set);
}

void rule_text(struct line *l, const struct ptremap_rule *r)
{
	line_str(l, "on ");
	put_trigger(l, r);
	line_str(l, " do ");
	put_act(l, r);
	if (r->level == 2)
		line_str(l, " level=2");
	if (r->flags & PTREMAP_RULE_ONCE)
		line_str(l, " once");
	if (r->per_second) {
		line_str(l, " rate=");
		line_dec(l, r->per_second);
	}
	if (r->flags & PTREMAP_RULE_RETURN) {
		line_str(l, " return=");
		put_hex(l, r->ret);
	}
	if (r->flags & PTREMAP_RULE_USER)
		line_str(l, " user");
}
