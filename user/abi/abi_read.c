// SPDX-License-Identifier: GPL-2.0
/* The parser of ABI files: a line is a word that says what it is, and what belongs to it. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "user/abi/abi.h"
#include "user/base/text_file.h"
#include "user/base/units.h"

#define MAX_WORDS  64
#define MAX_SETS   256
#define MAX_VALUES 4096
#define WHY_LEN	   200

struct reading {
	struct abi *abi;
	unsigned int widths; /* bit per enum abi_width: what the next lines are about */
	char why[WHY_LEN];
};

static int __attribute__((format(printf, 2, 3))) wrong(struct reading *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->why, sizeof(r->why), fmt, args);
	va_end(args);
	return -EINVAL;
}

static int no_memory(struct reading *r)
{
	wrong(r, "%s", strerror(ENOMEM));
	return -ENOMEM;
}

/* A copy that lives as long as the ABI, or NULL. */
static const char *keep(struct reading *r, const char *text)
{
	struct abi *a = r->abi;
	char **texts = reallocarray(a->texts, a->nr_texts + 1, sizeof(*texts));

	if (!texts)
		return NULL;
	a->texts = texts;
	texts[a->nr_texts] = strdup(text);
	return texts[a->nr_texts] ? texts[a->nr_texts++] : NULL;
}

/* ---- words ------------------------------------------------------------------------------ */

static int parse_reg(struct reading *r, const char *text, uint8_t *reg)
{
	enum abi_reg found = abi_reg_of(text);

	if (found == ABI_NR_REGS)
		return wrong(r, "'%s' is none of rax rbx rcx rdx rsi rdi r8 r9 r10 r11", text);
	*reg = (uint8_t)found;
	return 0;
}

/* Negative numbers, as errors are, with a sign. */
static int parse_number(struct reading *r, const char *text, uint64_t *value)
{
	bool minus = text[0] == '-';

	if (units_parse_u64(text + minus, value))
		return wrong(r, "'%s' is no number", text);
	if (minus)
		*value = -*value;
	return 0;
}

static int find_set(struct reading *r, const char *name, bool flags, uint32_t *set)
{
	for (*set = 0; *set < r->abi->nr_sets; ++*set)
		if (!strcmp(r->abi->sets[*set].name, name) && r->abi->sets[*set].flags == flags)
			return 0;
	return wrong(r, "there is no %s '%s' above", flags ? "flags" : "enum", name);
}

/* ---- arguments: NAME=TYPE:... ----------------------------------------------------------- */

static int parse_set_arg(struct reading *r, struct abi_arg *arg, char *rest)
{
	const char *set = strsep(&rest, ":");

	if (!rest)
		return wrong(r, "a register is missing behind '%s'", set);
	return find_set(r, set, arg->type == ABI_FLAGS, &arg->set) ?: parse_reg(r, rest, &arg->reg);
}

static int parse_length(struct reading *r, struct abi_arg *arg, const char *text)
{
	uint64_t len;

	if (abi_reg_of(text) != ABI_NR_REGS && arg->type == ABI_BYTES) {
		arg->len_is_reg = true;
		arg->len = (uint16_t)abi_reg_of(text);
		return 0;
	}
	if (units_parse_u64(text, &len) || !len || len > ABI_MAX_BYTES)
		return wrong(r, "'%s' is no length of 1 to %d bytes%s", text, ABI_MAX_BYTES,
			     arg->type == ABI_BYTES ? ", nor a register" : "");
	arg->len = (uint16_t)len;
	return 0;
}

/* gpa:REG or gva:REG, then a length. */
static int parse_buffer(struct reading *r, struct abi_arg *arg, char *rest)
{
	const char *space = strsep(&rest, ":"), *reg = rest ? strsep(&rest, ":") : NULL;

	if (!reg || (strcmp(space, "gpa") != 0 && strcmp(space, "gva") != 0))
		return wrong(r, "memory is gpa:REGISTER or gva:REGISTER");
	arg->virt = !strcmp(space, "gva");
	arg->len = ABI_MAX_BYTES;
	if (!rest && arg->type == ABI_BYTES)
		return wrong(r, "bytes need a length behind the register");
	return parse_reg(r, reg, &arg->reg) ?: rest ? parse_length(r, arg, rest) : 0;
}

static int parse_simple(struct reading *r, struct abi_arg *arg, char *rest)
{
	return parse_reg(r, rest, &arg->reg);
}

