// SPDX-License-Identifier: GPL-2.0
/* ptremap rule: changes that the helper module makes when a guest, or a process, does something. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/base/msg.h"
#include "user/base/text_file.h"
#include "user/base/units.h"
#include "user/cmd/changing.h"
#include "user/cmd/cmd.h"
#include "user/cmd/output.h"
#include "user/cmd/program.h"
#include "user/cmd/stay.h"
#include "user/kernel/helper.h"
#include "user/remap/rule.h"
#include "user/show/rule_show.h"
#include "user/trace/rule_caller.h"

#define USAGE                                                                         \
	"ptremap rule add [OPTIONS] (--on TRIGGER --do ACTION | FILE) [-- COMMAND]\n" \
	"       ptremap rule list [--json]\n"                                         \
	"       ptremap rule remove ID...|--all"
#define FOOTER                                                                                 \
	"A FILE of '-' is stdin. It has one rule per line, 'on TRIGGER do ACTION':\n"          \
	"  TRIGGER  hypercall:NR[:REG=VALUE]..., violation:FIRST-LAST[:rwx] of a VM,\n"        \
	"           fault:FIRST-LAST[:rwx] of a process\n"                                     \
	"  ACTION   trace, swap PAGE PAGE, map PAGE PAGE, map PAGE fresh,\n"                   \
	"           protect PAGE clear=rwx set=rwx; PAGE is gpa=WHERE, of a fault\n"           \
	"           va=WHERE; WHERE is a number, $REG or $page, with +NUMBER\n"                \
	"  and behind it: level=2, once, rate=N, return=VALUE, user\n"                         \
	"Rules are in force until Ctrl-C, as long as the COMMAND runs, or with --keep until\n" \
	"'ptremap rule remove'. What they changed is taken back then."

struct rule_opts {
	struct changing_opts c; /* first: changing_parse() fills it in */
	uint32_t vm, pid;
	struct opt_number vm_fd;
	const char *on, *act;
	bool all;
};

static const struct opt options[] = {
	{ 0, "vm", "PID", "the VM of this process", OPT_U32, offsetof(struct rule_opts, vm), NULL },
	{ 0, "vm-fd", "FD", "of several VMs of a process the one behind this file descriptor",
	  OPT_NUMBER, offsetof(struct rule_opts, vm_fd), NULL },
	{ 0, "pid", "PID", "the process whose faults are meant", OPT_U32,
	  offsetof(struct rule_opts, pid), NULL },
	{ 0, "on", "TRIGGER", "what calls the rule", OPT_STR, offsetof(struct rule_opts, on),
	  NULL },
	{ 0, "do", "ACTION", "what it does", OPT_STR, offsetof(struct rule_opts, act), NULL },
	{ 0, "keep", NULL, "leave it in force when the command ends, until it is removed", OPT_FLAG,
	  offsetof(struct rule_opts, c.keep), NULL },
	{ 0, "all", NULL, "remove: every rule", OPT_FLAG, offsetof(struct rule_opts, all), NULL },
	CHANGING_STAY_ROWS,
	{ 0 },
};

static int failed(int err)
{
	msg_error("%s: %s", PTREMAP_DEVICE, ptremap_strerror(err));
	return EXIT_FAILED;
}

/* ---- rules in words --------------------------------------------------------------------- */

struct rules {
	struct ptremap_rule rule[PTREMAP_RULES_MAX];
	size_t nr;
	char why[RULE_WHY_LEN];
};

static int take_line(void *ctx, char *text)
{
	struct rules *r = ctx;

	if (r->nr == PTREMAP_RULES_MAX) {
		snprintf(r->why, sizeof(r->why), "more than %d rules", PTREMAP_RULES_MAX);
		return -EINVAL;
	}
	return rule_parse(&r->rule[r->nr], text, r->why) ?: (r->nr++, 0);
}

static int take_options(struct rules *r, const struct rule_opts *o)
{
	char text[TEXT_FILE_MAX];
	int len = snprintf(text, sizeof(text), "on %s do %s", o->on, o->act);

	if (len >= (int)sizeof(text))
		snprintf(r->why, sizeof(r->why), "it is too long");
	else if (!take_line(r, text))
		return 0;
	msg_usage(USAGE, "%s", r->why);
	return -EINVAL;
}

static int read_file(struct rules *r, const char *path)
{
	bool is_stdin = !strcmp(path, "-");
	FILE *in = is_stdin ? stdin : fopen(path, "re");
	uint32_t line;
	int err;

	if (!in) {
		msg_error("%s: %s", path, strerror(errno));
		return -EIO;
	}
	err = text_file_lines(in, take_line, r, &line);
	if (!is_stdin)
		fclose(in);
	if (err)
		return text_file_error(is_stdin ? "stdin" : path, line, err, r->why);
	if (!r->nr)
		msg_error("%s: there is no rule in it", path);
	return r->nr ? 0 : -EINVAL;
}

