// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/changing.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/base/units.h"
#include "user/cmd/output.h"
#include "user/cmd/program.h"
#include "user/cmd/stay.h"
#include "user/kernel/helper.h"
#include "user/kernel/kinfo.h"
#include "user/kernel/live.h"
#include "user/remap/change.h"
#include "user/show/plan_text.h"

/* ---- the command line ------------------------------------------------------------------- */

/* A number is one of seconds here, and not of nanoseconds. */
int changing_parse_for(void *target, const char *arg)
{
	char text[UNITS_LEN];
	size_t len = strlen(arg);
	bool bare = len && isdigit((unsigned char)arg[len - 1]);
	uint64_t *ns = target;

	if (len + 1 < sizeof(text)) {
		snprintf(text, sizeof(text), "%s%s", arg, bare ? "s" : "");
		if (!units_parse_time(text, ns) && *ns)
			return 0;
	}
	msg_error("--for: '%s' is not a time", arg);
	return -EINVAL;
}

int changing_parse_key(void *item, const char *key, const char *arg)
{
	char why[CHANGE_WHY_LEN];
	int err = change_key(item, key, arg, why);

	if (err)
		msg_error("--%s: %s", key, why);
	return err;
}

int changing_parse_expect(void *target, const char *arg)
{
	return changing_parse_key(target, "expect", arg);
}

int changing_parse_level(void *target, const char *arg)
{
	return changing_parse_key(target, "level", arg);
}

static int check(const struct changing_opts *o, const struct changing_words *w, const char *usage)
{
	const char *wrong = NULL;

	if (w->command && !w->command[0])
		wrong = "there is no command behind --";
	else if (!!o->for_ns + o->keep + !!w->command > 1)
		wrong = "--for, --keep and a command exclude each other";
	else if (o->dry_run && (o->for_ns || o->keep || w->command))
		wrong = "--dry-run changes nothing, for however long";
	else if (o->rehearse && (o->dry_run || o->for_ns || o->keep || w->command))
		wrong = "--rehearse leaves nothing in force, and is no --dry-run";
	else if (o->pid > INT32_MAX)
		wrong = "--pid is no process id";
	if (!wrong)
		return 0;
	msg_usage(usage, "%s", wrong);
	return -EINVAL;
}

int changing_parse(const struct opt *rows, const char *usage, const char *footer, int argc,
		   char **argv, struct changing_opts *o, struct changing_words *w)
{
	int err, rest, at = 0;

	*w = (struct changing_words){ .words = argv };
	for (;;) {
		/* The word before stands in the place of the command's name. */
		err = opts_parse(rows, usage, footer, argc - at, argv + at, o, &rest);
		if (err)
			return err;
		at += rest;
		if (rest > 1 && !strcmp(argv[at - 1], "--")) {
			w->command = argv + at;
			break;
		}
		if (at == argc)
			break;
		argv[w->nr++] = argv[at];
	}
	return check(o, w, usage);
}

/* One change for each word. */
static int add_words(struct plan *p, const struct changing_opts *o, const struct changing_words *w,
		     const char *usage)
{
	struct ptremap_item item;
	char why[CHANGE_WHY_LEN];
	int i, err;

	for (i = 0; i < w->nr; i++) {
		item = o->item;
		err = change_place(w->words[i], (int32_t)o->pid, &item.pid, &item.va, why);
		if (!err)
			err = change_check(&item, why);
		if (err) {
			msg_usage(usage, "%s", why);
			return err;
		}
		err = plan_add(p, &item, 0);
		if (err) {
			msg_error("%s", err == -E2BIG ? "too many addresses" : strerror(-err));
			return err;
		}
	}
	return 0;
}

