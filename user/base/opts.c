// SPDX-License-Identifier: GPL-2.0
#include "user/base/opts.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/base/units.h"

#define HELP_WIDTH   80
#define HELP_COLUMN  30	   /* options wider than this have their help on the next line */
#define LONG_ONLY    0x100 /* getopt's value of row n's long form: LONG_ONLY + n */
#define OPTION_SPACE 80	   /* an option's own text in the help */

static const struct opt help_row = { 'h', "help", NULL, "show this help", OPT_FLAG, 0, NULL };

/* One parse: the table in the form that getopt wants. */
struct parser {
	const struct opt *opts;
	const char *usage;
	size_t nr;
	struct option longs[OPTS_MAX + 2];
	char shorts[2 * (OPTS_MAX + 1) + 3];
};

static bool is_end(const struct opt *o)
{
	return !o->short_name && !o->long_name;
}

/* Row @i; the one behind the last is --help. */
static const struct opt *row(const struct parser *p, size_t i)
{
	return i < p->nr ? &p->opts[i] : &help_row;
}

static void parser_init(struct parser *p, const struct opt *opts, const char *usage)
{
	struct option *l = p->longs;
	char *s = p->shorts;
	size_t i;

	memset(p, 0, sizeof(*p));
	p->opts = opts;
	p->usage = usage;
	while (!is_end(&opts[p->nr]))
		p->nr++;
	assert(p->nr <= OPTS_MAX);
	*s++ = '+'; /* stop at the first word that is not an option */
	*s++ = ':'; /* tell a missing argument from an unknown option */
	for (i = 0; i <= p->nr; i++) {
		if (row(p, i)->short_name)
			*s++ = row(p, i)->short_name;
		if (row(p, i)->short_name && row(p, i)->arg)
			*s++ = ':';
		if (!row(p, i)->long_name)
			continue;
		l->name = row(p, i)->long_name;
		l->has_arg = row(p, i)->arg ? required_argument : no_argument;
		l->val = LONG_ONLY + (int)i;
		l++;
	}
}

static const struct opt *find(const struct parser *p, int val)
{
	size_t i;

	if (val >= LONG_ONLY)
		return row(p, (size_t)(val - LONG_ONLY));
	for (i = 0; i < p->nr; i++)
		if (p->opts[i].short_name == val)
			return &p->opts[i];
	return &help_row;
}

/* The option as it was typed: "-m" or "--size". */
static const char *name_of(const struct parser *p, int val, char *buf, size_t size)
{
	if (val >= LONG_ONLY)
		snprintf(buf, size, "--%s", find(p, val)->long_name);
	else
		snprintf(buf, size, "-%c", val);
	return buf;
}

static int store_u32(const char *arg, unsigned int *target)
{
	uint64_t v;

	if (units_parse_u64(arg, &v) || v > UINT32_MAX)
		return -EINVAL;
	*target = (unsigned int)v;
	return 0;
}

static int store_number(const char *arg, struct opt_number *target)
{
	target->given = true;
	return units_parse_u64(arg, &target->value);
}

/* Returns NULL or what @arg should have been. */
static const char *store(const struct opt *o, void *target, const char *arg)
{
	switch (o->kind) {
	case OPT_FLAG:
		*(bool *)target = true;
		return NULL;
	case OPT_STR:
		*(const char **)target = arg;
		return NULL;
	case OPT_U32:
		return store_u32(arg, target) ? "a number below 2^32" : NULL;
	case OPT_U64:
		return units_parse_u64(arg, target) ? "a number" : NULL;
	case OPT_NUMBER:
		return store_number(arg, target) ? "a number" : NULL;
	case OPT_SIZE:
		return units_parse_size(arg, target) ? "a size" : NULL;
	case OPT_TIME:
		return units_parse_time(arg, target) ? "a time" : NULL;
	case OPT_CALL:
		break;
	}
	return NULL;
}

static int apply(const struct parser *p, int val, const char *arg, void *config)
{
	const struct opt *o = find(p, val);
	void *target = (char *)config + o->offset;
	const char *expected;
	char name[OPTION_SPACE];

	if (o->kind == OPT_CALL)
		return o->parse(target, arg);
	expected = store(o, target, arg);
	if (!expected)
		return 0;
	msg_usage(p->usage, "option '%s': '%s' is not %s", name_of(p, val, name, sizeof(name)), arg,
		  expected);
	return -EINVAL;
}

