// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/tracing.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "user/base/clock.h"
#include "user/base/msg.h"
#include "user/cmd/cmd.h"
#include "user/cmd/foreground.h"
#include "user/cmd/rights.h"
#include "user/kernel/kvm_here.h"
#include "user/trace/call_specs.h"
#include "user/trace/remap_source.h"

#define POLL_MS 100

static void read_line(const char *path, char *buf, int size)
{
	FILE *f = fopen(path, "re");

	if (!f || !fgets(buf, size, f))
		buf[0] = 0;
	buf[strcspn(buf, "\n")] = 0;
	if (f)
		fclose(f);
}

static void fill_info(struct tracing *t, const struct tracing_opts *o, int argc, char **argv)
{
	const struct kinfo *k = &t->kinfo;
	struct rec_info *info = &t->info;
	size_t used;
	int i;

	memset(info, 0, sizeof(*info));
	info->start_mono = clock_ns(CLOCK_MONOTONIC);
	info->start_real = clock_ns(CLOCK_REALTIME);
	info->kernel_text = k->kernel_text;
	info->page_offset = k->page_offset;
	info->addr_mask = k->fmt.addr_mask;
	info->va_bits = k->fmt.va_bits;
	info->levels = k->fmt.top;
	info->maxphyaddr = k->feat.maxphyaddr;
	info->cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	info->enc_bit = k->feat.enc_bit;
	info->hook = session_hook(t->session);
	info->kvm = o->cfg.kvm;
	info->no_faults = !o->cfg.origins;
	info->remaps = o->cfg.remap;
	info->walks = o->cfg.walks && k->page_offset;
	info->stacks = o->cfg.user_stack;
	info->target_pid = t->launch.pid > 0 ? (uint32_t)t->launch.pid : 0;
	read_line("/proc/sys/kernel/random/boot_id", info->boot_id, sizeof(info->boot_id));
	snprintf(info->release, sizeof(info->release), "%s", k->release);
	gethostname(info->hostname, sizeof(info->hostname) - 1);
	used = (size_t)snprintf(info->command, sizeof(info->command), "ptrace-pf");
	for (i = 0; i < argc && used < sizeof(info->command); i++)
		used += (size_t)snprintf(info->command + used, sizeof(info->command) - used, " %s",
					 argv[i]);
}

/* On Intel CR3 and guest-linear addresses are where no BPF program can read them. */
static void note_exit_helper(const struct tracing_opts *o)
{
	bool calls = (o->cfg.kvm & PTEV_WANT_HYPERCALL) && call_specs_any(o->abi, true);
	bool violations = o->cfg.kvm & PTEV_WANT_VIOLATION;

	if ((!calls && !violations) || o->cfg.stat || kvm_here() != KVM_INTEL ||
	    kvm_here_exit_helper())
		return;
	msg_note("the module ptremap_kvm is not loaded: %s%s%s",
		 calls ? "memory of guests with paging on is not read by virtual addresses" : "",
		 calls && violations ? "; " : "",
		 violations ? "violations have no guest-virtual address" : "");
}

/* One line that says what was not to be had and what it costs. */
static void note_hooks(const struct tracing *t, const struct tracing_opts *o,
		       const struct session_tries *tries)
{
	char reasons[256] = "";
	size_t used = 0;
	int hook;

	for (hook = HOOK_FENTRY; hook < HOOK_NR; hook++)
		if (tries->tried[hook] && tries->error[hook])
			used += (size_t)snprintf(reasons + used, sizeof(reasons) - used, "%s%s: %s",
						 used ? "; " : "", name_hook((unsigned int)hook),
						 strerror(-tries->error[hook]));
	if (used)
		msg_note("%s; using %s%s%s", reasons, name_hook(session_hook(t->session)),
			 session_hook(t->session) == HOOK_RAWTP ? ": no " : "",
			 session_hook(t->session) != HOOK_RAWTP ? ""
			 : o->cfg.origins ? "outcome, no latency, no walk after the fault"
					  : "host address of violations");
	if (o->cfg.kvm & ~PTEV_WANT_EXIT && kvm_here_btf() != KVM_BTF_ALL)
		msg_note("KVM has no BTF here: %s", kvm_here_btf_cost(kvm_here_btf()));
	note_exit_helper(o);
	if (!t->kinfo.page_offset)
		msg_note("direct map not found (%s): no page-table walks",
			 strerror(-t->kinfo.error));
}