int changing_main(const struct opt *rows, const char *usage, const char *footer, int argc,
		  char **argv, struct changing_opts *o)
{
	struct changing_words w;
	struct plan p = { 0 };
	int err = changing_parse(rows, usage, footer, argc, argv, o, &w);

	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	if (!w.nr) {
		msg_usage(usage, "an address is missing");
		return EXIT_USAGE;
	}
	if (w.nr > 1 && (o->item.flags & PTREMAP_ITEM_EXPECT || o->item.what == PTREMAP_SWAP)) {
		msg_usage(usage, "%s is for one address; 'ptremap apply' does more in one go",
			  o->item.what == PTREMAP_SWAP ? "--with" : "--expect");
		return EXIT_USAGE;
	}
	if (!add_words(&p, o, &w, usage))
		return changing_run(&p, o, w.command);
	plan_free(&p);
	return EXIT_USAGE;
}

/* ---- as long as it stays ------------------------------------------------------------------ */

static int print(const struct changing_act *act, const struct changing_opts *o,
		 const struct live *live, FILE *out)
{
	const struct entry_view style = { .fmt = live_space(live)->fmt,
					  .linux_version = kinfo_version() };
	struct line l = { 0 };
	struct json j;
	int err = 0;

	if (o->json) {
		json_init(&j, out);
		act->json(&j, act->ctx, &style);
	} else {
		act->text(&l, act->ctx, &style);
		err = line_write(&l, out);
		line_free(&l);
	}
	/* Whoever waits for it shall know that the change is in force. */
	if (!err && fflush(out))
		err = -errno;
	return err;
}

static void say_how_long(uint32_t id, const struct changing_opts *o)
{
	char buf[UNITS_LEN];

	if (o->keep)
		msg_note("kept in force: 'ptremap undo %" PRIu32 "' takes it back", id);
	else if (o->for_ns)
		msg_note("in force for %s", units_time(buf, o->for_ns));
	else
		msg_note("in force until Ctrl-C");
}

/* Closing the device, which the caller does, takes it back. */
static int make(const struct changing_act *act, const struct changing_opts *o, struct live *live,
		struct stay *stay)
{
	bool stays = !o->dry_run && !o->rehearse;
	uint32_t id;
	int err, status;

	/* What is tried, or left to itself, is not waited for. */
	if (stays && !o->keep && stay_watch(stay, live_fd(live), act->changes))
		return EXIT_FAILED;
	if (act->make(act->ctx, live_fd(live), o, &id))
		return EXIT_FAILED;
	/* A command's stdout is its own. */
	err = print(act, o, live, stay->command ? stderr : stdout);
	status = output_status(err);
	if (!stays || (status && !o->keep))
		return status;
	if (!stay->command)
		say_how_long(id, o);
	return o->keep ? status : stay_wait(stay, id);
}

static int make_live(const struct changing_act *act, const struct changing_opts *o,
		     struct stay *stay)
{
	struct live *live = NULL;
	int status, err = live_open(&live, 0, 0);

	if (!err)
		err = live_error(live);
	if (err)
		msg_error("%s: %s", PTREMAP_DEVICE, ptremap_strerror(err));
	status = err ? EXIT_FAILED : make(act, o, live, stay);
	live_close(live);
	return status;
}

int changing_do(const struct changing_act *act, const struct changing_opts *o, char **command)
{
	struct stay stay;
	int status = stay_begin(&stay, command, o->for_ns);

	if (!status)
		status = make_live(act, o, &stay);
	stay_end(&stay);
	return status;
}

/* ---- changes of entries -------------------------------------------------------------------- */

static int make_plan(void *ctx, int fd, const struct changing_opts *o, uint32_t *id)
{
	uint32_t flags =
		(o->dry_run ? PTREMAP_EDIT_DRY_RUN : 0) | (o->keep ? PTREMAP_EDIT_KEEP : 0);
	struct plan *p = ctx;
	int err = plan_make(p, fd, flags);

	*id = p->id;
	return err;
}

static void put_text(struct line *l, const void *ctx, const struct entry_view *style)
{
	plan_text(l, ctx, style);
}

static void put_json(struct json *j, const void *ctx, const struct entry_view *style)
{
	plan_json(j, ctx, style);
}

int changing_run(struct plan *p, const struct changing_opts *o, char **command)
{
	const struct changing_act act = {
		.make = make_plan, .text = put_text, .json = put_json, .ctx = p, .changes = p->nr
	};
	int status = changing_do(&act, o, command);

	plan_free(p);
	return status;
}
