// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/base/msg.h"
#include "user/base/opts.h"

#define USAGE "ptrace-pf record [OPTIONS] [-- COMMAND]"

struct config {
	bool all, verbose;
	const char *output;
	unsigned int pid;
	uint64_t address, size, time;
	struct opt_number number;
	const char *called_with;
	int calls;
};

static int parse_call(void *target, const char *arg)
{
	struct config *c = target;

	c->calls++;
	c->called_with = arg;
	if (!arg || strcmp(arg, "bad"))
		return 0;
	msg_error("that is bad");
	return -EINVAL;
}

#define AT(field) offsetof(struct config, field)

static const struct opt table[] = {
	{ 'a', "all-cpus", NULL, "trace every process", OPT_FLAG, AT(all), NULL },
	{ 'v', NULL, NULL, "more words", OPT_FLAG, AT(verbose), NULL },
	{ 'o', "output", "FILE", "where to", OPT_STR, AT(output), NULL },
	{ 'p', "pid", "PID", "whom", OPT_U32, AT(pid), NULL },
	{ 0, "address", "ADDR", "where", OPT_U64, AT(address), NULL },
	{ 0, "number", "N", "how many", OPT_NUMBER, AT(number), NULL },
	{ 'm', "size", "SIZE", "how much", OPT_SIZE, AT(size), NULL },
	{ 0, "sizes", "SIZE", "how much more", OPT_SIZE, AT(size), NULL },
	{ 't', "time", "TIME", "how long", OPT_TIME, AT(time), NULL },
	{ 'c', "call", "WORD", "your own", OPT_CALL, 0, parse_call },
	{ 'C', "call-flag", NULL, "your own flag", OPT_CALL, 0, parse_call },
	{ 0 },
};

/* fd 1 or 2 into memory for the rest of the test; what is there is read with captured(). */
static int capture(int fd)
{
	int mem = memfd_create("capture", 0);

	cr_assert(mem >= 0 && dup2(mem, fd) == fd);
	return mem;
}

static char *captured(int mem)
{
	static char text[8192];
	ssize_t n = pread(mem, text, sizeof(text) - 1, 0);

	cr_assert(n >= 0);
	text[n] = 0;
	cr_assert_eq(ftruncate(mem, 0), 0);
	cr_assert_eq(lseek(mem, 0, SEEK_SET), 0);
	return text;
}

/* @line is split at spaces. Returns opts_parse()'s value, *@rest the first word left. */
static int parse(const char *line, struct config *c, const char **rest)
{
	static char copy[512];
	static char *argv[32];
	int argc = 0, first = -1, ret;
	char *save, *word;

	memset(c, 0, sizeof(*c));
	snprintf(copy, sizeof(copy), "%s", line);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	ret = opts_parse(table, USAGE, "Footer.", argc, argv, c, &first);
	*rest = first >= 0 ? argv[first] : NULL;
	return ret;
}

Test(opts, every_kind_in_both_forms)
{
	struct config c;
	const char *rest;

	cr_assert_eq(parse("record -a -v -o x -p 0x10 --address 0xffffffff81000000 -m 64M -t 2ms",
			   &c, &rest),
		     0);
	cr_assert(c.all && c.verbose);
	cr_assert_str_eq(c.output, "x");
	cr_assert_eq(c.pid, 16);
	cr_assert_eq(c.address, UINT64_C(0xffffffff81000000));
	cr_assert_eq(c.size, 64u << 20);
	cr_assert_eq(c.time, 2000000);
	cr_assert_null(rest);

	cr_assert_eq(parse("record --all-cpus --output=y --pid=7 --size=4k --time 1us", &c, &rest),
		     0);
	cr_assert(c.all && !c.verbose);
	cr_assert_str_eq(c.output, "y");
	cr_assert_eq(c.pid, 7);
	cr_assert_eq(c.size, 4096);
	cr_assert_eq(c.time, 1000);
}

Test(opts, every_number_is_told_from_none)
{
	struct config c;
	const char *rest;

	capture(STDERR_FILENO);
	cr_assert_eq(parse("record -a", &c, &rest), 0);
	cr_assert_not(c.number.given);
	cr_assert_eq(parse("record --number 0", &c, &rest), 0);
	cr_assert(c.number.given && !c.number.value);
	cr_assert_eq(parse("record --number 0xffffffffffffffff", &c, &rest), 0);
	cr_assert(c.number.given && c.number.value == UINT64_MAX);
	cr_assert_eq(parse("record --number none", &c, &rest), -EINVAL);
}

Test(opts, calls)
{
	struct config c;
	const char *rest;

	cr_assert_eq(parse("record -c one", &c, &rest), 0);
	cr_assert_str_eq(c.called_with, "one");
	cr_assert_eq(parse("record -cCC", &c, &rest), 0);
	cr_assert_str_eq(c.called_with, "CC");
	cr_assert_eq(c.calls, 1);
	cr_assert_eq(parse("record -c two -CC", &c, &rest), 0);
	cr_assert_null(c.called_with);
	cr_assert_eq(c.calls, 3);
}

Test(opts, stops_at_the_command)
{
	struct config c;
	const char *rest;

	cr_assert_eq(parse("record -a sleep -v 1", &c, &rest), 0);
	cr_assert_str_eq(rest, "sleep");
	cr_assert(!c.verbose);
	cr_assert_eq(parse("record -a -- -v", &c, &rest), 0);
	cr_assert_str_eq(rest, "-v");
	cr_assert(!c.verbose);
	cr_assert_eq(parse("record - -v", &c, &rest), 0);
	cr_assert_str_eq(rest, "-");
	cr_assert_eq(parse("record", &c, &rest), 0);
	cr_assert_null(rest);
}