/* Whose they are. */
static const char *set_owner(struct rules *r, const struct rule_opts *o)
{
	size_t i;

	for (i = 0; i < r->nr; i++) {
		struct ptremap_rule *rule = &r->rule[i];
		bool vm = rule->on != PTREMAP_ON_FAULT;

		if (vm && !o->vm)
			return "--vm is missing: whose hypercalls and violations?";
		if (!vm && !o->pid)
			return "--pid is missing: whose faults?";
		rule->pid = (int32_t)(vm ? o->vm : o->pid);
		if (vm && o->vm_fd.given)
			rule->fd = (int32_t)o->vm_fd.value;
		rule->flags |= o->c.keep ? PTREMAP_RULE_KEEP : 0;
	}
	return NULL;
}

/* ---- add -------------------------------------------------------------------------------- */

static int print_rules(const struct ptremap_rule *rules, size_t nr, bool json, FILE *out)
{
	struct line l = { 0 };
	struct json j;
	size_t i;
	int err = 0;

	json_init(&j, out);
	for (i = 0; i < nr && !err; i++) {
		if (json) {
			rule_json(&j, &rules[i]);
			continue;
		}
		rule_line(&l, &rules[i]);
		line_char(&l, '\n');
		err = line_write(&l, out);
	}
	line_free(&l);
	if (!err && fflush(out))
		err = -errno;
	return err;
}

static int add(struct rules *r, int fd)
{
	size_t wrong = 0;
	int err = ptremap_rule_add(fd, r->rule, r->nr, &wrong);
	struct line l = { 0 };

	if (!err)
		return 0;
	if (wrong >= r->nr) {
		msg_error("%s", ptremap_rule_strerror(err));
		return err;
	}
	rule_text(&l, &r->rule[wrong]);
	line_char(&l, '\0');
	if (err == -EEXIST)
		msg_error("%s: rule %" PRIu32
			  " does something with the same page at the same event",
			  l.failed ? "?" : l.buf, r->rule[wrong].id);
	else
		msg_error("%s: %s", l.failed ? "?" : l.buf, ptremap_rule_strerror(err));
	line_free(&l);
	return err;
}

static int not_called(int err)
{
	msg_error("the BPF program that calls rules cannot be used: %s", strerror(-err));
	return err;
}

static int keep(struct rules *r, struct rule_caller *caller)
{
	int err = rule_caller_keep(caller, r->rule, r->nr);

	if (err == -ENODEV)
		msg_error("--keep needs a BPF file system: mount -t bpf bpf /sys/fs/bpf");
	else if (err)
		not_called(err);
	else
		msg_note("kept in force: 'ptremap rule remove' takes them back");
	return err;
}

static void remove_rules(const struct rules *r, int fd)
{
	uint32_t restored;
	size_t i;

	for (i = 0; i < r->nr; i++)
		ptremap_rule_remove(fd, r->rule[i].id, &restored);
}

/* What became of them, on stderr. */
static void tell_end(const struct rules *r, int fd)
{
	struct ptremap_rule now[PTREMAP_RULES_MAX];
	int i, nr = ptremap_rule_list(fd, now);
	size_t k;

	for (i = 0; i < nr; i++)
		for (k = 0; k < r->nr; k++)
			if (now[i].id == r->rule[k].id)
				print_rules(&now[i], 1, false, stderr);
}

/* Until the signal, the time, the command's end, or that of who they are of. */
static int stay_with(struct rules *r, const struct rule_opts *o, struct stay *stay, int fd)
{
	char buf[UNITS_LEN];
	int status;

	if (!stay->command && o->c.for_ns)
		msg_note("in force for %s", units_time(buf, o->c.for_ns));
	else if (!stay->command)
		msg_note("in force until Ctrl-C");
	stay->process = (int)syscall(SYS_pidfd_open, r->rule[0].pid, 0);
	stay->active = 1;
	status = stay_wait(stay, 0);
	tell_end(r, fd);
	return status;
}

static int run_rules(struct rules *r, const struct rule_opts *o, struct stay *stay, int fd)
{
	struct rule_caller *caller = NULL;
	int status = EXIT_FAILED, err;

	if (add(r, fd))
		return EXIT_FAILED;
	err = rule_caller_start(&caller, r->rule, r->nr);
	if (err)
		not_called(err);
	else
		err = output_status(
			print_rules(r->rule, r->nr, o->c.json, stay->command ? stderr : stdout));
	if (!err && o->c.keep)
		err = keep(r, caller);
	if (err)
		remove_rules(r, fd);
	else
		status = o->c.keep ? EXIT_DONE : stay_with(r, o, stay, fd);
	rule_caller_close(caller);
	return status;
}

