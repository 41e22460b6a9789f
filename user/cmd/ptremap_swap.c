// SPDX-License-Identifier: GPL-2.0
/* ptremap swap: two pages exchange their frames. */
#include "user/cmd/changing.h"
#include "user/cmd/cmd.h"

#define USAGE "ptremap swap [OPTIONS] VA [-- COMMAND]"

static int parse_with(void *target, const char *arg)
{
	return changing_parse_key(target, "with", arg);
}

static const struct opt options[] = {
	{ 0, "with", "[PID:]VA", "the other page; of the same process unless told otherwise",
	  OPT_CALL, offsetof(struct changing_opts, item), parse_with },
	CHANGING_ADDR_ROWS,
	{ 0 },
};

int cmd_swap(int argc, char **argv)
{
	struct changing_opts o = { .item.what = PTREMAP_SWAP };

	return changing_main(options, USAGE, CHANGING_FOOTER, argc, argv, &o);
}