static void say_why_not(const struct session_tries *tries, int err)
{
	int hook, first = 0;

	if (rights_say_missing())
		return;
	for (hook = HOOK_FENTRY; hook < HOOK_NR; hook++)
		if (tries->tried[hook] && !first)
			first = hook;
	if (err == -ENOPKG)
		msg_error("the module ptremap does not tell of remaps: it is older than this "
			  "program, or was unloaded; load the one that belongs to it");
	else if (access("/sys/kernel/btf/vmlinux", R_OK))
		msg_error(
			"no BTF of this kernel in /sys/kernel/btf/vmlinux: it needs CONFIG_DEBUG_INFO_BTF");
	else if (first)
		msg_error("no hook could be attached (%s: %s); 'ptrace-pf doctor' says more",
			  name_hook((unsigned int)first), strerror(-err));
	else
		msg_error("cannot start tracing: %s", strerror(-err));
}

static int print_libbpf(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level == LIBBPF_DEBUG ? 0 : vfprintf(stderr, fmt, args);
}

/* What was asked for that only an exit hook can tell, or NULL. */
static const char *needs_exit(const struct tracing_opts *o)
{
	if (o->cfg.outcomes)
		return "--outcome";
	if (o->cfg.min_latency)
		return "--min-latency";
	return o->cfg.origins == 1 << PTEV_GUP ? "-e gup" : NULL;
}

/*
 * The command is forked before signals are taken: it keeps the mask and dispositions that we were
 * given.
 */
static int launch(struct tracing *t, const struct tracing_opts *o, char **command)
{
	int err = launch_find(command[0]);

	if (err)
		return not_run(command[0], err);
	err = launch_prepare(&t->launch, command,
			     o->set.screen_taken   ? LAUNCH_OFF_TERMINAL
			     : o->set.stdout_taken ? STDERR_FILENO
						   : STDOUT_FILENO);
	if (!err)
		return 0;
	msg_error("cannot fork: %s", strerror(-err));
	return EXIT_FAILED;
}

static void take_signal(struct tracing *t)
{
	struct signalfd_siginfo info;

	if (read(t->signal_fd, &info, sizeof(info)) == sizeof(info))
		t->signal = (int)info.ssi_signo;
}

/* What the events need is not loaded: its name, and how to load it. NULL: all is there. */
static const char *missing_module(const struct tracing_opts *o, const char **what_to_do)
{
	if (o->cfg.kvm && !kvm_here()) {
		*what_to_do = ", so there are no VMs: load kvm_intel or kvm_amd first";
		return "KVM";
	}
	if (o->cfg.remap && !remap_source_here()) {
		*what_to_do = ", so nothing can be remapped: insmod ptremap.ko first";
		return "the module ptremap";
	}
	return NULL;
}

/* Tracepoints and types come with their modules: nothing can be attached before. */
static int wait_for_modules(struct tracing *t, const struct tracing_opts *o)
{
	struct pollfd fd = { .fd = t->signal_fd, .events = POLLIN };
	const char *what_to_do, *said = NULL, *missing;

	while ((missing = missing_module(o, &what_to_do))) {
		if (!o->set.wait) {
			msg_error("%s is not loaded%s, or wait for it with --wait", missing,
				  what_to_do);
			return EXIT_FAILED;
		}
		if (missing != said)
			msg_note("%s is not loaded: waiting for it", missing);
		said = missing;
		if (poll(&fd, 1, POLL_MS) > 0) {
			take_signal(t);
			return 128 + t->signal;
		}
	}
	return 0;
}

int tracing_start(struct tracing *t, struct tracing_opts *o, bool sideband, int argc, char **argv,
		  char **command)
{
	struct session_opts so = { .hook = o->set.hook,
				   .ring_bytes = o->set.ring_bytes,
				   .sideband = sideband,
				   .abi = o->abi };
	struct session_tries tries;
	const char *needs;
	int err, status;

	*t = (struct tracing){
		.launch = LAUNCH_INIT, .signal_fd = -1, .epoll = -1, .input_fd = -1
	};
	status = tracing_check(o, command != NULL);
	if (status)
		return status;
	if (o->set.verbose)
		libbpf_set_print(print_libbpf);
	kinfo_detect(&t->kinfo);
	t->command = command ? command[0] : NULL;
	status = command ? launch(t, o, command) : 0;
	if (status)
		return status;
	t->signal_fd = take_signals();
	status = wait_for_modules(t, o);
	if (status) {
		tracing_end(t, 0);
		return status;
	}
	so.cfg = o->cfg;
	so.targets = o->set.targets;
	so.nr_targets = o->set.nr_targets;
	so.launch = o->set.all || o->set.nr_targets || !command ? 0 : t->launch.pid;
	err = session_start(&t->session, &so, &t->kinfo, &tries);
	if (err) {
		say_why_not(&tries, err);
		launch_end(&t->launch);
		return EXIT_FAILED;
	}
	needs = needs_exit(o);
	if (needs && o->cfg.origins && session_hook(t->session) == HOOK_RAWTP) {
		msg_error("%s needs a hook on handle_mm_fault; with rawtp there is none", needs);
		tracing_end(t, -EOPNOTSUPP);
		return EXIT_FAILED;
	}
	note_hooks(t, o, &tries);
	fill_info(t, o, argc, argv);
	return 0;
}