static const struct {
	const char *name;
	enum abi_type type;
	int (*parse)(struct reading *r, struct abi_arg *arg, char *rest);
} types[] = {
	{ "hex", ABI_HEX, parse_simple },      { "dec", ABI_DEC, parse_simple },
	{ "int", ABI_INT, parse_simple },      { "gpa", ABI_GPA, parse_simple },
	{ "gva", ABI_GVA, parse_simple },      { "enum", ABI_ENUM, parse_set_arg },
	{ "flags", ABI_FLAGS, parse_set_arg }, { "string", ABI_STRING, parse_buffer },
	{ "bytes", ABI_BYTES, parse_buffer },
};

#define NR_TYPES (sizeof(types) / sizeof(types[0]))

static int parse_arg(struct reading *r, struct abi_arg *arg, char *word)
{
	char *rest = word, *name = strsep(&rest, "="), *type;
	size_t i;

	if (!rest || !name[0])
		return wrong(r, "'%s' is not NAME=TYPE:REGISTER", name);
	type = strsep(&rest, ":");
	for (i = 0; i < NR_TYPES && strcmp(type, types[i].name) != 0; i++)
		;
	if (i == NR_TYPES)
		return wrong(r, "'%s' is none of hex dec int gpa gva enum flags string bytes",
			     type);
	if (!rest)
		return wrong(r, "a register is missing behind '%s'", type);
	arg->name = keep(r, name);
	arg->type = (uint8_t)types[i].type;
	return arg->name ? types[i].parse(r, arg, rest) : no_memory(r);
}

static int check_buffers(struct reading *r, const struct abi_call *call)
{
	unsigned int i, nr = 0;

	for (i = 0; i < call->nr_args; i++)
		nr += call->args[i].type >= ABI_STRING;
	return nr > ABI_MAX_BUFFERS
		       ? wrong(r, "at most %d buffers of a call are read", ABI_MAX_BUFFERS)
		       : 0;
}

/* ---- lines ------------------------------------------------------------------------------ */

typedef int (*line_fn)(struct reading *r, char **words, unsigned int nr);

static int line_abi(struct reading *r, char **words, unsigned int nr)
{
	(void)nr;
	if (r->abi->name)
		return wrong(r, "the file has a name already");
	r->abi->name = keep(r, words[0]);
	return r->abi->name ? 0 : no_memory(r);
}

static int line_mode(struct reading *r, char **words, unsigned int nr)
{
	(void)nr;
	if (!strcmp(words[0], "32"))
		r->widths = 1U << ABI_32;
	else if (!strcmp(words[0], "64"))
		r->widths = 1U << ABI_64;
	else if (!strcmp(words[0], "any"))
		r->widths = 1U << ABI_32 | 1U << ABI_64;
	else
		return wrong(r, "'%s' is none of 32 64 any", words[0]);
	return 0;
}

/* "HI:LO" */
static int parse_bits(struct reading *r, char *text, uint8_t *lo, uint8_t *hi)
{
	uint64_t first, last;
	char *rest = text, *high = strsep(&rest, ":");

	if (!rest || units_parse_u64(high, &last) || units_parse_u64(rest, &first) || last > 63 ||
	    first > last)
		return wrong(r, "bits are HIGH:LOW, of 63 to 0");
	*lo = (uint8_t)first;
	*hi = (uint8_t)last;
	return 0;
}

static int line_number(struct reading *r, char **words, unsigned int nr)
{
	uint8_t reg = 0, lo = 0, hi = 63;
	unsigned int i;
	int err = parse_reg(r, words[0], &reg);

	if (!err && nr > 1)
		err = parse_bits(r, words[1], &lo, &hi);
	for (i = 0; i < ABI_NR_WIDTHS && !err; i++) {
		if (!(r->widths >> i & 1))
			continue;
		r->abi->mode[i].known = true;
		r->abi->mode[i].number_reg = reg;
		r->abi->mode[i].number_lo = lo;
		/* 32-bit code has no upper halves, and KVM clears what is there. */
		r->abi->mode[i].number_hi = i == ABI_32 && hi > 31 ? 31 : hi;
	}
	return err;
}

