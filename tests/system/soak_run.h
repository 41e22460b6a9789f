/* SPDX-License-Identifier: GPL-2.0 */
/* The soak's processes and modules: begun, replaced when they end, waited for. */
#ifndef TESTS_SOAK_RUN_H
#define TESTS_SOAK_RUN_H

#include "tests/system/call_rules.h"
#include "tests/system/soak_control.h"
#include "tests/system/soak_count.h"
#include "tests/system/soak_life.h"

#define TICK_US	    10000
#define PATIENCE_US 300000000
#define RECORDED    65536
#define CGROUP	    "/sys/fs/cgroup/soak"

struct run {
	struct soak *s;
	struct checks c;
	struct reasons reasons;
	const char *modules, *tracer;
	int watch, caller; /* of rules: BPF's link */
	uint32_t state, lives;
	pid_t controllers[CONTROLLERS], targets[ALL_TARGETS], outside, trace;
	unsigned int rounds, failed_children;
	long extra;
};

/* ---- the modules ----------------------------------------------------------------------------- */

static void load_module(const struct run *r, const char *name)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s.ko", r->modules, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		die(path);
	close(fd);
}

static void load_modules(struct run *r)
{
	load_module(r, "ptremap");
	if (r->s->kvm)
		load_module(r, "ptremap_kvm");
}

static void open_watch(struct run *r)
{
	struct ptremap_watch w = { .size = sizeof(w),
				   .flags = PTREMAP_WATCH_ALL | PTREMAP_WATCH_NONBLOCK,
				   .nr = PTREMAP_WATCH_MAX,
				   .record_size = sizeof(struct ptremap_record) };

	r->c.dev = open_device();
	if (call(&r->c, PTREMAP_WATCH, &w))
		die("PTREMAP_WATCH");
	r->watch = w.fd;
	r->caller = call_rules(0, ~0ull);
	if (r->caller < 0)
		die("BPF_RAW_TRACEPOINT_OPEN");
}

static void close_watch(struct run *r)
{
	close(r->watch);
	close(r->caller);
	close(r->c.dev);
	r->watch = r->caller = r->c.dev = -1;
}

/* ---- processes ------------------------------------------------------------------------------- */

/* A child, which has none of what is open here. */
static pid_t start(struct run *r)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid && r->watch >= 0)
		close_watch(r);
	return pid;
}

static void start_target(struct run *r, unsigned int i)
{
	struct target *t = &r->s->targets[i];
	uint32_t seed = seed_of(r->s->seed, ++r->lives);

	t->pid = 0;
	t->calm = r->s->calm;
	r->s->n.lives++;
	r->targets[i] = start(r);
	if (!r->targets[i])
		be_target(r->s, i, seed);
}

static void start_controller(struct run *r, unsigned int i)
{
	uint32_t seed = seed_of(r->s->seed, ++r->lives);

	r->controllers[i] = start(r);
	if (!r->controllers[i])
		be_controller(r->s, i, seed);
}

/* Things that the kernel does to all of them, which nobody asked for. */
static void disturb(struct soak *s, uint32_t dice)
{
	struct log *l = &s->outside_log;
	struct log_entry *e;

	if (dice < 3) {
		e = log_begin(l, DEED_KSM, 0, NULL, 0);
		write_file("/sys/kernel/mm/ksm/run", "1");
		usleep(60000);
		write_file("/sys/kernel/mm/ksm/run", "0");
	} else if (dice < 5) {
		e = log_begin(l, DEED_RECLAIM, 0, NULL, 0);
		write_file(CGROUP "/memory.reclaim", "1M");
	} else {
		e = log_begin(l, DEED_MIGRATE, 0, NULL, 0);
		write_file("/proc/sys/vm/compact_memory", "1");
	}
	log_end(e);
}

static void __attribute__((noreturn)) be_outside(struct soak *s, uint32_t state)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (s->phase == PHASE_RUN) {
		disturb(s, random_of(&state, 6));
		rest(&state, 100000);
	}
	_exit(0);
}

