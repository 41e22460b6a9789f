// SPDX-License-Identifier: GPL-2.0
/* ptremap map: another frame behind pages of a process. */
#include "user/cmd/changing.h"
#include "user/cmd/cmd.h"

#define USAGE "ptremap map [OPTIONS] VA... [-- COMMAND]"

static int parse_frame_of(void *target, const char *arg)
{
	return changing_parse_key(target, "frame-of", arg);
}

static int parse_fresh(void *target, const char *arg)
{
	return changing_parse_key(target, "fresh", arg);
}

static const struct opt options[] = {
	{ 0, "frame-of", "PID:VA", "the frame that is there now", OPT_CALL,
	  offsetof(struct changing_opts, item), parse_frame_of },
	{ 0, "fresh", NULL, "a new page of zeros for each address", OPT_CALL,
	  offsetof(struct changing_opts, item), parse_fresh },
	CHANGING_ADDR_ROWS,
	{ 0 },
};

int cmd_map(int argc, char **argv)
{
	struct changing_opts o = { 0 };

	return changing_main(options, USAGE, CHANGING_FOOTER, argc, argv, &o);
}
