// SPDX-License-Identifier: GPL-2.0
/* ptremap ept: guest-physical pages of a VM: what they lead to, and changes of that. */
#include "user/cmd/ptremap_ept.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/cmd/cmd.h"
#include "user/remap/ept_plan.h"
#include "user/remap/ept_words.h"
#include "user/show/ept_text.h"

#define USAGE "ptremap ept [OPTIONS] show|protect|map|swap --vm PID --gpa GPA [-- COMMAND]"
#define FOOTER                                                                                  \
	"show    prints the entries of EPT or NPT, and what is behind them in this machine\n"   \
	"protect takes accesses from the guest, or gives them back, or sets the memory type\n"  \
	"map     puts another frame behind the page\n"                                          \
	"swap    lets two pages exchange their frames\n\n"                                      \
	"PLACE is GPA, of the same VM; vm=PID[/FD]:GPA, of another; or PID:VA, an address of\n" \
	"a process.\n\n" CHANGING_FOOTER

static int parse_key(void *target, const char *key, const char *arg)
{
	char why[CHANGE_WHY_LEN];
	int err = ept_key(target, key, arg, why);

	if (err)
		msg_error("--%s: %s", key, why);
	return err;
}

static int parse_set(void *target, const char *arg)
{
	return parse_key(target, "set", arg);
}

static int parse_clear(void *target, const char *arg)
{
	return parse_key(target, "clear", arg);
}

static int parse_cache(void *target, const char *arg)
{
	return parse_key(target, "cache", arg);
}

static int parse_split(void *target, const char *arg)
{
	return parse_key(target, "split", arg);
}

static int parse_frame_of(void *target, const char *arg)
{
	return parse_key(target, "frame-of", arg);
}

static int parse_fresh(void *target, const char *arg)
{
	return parse_key(target, "fresh", arg);
}

static int parse_with(void *target, const char *arg)
{
	return parse_key(target, "with", arg);
}

static int parse_expect(void *target, const char *arg)
{
	return parse_key(target, "expect", arg);
}

static int parse_level(void *target, const char *arg)
{
	return parse_key(target, "level", arg);
}

static int parse_gpa(void *target, const char *arg)
{
	struct ept_gpas *g = target;
	char why[CHANGE_WHY_LEN];
	uint64_t *grown;
	__u64 gpa;

	if (ept_gpa(arg, &gpa, why)) {
		msg_error("--gpa: %s", why);
		return -EINVAL;
	}
	grown = reallocarray(g->gpa, g->nr + 1, sizeof(*grown));
	if (!grown) {
		msg_error("%s", strerror(ENOMEM));
		return -EINVAL;
	}
	g->gpa = grown;
	g->gpa[g->nr++] = gpa;
	return 0;
}

#define AT(member) offsetof(struct ept_opts, member)

static const struct opt options[] = {
	{ 0, "vm", "PID", "the process of the VM", OPT_U32, AT(vm), NULL },
	{ 0, "vm-fd", "FD", "its descriptor of the VM, where it has several", OPT_NUMBER, AT(vm_fd),
	  NULL },
	{ 0, "gpa", "GPA", "a guest-physical address; may be given several times", OPT_CALL,
	  AT(gpas), parse_gpa },
	{ 0, "len", "SIZE", "so many bytes from there on, page by page", OPT_SIZE, AT(len), NULL },
	{ 0, "level", "N", "1: pages of 4 KiB, as without it; 2: pages of 2 MiB", OPT_CALL,
	  AT(item), parse_level },
	{ 0, "set", "ACCESS", "protect: give these accesses, of the letters r, w, x", OPT_CALL,
	  AT(item), parse_set },
	{ 0, "clear", "ACCESS", "protect: take these", OPT_CALL, AT(item), parse_clear },
	{ 0, "cache", "TYPE", "protect: this memory type, uc, wc, wt, wp or wb", OPT_CALL, AT(item),
	  parse_cache },
	{ 0, "split", NULL, "protect: a 2 MiB page that is there is split first", OPT_CALL,
	  AT(item), parse_split },
	{ 0, "sticky", NULL, "protect: made again after KVM has taken it", OPT_FLAG, AT(sticky),
	  NULL },
	{ 0, "frame-of", "PLACE", "map: the frame that is there now", OPT_CALL, AT(item),
	  parse_frame_of },
	{ 0, "fresh", NULL, "map: a new page of zeros for each", OPT_CALL, AT(item), parse_fresh },
	{ 0, "with", "PLACE", "swap: the other page", OPT_CALL, AT(item), parse_with },
	{ 0, "expect", "VALUE",
	  "only if the entry is this one; accessed and dirty bits do not count", OPT_CALL, AT(item),
	  parse_expect },
	{ 0, "rehearse", NULL,
	  "map, swap: make it, and take it back before the guest or its VMM can tell", OPT_FLAG,
	  AT(changing.rehearse), NULL },
	CHANGING_OPT_ROWS,
	{ 0 },
};

/* ---- the command line ------------------------------------------------------------------- */

enum sub { SHOW, PROTECT, MAP, SWAP, NR_SUBS };

static const struct {
	const char *name;
	const char *needs; /* what makes it, if that is missing */
} subs[] = {
	[SHOW] = { "show", NULL },
	[PROTECT] = { "protect", "--set, --clear or --cache" },
	[MAP] = { "map", "--frame-of or --fresh" },
	[SWAP] = { "swap", "--with" },
};

static enum sub sub_of(const struct changing_words *w)
{
	unsigned int i;

	for (i = 0; i < NR_SUBS; i++)
		if (w->nr && !strcmp(w->words[0], subs[i].name))
			break;
	return (enum sub)i;
}

