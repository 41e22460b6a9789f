/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Options as a table: each row says where its value goes in the caller's config structure, and
 * the help text is printed from the same rows. Parsing stops at the first word that is not an
 * option, as perf does, so that "record -a sleep -- 1" leaves sleep's options alone.
 */
#ifndef BASE_OPTS_H
#define BASE_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum opt_kind {
	OPT_FLAG,   /* bool: set to true; no argument */
	OPT_STR,    /* const char *: the argument itself, not copied */
	OPT_U32,    /* unsigned int, decimal or 0x... */
	OPT_U64,    /* uint64_t, decimal or 0x... */
	OPT_NUMBER, /* struct opt_number: the same, where no number can stand for "not given" */
	OPT_SIZE,   /* uint64_t bytes: 64M, 1G, 4096 */
	OPT_TIME,   /* uint64_t nanoseconds: 10us, 2ms, 1s, 500 (ns) */
	OPT_CALL,   /* ->parse decides; with ->arg NULL it is called with NULL */
};

/* Starts as zeros. */
struct opt_number {
	bool given;
	uint64_t value;
};

struct opt {
	char short_name;       /* 0: none */
	const char *long_name; /* NULL: none */
	const char *arg;       /* argument's name in the help; NULL for flags */
	const char *help;
	enum opt_kind kind;
	size_t offset; /* of the target in the config structure */
	/* OPT_CALL: stores into @target (config + offset); 0, or -EINVAL after msg_error(). */
	int (*parse)(void *target, const char *arg);
};

#define OPTS_MAX  64 /* rows of a table */
#define OPTS_HELP 1  /* --help was asked for and printed to stdout */

/*
 * Parses argv[1..]; @opts ends with an all-zero row. -h/--help prints @usage ("ptrace-pf record
 * [OPTIONS] [-- COMMAND]"), the rows of the table and @footer (may be NULL). Returns 0 with
 * *@rest = index of the first word left (past a "--"), OPTS_HELP, or -EINVAL after one line on
 * stderr that names the word, why it is wrong and "try --help". A footer's lines are its own,
 * without the last newline; help texts are wrapped.
 */
int opts_parse(const struct opt *opts, const char *usage, const char *footer, int argc, char **argv,
	       void *config, int *rest);

/* For commands that take no words: 0, or -EINVAL after a line when argv[rest] is there. */
int opts_no_more(int argc, char **argv, int rest);

void opts_help(FILE *out, const struct opt *opts, const char *usage, const char *footer);

#endif
