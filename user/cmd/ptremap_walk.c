// SPDX-License-Identifier: GPL-2.0
/* ptremap walk: every level of the walk to an address, and what an access would come to. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/cmd/cmd.h"
#include "user/cmd/linux_opt.h"
#include "user/cmd/numbers.h"
#include "user/cmd/output.h"
#include "user/cmd/target.h"
#include "user/show/chain_text.h"
#include "user/show/facts_text.h"
#include "user/show/vm_text.h"

#define USAGE "ptremap walk [OPTIONS] ADDR..."

/* The access that is to be judged. */
struct access_opts {
	bool given;
	unsigned int bits; /* PT_ACC_* */
	bool wp, smep, smap, ac;
	struct opt_number pkru, pkrs;
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
	{ 0, "pkru", "VALUE", "CR4.PKE is set, and PKRU is this", OPT_NUMBER,
	  offsetof(struct walk_opts, access.pkru), NULL },
	{ 0, "pkrs", "VALUE", "CR4.PKS is set, and IA32_PKRS is this", OPT_NUMBER,
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
	uint32_t linux_version;
	int without; /* the helper module: -errno; there are no tables then */
	bool failed; /* an address that could not be walked was among them */
};

/* One address, and what was found. */
struct finding {
	struct chain chain;
	struct chain_verdict verdict;
	struct facts facts; /* of live tables alone */
};

/* "r" and "s" are the absence of others; as words they have bits of their own. */
#define WORD_READ	(1U << 16)
#define WORD_SUPERVISOR (1U << 17)

/* 0: there is no such word. */
static unsigned int access_bits(const char *word)
{
	static const struct {
		const char *name;
		unsigned int bits;
	} words[] = {
		{ "r", WORD_READ },
		{ "w", PT_ACC_WRITE },
		{ "x", PT_ACC_EXEC },
		{ "u", PT_ACC_USER },
		{ "s", WORD_SUPERVISOR },
		{ "shstk", PT_ACC_SHSTK },
		{ "implicit", PT_ACC_IMPLICIT },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(word, words[i].name))
			return words[i].bits;
	return 0;
}

/* Why words cannot stand together, or NULL. */
static const char *access_contradiction(unsigned int bits)
{
	static const struct {
		unsigned int words; /* one of them at most */
		const char *wrong;
	} rules[] = {
		{ WORD_READ | PT_ACC_WRITE | PT_ACC_EXEC, "r, w and x exclude each other" },
		{ PT_ACC_USER | WORD_SUPERVISOR, "u and s exclude each other" },
		{ PT_ACC_USER | PT_ACC_IMPLICIT, "implicit accesses are the supervisor's" },
		{ PT_ACC_EXEC | PT_ACC_IMPLICIT, "implicit accesses fetch no instructions" },
		{ PT_ACC_EXEC | PT_ACC_SHSTK, "no instructions are fetched from shadow stacks" },
	};
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (__builtin_popcount(bits & rules[i].words) > 1)
			return rules[i].wrong;
	return NULL;
}

static int parse_access(void *target, const char *arg)
{
	struct access_opts *a = target;
	const char *wrong;
	char *list = strdup(arg), *rest = list, *word;
	unsigned int bits = 1;

	if (!list)
		return -ENOMEM;
	a->given = true;
	a->bits = 0;
	while (bits && (word = strsep(&rest, ","))) {
		bits = access_bits(word);
		a->bits |= bits;
	}
	free(list);
	if (!bits) {
		msg_error("access '%s' is not a list of r, w, x, u, s, implicit, shstk", arg);
		return -EINVAL;
	}
	wrong = access_contradiction(a->bits);
	a->bits &= ~(WORD_READ | WORD_SUPERVISOR);
	if (!wrong)
		return 0;
	msg_error("access '%s': %s", arg, wrong);
	return -EINVAL;
}

static int check_access(const struct access_opts *a, bool vm)
{
	if (a->given && vm) {
		msg_usage(USAGE, "--access judges walks of one machine, not a VM's");
		return -EINVAL;
	}
	if (a->pkru.value <= UINT32_MAX && a->pkrs.value <= UINT32_MAX)
		return 0;
	msg_usage(USAGE, "%s has 32 bits", a->pkru.value > UINT32_MAX ? "--pkru" : "--pkrs");
	return -EINVAL;
}

/* What the options say comes on top of what the registers say. */
static void set_cpu(struct pt_cpu *cpu, const struct access_opts *a)
{
	cpu->wp |= a->wp;
	cpu->smep |= a->smep;
	cpu->smap |= a->smap;
	cpu->ac |= a->ac;
	if (a->pkru.given) {
		cpu->pke = 1;
		cpu->pkru = (uint32_t)a->pkru.value;
	}
	if (a->pkrs.given) {
		cpu->pks = 1;
		cpu->pkrs = (uint32_t)a->pkrs.value;
	}
}

static int print_json(struct walking *w, const struct finding *f)
{
	json_object(&w->json, NULL);
	chain_json(&w->json, &f->chain, w->linux_version);
	if (w->target.live)
		facts_json(&w->json, &f->facts);
	if (w->opts->access.given)
		verdict_json(&w->json, &f->verdict, w->opts->access.bits);
	json_end_object(&w->json);
	json_end_line(&w->json);
	return output_error();
}

static int print_text(struct walking *w, const struct finding *f)
{
	chain_text(&w->line, &f->chain, w->linux_version);
	if (w->target.live)
		facts_text(&w->line, &f->facts);
	if (w->opts->access.given)
		verdict_text(&w->line, &f->verdict, w->opts->access.bits);
	return line_write(&w->line, stdout);
}

/* The whole way, from an address of a VM's guest. */
static int print_vm(void *ctx, uint64_t address)
{
	struct walking *w = ctx;
	struct vm_view *view = &w->target.view;
	bool gva = w->opts->space.vm.gva, has_host;
	struct vm_chain c;
	struct facts facts;

	if (gva)
		vm_chain_gva(&c, view, address);
	else
		vm_chain_gpa(&c, view, address);
	has_host = c.slot && !c.host_error;
	if (has_host)
		facts_of_walk(&facts, live_pid(guest_host(view->guest)), c.host.space, &c.host.path,
			      &c.page, w->linux_version);
	if (!w->opts->json) {
		vm_chain_text(&w->line, &c, has_host ? &facts : NULL, w->linux_version);
		return line_write(&w->line, stdout);
	}
	json_object(&w->json, NULL);
	vm_chain_json(&w->json, &c, has_host ? &facts : NULL, w->linux_version);
	json_end_object(&w->json);
	json_end_line(&w->json);
	return output_error();
}

static int print(void *ctx, uint64_t ia)
{
	struct walking *w = ctx;
	struct target *t = &w->target;
	struct ptremap_page page;
	struct finding f;

	if (target_load_page(t, ia, &page)) {
		w->failed = true;
		return 0;
	}
	chain_walk(&f.chain, &t->space, t->under, ia);
	chain_check(&f.chain, &t->cpu, w->opts->access.bits, &f.verdict);
	if (t->live)
		facts_of_walk(&f.facts, live_pid(t->live), &t->space, &f.chain.path, &page,
			      w->linux_version);
	return w->opts->json ? print_json(w, &f) : print_text(w, &f);
}

/* ---- without the helper module ---------------------------------------------------------- */

static int print_pagemap(void *ctx, uint64_t va)
{
	struct walking *w = ctx;
	struct pagemap_info info;
	struct facts facts;
	int err = pagemap_read(live_pid(w->target.live), va, &info);

	if (err) {
		msg_error("%s: 0x%" PRIx64 ": %s", w->target.name, va,
			  err == -ENXIO ? "not an address of a process" : strerror(-err));
		w->failed = true;
		return 0;
	}
	facts_of_frame(&facts, live_pid(w->target.live), va, info.pfn);
	if (!w->opts->json) {
		pagemap_text(&w->line, va, &info);
		facts_text(&w->line, &facts);
		return line_write(&w->line, stdout);
	}
	json_object(&w->json, NULL);
	pagemap_json(&w->json, va, &info);
	facts_json(&w->json, &facts);
	json_end_object(&w->json);
	json_end_line(&w->json);
	return output_error();
}

static int walk_all(struct walking *w, int argc, char **argv, int rest)
{
	const struct walk_opts *o = w->opts;
	numbers_fn each = w->target.vm ? print_vm : w->without ? print_pagemap : print;
	int status;

	json_init(&w->json, stdout);
	if (!w->without && linux_opt_check(o->linux_version, w->target.space.fmt, USAGE))
		return EXIT_USAGE;
	w->linux_version = o->linux_version ? o->linux_version : w->target.linux_version;
	set_cpu(&w->target.cpu, &o->access);
	status = numbers_each(argc, argv, rest, "an address", USAGE, each, w);
	return status ? status : w->failed ? EXIT_FAILED : EXIT_DONE;
}

int cmd_walk(int argc, char **argv)
{
	struct walk_opts o = {
		.space = SPACE_OPTS_INIT,
	};
	struct walking w = { .opts = &o };
	int rest, err, status;

	o.space.vm.chain = true;
	err = opts_parse(options, USAGE, "An ADDR of '-' stands for the addresses on stdin.", argc,
			 argv, &o, &rest);
	if (!err)
		err = target_check(&o.space, 1, USAGE);
	if (!err)
		err = check_access(&o.access, o.space.vm.gva || o.space.vm.gpa);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	status = target_open(&w.target, &o.space, 0, &w.without, USAGE);
	if (status)
		return status;
	status = walk_all(&w, argc, argv, rest);
	target_close(&w.target);
	line_free(&w.line);
	return status;
}
