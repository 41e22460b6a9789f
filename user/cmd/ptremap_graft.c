// SPDX-License-Identifier: GPL-2.0
/* ptremap graft: memory at an address of a process where nothing is. */
#include <errno.h>

#include "user/base/msg.h"
#include "user/cmd/changing.h"
#include "user/cmd/cmd.h"
#include "user/remap/graft.h"
#include "user/show/graft_text.h"

#define USAGE "ptremap graft [OPTIONS] [VA] [-- COMMAND]"
#define FOOTER                                                                              \
	"VA is where it shall be, as PID:VA if there is no --pid; without one the kernel\n" \
	"finds a free place. Without --for, --keep or a COMMAND the mapping stays until\n"  \
	"Ctrl-C. With a COMMAND it stays while that runs, whose exit status it is then."

/* Keys of graft_key() that have a value, "cache" behind the sources. */
enum { FRAMES_OF, PHYS, MMIO, LEN, PROT, CACHE, NR_KEYS };
static const char *const keys[] = { "frames-of", "phys", "mmio", "len", "prot", "cache" };

struct graft_opts {
	struct changing_opts c; /* the first one: its rows count from here */
	const char *values[NR_KEYS];
	bool fresh, low;
};

static const struct opt options[] = {
	{ 0, "frames-of", "PID:VA", "the frames of a process' memory from there on", OPT_STR,
	  offsetof(struct graft_opts, values[FRAMES_OF]), NULL },
	{ 0, "fresh", NULL, "new pages of zeros", OPT_FLAG, offsetof(struct graft_opts, fresh),
	  NULL },
	{ 0, "phys", "PA", "the RAM from this physical address on", OPT_STR,
	  offsetof(struct graft_opts, values[PHYS]), NULL },
	{ 0, "mmio", "PA",
	  "the device memory from this physical address on; accesses may have side effects",
	  OPT_STR, offsetof(struct graft_opts, values[MMIO]), NULL },
	{ 0, "len", "SIZE", "how much, in whole pages, at most 1G (default 4K)", OPT_STR,
	  offsetof(struct graft_opts, values[LEN]), NULL },
	{ 0, "prot", "RIGHTS", "what the process may do: r, rw, rx or rwx (default r)", OPT_STR,
	  offsetof(struct graft_opts, values[PROT]), NULL },
	{ 0, "cache", "TYPE",
	  "how CPUs cache it: wb, uc or wc (default: uc for device memory, else wb)", OPT_STR,
	  offsetof(struct graft_opts, values[CACHE]), NULL },
	{ 0, "pid", "PID", "the process", OPT_U32, offsetof(struct changing_opts, pid), NULL },
	{ 0, "low", NULL, "without VA: a free place below 2 GiB", OPT_FLAG,
	  offsetof(struct graft_opts, low), NULL },
	{ 0, "dry-run", NULL, "check all of it and say where it would be, but map nothing",
	  OPT_FLAG, offsetof(struct changing_opts, dry_run), NULL },
	{ 0, "keep", NULL,
	  "leave it there when the command ends, until 'ptremap undo'; the module stays loaded",
	  OPT_FLAG, offsetof(struct changing_opts, keep), NULL },
	CHANGING_STAY_ROWS,
	{ 0 },
};

static int fill_keys(struct ptremap_map *m, const struct graft_opts *o)
{
	char why[CHANGE_WHY_LEN];
	int i, err = 0;

	if (o->fresh)
		err = graft_key(m, "fresh", NULL, why);
	for (i = 0; i < NR_KEYS && !err; i++) {
		if (o->values[i])
			err = graft_key(m, keys[i], o->values[i], why);
		if (err)
			msg_error("--%s: %s", keys[i], why);
	}
	return err;
}

static int fill(struct ptremap_map *m, const struct graft_opts *o, const struct changing_words *w)
{
	char why[CHANGE_WHY_LEN];
	int err;

	graft_init(m);
	m->flags = (o->low ? PTREMAP_MAP_LOW : 0) | (o->c.keep ? PTREMAP_MAP_KEEP : 0) |
		   (o->c.dry_run ? PTREMAP_MAP_DRY_RUN : 0);
	if (w->nr > 1) {
		msg_usage(USAGE, "one address at a time");
		return -EINVAL;
	}
	if (fill_keys(m, o))
		return -EINVAL;
	err = graft_place(m, w->nr ? w->words[0] : NULL, (int32_t)o->c.pid, why);
	if (!err)
		err = graft_check(m, why);
	if (err)
		msg_usage(USAGE, "%s", why);
	return err;
}

static int make(void *ctx, int fd, const struct changing_opts *o, uint32_t *id)
{
	struct ptremap_map *m = ctx;
	int err = graft_make(m, fd);

	(void)o; /* ->flags has them */
	*id = m->id;
	return err;
}

static void put_text(struct line *l, const void *ctx, const struct entry_view *style)
{
	(void)style;
	graft_text(l, ctx);
}

static void put_json(struct json *j, const void *ctx, const struct entry_view *style)
{
	(void)style;
	graft_json(j, ctx);
}

int cmd_graft(int argc, char **argv)
{
	struct graft_opts o = { 0 };
	struct changing_words w;
	struct ptremap_map m;
	const struct changing_act act = {
		.make = make, .text = put_text, .json = put_json, .ctx = &m, .changes = 1
	};
	int err = changing_parse(options, USAGE, FOOTER, argc, argv, &o.c, &w);

	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	if (fill(&m, &o, &w))
		return EXIT_USAGE;
	return changing_do(&act, &o.c, w.command);
}
