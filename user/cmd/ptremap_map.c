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

static int parse_phys(void *target, const char *arg)
{
	return changing_parse_key(target, "phys", arg);
}

static int parse_mmio(void *target, const char *arg)
{
	return changing_parse_key(target, "mmio", arg);
}

static int parse_force_frame(void *target, const char *arg)
{
	return changing_parse_key(target, "force-frame", arg);
}

static const struct opt options[] = {
	{ 0, "frame-of", "PID:VA", "the frame that is there now", OPT_CALL,
	  offsetof(struct changing_opts, item), parse_frame_of },
	{ 0, "fresh", NULL, "a new page of zeros for each address", OPT_CALL,
	  offsetof(struct changing_opts, item), parse_fresh },
	{ 0, "phys", "PA", "the page of RAM at this physical address", OPT_CALL,
	  offsetof(struct changing_opts, item), parse_phys },
	{ 0, "mmio", "PA", "device memory at this physical address", OPT_CALL,
	  offsetof(struct changing_opts, item), parse_mmio },
	{ 0, "force-frame", "KINDS",
	  "with --phys: though it is free, table, slab, reserved, kernel", OPT_CALL,
	  offsetof(struct changing_opts, item), parse_force_frame },
	CHANGING_ADDR_ROWS,
	{ 0 },
};

int cmd_map(int argc, char **argv)
{
	struct changing_opts o = { 0 };

	return changing_main(options, USAGE, CHANGING_FOOTER, argc, argv, &o);
}
