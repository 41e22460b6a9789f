// SPDX-License-Identifier: GPL-2.0
/* ptremap apply: the changes of a file, all or none. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/cmd/changing.h"
#include "user/cmd/cmd.h"

#define USAGE "ptremap apply [OPTIONS] FILE [-- COMMAND]"
#define FOOTER                                                  \
	"A FILE of '-' is stdin. It has one change per line:\n" \
	"  protect PID:VA [set=BITS] [clear=BITS]\n"            \
	"  map PID:VA frame-of=PID:VA\n"                        \
	"  map PID:VA fresh\n"                                  \
	"  map PID:VA phys=PA [force-frame=KINDS]\n"            \
	"  map PID:VA mmio=PA\n"                                \
	"  swap PID:VA with=[PID:]VA\n"                         \
	"  trap PID:VA\n"                                       \
	"and expect=VALUE or level=2 behind any of them. What follows a # does not count.\n" CHANGING_FOOTER

static const struct opt options[] = {
	CHANGING_OPT_ROWS,
	{ 0 },
};

static int read_file(struct plan *p, const char *path)
{
	FILE *in;
	int err;

	if (!strcmp(path, "-"))
		return plan_read(p, stdin, "stdin");
	in = fopen(path, "re");
	if (!in) {
		msg_error("%s: %s", path, strerror(errno));
		return -EIO;
	}
	err = plan_read(p, in, path);
	fclose(in);
	return err;
}

int cmd_apply(int argc, char **argv)
{
	struct changing_opts o = { 0 };
	struct changing_words w;
	struct plan p = { 0 };
	int err = changing_parse(options, USAGE, FOOTER, argc, argv, &o, &w);

	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	if (w.nr != 1) {
		msg_usage(USAGE, w.nr ? "one FILE is enough" : "FILE is missing");
		return EXIT_USAGE;
	}
	err = read_file(&p, w.words[0]);
	if (!err && p.nr)
		return changing_run(&p, &o, w.command);
	if (!err)
		msg_error("%s: there is no change in it", p.name);
	plan_free(&p);
	return EXIT_FAILED;
}
