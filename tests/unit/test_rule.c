// SPDX-License-Identifier: GPL-2.0
/* Rules in words: what they mean, what is refused, and that text and meaning are inverses. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/remap/rule.h"

#define NONE                            \
	{                               \
		.reg = PTREMAP_REG_NONE \
	}
#define AT(n)                                       \
	{                                           \
		.reg = PTREMAP_REG_NONE, .add = (n) \
	}
#define REG(n)             \
	{                  \
		.reg = (n) \
	}

static int parse(struct ptremap_rule *r, const char *text, char *why)
{
	char line[512];

	snprintf(line, sizeof(line), "%s", text);
	why[0] = 0;
	return rule_parse(r, line, why);
}

static void expect_text(const struct ptremap_rule *r, const char *text)
{
	struct line l = { 0 };

	rule_text(&l, r);
	line_char(&l, '\0');
	cr_expect_str_eq(l.buf, text, "'%s', not '%s'", l.buf, text);
	line_free(&l);
}

Test(rule, lines_and_their_meaning)
{
	static const struct {
		const char *line;
		struct ptremap_rule r;
		const char *text; /* as rule_text() has it; NULL: as it was */
	} cases[] = {
		{ "on hypercall:0x1234 do swap gpa=$rsi gpa=$rdx",
		  { .on = PTREMAP_ON_HYPERCALL,
		    .fd = -1,
		    .act = PTREMAP_DO_SWAP,
		    .nr = 0x1234,
		    .level = 1,
		    .page = REG(6),
		    .other = REG(2) },
		  NULL },
		{ "  on\thypercall:5:rbx=7:r15=0x8  do trace user once rate=3 return=0\r\n",
		  { .on = PTREMAP_ON_HYPERCALL,
		    .fd = -1,
		    .act = PTREMAP_DO_TRACE,
		    .nr = 5,
		    .level = 1,
		    .flags = PTREMAP_RULE_ONCE | PTREMAP_RULE_RETURN | PTREMAP_RULE_USER,
		    .nr_conditions = 2,
		    .conditions = { { .reg = 3, .value = 7 }, { .reg = 15, .value = 8 } },
		    .per_second = 3,
		    .page = NONE,
		    .other = NONE },
		  "on hypercall:0x5:rbx=0x7:r15=0x8 do trace once rate=3 return=0x0 user" },
		{ "on violation:0x40001234:w do protect gpa=$page set=w clear=xr",
		  { .on = PTREMAP_ON_VIOLATION,
		    .fd = -1,
		    .act = PTREMAP_DO_PROTECT,
		    .first = 0x40001000,
		    .last = 0x40001fff,
		    .access = PTREMAP_EPT_WRITE,
		    .level = 1,
		    .set = PTREMAP_EPT_WRITE,
		    .clear = PTREMAP_EPT_READ | PTREMAP_EPT_EXEC,
		    .page = REG(PTREMAP_REG_PAGE),
		    .other = NONE },
		  "on violation:0x40001000-0x40001fff:w do protect gpa=$page clear=rx set=w" },
		{ "on fault:4096-0x7fff:wx do map va=$page+0x200000 va=0x400000 level=2",
		  { .on = PTREMAP_ON_FAULT,
		    .act = PTREMAP_DO_MAP,
		    .first = 4096,
		    .last = 0x7fff,
		    .access = PTREMAP_EPT_WRITE | PTREMAP_EPT_EXEC,
		    .level = 2,
		    .page = { .reg = PTREMAP_REG_PAGE, .add = 0x200000 },
		    .other = AT(0x400000) },
		  "on fault:0x1000-0x7fff:wx do map va=$page+0x200000 va=0x400000 level=2" },
		{ "on hypercall:0 do map gpa=0x0 fresh",
		  { .on = PTREMAP_ON_HYPERCALL,
		    .fd = -1,
		    .act = PTREMAP_DO_FRESH,
		    .level = 1,
		    .page = AT(0),
		    .other = NONE },
		  "on hypercall:0x0 do map gpa=0x0 fresh" },
	};
	char why[RULE_WHY_LEN];
	struct ptremap_rule r;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert(!parse(&r, cases[i].line, why), "%s: %s", cases[i].line, why);
		cr_expect(!memcmp(&r, &cases[i].r, sizeof(r)), "%s", cases[i].line);
		expect_text(&r, cases[i].text ? cases[i].text : cases[i].line);
	}
}