static int line_return(struct reading *r, char **words, unsigned int nr)
{
	uint32_t set = 0;
	uint8_t reg = 0;
	unsigned int i;
	int err = parse_reg(r, words[0], &reg);

	if (!err && nr > 1)
		err = find_set(r, words[1], false, &set);
	for (i = 0; i < ABI_NR_WIDTHS && !err; i++) {
		if (!(r->widths >> i & 1))
			continue;
		r->abi->mode[i].return_reg = reg;
		r->abi->mode[i].return_set = nr > 1 ? (int32_t)set : -1;
	}
	return err;
}

static int add_value(struct reading *r, struct abi_set *set, char *word)
{
	char *rest = word, *number = strsep(&rest, "=");
	struct abi_value *v;

	if (!rest || !rest[0])
		return wrong(r, "'%s' is not NUMBER=NAME", number);
	if (set->nr == MAX_VALUES)
		return wrong(r, "more than %d values", MAX_VALUES);
	v = reallocarray(set->values, set->nr + 1, sizeof(*v));
	if (!v)
		return no_memory(r);
	set->values = v;
	v[set->nr].name = keep(r, rest);
	if (!v[set->nr].name)
		return no_memory(r);
	return parse_number(r, number, &v[set->nr++].value);
}

/* Several lines may add to one set. */
static int add_set(struct reading *r, char **words, unsigned int nr, bool flags)
{
	struct abi *a = r->abi;
	struct abi_set *sets;
	uint32_t set;
	unsigned int i;
	int err = 0;

	if (find_set(r, words[0], flags, &set)) {
		if (a->nr_sets == MAX_SETS)
			return wrong(r, "more than %d sets", MAX_SETS);
		sets = reallocarray(a->sets, a->nr_sets + 1, sizeof(*sets));
		if (!sets)
			return no_memory(r);
		a->sets = sets;
		sets[set] = (struct abi_set){ .name = keep(r, words[0]), .flags = flags };
		if (!sets[set].name)
			return no_memory(r);
		a->nr_sets++;
	}
	for (i = 1; i < nr && !err; i++)
		err = add_value(r, &a->sets[set], words[i]);
	return err;
}

static int line_enum(struct reading *r, char **words, unsigned int nr)
{
	return add_set(r, words, nr, false);
}

static int line_flags(struct reading *r, char **words, unsigned int nr)
{
	return add_set(r, words, nr, true);
}

static int put_other(struct reading *r, struct abi_mode *m, const struct abi_call *call)
{
	if (m->other)
		return wrong(r, "'call *' is there already");
	m->other = malloc(sizeof(*m->other));
	if (!m->other)
		return no_memory(r);
	*m->other = *call;
	return 0;
}

static int put_call(struct reading *r, struct abi_mode *m, const struct abi_call *call)
{
	struct abi_call *calls;
	uint32_t i;

	if (!m->known)
		return wrong(r, "which register has the number? 'number REGISTER' comes first");
	for (i = 0; i < m->nr_calls; i++)
		if (m->calls[i].number == call->number)
			return wrong(r, "call 0x%" PRIx64 " is there already", call->number);
	if (m->nr_calls == ABI_MAX_CALLS)
		return wrong(r, "more than %d calls", ABI_MAX_CALLS);
	calls = reallocarray(m->calls, m->nr_calls + 1, sizeof(*calls));
	if (!calls)
		return no_memory(r);
	m->calls = calls;
	calls[m->nr_calls++] = *call;
	return 0;
}

static int line_call(struct reading *r, char **words, unsigned int nr)
{
	struct abi_call call = { 0 };
	bool other = !strcmp(words[0], "*");
	unsigned int i;
	int err = 0;

	if (!other)
		err = parse_number(r, words[0], &call.number);
	if (err)
		return err;
	if (nr - 2 > ABI_MAX_ARGS)
		return wrong(r, "more than %d arguments", ABI_MAX_ARGS);
	call.name = keep(r, words[1]);
	if (!call.name)
		return no_memory(r);
	for (i = 2; i < nr && !err; i++)
		err = parse_arg(r, &call.args[call.nr_args++], words[i]);
	if (!err)
		err = check_buffers(r, &call);
	for (i = 0; i < ABI_NR_WIDTHS && !err; i++)
		if (r->widths >> i & 1)
			err = other ? put_other(r, &r->abi->mode[i], &call)
				    : put_call(r, &r->abi->mode[i], &call);
	return err;
}