/* The descriptors that the loop sleeps on, told apart by their epoll data. */
enum { WOKEN_BY_SESSION, WOKEN_BY_SIGNAL, WOKEN_BY_CHILD, WOKEN_BY_INPUT };

static int watch(struct tracing *t)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = WOKEN_BY_SIGNAL };

	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (t->epoll < 0 || epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->signal_fd, &ev))
		return -errno;
	ev.data.u32 = WOKEN_BY_CHILD;
	if (t->launch.pidfd >= 0 && epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->launch.pidfd, &ev))
		return -errno;
	ev.data.u32 = WOKEN_BY_INPUT;
	if (t->input_fd >= 0 && epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->input_fd, &ev))
		return -errno;
	return session_watch(t->session, t->epoll);
}

/* Sleeps until there is something to read, at most POLL_MS. True: time to stop. */
static bool wait_for_work(struct tracing *t)
{
	struct epoll_event events[4];
	int n = epoll_wait(t->epoll, events, 4, POLL_MS);
	bool ended = false;

	while (n-- > 0) {
		if (events[n].data.u32 == WOKEN_BY_SIGNAL)
			take_signal(t);
		if (events[n].data.u32 == WOKEN_BY_CHILD)
			ended = true;
	}
	return t->signal || ended;
}

int tracing_run(struct tracing *t, session_put put, int (*tick)(void *ctx), void *ctx)
{
	bool stop = false;
	int err;

	err = watch(t);
	if (!err)
		err = session_synthesise(t->session, put, ctx);
	take_signal(t); /* one that came while all was being set up */
	if (!err && !t->signal && t->launch.pid > 0)
		t->exec_error = launch_go(&t->launch);
	stop = t->signal || t->exec_error;
	/* The recording of a command that was not run has to be removed yet. */
	if (!stop)
		rights_drop(t->output_later);
	while (!err && !stop) {
		stop = wait_for_work(t) || !session_targets_left(t->session);
		err = session_drain(t->session, put, ctx);
		if (!err && tick)
			err = tick(ctx);
	}
	session_stop(t->session);
	if (!err)
		err = session_drain(t->session, put, ctx);
	return err;
}

static int status_of(const struct tracing *t, int err, int child)
{
	if (t->signal)
		return 128 + t->signal;
	/* -EPIPE of the go byte: the command was killed before it, by the same Ctrl-C perhaps. */
	if (t->exec_error && t->exec_error != -EPIPE)
		return not_run(t->command, t->exec_error);
	if (err)
		return err == -EPIPE ? 128 + SIGPIPE : EXIT_FAILED;
	return child;
}

/* False: a second signal came before the command had ended. */
static bool wait_for_command(const struct tracing *t)
{
	struct pollfd fds[] = {
		{ .fd = t->launch.pidfd, .events = POLLIN },
		{ .fd = t->signal_fd, .events = POLLIN },
	};

	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	return fds[0].revents;
}

int tracing_end(struct tracing *t, int err)
{
	int child = 0;

	/* A command that was interrupted with us, or that outlives a failed output, is ended. */
	if (t->launch.pid > 0 && (t->signal || err)) {
		kill(t->launch.pid, t->signal ? t->signal : SIGTERM);
		kill(t->launch.pid, SIGCONT); /* a stopped one could not take it */
	}
	session_free(t->session);
	t->session = NULL;
	if (t->launch.pid > 0 && t->launch.go_fd >= 0) {
		close(t->launch.go_fd); /* a command that was never let go leaves */
		t->launch.go_fd = -1;
	}
	if (t->launch.pid > 0 && !wait_for_command(t))
		launch_abandon(&t->launch);
	else
		child = launch_end(&t->launch);
	if (t->signal_fd >= 0)
		close(t->signal_fd);
	if (t->epoll >= 0)
		close(t->epoll);
	return status_of(t, err, child);
}
