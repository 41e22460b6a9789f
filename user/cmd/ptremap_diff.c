// SPDX-License-Identifier: GPL-2.0
/* ptremap diff: what differs between two images of the same tables, or between live ones. */
#include <errno.h>

#include "user/base/msg.h"
#include "user/cmd/cmd.h"
#include "user/cmd/output.h"
#include "user/cmd/range_opts.h"
#include "user/cmd/target.h"

#define USAGE "ptremap diff [OPTIONS] --image A --image B"

struct diff_opts {
	struct space_opts space;
	struct range_opts range;
};

static const struct opt options[] = {
	SPACE_OPT_ROWS(struct diff_opts, space),
	FORMAT_OPT_ROWS(struct diff_opts, space.format),
	RANGE_OPT_ROWS(struct diff_opts, range),
	{ 0 },
};

enum { BEFORE, AFTER, SIDES };

struct side {
	struct target target;
	struct pt_merge merge;
	struct range_style style;
	struct pt_item item; /* what is not yet compared of the range at hand */
	bool cut;	     /* ->item has lost its beginning, whose entry it still has */
};

struct diffing {
	const struct diff_opts *opts;
	struct side side[SIDES];
	struct line line;
	struct json json;
};

/* ---- one difference --------------------------------------------------------------------- */

/* What has become of the addresses that both items cover; NULL: they are as they were. */
static const char *change_of(const struct diffing *d, const struct pt_item *a,
			     const struct pt_item *b)
{
	bool same = range_same(&d->side[BEFORE].style, a, &d->side[AFTER].style, b);

	if (same && (a->kind != PT_LEAF || a->pa == b->pa))
		return NULL;
	if (a->kind == b->kind)
		return same ? "moved" : "changed";
	if (a->kind == PT_HOLE)
		return "added";
	return b->kind == PT_HOLE ? "removed" : "changed";
}

/* A hole is shown beside another one alone, that is, where the entries of both are what counts. */
static bool is_shown(const struct pt_item *item, const struct pt_item *other)
{
	return item->kind != PT_HOLE || other->kind == PT_HOLE;
}

/* The entry of an item that was cut: that of its first page. */
static void find_entry(const struct side *s, struct pt_item *item)
{
	const struct pt_walk *end;
	struct pt_path path;

	if (!s->cut || !item->level)
		return;
	pt_lookup(&s->target.space, item->start, &path);
	end = &path.end;
	if (end->kind != item->kind) /* changed since it was read */
		return;
	item->level = end->level;
	item->addr = path.at[end->level].addr;
	item->entry = path.at[end->level].entry;
}

static int print_text(struct diffing *d, const char *change, const struct pt_item *a,
		      const struct pt_item *b)
{
	const struct range_style *sa = &d->side[BEFORE].style, *sb = &d->side[AFTER].style;
	bool show_a = is_shown(a, b), show_b = is_shown(b, a);
	struct line *l = &d->line;

	line_str(l, change);
	line_char(l, ' ');
	range_span_text(l, sa, a);
	if (show_a)
		range_says_text(l, sa, a);
	if (show_a && show_b)
		line_str(l, " -> ");
	if (show_b)
		range_says_text(l, sb, b);
	line_char(l, '\n');
	return line_write(l, stdout);
}

static void side_json(struct json *j, const char *key, const struct range_style *style,
		      const struct pt_item *item, bool shown)
{
	if (!shown) {
		json_null(j, key);
		return;
	}
	json_object(j, key);
	range_says_json(j, style, item);
	json_end_object(j);
}

static int print_json(struct diffing *d, const char *change, const struct pt_item *a,
		      const struct pt_item *b)
{
	json_object(&d->json, NULL);
	json_str(&d->json, "change", change);
	json_hex(&d->json, "start", a->start);
	json_hex(&d->json, "last", a->last);
	side_json(&d->json, "before", &d->side[BEFORE].style, a, is_shown(a, b));
	side_json(&d->json, "after", &d->side[AFTER].style, b, is_shown(b, a));
	json_end_object(&d->json);
	json_end_line(&d->json);
	return output_error();
}

static int print(struct diffing *d, struct pt_item *a, struct pt_item *b)
{
	const char *change = change_of(d, a, b);

	if (!change)
		return 0;
	find_entry(&d->side[BEFORE], a);
	find_entry(&d->side[AFTER], b);
	return d->opts->range.json ? print_json(d, change, a, b) : print_text(d, change, a, b);
}

