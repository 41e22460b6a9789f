// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#include "pt_visit.h"

struct visit {
	const struct pt_visitor *visitor;
	void *ctx;
	struct pt_iter it;
	pt_u32 level; /* of the table that is being visited */
	bool quiet;   /* the next item is what an edit has stored: no callback for it */
	struct pt_item open[PT_MAX_LEVEL - 1]; /* the entries that led to it, from level 2 on */
};

/* What the callback for @item answers; of a table the one before it, or (@post) behind it. */
static enum pt_answer ask(const struct visit *v, const struct pt_item *item, bool post, pt_u64 *new)
{
	const struct pt_visitor *visitor = v->visitor;
	enum pt_answer (*callback)(void *ctx, const struct pt_item *item, pt_u64 *new);

	if (item->kind == PT_TABLE)
		callback = post ? visitor->table_post : visitor->table_pre;
	else if (item->kind == PT_LEAF)
		callback = visitor->leaf;
	else
		callback = item->kind == PT_HOLE ? visitor->hole : visitor->bad;
	*new = item->entry;
	return callback ? callback(v->ctx, item, new) : PT_GO_ON;
}

/* 0; -EAGAIN: the entry is no longer that of @item; or -errno (-EINVAL if it has none). */
static int edit(const struct visit *v, const struct pt_item *item, pt_u64 new)
{
	struct pt_edit done;
	struct pt_pos pos;
	int err;

	if (!v->visitor->edited)
		return -EINVAL;
	pt_pos_of_item(&pos, v->it.space, item);
	err = pt_set(v->it.space, &pos, new, &done);
	if (!err)
		v->visitor->edited(v->ctx, &done);
	return err;
}

/* Behind all that is below @item: 0, 1 when stopped, or -errno. */
static int leave_table(struct visit *v, struct pt_item *item)
{
	enum pt_answer answer;
	pt_u64 new;
	int ret;

	for (;;) {
		answer = ask(v, item, true, &new);
		if (answer != PT_EDIT)
			return answer == PT_STOP;
		ret = edit(v, item, new);
		if (ret != -EAGAIN)
			return ret;
		/* Back to the one entry, to see what it is now, but not below it again. */
		v->it.from = item->start;
		v->it.from_level = item->level;
		pt_iter_again(&v->it);
		ret = pt_iter_next(&v->it, item);
		if (ret != 1)
			return ret;
		pt_iter_skip(&v->it);
	}
}

/* 0, 1 when stopped, or -errno. */
static int visit_item(struct visit *v, const struct pt_item *item)
{
	enum pt_answer answer = PT_GO_ON;
	pt_u64 new;
	int err;

	if (!v->quiet)
		answer = ask(v, item, false, &new);
	v->quiet = false;
	if (answer == PT_STOP)
		return 1;
	if (answer == PT_EDIT) {
		err = edit(v, item, new);
		if (err && err != -EAGAIN)
			return err;
		v->quiet = !err;
		pt_iter_again(&v->it);
	} else if (item->kind == PT_TABLE && answer == PT_SKIP) {
		pt_iter_skip(&v->it);
	} else if (item->kind == PT_TABLE) {
		v->open[item->level - 2] = *item;
		v->level = item->level - 1U;
	}
	return 0;
}

int pt_visit(const struct pt_space *space, pt_u64 start, pt_u64 last,
	     const struct pt_visitor *visitor, void *ctx, pt_u64 budget)
{
	struct visit v = { .visitor = visitor, .ctx = ctx, .level = space->fmt->top };
	struct pt_item item;
	int ret;

	ret = pt_iter_init(&v.it, space, start, last, PT_ITER_TABLES, budget);
	if (ret)
		return ret;
	while ((ret = pt_iter_next(&v.it, &item)) == 1) {
		ret = visit_item(&v, &item);
		while (!ret && v.level < v.it.level)
			ret = leave_table(&v, &v.open[v.level++ - 1]);
		if (ret)
			return ret;
	}
	return ret;
}
