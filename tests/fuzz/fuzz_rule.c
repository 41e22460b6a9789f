// SPDX-License-Identifier: GPL-2.0
/*
 * Any bytes as a line of a file of rules. What is a rule in words is the same one again when its
 * text is read, and has nothing in it that the helper module's ABI does not know.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/remap/rule.h"

#define LINE_SIZE 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int good)
{
	if (!good)
		abort();
}

static void check_again(const struct ptremap_rule *r)
{
	char why[RULE_WHY_LEN];
	struct ptremap_rule again;
	struct line l = { 0 };

	rule_text(&l, r);
	line_char(&l, '\0');
	check(!rule_parse(&again, l.buf, why));
	check(!memcmp(r, &again, sizeof(again)));
	line_free(&l);
}

static void check_operand(const struct ptremap_rule *r, const struct ptremap_operand *o)
{
	check(o->reg <= PTREMAP_REG_NONE && o->reg != PTREMAP_REG_RSP && !o->reserved);
	if (o->reg != PTREMAP_REG_NONE)
		check((r->on == PTREMAP_ON_HYPERCALL) == (o->reg != PTREMAP_REG_PAGE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char line[LINE_SIZE], why[RULE_WHY_LEN] = "";
	struct ptremap_rule r;

	if (size >= sizeof(line))
		return 0;
	memcpy(line, data, size);
	line[size] = 0;
	if (rule_parse(&r, line, why)) {
		check(why[0] && strlen(why) < sizeof(why));
		return 0;
	}
	check(r.on >= PTREMAP_ON_HYPERCALL && r.on <= PTREMAP_ON_FAULT);
	check(r.act >= PTREMAP_DO_TRACE && r.act <= PTREMAP_DO_PROTECT);
	check(r.first <= r.last && !(r.set & r.clear) && (r.level == 1 || r.level == 2));
	check((r.on == PTREMAP_ON_HYPERCALL) == !r.access && r.nr_conditions <= PTREMAP_CONDITIONS);
	check(!r.id && !r.pid && !r.matched && !r.slot && !r.over && !r.reserved);
	check_operand(&r, &r.page);
	check_operand(&r, &r.other);
	check_again(&r);
	return 0;
}