static void start_outside(struct run *r)
{
	uint32_t seed = seed_of(r->s->seed, ++r->lives);

	r->outside = start(r);
	if (!r->outside)
		be_outside(r->s, seed);
}

/* Each other one records, and is killed. */
static bool is_recorder(const struct run *r)
{
	return r->trace && r->rounds % 2;
}

static void path_of_trace(const struct run *r, char *path, size_t room)
{
	snprintf(path, room, "%s.%u.%s", r->s->file, r->rounds, r->rounds % 2 ? "data" : "json");
}

static void start_tracer(struct run *r)
{
	char out[300];

	r->trace = 0;
	if (!r->tracer)
		return;
	path_of_trace(r, out, sizeof(out));
	r->trace = start(r);
	if (r->trace)
		return;
	if (r->rounds % 2)
		execl(r->tracer, r->tracer, "record", "-q", "-a", "-e", "fault,remap", "-o", out,
		      NULL);
	else
		execl(r->tracer, r->tracer, "stat", "-a", "-e", "fault,remap", "--json", "-o", out,
		      NULL);
	_exit(127);
}

/* When all is attached it sleeps in epoll_wait(). */
static bool tracer_is_ready(const struct run *r)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/syscall", r->trace);
	return !r->trace || first_number(path) == SYS_epoll_wait;
}

/* Enough that there is something to report, wherever it is killed. */
static bool has_recorded(const struct run *r)
{
	struct stat st;
	char path[300];

	if (!is_recorder(r))
		return true;
	path_of_trace(r, path, sizeof(path));
	return !stat(path, &st) && st.st_size >= RECORDED;
}

static void kill_recorder(struct run *r)
{
	if (is_recorder(r) && has_recorded(r))
		kill(r->trace, SIGKILL);
}

static void note_end(struct run *r, const char *what, int status)
{
	if (WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL
				: !WEXITSTATUS(status) || WEXITSTATUS(status) == 128 + SIGINT)
		return;
	printf("# %s ended with status 0x%x\n", what, status);
	fflush(stdout);
	r->failed_children++;
}

/* Who has ended is replaced, if there is to be one. */
static void replace(struct run *r, pid_t pid, int status)
{
	bool runs = r->s->phase == PHASE_RUN;
	unsigned int i;

	for (i = 0; i < ALL_TARGETS; i++) {
		if (r->targets[i] != pid)
			continue;
		note_end(r, "target", status);
		log_close(&r->s->target_logs[i]);
		r->targets[i] = 0;
		r->s->targets[i].pid = 0;
		if (r->s->phase != PHASE_OVER && (i < TARGETS || r->s->kvm))
			start_target(r, i);
	}
	for (i = 0; i < CONTROLLERS; i++) {
		if (r->controllers[i] != pid)
			continue;
		note_end(r, "controller", status);
		log_close(&r->s->controller_logs[i]);
		r->controllers[i] = 0;
		if (runs)
			start_controller(r, i);
	}
	if (pid == r->outside || pid == r->trace) {
		note_end(r, pid == r->outside ? "disturbance" : "tracer", status);
		r->s->n.tracers_killed += pid == r->trace && WIFSIGNALED(status);
		*(pid == r->outside ? &r->outside : &r->trace) = 0;
	}
}

static void reap(struct run *r)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		replace(r, pid, status);
}

static void tick(struct run *r)
{
	usleep(TICK_US);
	if (r->watch >= 0)
		count_events(r->s, &r->reasons, r->watch);
	reap(r);
}

static void wait_until(struct run *r, bool (*is)(const struct run *r), const char *what)
{
	uint64_t end = now_ns() + PATIENCE_US * 1000ull;

	while (!is(r)) {
		errno = ETIMEDOUT;
		if (now_ns() > end)
			die(what);
		tick(r);
	}
}

#endif
