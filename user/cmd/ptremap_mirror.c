// SPDX-License-Identifier: GPL-2.0
/* ptremap mirror: a running guest's memory, by its own addresses, in another process. */
#include <errno.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/base/clock.h"
#include "user/base/msg.h"
#include "user/base/opts.h"
#include "user/cmd/changing.h"
#include "user/cmd/cmd.h"
#include "user/cmd/foreground.h"
#include "user/cmd/range_opts.h"
#include "user/cmd/target.h"
#include "user/cmd/target_vm.h"
#include "user/kernel/mirror.h"
#include "user/trace/launch.h"

#define USAGE "ptremap mirror [OPTIONS] --vm PID --gva RANGE (--into PID | -- COMMAND)"
#define FOOTER                                                                                \
	"RANGE is START-LAST, of whole pages. Without --at the window has the guest's own\n"  \
	"addresses, if a process can have them. It is there until Ctrl-C, or while COMMAND\n" \
	"runs, whose exit status it is then. The tables are those that the vCPU has now."

#define PAGE_SIZE   4096
#define USER_END    (1ULL << 47)
#define DEFAULT_AGE 100000000u /* ns */

struct mirror_opts {
	uint32_t vm, into;
	const char *gva;
	struct opt_number at, vcpu, vm_fd;
	uint64_t refresh_ns, for_ns;
	bool write;
};

#define ROW(kind, name, arg, help, member)                                           \
	{                                                                            \
		0, name, arg, help, kind, offsetof(struct mirror_opts, member), NULL \
	}
static const struct opt options[] = {
	ROW(OPT_U32, "vm", "PID", "the VM of this process", vm),
	ROW(OPT_STR, "gva", "RANGE", "the guest's addresses that are shown", gva),
	ROW(OPT_U32, "into", "PID", "the process that gets the window", into),
	ROW(OPT_NUMBER, "at", "VA", "where the window is in that process", at),
	ROW(OPT_FLAG, "write", NULL, "the process may write to the guest's memory, too", write),
	ROW(OPT_NUMBER, "vcpu", "N", "by the tables of this vCPU (default: the first)", vcpu),
	ROW(OPT_NUMBER, "vm-fd", "FD",
	    "of several VMs of a process the one behind this file descriptor", vm_fd),
	{ 0, "refresh", "SECONDS",
	  "look at the guest's tables anew this often (default 100ms); 500ms, 2m and the like, too",
	  OPT_CALL, offsetof(struct mirror_opts, refresh_ns), changing_parse_for },
	{ 0, "for", "SECONDS", "take it back after so long; 500ms, 2m and the like, too", OPT_CALL,
	  offsetof(struct mirror_opts, for_ns), changing_parse_for },
	{ 0 },
};

/* A window at work. */
struct showing {
	const struct mirror_opts *opts;
	struct ptremap_mirror req;
	struct ptremap_mirror_window window;
	struct launch child;
	int signal_fd;
};

static int wrong(const char *why)
{
	msg_usage(USAGE, "%s", why);
	return EXIT_USAGE;
}

static int check(const struct mirror_opts *o, char **command, struct ptremap_mirror *req)
{
	uint64_t first, last;

	if (!o->vm || o->vm > INT32_MAX || !o->gva)
		return wrong("--vm and --gva say what is shown");
	if (!o->into == !command)
		return wrong("either --into or a command behind -- says where");
	if (o->into > INT32_MAX)
		return wrong("--into is no process id");
	if (range_parse(o->gva, &first, &last) || (first | (last + 1)) & (PAGE_SIZE - 1))
		return wrong("--gva is whole pages, as 0x1000-0x1fff");
	req->gva = first;
	req->len = last - first + 1;
	req->va = o->at.given ? o->at.value : last < USER_END ? first : 0;
	if (o->at.given && !o->at.value)
		return wrong("no window can be at 0");
	return EXIT_DONE;
}

/* ---- the guest ----------------------------------------------------------------------------------
 */

static int compare_ranges(const void *a, const void *b)
{
	const struct ptremap_mirror_range *x = a, *y = b;

	return x->gpa < y->gpa ? -1 : x->gpa > y->gpa;
}