/* Does "--wo" or "--wo=x" begin a long option's name? */
static bool begins_name(const struct parser *p, const char *word)
{
	const char *name = word + 2;
	const struct option *l;

	for (l = p->longs; l->name; l++)
		if (!strncmp(l->name, name, strcspn(name, "=")))
			return true;
	return false;
}

/* getopt said no: optopt is the option's value, or 0 when no row fits or several do. */
static int reject(const struct parser *p, bool no_arg, const char *word)
{
	char name[OPTION_SPACE];

	if (no_arg)
		msg_usage(p->usage, "option '%s' needs an argument",
			  name_of(p, optopt, name, sizeof(name)));
	else if (optopt >= LONG_ONLY)
		msg_usage(p->usage, "option '%s' takes no argument",
			  name_of(p, optopt, name, sizeof(name)));
	else if (optopt)
		msg_usage(p->usage, "unknown option '-%c'", optopt);
	else
		msg_usage(p->usage, "%s option '%s'",
			  begins_name(p, word) ? "ambiguous" : "unknown", word);
	return -EINVAL;
}

int opts_parse(const struct opt *opts, const char *usage, const char *footer, int argc, char **argv,
	       void *config, int *rest)
{
	struct parser p;
	int err, val;

	parser_init(&p, opts, usage);
	optind = 0; /* glibc: start afresh, also in the middle of a cluster of short options */
	opterr = 0;
	for (;;) {
		val = getopt_long(argc, argv, p.shorts, p.longs, NULL);
		if (val == -1)
			break;
		if (val == '?' || val == ':')
			return reject(&p, val == ':', argv[optind - 1]);
		if (find(&p, val) == &help_row) {
			opts_help(stdout, opts, usage, footer);
			return OPTS_HELP;
		}
		err = apply(&p, val, optarg, config);
		if (err)
			return err;
	}
	*rest = optind;
	return 0;
}

/* "  -m, --size SIZE"; returns its width. */
static size_t format_option(char *buf, size_t size, const struct opt *o)
{
	const char letter[] = { o->short_name ? '-' : 0, o->short_name, 0 };
	const char *dashes = o->short_name ? ", --" : "    --";

	snprintf(buf, size, "  %s%s%s%s%s", letter, o->long_name ? dashes : "",
		 o->long_name ? o->long_name : "", o->arg ? " " : "", o->arg ? o->arg : "");
	return strlen(buf);
}

static size_t help_column(const struct parser *p)
{
	char text[OPTION_SPACE];
	size_t i, width, column = 0;

	for (i = 0; i <= p->nr; i++) {
		width = format_option(text, sizeof(text), row(p, i)) + 2;
		if (width > column && width <= HELP_COLUMN)
			column = width;
	}
	return column;
}

/* Words of @text from @column on; the first line is already there up to @at. */
static void print_wrapped(FILE *out, const char *text, size_t at, size_t column)
{
	size_t len, pad = column - at;

	for (at = column; *text; text += len + strspn(text + len, " ")) {
		len = strcspn(text, " ");
		if (at > column && at + 1 + len > HELP_WIDTH) {
			putc('\n', out);
			pad = column;
			at = column;
		} else if (at > column) {
			pad = 1;
			at++;
		}
		fprintf(out, "%*s%.*s", (int)pad, "", (int)len, text);
		at += len;
	}
	putc('\n', out);
}

static void print_option(FILE *out, const struct opt *o, size_t column)
{
	char text[OPTION_SPACE];
	size_t width = format_option(text, sizeof(text), o);

	fputs(text, out);
	if (width + 2 > column) {
		putc('\n', out);
		width = 0;
	}
	print_wrapped(out, o->help, width, column);
}

void opts_help(FILE *out, const struct opt *opts, const char *usage, const char *footer)
{
	struct parser p;
	size_t i, column;

	parser_init(&p, opts, usage);
	column = help_column(&p);
	fprintf(out, "Usage: %s\n\n", usage);
	for (i = 0; i <= p.nr; i++)
		print_option(out, row(&p, i), column);
	if (footer)
		fprintf(out, "\n%s\n", footer);
}

int opts_no_more(int argc, char **argv, int rest)
{
	if (rest >= argc)
		return 0;
	msg_error("%s: '%s': no such argument; try --help", argv[0], argv[rest]);
	return -EINVAL;
}
