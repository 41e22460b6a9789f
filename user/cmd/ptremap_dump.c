// SPDX-License-Identifier: GPL-2.0
/* ptremap dump: what is mapped, as ranges. */
#include <errno.h>

#include "user/base/msg.h"
#include "user/cmd/cmd.h"
#include "user/cmd/output.h"
#include "user/cmd/range_opts.h"
#include "user/cmd/target.h"

#define USAGE "ptremap dump [OPTIONS] [START[-LAST]]..."

struct dump_opts {
	struct space_opts space;
	struct range_opts range;
	bool tree, pages, holes;
};

static const struct opt options[] = {
	SPACE_OPT_ROWS(struct dump_opts, space),
	FORMAT_OPT_ROWS(struct dump_opts, space.format),
	{ 0, "tree", NULL, "show the tables, too; every entry has its line, indented by level",
	  OPT_FLAG, offsetof(struct dump_opts, tree), NULL },
	{ 0, "pages", NULL, "one line for each page, whatever its size", OPT_FLAG,
	  offsetof(struct dump_opts, pages), NULL },
	{ 0, "holes", NULL, "show what is not mapped, too", OPT_FLAG,
	  offsetof(struct dump_opts, holes), NULL },
	RANGE_OPT_ROWS(struct dump_opts, range),
	{ 0 },
};

struct dumping {
	const struct dump_opts *opts;
	struct target target;
	struct range_style style;
	struct line line;
	struct json json;
	uint64_t budget; /* entries that may still be examined */
};

/* Items one by one, or merged. */
struct source {
	struct pt_iter it;
	struct pt_merge merge;
	bool merged;
};

static int source_init(struct source *s, const struct dumping *d, uint64_t start, uint64_t last)
{
	const struct dump_opts *o = d->opts;

	s->merged = !o->tree && !o->pages;
	if (s->merged)
		return pt_merge_init(&s->merge, &d->target.space, start, last,
				     range_merge(&d->style), d->budget);
	return pt_iter_init(&s->it, &d->target.space, start, last, o->tree ? PT_ITER_TABLES : 0,
			    d->budget);
}

static int source_next(struct source *s, struct pt_item *item)
{
	return s->merged ? pt_merge_next(&s->merge, item) : pt_iter_next(&s->it, item);
}

static const struct pt_iter *source_iter(const struct source *s)
{
	return s->merged ? &s->merge.it : &s->it;
}

static int print(struct dumping *d, const struct pt_item *item)
{
	if (item->kind == PT_HOLE && !d->opts->holes)
		return 0;
	if (!d->opts->range.json) {
		range_text(&d->line, &d->style, item);
		return line_write(&d->line, stdout);
	}
	json_object(&d->json, NULL);
	range_json(&d->json, &d->style, item);
	json_end_object(&d->json);
	json_end_line(&d->json);
	return output_error();
}

static int dump_range(struct dumping *d, uint64_t start, uint64_t last)
{
	struct source s;
	struct pt_item item;
	int err, more;

	if (target_load(&d->target, start, last) || source_init(&s, d, start, last))
		return EXIT_FAILED;
	while ((more = source_next(&s, &item)) == 1) {
		err = print(d, &item);
		if (err)
			return output_status(err);
	}
	if (more == -E2BIG)
		return range_limit_reached(&d->opts->range, source_iter(&s)->next);
	/* 0 would be no limit: a range that used up the rest leaves one entry to the next. */
	if (d->opts->range.limit)
		d->budget = source_iter(&s)->budget ? source_iter(&s)->budget : 1;
	return EXIT_DONE;
}

static int dump_all(struct dumping *d, int argc, char **argv, int rest)
{
	uint64_t start, last;
	int status = EXIT_DONE;

	d->style = range_style_of(&d->opts->range, d->target.space.fmt);
	d->style.tree = d->opts->tree;
	d->budget = d->opts->range.limit;
	json_init(&d->json, stdout);
	if (rest == argc)
		return dump_range(d, d->target.start, d->target.last);
	for (; !status && rest < argc; rest++)
		if (!range_parse(argv[rest], &start, &last))
			status = dump_range(d, start, last);
	return status;
}

/* Of a VM it is many moments that are shown: were KVM's slots and roots the same for all? */
static int same_all_the_time(struct target *t)
{
	if (!t->vm || !guest_refresh(t->vm))
		return EXIT_DONE;
	msg_error(
		"%s: its memory slots or its root table were changed meanwhile: what was printed may "
		"be of both; try again",
		t->name);
	return EXIT_FAILED;
}

static int check(const struct dump_opts *o, int argc, char **argv, int rest)
{
	if (o->range.perms && (o->tree || o->pages)) {
		msg_usage(USAGE, "--perms merges what --tree and --pages keep apart");
		return -EINVAL;
	}
	if (range_check(argc, argv, rest, USAGE))
		return -EINVAL;
	return target_check(&o->space, 1, USAGE);
}

int cmd_dump(int argc, char **argv)
{
	struct dump_opts o = { .space = SPACE_OPTS_INIT, .range = RANGE_OPTS_INIT };
	struct dumping d = { .opts = &o };
	int rest, err, status;

	err = opts_parse(options, USAGE, "Both addresses of a range belong to it.", argc, argv, &o,
			 &rest);
	if (!err)
		err = check(&o, argc, argv, rest);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	status = target_open(&d.target, &o.space, 0, NULL, USAGE);
	if (status)
		return status;
	status = dump_all(&d, argc, argv, rest);
	if (!status)
		status = same_all_the_time(&d.target);
	target_close(&d.target);
	line_free(&d.line);
	return status;
}
