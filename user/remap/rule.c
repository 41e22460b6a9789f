// SPDX-License-Identifier: GPL-2.0
#include "user/remap/rule.h"

#include <stdlib.h>
#include <string.h>

#include "user/base/units.h"
#include "user/remap/rule_names.h"
#include "user/remap/why.h"

_Static_assert(RULE_WHY_LEN == CHANGE_WHY_LEN, "fail() has that many bytes");

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BLANKS	      " \t\r\n"
#define PAGE_SIZE     4096u

/* ---- words ------------------------------------------------------------------------------- */

/* The number of a name of @len letters; -EINVAL: there is none. */
static int find_name(const char *const *names, size_t nr, const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (names[i] && strlen(names[i]) == len && !strncmp(names[i], text, len))
			return (int)i;
	return -EINVAL;
}

static int parse_number(const char *text, uint64_t *n, char *why)
{
	return units_parse_u64(text, n) ? fail(why, "'%.32s' is not a number", text) : 0;
}

/* Letters of "rwx", each once, one at least. */
static int parse_access(const char *text, uint32_t *access, char *why)
{
	static const char letters[] = "rwx";
	const char *at, *c;

	*access = 0;
	for (c = text; *c; c++) {
		at = strchr(letters, *c);
		if (!at || *access & 1u << (at - letters))
			return fail(why, "'%.32s' is not an access: letters of rwx", text);
		*access |= 1u << (at - letters);
	}
	return *access ? 0 : fail(why, "an access is missing: letters of rwx");
}

/* ---- triggers --------------------------------------------------------------------------- */

static int parse_condition(struct ptremap_rule *r, char *word, char *why)
{
	struct ptremap_condition *c = &r->conditions[r->nr_conditions];
	char *value = strchr(word, '=');
	uint64_t n;
	int reg, err;

	if (!value)
		return fail(why, "'%.32s' is not REG=VALUE", word);
	reg = find_name(rule_reg_names, PTREMAP_REG_PAGE, word, (size_t)(value - word));
	if (reg < 0)
		return fail(why, "'%.32s' is of no register that a rule can ask for", word);
	if (r->nr_conditions == PTREMAP_CONDITIONS)
		return fail(why, "more than %d registers", PTREMAP_CONDITIONS);
	err = parse_number(value + 1, &n, why);
	if (err)
		return err;
	*c = (struct ptremap_condition){ .reg = (uint32_t)reg, .value = n };
	r->nr_conditions++;
	return 0;
}

static int parse_call(struct ptremap_rule *r, char **save, char *why)
{
	char *word = strtok_r(NULL, ":", save);
	uint64_t nr;
	int err;

	if (!word)
		return fail(why, "the hypercall's number is missing");
	err = parse_number(word, &nr, why);
	r->nr = nr;
	while (!err && (word = strtok_r(NULL, ":", save)))
		err = parse_condition(r, word, why);
	return err;
}

static int parse_range(struct ptremap_rule *r, char *word, char *why)
{
	char *dash = strchr(word, '-');
	uint64_t first, last;
	int err;

	if (dash)
		*dash = 0;
	err = parse_number(word, &first, why);
	if (err)
		return err;
	if (!dash)
		first &= ~(uint64_t)(PAGE_SIZE - 1);
	last = first | (PAGE_SIZE - 1);
	err = dash ? parse_number(dash + 1, &last, why) : 0;
	if (!err && last < first)
		err = fail(why, "the range ends before it begins");
	r->first = first;
	r->last = last;
	return err;
}

static int parse_place(struct ptremap_rule *r, char **save, char *why)
{
	char *word = strtok_r(NULL, ":", save);
	int err;

	if (!word)
		return fail(why, "the range of addresses is missing");
	err = parse_range(r, word, why);
	r->access = RULE_ALL_ACCESS;
	word = err ? NULL : strtok_r(NULL, ":", save);
	if (word)
		err = parse_access(word, &r->access, why);
	if (!err && strtok_r(NULL, ":", save))
		err = fail(why, "there is something behind the access");
	return err;
}

static int parse_trigger(struct ptremap_rule *r, char *text, char *why)
{
	char *save = NULL, *word = strtok_r(text, ":", &save);
	int on = word ? find_name(rule_trigger_names, RULE_TRIGGERS, word, strlen(word)) : -EINVAL;

	if (on < 0)
		return fail(why, "'%.32s' is not one of hypercall, violation, fault",
			    word ? word : "");
	r->on = (uint32_t)on;
	r->fd = on == PTREMAP_ON_FAULT ? 0 : -1;
	return on == PTREMAP_ON_HYPERCALL ? parse_call(r, &save, why) : parse_place(r, &save, why);
}