/* getopt keeps its place in a cluster of letters; an error there must not leak into the next. */
Test(opts, each_parse_starts_afresh)
{
	struct config c;
	const char *rest;

	capture(STDERR_FILENO);
	cr_assert_eq(parse("record -xva", &c, &rest), -EINVAL);
	cr_assert_eq(parse("record -o f", &c, &rest), 0);
	cr_assert(!c.verbose && !c.all);
	cr_assert_str_eq(c.output, "f");
}

Test(opts, errors_name_the_word_and_the_way_out)
{
	static const struct {
		const char *line, *error;
	} cases[] = {
		{ "record --size 12Q", "option '--size': '12Q' is not a size" },
		{ "record -m 12Q", "option '-m': '12Q' is not a size" },
		{ "record -m 1 --time=1h", "option '--time': '1h' is not a time" },
		{ "record -p 4294967296", "option '-p': '4294967296' is not a number below 2^32" },
		{ "record --address=-1", "option '--address': '-1' is not a number" },
		{ "record -o", "option '-o' needs an argument" },
		{ "record --output", "option '--output' needs an argument" },
		{ "record --all-cpus=1", "option '--all-cpus' takes no argument" },
		{ "record --help=1", "option '--help' takes no argument" },
		{ "record -x", "unknown option '-x'" },
		{ "record -avx", "unknown option '-x'" },
		{ "record --nothing", "unknown option '--nothing'" },
		{ "record --nothing=1", "unknown option '--nothing=1'" },
		{ "record --a", "ambiguous option '--a'" },
		{ "record --siz=3", "ambiguous option '--siz=3'" },
	};
	int mem = capture(STDERR_FILENO);
	char expected[256];
	const char *rest;
	struct config c;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(parse(cases[i].line, &c, &rest), -EINVAL, "%s", cases[i].line);
		snprintf(expected, sizeof(expected), "ptrace-pf record: %s; try --help\n",
			 cases[i].error);
		cr_assert_str_eq(captured(mem), expected);
	}
}

Test(opts, callbacks_speak_for_themselves)
{
	int mem = capture(STDERR_FILENO);
	const char *rest;
	struct config c;
	char expected[64];

	cr_assert_eq(parse("record -c bad -a", &c, &rest), -EINVAL);
	snprintf(expected, sizeof(expected), "%s: that is bad\n", program_invocation_short_name);
	cr_assert_str_eq(captured(mem), expected);
	cr_assert(!c.all);
}

Test(opts, help_goes_to_stdout)
{
	int out = capture(STDOUT_FILENO), err = capture(STDERR_FILENO);
	const char *rest;
	struct config c;

	cr_assert_eq(parse("record -a --help --nonsense", &c, &rest), OPTS_HELP);
	fflush(stdout);
	cr_assert_str_eq(captured(out), "Usage: ptrace-pf record [OPTIONS] [-- COMMAND]\n"
					"\n"
					"  -a, --all-cpus      trace every process\n"
					"  -v                  more words\n"
					"  -o, --output FILE   where to\n"
					"  -p, --pid PID       whom\n"
					"      --address ADDR  where\n"
					"      --number N      how many\n"
					"  -m, --size SIZE     how much\n"
					"      --sizes SIZE    how much more\n"
					"  -t, --time TIME     how long\n"
					"  -c, --call WORD     your own\n"
					"  -C, --call-flag     your own flag\n"
					"  -h, --help          show this help\n"
					"\n"
					"Footer.\n");
	cr_assert_str_eq(captured(err), "");
	cr_assert_eq(parse("record -h", &c, &rest), OPTS_HELP);
}

Test(opts, long_help_is_wrapped)
{
	static const struct opt rows[] = {
		{ 'a', NULL, NULL,
		  "a text that does not fit into what is left of one line of eighty columns and so "
		  "goes on under itself",
		  OPT_FLAG, 0, NULL },
		{ 0, "an-option-with-a-long-name", "ARGUMENT", "on the next line", OPT_STR, 0,
		  NULL },
		{ 0 },
	};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	opts_help(out, rows, "x", NULL);
	fclose(out);
	cr_assert_str_eq(text,
			 "Usage: x\n"
			 "\n"
			 "  -a          a text that does not fit into what is left of one line of"
			 " eighty\n"
			 "              columns and so goes on under itself\n"
			 "      --an-option-with-a-long-name ARGUMENT\n"
			 "              on the next line\n"
			 "  -h, --help  show this help\n");
	free(text);
}

Test(msg, one_line_however_long)
{
	int mem = capture(STDERR_FILENO);
	char *word = calloc(1, 10000), *text;

	memset(word, 'x', 9999);
	msg_error("%s", word);
	text = captured(mem);
	cr_assert_leq(strlen(text), 4096);
	cr_assert_eq(strchr(text, '\n'), text + strlen(text) - 1);
	msg_usage("ptrace-pf", "%s", word);
	text = captured(mem);
	cr_assert_eq(strncmp(text, "ptrace-pf: xxx", 14), 0);
	cr_assert_str_eq(text + strlen(text) - 16, "xxx; try --help\n");
	free(word);
}

Test(msg, notes_and_commands)
{
	int mem = capture(STDERR_FILENO);
	char expected[64];

	msg_note("%d", 7);
	snprintf(expected, sizeof(expected), "%s: 7\n", program_invocation_short_name);
	cr_assert_str_eq(captured(mem), expected);
	msg_usage("ptrace-pf COMMAND [ARGS]", "no command");
	cr_assert_str_eq(captured(mem), "ptrace-pf: no command; try --help\n");
}