/* The subcommand that changes of this kind are made by. */
static enum sub sub_of_what(uint32_t what)
{
	switch (what) {
	case PTREMAP_EPT_PROTECT:
	case PTREMAP_EPT_CACHE:
		return PROTECT;
	case PTREMAP_EPT_SWAP:
		return SWAP;
	case 0:
		return SHOW;
	default:
		return MAP;
	}
}

static int wrong(const char *what)
{
	msg_usage(USAGE, "%s", what);
	return -EINVAL;
}

static int check_where(const struct ept_opts *o, const struct changing_words *w)
{
	uint64_t size = ept_page_size(&o->item);

	if (w->nr > 1) {
		msg_usage(USAGE, "'%s' is one word too many", w->words[1]);
		return -EINVAL;
	}
	if (!o->vm || o->vm > INT32_MAX)
		return wrong(o->vm ? "--vm is no process id"
				   : "--vm is missing: of which process?");
	if (o->vm_fd.value > INT32_MAX)
		return wrong("--vm-fd is too large");
	if (!o->gpas.nr)
		return wrong("--gpa is missing");
	if (o->len % size || o->len / size > PTREMAP_EPT_MAX)
		return wrong("--len is no multiple of the page's size, or more than 4096 of them");
	return 0;
}

static int check_what(const struct ept_opts *o, enum sub sub)
{
	if (sub_of_what(o->item.what) != sub) {
		if (o->item.what)
			msg_usage(USAGE, "that is for 'ept %s', not for 'ept %s'",
				  subs[sub_of_what(o->item.what)].name, subs[sub].name);
		else
			msg_usage(USAGE, "'ept %s' needs %s", subs[sub].name, subs[sub].needs);
		return -EINVAL;
	}
	if (sub == SHOW && (o->changing.dry_run || o->changing.keep || o->changing.for_ns ||
			    o->changing.rehearse || o->sticky || o->item.flags))
		return wrong("'ept show' changes nothing");
	if (sub == PROTECT && o->changing.rehearse)
		return wrong("--rehearse is for map and swap");
	if (o->item.flags & PTREMAP_EPT_ITEM_EXPECT && (o->gpas.nr > 1 || o->len))
		return wrong("--expect is for one page");
	if (sub == SWAP && o->gpas.nr > 1)
		return wrong("swap exchanges one page, or with --len one range");
	return 0;
}

/* ---- changes ---------------------------------------------------------------------------- */

/* All pages of a range; of a frame's owner, too. */
static int add_range(struct ept_plan *p, const struct ept_opts *o, uint64_t gpa)
{
	struct ptremap_ept_item item = o->item;
	uint64_t size = ept_page_size(&item), done = 0;
	bool two = item.what == PTREMAP_EPT_FRAME || item.what == PTREMAP_EPT_SWAP;
	char why[CHANGE_WHY_LEN];
	int err;

	do {
		item.gpa = gpa + done;
		item.other = o->item.other + (two ? done : 0);
		err = ept_check(&item, why);
		if (err)
			return wrong(why);
		err = ept_plan_add(p, &item);
		if (err) {
			msg_error("%s", err == -E2BIG ? "too many pages" : strerror(-err));
			return err;
		}
		done += size;
	} while (done < o->len);
	return 0;
}

static int make_plan(void *ctx, int fd, const struct changing_opts *c, uint32_t *id)
{
	const struct ept_opts *o = (const struct ept_opts *)c;
	struct ept_plan *p = ctx;
	uint32_t flags = (c->dry_run ? PTREMAP_EPT_DRY_RUN : 0) | (c->keep ? PTREMAP_EPT_KEEP : 0) |
			 (o->sticky ? PTREMAP_EPT_STICKY : 0) |
			 (c->rehearse ? PTREMAP_EPT_REHEARSE : 0);
	int err = ept_plan_make(p, fd, flags);

	*id = p->id;
	return err;
}

static void put_text(struct line *l, const void *ctx, const struct entry_view *style)
{
	ept_plan_text(l, ctx, style);
}

static void put_json(struct json *j, const void *ctx, const struct entry_view *style)
{
	ept_plan_json(j, ctx, style);
}

static int change(const struct ept_opts *o, char **command)
{
	struct ept_plan p = { .pid = (int32_t)o->vm,
			      .vm_fd = o->vm_fd.given ? (int)o->vm_fd.value : -1 };
	struct changing_act act = {
		.make = make_plan, .text = put_text, .json = put_json, .ctx = &p
	};
	int status = EXIT_DONE;
	size_t i;

	for (i = 0; i < o->gpas.nr && !status; i++)
		status = add_range(&p, o, o->gpas.gpa[i]) ? EXIT_USAGE : EXIT_DONE;
	act.changes = p.nr;
	if (!status)
		status = changing_do(&act, &o->changing, command);
	ept_plan_free(&p);
	return status;
}

int cmd_ept(int argc, char **argv)
{
	struct ept_opts o = { 0 };
	struct changing_words w;
	enum sub sub;
	int status, err = changing_parse(options, USAGE, FOOTER, argc, argv, &o.changing, &w);

	if (err) {
		free(o.gpas.gpa);
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	}
	sub = sub_of(&w);
	if (sub == NR_SUBS)
		err = wrong("show, protect, map or swap is missing");
	if (!err)
		err = check_where(&o, &w);
	if (!err)
		err = check_what(&o, sub);
	if (!err && sub == SHOW && w.command)
		err = wrong("'ept show' runs no command");
	status = err ? EXIT_USAGE : sub == SHOW ? ept_show(&o) : change(&o, w.command);
	free(o.gpas.gpa);
	return status;
}
