// SPDX-License-Identifier: GPL-2.0
/* ptremap protect: other permissions and attributes for pages of a process. */
#include "user/cmd/changing.h"
#include "user/cmd/cmd.h"

#define USAGE "ptremap protect [OPTIONS] VA... [-- COMMAND]"

static int parse_set(void *target, const char *arg)
{
	return changing_parse_key(target, "set", arg);
}

static int parse_clear(void *target, const char *arg)
{
	return changing_parse_key(target, "clear", arg);
}

static const struct opt options[] = {
	{ 0, "set", "BITS",
	  "a comma list of RW, PWT, PCD, A, D, PAT, PK=N (protection key) and NX, to be set",
	  OPT_CALL, offsetof(struct changing_opts, item), parse_set },
	{ 0, "clear", "BITS", "the same, to be cleared; PK without a number", OPT_CALL,
	  offsetof(struct changing_opts, item), parse_clear },
	CHANGING_ADDR_ROWS,
	{ 0 },
};

int cmd_protect(int argc, char **argv)
{
	struct changing_opts o = { .item.what = PTREMAP_PROTECT };

	return changing_main(options, USAGE, CHANGING_FOOTER, argc, argv, &o);
}