/* ---- pages ------------------------------------------------------------------------------ */

static int parse_register(const struct ptremap_rule *r, struct ptremap_operand *o, const char *text,
			  size_t len, char *why)
{
	int reg = find_name(rule_reg_names, PTREMAP_REGS, text, len);

	if (reg < 0)
		return fail(why, "'$%.*s' is of no register that a rule can ask for",
			    len < 32 ? (int)len : 32, text);
	if ((r->on == PTREMAP_ON_HYPERCALL) == (reg == PTREMAP_REG_PAGE))
		return fail(why, reg == PTREMAP_REG_PAGE
					 ? "$page is for violations and faults"
					 : "registers are for hypercalls; of others it is $page");
	o->reg = (uint32_t)reg;
	return 0;
}

static int parse_page(const struct ptremap_rule *r, struct ptremap_operand *o, const char *word,
		      char *why)
{
	const char *space = rule_space(r), *plus, *number;
	uint64_t n = 0;
	int err;

	if (!word)
		return fail(why, "a page is missing: %s", space);
	if (strncmp(word, space, strlen(space)) != 0)
		return fail(why, "'%.32s' is not %sWHERE", word, space);
	number = word + strlen(space);
	*o = (struct ptremap_operand){ .reg = PTREMAP_REG_NONE };
	if (*number == '$') {
		plus = strchr(number, '+');
		err = parse_register(r, o, number + 1,
				     plus ? (size_t)(plus - number - 1) : strlen(number + 1), why);
		if (err || !plus)
			return err;
		number = plus + 1;
	}
	err = parse_number(number, &n, why);
	o->add = n;
	return err;
}

/* ---- actions ---------------------------------------------------------------------------- */

static int act_trace(struct ptremap_rule *r, char **save, char *why)
{
	(void)save;
	(void)why;
	r->act = PTREMAP_DO_TRACE;
	return 0;
}

static int act_swap(struct ptremap_rule *r, char **save, char *why)
{
	int err = parse_page(r, &r->page, strtok_r(NULL, BLANKS, save), why);

	r->act = PTREMAP_DO_SWAP;
	if (!err)
		err = parse_page(r, &r->other, strtok_r(NULL, BLANKS, save), why);
	if (!err && r->page.reg == r->other.reg && r->page.add == r->other.add)
		err = fail(why, "a page is not swapped with itself");
	return err;
}

static int act_map(struct ptremap_rule *r, char **save, char *why)
{
	int err = parse_page(r, &r->page, strtok_r(NULL, BLANKS, save), why);
	const char *word = err ? NULL : strtok_r(NULL, BLANKS, save);

	if (err)
		return err;
	r->act = word && !strcmp(word, "fresh") ? PTREMAP_DO_FRESH : PTREMAP_DO_MAP;
	return r->act == PTREMAP_DO_MAP ? parse_page(r, &r->other, word, why) : 0;
}

static int act_protect(struct ptremap_rule *r, char **save, char *why)
{
	r->act = PTREMAP_DO_PROTECT;
	return parse_page(r, &r->page, strtok_r(NULL, BLANKS, save), why);
}

static const struct {
	const char *name;
	int (*parse)(struct ptremap_rule *r, char **save, char *why);
} acts[] = {
	{ "trace", act_trace },
	{ "swap", act_swap },
	{ "map", act_map },
	{ "protect", act_protect },
};

static int parse_act(struct ptremap_rule *r, char **save, char *why)
{
	const char *word = strtok_r(NULL, BLANKS, save);
	size_t i;

	for (i = 0; word && i < ARRAY_SIZE(acts); i++)
		if (!strcmp(acts[i].name, word))
			return acts[i].parse(r, save, why);
	return fail(why, "'%.32s' is not one of trace, swap, map, protect", word ? word : "");
}

/* ---- words behind it -------------------------------------------------------------------- */

static int word_level(struct ptremap_rule *r, const char *value, char *why)
{
	if (strcmp(value, "1") != 0 && strcmp(value, "2") != 0)
		return fail(why, "level: '%.32s' is neither 1 (4 KiB) nor 2 (2 MiB)", value);
	r->level = (uint32_t)(*value - '0');
	return 0;
}

static int word_once(struct ptremap_rule *r, const char *value, char *why)
{
	(void)value;
	(void)why;
	r->flags |= PTREMAP_RULE_ONCE;
	return 0;
}

static int word_user(struct ptremap_rule *r, const char *value, char *why)
{
	(void)value;
	r->flags |= PTREMAP_RULE_USER;
	return r->on == PTREMAP_ON_HYPERCALL ? 0 : fail(why, "user is for hypercalls");
}

