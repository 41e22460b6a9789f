/* SPDX-License-Identifier: GPL-2.0 */
/* What the commands that change page-table entries have in common. */
#ifndef CMD_CHANGING_H
#define CMD_CHANGING_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "user/base/json.h"
#include "user/base/line.h"
#include "user/base/opts.h"
#include "user/remap/plan.h"
#include "user/show/entry_text.h"

struct changing_opts {
	struct ptremap_item item; /* the change, but for its address */
	uint32_t pid;		  /* of addresses that are not PID:VA; 0: not given */
	uint64_t for_ns;	  /* 0: not given */
	bool dry_run, keep, json;
	bool rehearse; /* made, and taken back at once: nothing stays */
};

/* Rows of the options that all of them have, of those of entries, and of those told addresses. */
#define CHANGING_STAY_ROWS                                           \
	{ 0,                                                         \
	  "for",                                                     \
	  "SECONDS",                                                 \
	  "take it back after so long; 500ms, 2m and the like, too", \
	  OPT_CALL,                                                  \
	  offsetof(struct changing_opts, for_ns),                    \
	  changing_parse_for },                                      \
	{                                                            \
		0, "json", NULL, "one JSON object", OPT_FLAG,        \
			offsetof(struct changing_opts, json), NULL   \
	}
#define CHANGING_OPT_ROWS                                                                    \
	{ 0,                                                                                 \
	  "dry-run",                                                                         \
	  NULL,                                                                              \
	  "change nothing: print the entries before and after, what would be held and what " \
	  "flushed",                                                                         \
	  OPT_FLAG,                                                                          \
	  offsetof(struct changing_opts, dry_run),                                           \
	  NULL },                                                                            \
		{ 0,                                                                         \
		  "keep",                                                                    \
		  NULL,                                                                      \
		  "leave it in force when the command ends, until 'ptremap undo' or rmmod",  \
		  OPT_FLAG,                                                                  \
		  offsetof(struct changing_opts, keep),                                      \
		  NULL },                                                                    \
		CHANGING_STAY_ROWS
#define CHANGING_ADDR_ROWS                                                               \
	{ 0,	   "pid",                                                                \
	  "PID",   "the process; an address may name its own, as PID:VA",                \
	  OPT_U32, offsetof(struct changing_opts, pid),                                  \
	  NULL },                                                                        \
		{ 0,                                                                     \
		  "expect",                                                              \
		  "VALUE",                                                               \
		  "only if the entry is this one; accessed and dirty bits do not count", \
		  OPT_CALL,                                                              \
		  offsetof(struct changing_opts, item),                                  \
		  changing_parse_expect },                                               \
		{ 0,                                                                     \
		  "level",                                                               \
		  "N",                                                                   \
		  "1: 4 KiB entries, as without it; 2: the entries of 2 MiB pages",      \
		  OPT_CALL,                                                              \
		  offsetof(struct changing_opts, item),                                  \
		  changing_parse_level },                                                \
		CHANGING_OPT_ROWS

#define CHANGING_FOOTER                                                                         \
	"Without --for, --keep or a COMMAND the change stays until Ctrl-C. With a COMMAND it\n" \
	"stays while that runs, whose exit status it is then."

int changing_parse_for(void *target, const char *arg);
int changing_parse_expect(void *target, const char *arg);
int changing_parse_level(void *target, const char *arg);
/* For OPT_CALL rows of other keys (change_key()), with the option's name without dashes. */
int changing_parse_key(void *item, const char *key, const char *arg);

/* What stands on the command line beside options. */
struct changing_words {
	char **words;
	int nr;
	char **command; /* behind "--"; NULL: none */
};

/*
 * Parses argv[1..]; options may stand behind words. The words are moved to the beginning of @argv.
 * As opts_parse(); "--" without a command, or options that contradict each other, are -EINVAL, too.
 */
int changing_parse(const struct opt *rows, const char *usage, const char *footer, int argc,
		   char **argv, struct changing_opts *o, struct changing_words *w);

/* Something that can be made by the module, and is one transaction then. */
struct changing_act {
	/* 0 and the transaction, or -errno after one line on stderr. @fd: of the device. */
	int (*make)(void *ctx, int fd, const struct changing_opts *o, uint32_t *id);
	/* What was made. The style is of this machine's tables. */
	void (*text)(struct line *l, const void *ctx, const struct entry_view *style);
	void (*json)(struct json *j, const void *ctx, const struct entry_view *style);
	void *ctx;
	size_t changes; /* that it makes at most */
};

/* Makes and prints it, and waits for as long as it shall stay. Returns the exit status. */
int changing_do(const struct changing_act *act, const struct changing_opts *o, char **command);

/* The same of the changes of @p, which it frees. */
int changing_run(struct plan *p, const struct changing_opts *o, char **command);

/* All of a command that makes o->item at each of the addresses on its command line. */
int changing_main(const struct opt *rows, const char *usage, const char *footer, int argc,
		  char **argv, struct changing_opts *o);

#endif
