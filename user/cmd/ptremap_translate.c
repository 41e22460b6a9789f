// SPDX-License-Identifier: GPL-2.0
/* ptremap translate: where addresses lead, one line each. */
#include <errno.h>
#include <string.h>

#include "user/cmd/cmd.h"
#include "user/cmd/numbers.h"
#include "user/cmd/target.h"
#include "user/show/chain_text.h"
#include "user/show/facts_text.h"
#include "user/show/vm_text.h"
#include "user/show/words.h"

#define USAGE "ptremap translate [OPTIONS] ADDR..."

struct translate_opts {
	struct space_opts space;
};

static const struct opt options[] = {
	SPACE_OPT_ROWS(struct translate_opts, space),
	FORMAT_OPT_ROWS(struct translate_opts, space.format),
	{ 0 },
};

struct translation {
	struct target target;
	bool gva; /* of a VM */
	struct line line;
	int without;  /* the helper module: -errno; there are no tables then */
	bool missing; /* an address without a page was among them */
};

/* Through one space, or through two. */
static int lookup(const struct target *t, uint64_t ia, uint64_t *pa)
{
	int err = pt_translate(&t->space, ia, pa);

	return err || !t->under ? err : pt_translate(t->under, *pa, pa);
}

static int print(void *ctx, uint64_t ia)
{
	struct translation *x = ctx;
	struct ptremap_page page;
	struct chain chain;
	uint64_t pa;

	if (target_load_page(&x->target, ia, &page)) {
		x->missing = true;
		return 0;
	}
	line_0x(&x->line, ia);
	line_char(&x->line, ' ');
	if (!lookup(&x->target, ia, &pa)) {
		line_0x(&x->line, pa);
	} else {
		x->missing = true;
		chain_walk(&chain, &x->target.space, x->target.under, ia);
		line_str(&x->line, "- ");
		chain_why_line(&x->line, &chain);
	}
	line_char(&x->line, '\n');
	return line_write(&x->line, stdout);
}

static int print_vm(void *ctx, uint64_t address)
{
	struct translation *x = ctx;
	struct vm_chain c;

	if (x->gva)
		vm_chain_gva(&c, &x->target.view, address);
	else
		vm_chain_gpa(&c, &x->target.view, address);
	x->missing |= c.end != VM_END_PAGE;
	vm_chain_addresses(&x->line, &c);
	return line_write(&x->line, stdout);
}

/* Without the helper module. */
static int print_pagemap(void *ctx, uint64_t va)
{
	struct translation *x = ctx;
	struct pagemap_info info;
	int err = pagemap_read(live_pid(x->target.live), va, &info);

	line_0x(&x->line, va);
	line_char(&x->line, ' ');
	if (!err && info.pfn) {
		line_0x(&x->line, pagemap_pa(&info, va));
	} else {
		x->missing = true;
		line_str(&x->line, "- ");
		if (err)
			line_str(&x->line, strerror(-err));
		else
			pagemap_words(&x->line, &info);
	}
	line_char(&x->line, '\n');
	return line_write(&x->line, stdout);
}

int cmd_translate(int argc, char **argv)
{
	struct translate_opts o = { .space = SPACE_OPTS_INIT };
	struct translation x = { 0 };
	int rest, err, status;

	o.space.vm.chain = true;
	err = opts_parse(options, USAGE,
			 "An ADDR of '-' stands for the addresses on stdin.\n"
			 "Exit status: 1 also when an address has no page.",
			 argc, argv, &o, &rest);
	if (!err)
		err = target_check(&o.space, 1, USAGE);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	status = target_open(&x.target, &o.space, 0, &x.without, USAGE);
	if (status)
		return status;
	x.gva = o.space.vm.gva;
	status = numbers_each(argc, argv, rest, "an address", USAGE,
			      x.target.vm ? print_vm
			      : x.without ? print_pagemap
					  : print,
			      &x);
	target_close(&x.target);
	line_free(&x.line);
	return status ? status : x.missing ? EXIT_FAILED : EXIT_DONE;
}
