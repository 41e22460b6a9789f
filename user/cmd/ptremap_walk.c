// SPDX-License-Identifier: GPL-2.0
/* ptremap walk: every level of the walk to an address, and what an access would come to. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/cmd/cmd.h"
#include "user/cmd/linux_opt.h"
#include "user/cmd/numbers.h"
#include "user/cmd/output.h"
#include "user/cmd/target.h"
#include "user/show/chain_text.h"

#define USAGE "ptremap walk [OPTIONS] ADDR..."

/* The access that is to be judged. */
struct access_opts {
	bool given;
	unsigned int bits; /* PT_ACC_* */
	bool wp, smep, smap, ac;
	uint64_t pkru, pkrs;
};

struct walk_opts {
	struct space_opts space;
	struct access_opts access;
	uint32_t linux_version;
	bool json;
};

static int parse_access(void *target, const char *arg);

static const struct opt options[] = {
	SPACE_OPT_ROWS(struct walk_opts, space),
	FORMAT_OPT_ROWS(struct walk_opts, space.format),
	{ 0, "access", "LIST",
	  "judge this access: a comma list of r, w, x, u (user), s (supervisor, the default), "
	  "implicit, shstk",
	  OPT_CALL, offsetof(struct walk_opts, access), parse_access },
	{ 0, "wp", NULL, "CR0.WP is set", OPT_FLAG, offsetof(struct walk_opts, access.wp), NULL },
	{ 0, "smep", NULL, "CR4.SMEP is set", OPT_FLAG, offsetof(struct walk_opts, access.smep),
	  NULL },
	{ 0, "smap", NULL, "CR4.SMAP is set", OPT_FLAG, offsetof(struct walk_opts, access.smap),
	  NULL },
	{ 0, "ac", NULL, "EFLAGS.AC is set", OPT_FLAG, offsetof(struct walk_opts, access.ac),
	  NULL },
	{ 0, "pkru", "VALUE", "CR4.PKE is set, and PKRU is this", OPT_U64,
	  offsetof(struct walk_opts, access.pkru), NULL },
	{ 0, "pkrs", "VALUE", "CR4.PKS is set, and IA32_PKRS is this", OPT_U64,
	  offsetof(struct walk_opts, access.pkrs), NULL },
	LINUX_OPT_ROW(struct walk_opts, linux_version),
	{ 0, "json", NULL, "one JSON object per address", OPT_FLAG,
	  offsetof(struct walk_opts, json), NULL },
	{ 0 },
};

struct walking {
	const struct walk_opts *opts;
	struct target target;
	struct line line;
	struct json json;
};

/* 0 for "r" and "s", which are the absence of others; -1: no such word. */
static int access_bits(const char *word)
{
	static const struct {
		const char *name;
		unsigned int bits;
	} words[] = {
		{ "r", 0 },
		{ "w", PT_ACC_WRITE },
		{ "x", PT_ACC_EXEC },
		{ "u", PT_ACC_USER },
		{ "s", 0 },
		{ "shstk", PT_ACC_SHSTK },
		{ "implicit", PT_ACC_IMPLICIT },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(word, words[i].name))
			return (int)words[i].bits;
	return -1;
}

static int parse_access(void *target, const char *arg)
{
	struct access_opts *a = target;
	char *list = strdup(arg), *save = NULL, *word;
	int bits = 0;

	if (!list)
		return -ENOMEM;
	a->given = true;
	a->bits = 0;
	for (word = strtok_r(list, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		bits = access_bits(word);
		if (bits < 0)
			break;
		a->bits |= (unsigned int)bits;
	}
	free(list);
	if (bits >= 0 && *arg)
		return 0;
	msg_error("access '%s' is not a list of r, w, x, u, s, implicit, shstk", arg);
	return -EINVAL;
}

static int check_access(const struct access_opts *a)
{
	const char *wrong = NULL;

	if ((a->bits & PT_ACC_WRITE) && (a->bits & PT_ACC_EXEC))
		wrong = "--access is a write or an instruction fetch, not both";
	else if ((a->bits & PT_ACC_USER) && (a->bits & PT_ACC_IMPLICIT))
		wrong = "--access: implicit accesses are the supervisor's";
	else if (a->pkru != SPACE_UNSET && a->pkru > UINT32_MAX)
		wrong = "--pkru has 32 bits";
	else if (a->pkrs != SPACE_UNSET && a->pkrs > UINT32_MAX)
		wrong = "--pkrs has 32 bits";
	if (!wrong)
		return 0;
	msg_usage(USAGE, "%s", wrong);
	return -EINVAL;
}

/* What the options say comes on top of what the registers say. */
static void set_cpu(struct pt_cpu *cpu, const struct access_opts *a)
{
	cpu->wp |= a->wp;
	cpu->smep |= a->smep;
	cpu->smap |= a->smap;
	cpu->ac |= a->ac;
	if (a->pkru != SPACE_UNSET) {
		cpu->pke = 1;
		cpu->pkru = (uint32_t)a->pkru;
	}
	if (a->pkrs != SPACE_UNSET) {
		cpu->pks = 1;
		cpu->pkrs = (uint32_t)a->pkrs;
	}
}

static int print_json(struct walking *w, const struct chain *c, const struct chain_verdict *v)
{
	json_object(&w->json, NULL);
	chain_json(&w->json, c, w->opts->linux_version);
	if (w->opts->access.given)
		verdict_json(&w->json, v, w->opts->access.bits);
	json_end_object(&w->json);
	json_end_line(&w->json);
	return output_error();
}

static int print(void *ctx, uint64_t ia)
{
	struct walking *w = ctx;
	unsigned int access = w->opts->access.bits;
	struct chain_verdict verdict;
	struct chain chain;

	chain_walk(&chain, &w->target.space, w->target.under, ia);
	chain_check(&chain, &w->target.cpu, access, &verdict);
	if (w->opts->json)
		return print_json(w, &chain, &verdict);
	chain_text(&w->line, &chain, w->opts->linux_version);
	if (w->opts->access.given)
		verdict_text(&w->line, &verdict, access);
	return line_write(&w->line, stdout);
}

static int walk_all(struct walking *w, int argc, char **argv, int rest)
{
	const struct walk_opts *o = w->opts;

	if (linux_opt_check(o->linux_version, w->target.space.fmt, USAGE))
		return EXIT_USAGE;
	set_cpu(&w->target.cpu, &o->access);
	json_init(&w->json, stdout);
	return numbers_each(argc, argv, rest, "an address", USAGE, print, w);
}

int cmd_walk(int argc, char **argv)
{
	struct walk_opts o = { .space = SPACE_OPTS_INIT,
			       .access = { .pkru = SPACE_UNSET, .pkrs = SPACE_UNSET } };
	struct walking w = { .opts = &o };
	int rest, err, status;

	err = opts_parse(options, USAGE, "An ADDR of '-' stands for the addresses on stdin.", argc,
			 argv, &o, &rest);
	if (!err)
		err = target_check(&o.space, 1, USAGE);
	if (!err)
		err = check_access(&o.access);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	status = target_open(&w.target, &o.space, 0, USAGE);
	if (status)
		return status;
	status = walk_all(&w, argc, argv, rest);
	target_close(&w.target);
	line_free(&w.line);
	return status;
}
