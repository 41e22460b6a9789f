// SPDX-License-Identifier: GPL-2.0
/* ptremap trap: the next access to pages of a process faults. */
#include "user/cmd/changing.h"
#include "user/cmd/cmd.h"

#define USAGE "ptremap trap [OPTIONS] VA... [-- COMMAND]"

static const struct opt options[] = {
	CHANGING_ADDR_ROWS,
	{ 0 },
};

int cmd_trap(int argc, char **argv)
{
	struct changing_opts o = { .item.what = PTREMAP_TRAP };

	return changing_main(options, USAGE, CHANGING_FOOTER, argc, argv, &o);
}