/* What is seen outside of system management mode; free() gives them back. NULL: no memory. */
static struct ptremap_mirror_range *ranges_of(const struct guest *g, uint32_t *nr)
{
	const struct ptremap_slot *slots = guest_slots(g);
	uint32_t i, n = guest_vm(g)->nr_slots;
	struct ptremap_mirror_range *r = calloc(n + 1, sizeof(*r));

	for (i = *nr = 0; r && i < n; i++) {
		if (slots[i].space)
			continue;
		r[(*nr)++] = (struct ptremap_mirror_range){
			.gpa = slots[i].gpa,
			.len = slots[i].len,
			.hva = slots[i].hva,
			.flags = slots[i].flags & KVM_MEM_READONLY ? PTREMAP_MIRROR_RANGE_RO : 0,
		};
	}
	if (r)
		qsort(r, *nr, sizeof(*r), compare_ranges);
	return r;
}

static uint32_t mode_of(const struct pt_fmt *fmt)
{
	switch (fmt->mode) {
	case PT_MODE_32BIT:
		return PTREMAP_MIRROR_32BIT;
	case PT_MODE_PAE:
		return PTREMAP_MIRROR_PAE;
	case PT_MODE_4LEVEL:
		return PTREMAP_MIRROR_4LEVEL;
	case PT_MODE_5LEVEL:
		return PTREMAP_MIRROR_5LEVEL;
	default:
		return PTREMAP_MIRROR_NONE;
	}
}

/* Who looks is a supervisor whom nothing forbids to read, and with --write to write. */
static void fill_request(struct showing *s, const struct target *t)
{
	const struct pt_feat *feat = &t->space.fmt->feat;
	struct ptremap_mirror *req = &s->req;

	req->ram_pid = (int32_t)s->opts->vm;
	req->flags = s->opts->write ? 0 : PTREMAP_MIRROR_RDONLY;
	req->mode = mode_of(t->space.fmt);
	req->features = (feat->nx ? PTREMAP_MIRROR_NX : 0) | (feat->pse ? PTREMAP_MIRROR_PSE : 0) |
			(feat->pse36 ? PTREMAP_MIRROR_PSE36 : 0) |
			(feat->page1g ? PTREMAP_MIRROR_PAGE1G : 0) |
			(feat->amd ? PTREMAP_MIRROR_AMD : 0) |
			(feat->pdpte_a ? PTREMAP_MIRROR_PDPTE_A : 0);
	req->maxphyaddr = feat->maxphyaddr;
	req->root = t->space.root;
}

static int make(struct showing *s, pid_t pid)
{
	const struct space_opts space = {
		.sources = { { .pid = s->opts->vm, .vm = true } },
		.nr_sources = 1,
		.vm = { .fd = s->opts->vm_fd, .vcpu = s->opts->vcpu, .gva = true },
	};
	struct ptremap_mirror_range *ranges;
	struct target t = { 0 };
	int fd, err, status = target_open_vm(&t, &space, s->opts->vm);

	if (status)
		return status;
	fill_request(s, &t);
	s->req.pid = pid;
	ranges = ranges_of(t.vm, &s->req.nr_ranges);
	s->req.ranges = (uintptr_t)ranges;
	fd = ptremap_open();
	err = !ranges ? -ENOMEM : fd < 0 ? fd : ptremap_mirror_create(fd, &s->req, &s->window);
	if (err)
		msg_error("0x%llx of pid %d: %s", s->req.va, pid, ptremap_mirror_strerror(err));
	if (fd >= 0)
		close(fd);
	free(ranges);
	target_close(&t);
	return err ? EXIT_FAILED : EXIT_DONE;
}

/* ---- as long as it is shown ---------------------------------------------------------------------
 */

/* True: that was the end. A command decides itself; a terminal's signals it has got already. */
static bool take_signal(struct showing *s, int *status)
{
	struct signalfd_siginfo info;

	if (read(s->signal_fd, &info, sizeof(info)) != sizeof(info))
		return false;
	if (s->child.pid < 0) {
		*status = 128 + (int)info.ssi_signo;
		return true;
	}
	if (info.ssi_code <= 0)
		kill(s->child.pid, (int)info.ssi_signo);
	return false;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return b && b < a ? b : a;
}

