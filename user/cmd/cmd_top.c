// SPDX-License-Identifier: GPL-2.0
/* ptrace-pf top: what happens now, on the whole terminal or as text, frame by frame. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "user/base/clock.h"
#include "user/base/msg.h"
#include "user/base/units.h"
#include "user/cmd/abi_opt.h"
#include "user/cmd/cmd.h"
#include "user/cmd/top_screen.h"
#include "user/cmd/tracing.h"
#include "user/report/feed.h"
#include "user/report/top_page.h"
#include "user/report/totals.h"

#define DELAY_DEFAULT  1000000000u
#define DELAY_MIN      10000000u
#define BATCH_WIDTH    80 /* of strips and bars; rows are as long as they are */
#define ENDED_BY_USER  (-ECANCELED)
#define LONGEST_NUMBER 24

struct top_opts {
	struct tracing_opts tracing;
	struct top_model_opts model;
	struct top_ui ui;
	const char *abi;
	uint64_t delay; /* ns */
	uint32_t iterations;
	bool batch;
};

struct top {
	const struct top_opts *o;
	struct tracing tracing;
	struct feed feed;
	struct top_model *model;
	struct top_facts facts;
	struct top_page page;
	struct top_ui ui;
	uint64_t start, next; /* CLOCK_MONOTONIC; ->next: end of the window that is filling */
	uint32_t frames;
};

/* A number alone is in seconds, as with top(1). */
static int parse_delay(void *target, const char *arg)
{
	size_t len = strspn(arg, "0123456789.");
	bool alone = !arg[len] && len < LONGEST_NUMBER;
	char seconds[LONGEST_NUMBER + 2];
	uint64_t *delay = target;

	snprintf(seconds, sizeof(seconds), "%.*ss", LONGEST_NUMBER, arg);
	if (!units_parse_time(alone ? seconds : arg, delay) && *delay >= DELAY_MIN)
		return 0;
	msg_error("delay '%s' is not a time from 10ms on, such as 0.5 or 200ms", arg);
	return -EINVAL;
}

static int parse_view(void *target, const char *arg)
{
	int view = top_view_find(arg);

	if (view < 0) {
		msg_error("view '%s' is not one of process, vma, outcome, vm, latency, address",
			  arg);
		return -EINVAL;
	}
	((struct top_ui *)target)->view = (enum top_view_id)view;
	return 0;
}

static int parse_order(void *target, const char *arg)
{
	int column = top_column_find(arg);

	if (column < 0) {
		msg_error("order '%s' is not one of rate, total, p50, p99, max, keys", arg);
		return -EINVAL;
	}
	((struct top_ui *)target)->column = (enum top_column)column;
	return 0;
}

static int parse_filter(void *target, const char *arg)
{
	struct top_ui *ui = target;

	if (strlen(arg) >= sizeof(ui->filter)) {
		msg_error("filter: at most %zu bytes", sizeof(ui->filter) - 1);
		return -EINVAL;
	}
	strcpy(ui->filter, arg);
	return 0;
}

static const struct opt options[] = {
	{ 'd', "delay", "TIME", "how long each picture stays: 0.5 (seconds), 200ms (default 1)",
	  OPT_CALL, offsetof(struct top_opts, delay), parse_delay },
	{ 'n', "iterations", "N", "end after N pictures (default: never)", OPT_U32,
	  offsetof(struct top_opts, iterations), NULL },
	{ 'b', "batch", NULL, "print the pictures as plain text, whole and one after the other",
	  OPT_FLAG, offsetof(struct top_opts, batch), NULL },
	{ 's', "sort", "KEYS", "group the first view by these keys of report's (default pid,comm)",
	  OPT_STR, offsetof(struct top_opts, model.sort), NULL },
	{ 0, "view", "VIEW", "begin with process (the default), vma, outcome, vm, latency, address",
	  OPT_CALL, offsetof(struct top_opts, ui), parse_view },
	{ 0, "order", "COLUMN", "by rate (the default), total, p50, p99, max, keys", OPT_CALL,
	  offsetof(struct top_opts, ui), parse_order },
	{ 0, "filter", "TEXT", "show only rows with this text in a key", OPT_CALL,
	  offsetof(struct top_opts, ui), parse_filter },
	TRACING_OPT_ROWS(struct top_opts, tracing),
	TRACING_EVENT_ROWS(struct top_opts, tracing),
	ABI_OPT_ROW(struct top_opts, abi),
	{ 0 },
};

static int print_page(const struct top_page *page)
{
	unsigned int i;

	for (i = 0; i < page->n; i++) {
		const struct line *l = &page->lines[i].text;

		fwrite(l->buf, 1, l->len, stdout);
		putchar('\n');
	}
	putchar('\n');
	return fflush(stdout) ? -errno : 0;
}