static int add_rules(struct rules *r, const struct rule_opts *o, char **command)
{
	struct stay stay;
	int fd, status = stay_begin(&stay, command, o->c.for_ns);

	if (!status) {
		fd = ptremap_open();
		status = fd < 0 ? failed(fd) : run_rules(r, o, &stay, fd);
		if (fd >= 0)
			close(fd);
	}
	stay_end(&stay);
	return status;
}

static const char *add_contradiction(const struct rule_opts *o, const struct changing_words *w)
{
	if (!o->on != !o->act)
		return "--on and --do go together";
	if (!!o->on + w->nr - 1 != 1)
		return o->on ? "--on and --do, or a FILE, but not both"
			     : "one FILE, or --on and --do";
	if (o->all)
		return "--all is for remove";
	if (o->vm > INT32_MAX || o->pid > INT32_MAX || o->vm_fd.value > INT32_MAX)
		return "--vm, --pid or --vm-fd is too large";
	return NULL;
}

static int rule_add(const struct rule_opts *o, const struct changing_words *w)
{
	const char *wrong = add_contradiction(o, w);
	struct rules r = { 0 };
	int err;

	if (wrong) {
		msg_usage(USAGE, "%s", wrong);
		return EXIT_USAGE;
	}
	err = o->on ? take_options(&r, o) : read_file(&r, w->words[1]);
	if (err)
		return o->on ? EXIT_USAGE : EXIT_FAILED;
	wrong = set_owner(&r, o);
	if (wrong) {
		msg_usage(USAGE, "%s", wrong);
		return EXIT_USAGE;
	}
	return add_rules(&r, o, w->command);
}

/* ---- list ------------------------------------------------------------------------------- */

static int rule_list(const struct rule_opts *o, const struct changing_words *w)
{
	struct ptremap_rule rules[PTREMAP_RULES_MAX];
	int nr, fd;

	if (w->nr != 1 || w->command) {
		msg_usage(USAGE, "list takes no more words");
		return EXIT_USAGE;
	}
	fd = ptremap_open();
	if (fd < 0)
		return failed(fd);
	nr = ptremap_rule_list(fd, rules);
	close(fd);
	if (nr < 0)
		return failed(nr);
	return output_status(print_rules(rules, (size_t)nr, o->c.json, stdout));
}

/* ---- remove ----------------------------------------------------------------------------- */

static int check_ids(const struct rule_opts *o, const struct changing_words *w)
{
	uint64_t id;
	int i;

	if (o->all == (w->nr > 1) || w->command) {
		msg_usage(USAGE, o->all ? "--all, or ids, but not both" : "an id is missing");
		return EXIT_USAGE;
	}
	for (i = 1; i < w->nr; i++) {
		if (!units_parse_u64(w->words[i], &id) && id && id <= UINT32_MAX)
			continue;
		msg_usage(USAGE, "'%s' is not the id of a rule", w->words[i]);
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

static int remove_one(int fd, uint32_t id)
{
	uint32_t restored;
	int err = ptremap_rule_remove(fd, id, &restored);

	if (err == -ENOENT)
		msg_error("rule %" PRIu32
			  ": there is no such rule; 'ptremap rule list' shows those "
			  "there are",
			  id);
	else if (err)
		return failed(err);
	else
		msg_note("%" PRIu32 " %s taken back", restored,
			 restored == 1 ? "change was" : "changes were");
	return err ? EXIT_FAILED : EXIT_DONE;
}

static int list_rules(void *fd, struct ptremap_rule *rules)
{
	return ptremap_rule_list(*(const int *)fd, rules);
}

static int rule_remove(const struct rule_opts *o, const struct changing_words *w)
{
	int i, fd, status = check_ids(o, w);
	uint64_t id;

	if (status)
		return status;
	fd = ptremap_open();
	if (fd < 0)
		return failed(fd);
	if (o->all)
		status = remove_one(fd, 0);
	for (i = 1; i < w->nr; i++)
		if (!units_parse_u64(w->words[i], &id))
			status |= remove_one(fd, (uint32_t)id);
	/* Programs that nobody needs any more end, whoever's rules they were for. */
	rule_caller_tidy(list_rules, &fd);
	close(fd);
	return status;
}

/* ---- which ------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	int (*run)(const struct rule_opts *o, const struct changing_words *w);
} acts[] = {
	{ "add", rule_add },
	{ "list", rule_list },
	{ "remove", rule_remove },
};

int cmd_rule(int argc, char **argv)
{
	struct rule_opts o = { 0 };
	struct changing_words w;
	size_t i;
	int err = changing_parse(options, USAGE, FOOTER, argc, argv, &o.c, &w);

	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	for (i = 0; w.nr && i < sizeof(acts) / sizeof(acts[0]); i++)
		if (!strcmp(w.words[0], acts[i].name))
			return acts[i].run(&o, &w);
	msg_usage(USAGE, w.nr ? "'%s' is not one of add, list, remove" : "add, list or remove?",
		  w.nr ? w.words[0] : "");
	return EXIT_USAGE;
}