/* The guest does not say when it changes its tables: what was found is forgotten time and again. */
static int wait_for_end(struct showing *s, int pidfd)
{
	struct pollfd fds[] = {
		{ .fd = s->signal_fd, .events = POLLIN },
		{ .fd = pidfd, .events = POLLIN },
	};
	uint64_t age = s->opts->refresh_ns ? s->opts->refresh_ns : DEFAULT_AGE;
	uint64_t now = clock_ns(CLOCK_MONOTONIC), end = s->opts->for_ns ? now + s->opts->for_ns : 0;
	int status = EXIT_DONE;

	for (;;) {
		if (poll(fds, 2, wait_ms(sooner(now + age, end))) < 0 && errno != EINTR)
			return EXIT_FAILED;
		if (fds[1].revents || (fds[0].revents && take_signal(s, &status)))
			return status;
		now = clock_ns(CLOCK_MONOTONIC);
		if (end && now >= end)
			return EXIT_DONE;
		ptremap_mirror_invalidate(&s->window, 0, 0);
	}
}

static int show(struct showing *s, pid_t pid, int pidfd, FILE *words)
{
	int status;

	fprintf(words, "0x%llx-0x%llx of the VM of %" PRIu32 " at 0x%llx of pid %d\n", s->req.gva,
		s->req.gva + s->req.len - 1, s->opts->vm, s->req.va, pid);
	fflush(words);
	status = wait_for_end(s, pidfd);
	ptremap_mirror_destroy(&s->window);
	return status;
}

static int show_into(struct showing *s)
{
	pid_t pid = (pid_t)s->opts->into;
	int status, pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0) {
		msg_error("pid %d: %s", pid, strerror(errno));
		return EXIT_FAILED;
	}
	status = make(s, pid);
	if (!status)
		status = show(s, pid, pidfd, stdout);
	close(pidfd);
	return status;
}

/* What it had before is gone with its exec: it is stopped there. */
static int start(struct showing *s, char **command)
{
	int err;

	if (ptrace(PTRACE_SEIZE, s->child.pid, NULL, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)) {
		msg_error("%s: cannot be stopped at its begin: %s", command[0], strerror(errno));
		return EXIT_FAILED;
	}
	err = launch_go(&s->child);
	if (err)
		return not_run(command[0], err);
	if (waitpid(s->child.pid, NULL, __WALL) < 0) {
		msg_error("%s: %s", command[0], strerror(errno));
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

static int show_to_command(struct showing *s, char **command)
{
	int ended, status = start(s, command);

	if (!status)
		status = make(s, s->child.pid);
	if (status) {
		kill(s->child.pid, SIGKILL);
	} else {
		ptrace(PTRACE_DETACH, s->child.pid, NULL, NULL);
		status = show(s, s->child.pid, s->child.pidfd, stderr);
		if (s->opts->for_ns)
			kill(s->child.pid, SIGTERM);
	}
	ended = launch_end(&s->child);
	return status ? status : ended;
}

/* The command is forked before signals are taken, which it would have blocked, too. */
static int begin(struct showing *s, char **command)
{
	int err = command ? launch_prepare(&s->child, command, STDOUT_FILENO) : 0;

	if (err)
		return not_run(command[0], err);
	s->signal_fd = take_signals();
	if (s->signal_fd >= 0)
		return EXIT_DONE;
	msg_error("cannot take signals: %s", strerror(errno));
	launch_end(&s->child);
	return EXIT_FAILED;
}

int cmd_mirror(int argc, char **argv)
{
	struct mirror_opts o = { 0 };
	struct showing s = { .opts = &o, .child = LAUNCH_INIT };
	int status, rest, err = opts_parse(options, USAGE, FOOTER, argc, argv, &o, &rest);
	char **command = err || rest >= argc ? NULL : argv + rest;

	if (err)
		return err == OPTS_HELP ? EXIT_DONE : EXIT_USAGE;
	status = check(&o, command, &s.req);
	if (status)
		return status;
	status = begin(&s, command);
	if (status)
		return status;
	status = command ? show_to_command(&s, command) : show_into(&s);
	close(s.signal_fd);
	return status;
}