/* Which of the call's arguments is @name? 1 + its index; 0: none that is a string. */
static uint8_t string_arg(const struct abi_call *call, const char *name)
{
	uint8_t i;

	for (i = 0; i < call->nr_args; i++)
		if (call->args[i].type == ABI_STRING && !strcmp(call->args[i].name, name))
			return (uint8_t)(i + 1);
	return 0;
}

static int line_learn(struct reading *r, char **words, unsigned int nr)
{
	struct abi_mode *m;
	uint64_t number;
	uint8_t learn;
	unsigned int i, done = 0;
	uint32_t k;
	int err = parse_number(r, words[0], &number);

	(void)nr;
	for (i = 0; i < ABI_NR_WIDTHS && !err; i++) {
		m = &r->abi->mode[i];
		for (k = 0; k < m->nr_calls && r->widths >> i & 1; k++) {
			learn = m->calls[k].number == number ? string_arg(&m->calls[k], words[1])
							     : 0;
			if (learn)
				m->calls[k].learn = learn;
			done |= learn;
		}
	}
	if (!err && !done)
		err = wrong(r, "no call %s above has a string '%s'", words[0], words[1]);
	return err;
}

static const struct {
	const char *name;
	unsigned int min, max; /* words behind it */
	line_fn fn;
	const char *form;
} lines[] = {
	{ "abi", 1, 1, line_abi, "abi NAME" },
	{ "mode", 1, 1, line_mode, "mode 32|64|any" },
	{ "number", 1, 2, line_number, "number REGISTER [HIGH:LOW]" },
	{ "return", 1, 2, line_return, "return REGISTER [ENUM]" },
	{ "enum", 2, MAX_WORDS, line_enum, "enum NAME NUMBER=NAME..." },
	{ "flags", 2, MAX_WORDS, line_flags, "flags NAME MASK=NAME..." },
	{ "call", 2, MAX_WORDS, line_call, "call NUMBER|* NAME [ARGUMENT]..." },
	{ "learn", 2, 2, line_learn, "learn NUMBER ARGUMENT" },
};

#define NR_LINES (sizeof(lines) / sizeof(lines[0]))

static int take_words(struct reading *r, char **words, unsigned int nr)
{
	size_t i;

	for (i = 0; i < NR_LINES && strcmp(words[0], lines[i].name) != 0; i++)
		;
	if (i == NR_LINES)
		return wrong(r, "'%s' is none of abi mode number return enum flags call learn",
			     words[0]);
	if (nr - 1 < lines[i].min || nr - 1 > lines[i].max)
		return wrong(r, "the form is: %s", lines[i].form);
	return lines[i].fn(r, words + 1, nr - 1);
}

static int take_line(void *ctx, char *text)
{
	struct reading *r = ctx;
	char *words[MAX_WORDS], *word;
	unsigned int nr = 0;

	while ((word = strsep(&text, " \t\r"))) {
		if (!word[0])
			continue;
		if (nr == MAX_WORDS)
			return wrong(r, "more than %d words", MAX_WORDS);
		words[nr++] = word;
	}
	return nr ? take_words(r, words, nr) : 0;
}

/* ---- the file --------------------------------------------------------------------------- */

static int compare_calls(const void *a, const void *b)
{
	const struct abi_call *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static int check_whole(struct reading *r)
{
	struct abi_mode *m = r->abi->mode;
	unsigned int i;

	if (!r->abi->name)
		return wrong(r, "'abi NAME' is missing");
	if (!m[ABI_32].known && !m[ABI_64].known)
		return wrong(r, "'number REGISTER' is missing");
	for (i = 0; i < ABI_NR_WIDTHS; i++)
		if (m[i].nr_calls)
			qsort(m[i].calls, m[i].nr_calls, sizeof(*m[i].calls), compare_calls);
	return 0;
}

int abi_read(struct abi **abi, FILE *in, const char *name)
{
	struct reading r = { .widths = 1U << ABI_32 | 1U << ABI_64 };
	uint32_t line;
	int err;

	r.abi = calloc(1, sizeof(*r.abi));
	if (!r.abi)
		return -ENOMEM;
	r.abi->mode[ABI_32].return_set = r.abi->mode[ABI_64].return_set = -1;
	err = text_file_lines(in, take_line, &r, &line);
	if (!err)
		err = check_whole(&r);
	if (!err) {
		*abi = r.abi;
		return 0;
	}
	abi_free(r.abi);
	return text_file_error(name, line, err, r.why);
}