static int word_rate(struct ptremap_rule *r, const char *value, char *why)
{
	uint64_t n;

	if (units_parse_u64(value, &n) || !n || n > UINT32_MAX)
		return fail(why, "rate: '%.32s' is not how often a second", value);
	r->per_second = (uint32_t)n;
	return 0;
}

static int word_return(struct ptremap_rule *r, const char *value, char *why)
{
	uint64_t n;
	int err = parse_number(value, &n, why);

	if (err)
		return err;
	r->ret = n;
	r->flags |= PTREMAP_RULE_RETURN;
	return r->on == PTREMAP_ON_HYPERCALL ? 0 : fail(why, "return is for hypercalls");
}

static int word_access(struct ptremap_rule *r, const char *value, bool set, char *why)
{
	if (r->act != PTREMAP_DO_PROTECT)
		return fail(why, "set and clear are for protect");
	return parse_access(value, set ? &r->set : &r->clear, why);
}

static int word_set(struct ptremap_rule *r, const char *value, char *why)
{
	return word_access(r, value, true, why);
}

static int word_clear(struct ptremap_rule *r, const char *value, char *why)
{
	return word_access(r, value, false, why);
}

static const struct word {
	const char *name;
	bool has_value;
	int (*parse)(struct ptremap_rule *r, const char *value, char *why);
} words[] = {
	{ "level", true, word_level },	 { "once", false, word_once }, { "rate", true, word_rate },
	{ "return", true, word_return }, { "user", false, word_user }, { "set", true, word_set },
	{ "clear", true, word_clear },
};

static int parse_word(struct ptremap_rule *r, const char *word, unsigned int *seen, char *why)
{
	size_t i, len = strcspn(word, "=");
	bool has_value = word[len];

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (strlen(words[i].name) != len || strncmp(words[i].name, word, len) != 0)
			continue;
		if (*seen & 1u << i)
			return fail(why, "%s is there twice", words[i].name);
		*seen |= 1u << i;
		if (has_value != words[i].has_value)
			return fail(why, has_value ? "%s takes no value" : "%s needs a value",
				    words[i].name);
		return words[i].parse(r, word + len + 1, why);
	}
	return fail(why, "'%.32s' is not part of a rule", word);
}

/* ---- a line ----------------------------------------------------------------------------- */

static int check_page(const struct ptremap_rule *r, const struct ptremap_operand *o, char *why)
{
	uint64_t size = r->level == 2 ? 2u << 20 : PAGE_SIZE;

	if (o->reg == PTREMAP_REG_NONE && o->add % size)
		return fail(why, "0x%llx is not where a page begins", o->add);
	return 0;
}

static int check(const struct ptremap_rule *r, char *why)
{
	if (r->act == PTREMAP_DO_PROTECT && !(r->set | r->clear))
		return fail(why, "protect: there is no access to set or to clear");
	if (r->set & r->clear)
		return fail(why, "an access is both set and cleared");
	if (r->on == PTREMAP_ON_FAULT && (r->set | r->clear) & PTREMAP_EPT_READ)
		return fail(why, "of a process' page only w and x can be set and cleared");
	if (r->clear & r->access && !(r->flags & PTREMAP_RULE_ONCE) && !r->per_second)
		return fail(why,
			    "the access would be taken away each time that it is made, without "
			    "end: once, or rate=N");
	return check_page(r, &r->page, why) ?: check_page(r, &r->other, why);
}

static int expect_word(const char *word, const char *want, char *why)
{
	if (word && !strcmp(word, want))
		return 0;
	return fail(why, "'%.32s' is there in the place of '%s'", word ? word : "", want);
}

int rule_parse(struct ptremap_rule *r, char *line, char *why)
{
	const struct ptremap_operand none = { .reg = PTREMAP_REG_NONE };
	char *save = NULL, *word = strtok_r(line, BLANKS, &save);
	unsigned int seen = 0;
	int err = expect_word(word, "on", why);

	*r = (struct ptremap_rule){ .level = 1, .page = none, .other = none };
	if (err)
		return err;
	word = strtok_r(NULL, BLANKS, &save);
	if (!word)
		return fail(why, "the trigger is missing");
	err = parse_trigger(r, word, why);
	if (!err)
		err = expect_word(strtok_r(NULL, BLANKS, &save), "do", why);
	if (!err)
		err = parse_act(r, &save, why);
	while (!err && (word = strtok_r(NULL, BLANKS, &save)))
		err = parse_word(r, word, &seen, why);
	return err ? err : check(r, why);
}