/* ---- both sides, step by step ----------------------------------------------------------- */

/* The item's addresses up to @last. */
static struct pt_item cut(const struct pt_item *item, uint64_t last)
{
	struct pt_item first = *item;

	first.last = last;
	return first;
}

/* Goes on behind @last, which lies in the item: 1, or as pt_merge_next(). */
static int side_advance(struct side *s, uint64_t last)
{
	s->cut = s->item.last != last;
	if (!s->cut)
		return pt_merge_next(&s->merge, &s->item);
	if (s->item.kind == PT_LEAF)
		s->item.pa += last + 1 - s->item.start;
	s->item.start = last + 1;
	return 1;
}

/* Both sides cover all addresses, so they begin and end together. */
static int compare(struct diffing *d)
{
	struct side *a = &d->side[BEFORE], *b = &d->side[AFTER];
	int more_a = pt_merge_next(&a->merge, &a->item),
	    more_b = pt_merge_next(&b->merge, &b->item);
	struct pt_item x, y;
	uint64_t last;
	int err;

	while (more_a == 1 && more_b == 1) {
		last = a->item.last < b->item.last ? a->item.last : b->item.last;
		x = cut(&a->item, last);
		y = cut(&b->item, last);
		err = print(d, &x, &y);
		if (err)
			return output_status(err);
		more_a = side_advance(a, last);
		more_b = side_advance(b, last);
	}
	if (more_a == -E2BIG)
		return range_limit_reached(&d->opts->range, a->merge.it.next);
	if (more_b == -E2BIG)
		return range_limit_reached(&d->opts->range, b->merge.it.next);
	return EXIT_DONE;
}

/* The addresses that both sides are about. */
static bool common_range(const struct diffing *d, uint64_t *start, uint64_t *last)
{
	const struct target *a = &d->side[BEFORE].target, *b = &d->side[AFTER].target;

	*start = a->start > b->start ? a->start : b->start;
	*last = a->last < b->last ? a->last : b->last;
	return *start <= *last;
}

static int diff(struct diffing *d)
{
	const struct pt_fmt *fmt = d->side[BEFORE].target.space.fmt;
	uint64_t start, last;
	struct side *s;

	if (fmt->mode != d->side[AFTER].target.space.fmt->mode) {
		msg_error("%s and %s: their tables are of different formats",
			  d->side[BEFORE].target.name, d->side[AFTER].target.name);
		return EXIT_FAILED;
	}
	if (!common_range(d, &start, &last)) {
		msg_error("%s and %s have no address in common", d->side[BEFORE].target.name,
			  d->side[AFTER].target.name);
		return EXIT_FAILED;
	}
	json_init(&d->json, stdout);
	for (s = d->side; s < d->side + SIDES; s++) {
		s->style = range_style_of(&d->opts->range, s->target.space.fmt);
		if (target_load(&s->target, start, last) ||
		    pt_merge_init(&s->merge, &s->target.space, start, last, range_merge(&s->style),
				  d->opts->range.limit))
			return EXIT_FAILED;
	}
	return compare(d);
}

static int open_and_diff(struct diffing *d)
{
	const struct space_opts *o = &d->opts->space;
	int status = target_open(&d->side[BEFORE].target, o, BEFORE, NULL, USAGE);

	if (status)
		return status;
	status = target_open(&d->side[AFTER].target, o, AFTER, NULL, USAGE);
	if (!status) {
		status = diff(d);
		target_close(&d->side[AFTER].target);
	}
	target_close(&d->side[BEFORE].target);
	return status;
}

int cmd_diff(int argc, char **argv)
{
	struct diff_opts o = { .space = SPACE_OPTS_INIT, .range = RANGE_OPTS_INIT };
	struct diffing d = { .opts = &o };
	int rest, err, status;

	err = opts_parse(options, USAGE,
			 "The second image may also stand behind the options, without --image.\n"
			 "Exit status: 0 whether there are differences or not.",
			 argc, argv, &o, &rest);
	if (!err && rest < argc)
		err = space_opt_image(&o.space, argv[rest++]);
	if (!err)
		err = opts_no_more(argc, argv, rest);
	if (!err)
		err = target_check(&o.space, SIDES, USAGE);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	status = open_and_diff(&d);
	line_free(&d.line);
	return status;
}