Test(rule, nonsense_is_named)
{
	static const struct {
		const char *line, *why;
	} cases[] = {
		{ "", "in the place of 'on'" },
		{ "swap gpa=$rsi gpa=$rdx", "'swap' is there in the place of 'on'" },
		{ "on", "trigger is missing" },
		{ "on interrupt:3 do trace", "not one of hypercall" },
		{ "on hypercall do trace", "number is missing" },
		{ "on hypercall:x do trace", "'x' is not a number" },
		{ "on hypercall:1:rsp=1 do trace", "no register" },
		{ "on hypercall:1:page=1 do trace", "no register" },
		{ "on hypercall:1:rax do trace", "not REG=VALUE" },
		{ "on hypercall:1:rax=1:rbx=1:rcx=1:rdx=1:rsi=1 do trace", "more than 4" },
		{ "on violation do trace", "range of addresses is missing" },
		{ "on violation:5-4 do trace", "ends before it begins" },
		{ "on violation:0-1:q do trace", "letters of rwx" },
		{ "on violation:0-1:rr do trace", "letters of rwx" },
		{ "on violation:0-1:r:w do trace", "behind the access" },
		{ "on hypercall:1 swap", "in the place of 'do'" },
		{ "on hypercall:1 do", "not one of trace" },
		{ "on hypercall:1 do jump", "'jump' is not one of trace" },
		{ "on hypercall:1 do swap gpa=$rsi", "a page is missing" },
		{ "on hypercall:1 do swap $rsi gpa=$rdx", "'$rsi' is not gpa=WHERE" },
		{ "on hypercall:1 do swap va=$rsi gpa=$rdx", "not gpa=WHERE" },
		{ "on fault:1 do map gpa=$page fresh", "not va=WHERE" },
		{ "on hypercall:1 do swap gpa=$rsp gpa=$rdx", "'$rsp'" },
		{ "on hypercall:1 do swap gpa=$page gpa=$rdx", "$page is for" },
		{ "on violation:1 do map gpa=$rax fresh", "registers are for hypercalls" },
		{ "on hypercall:1 do swap gpa=$rsi gpa=$rsi", "with itself" },
		{ "on hypercall:1 do swap gpa=$rsi+ gpa=$rdx", "'' is not a number" },
		{ "on hypercall:1 do map gpa=0x123 fresh", "not where a page begins" },
		{ "on hypercall:1 do map gpa=0x1000 fresh level=2", "not where a page begins" },
		{ "on hypercall:1 do protect gpa=$rsi", "no access to set" },
		{ "on hypercall:1 do protect gpa=$rsi clear=w set=w", "both set and cleared" },
		{ "on hypercall:1 do protect gpa=$rsi clear=", "access is missing" },
		{ "on fault:1 do protect va=$page clear=r", "only w and x" },
		{ "on violation:1 do protect gpa=$page clear=r", "without end" },
		{ "on hypercall:1 do trace clear=w", "for protect" },
		{ "on hypercall:1 do trace level=3", "neither 1" },
		{ "on hypercall:1 do trace once=1", "takes no value" },
		{ "on hypercall:1 do trace rate", "needs a value" },
		{ "on hypercall:1 do trace rate=0", "how often" },
		{ "on hypercall:1 do trace once once", "there twice" },
		{ "on violation:1 do trace return=1", "for hypercalls" },
		{ "on violation:1 do trace user", "for hypercalls" },
		{ "on hypercall:1 do trace twice", "'twice' is not part of a rule" },
	};
	char why[RULE_WHY_LEN];
	struct ptremap_rule r;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_eq(parse(&r, cases[i].line, why), -EINVAL, "%s", cases[i].line);
		cr_expect(strstr(why, cases[i].why), "%s: '%s', not '%s'", cases[i].line, why,
			  cases[i].why);
		cr_expect(!strchr(why, '\n'));
	}
}