static int draw(struct top *top)
{
	struct top_shape shape = { .width = BATCH_WIDTH };

	if (!top->o->batch)
		shape = top_screen_shape();
	top_page_make(&top->page, &top->facts, &top->ui, &shape);
	if (top->page.failed)
		return -ENOMEM;
	if (top->o->batch)
		return print_page(&top->page);
	top_screen_draw(&top->page);
	return 0;
}

/* The window ends. @over: the session has, too, and nothing is on its way any more. */
static int turn(struct top *top, uint64_t now, bool over)
{
	int err = top_model_turn(top->model, now);

	session_totals(top->tracing.session, &top->facts.totals);
	if (!over)
		top->facts.totals.lost[PTEV_LOST_INFLIGHT] = 0;
	top->facts.elapsed = now - top->start;
	top->next = now + top->o->delay;
	return err;
}

static int take_keys(struct top *top)
{
	bool pressed = false;
	int key, err;

	if (!top_screen_alive())
		return -EIO;
	while ((key = top_screen_key()) != TOP_KEY_NONE) {
		pressed = true;
		switch (top_ui_key(&top->ui, key, top->page.rows)) {
		case TOP_QUIT:
			return ENDED_BY_USER;
		case TOP_ZERO:
			err = top_model_zero(top->model, clock_ns(CLOCK_MONOTONIC));
			if (err)
				return err;
			break;
		default:
			break;
		}
	}
	return pressed ? draw(top) : 0;
}

static int tick(void *ctx)
{
	struct feed *feed = ctx;
	struct top *top = (struct top *)((char *)feed - offsetof(struct top, feed));
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	int err = top->o->batch ? 0 : take_keys(top);

	if (err || now < top->next || top->ui.paused)
		return err;
	err = turn(top, now, false);
	if (!err)
		err = draw(top);
	if (!err && ++top->frames == top->o->iterations)
		err = ENDED_BY_USER;
	return err;
}

static int run(struct top *top)
{
	int err = feed_init(&top->feed, &top->tracing.info);

	if (err)
		return err;
	top->model = top_model_new(&top->feed.env, &top->o->model);
	if (!top->model)
		return -EINVAL;
	top->feed.sink = &top->model->sink;
	top->facts.model = top->model;
	top->start = clock_ns(CLOCK_MONOTONIC);
	err = top_model_zero(top->model, top->start);
	top->next = top->start + top->o->delay;
	if (!err && !top->o->batch) {
		err = top_screen_open();
		top->tracing.input_fd = STDIN_FILENO;
	}
	if (!err && !top->o->batch)
		err = draw(top);
	if (!err)
		err = tracing_run(&top->tracing, feed_put_live, tick, &top->feed);
	top_screen_close();
	return err;
}

/* What came after the last picture; and where pictures are gone, what it all came to. */
static int last_words(struct top *top)
{
	const struct rec_totals *totals = &top->facts.totals;
	char events[UNITS_LEN], lost[UNITS_LEN];
	int err = turn(top, clock_ns(CLOCK_MONOTONIC), true);

	if (top->o->batch)
		return err || (top->frames && top->frames == top->o->iterations) ? err : draw(top);
	msg_note("%s events, %s lost", units_count(events, totals->events),
		 units_count(lost, totals_lost(totals)));
	return err;
}

static int top_status(struct top *top, int err)
{
	bool by_user = err == ENDED_BY_USER;

	if (by_user && top->tracing.launch.pid > 0)
		kill(top->tracing.launch.pid, SIGTERM);
	if (by_user)
		err = 0;
	if (!err && !top->tracing.exec_error && top->model)
		err = last_words(top);
	/* What is wrong with options or the terminal has been said. */
	if (err && err != -EPIPE && err != -EINVAL && err != -ENOTTY)
		msg_error("%s: %s", top->o->batch ? "stdout" : "the picture ended", strerror(-err));
	feed_end(&top->feed);
	top_page_free(&top->page);
	return tracing_end(&top->tracing, err);
}

int cmd_top(int argc, char **argv)
{
	struct top_opts o = { .tracing = TRACING_OPTS_INIT, .delay = DELAY_DEFAULT };
	struct top top = { .o = &o };
	struct abi *abi;
	int rest, err, status;

	err = opts_parse(options, "ptrace-pf top [OPTIONS] [-- COMMAND [ARGS]]", NULL, argc, argv,
			 &o, &rest);
	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	if (!abi_opt_open(&abi, o.abi, &status))
		return status;
	o.model.abi = o.tracing.abi = abi;
	o.tracing.set.screen_taken = !o.batch;
	top.ui = o.ui;
	status = tracing_start(&top.tracing, &o.tracing, true, argc, argv,
			       rest < argc ? argv + rest : NULL);
	if (!status)
		status = top_status(&top, run(&top));
	abi_free(abi);
	return status;
}
