// SPDX-License-Identifier: GPL-2.0
/*
 * faults: each call of the device fails half-way, and must leave all as it was.
 *
 *	faults PART...
 *
 *	answers	the answer does not reach the caller, whose memory is read-only
 *	signals	signals come at any moment of each call; then the caller is killed
 *	cpus	CPUs go and come while edits are made and undone under readers
 *	alloc	one allocation after the other fails: of a kernel with fault injection, or with the
 *		module of tests/failnth/
 *
 * Before and after each failure entries, references, transactions, rules, files and mappings are
 * compared. PTSCOPE_SEED in the environment repeats the moments of signals.
 */
#include <sys/time.h>
#include <time.h>

#include "tests/system/faults.h"
#include "tests/system/readers.h"

#define ALARMS	    12 /* of each call */
#define KILLS	    3  /* callers, of each call */
#define LATEST_US   1500
#define MOST_FAULTS 2000
#define HOTPLUGS    6

static uint32_t state_of_random;

static uint32_t rnd(uint32_t n)
{
	state_of_random = state_of_random * 1664525 + 1013904223;
	return (state_of_random >> 8) % n;
}

static int do_call(const struct faults *f, const struct row *r)
{
	memset(f->arg, 0, PAGE);
	r->fill(f, r->more);
	return call(&f->c, r->nr, f->arg);
}

/* ---- answers --------------------------------------------------------------------------------- */

static void test_answer(struct faults *f, const struct row *r)
{
	struct state before = state_of(f);
	int err;

	memset(f->arg, 0, PAGE);
	r->fill(f, r->more);
	mprotect(f->arg, PAGE, PROT_READ);
	err = call(&f->c, r->nr, f->arg);
	mprotect(f->arg, PAGE, PROT_READ | PROT_WRITE);
	end_call(f, r, err);
	check(&f->c, err == -EFAULT && is_as_before(f, &before),
	      "%s: the answer cannot be written (%d): as before", r->name, err);
}

/* ---- signals --------------------------------------------------------------------------------- */

static void on_alarm(int signal)
{
	(void)signal;
}

static void alarm_in(uint32_t us)
{
	struct itimerval t = { .it_value = { 0, us } };

	setitimer(ITIMER_REAL, &t, NULL);
}

/* Each call works, or says that it was interrupted. */
static unsigned int interrupt(struct faults *f, const struct row *r, const struct state *before,
			      unsigned int *odd)
{
	unsigned int i, interrupted = 0;
	int err;

	for (i = 0; i < ALARMS; i++) {
		alarm_in(1 + rnd(LATEST_US));
		err = do_call(f, r);
		alarm_in(0);
		end_call(f, r, err);
		interrupted += err == -EINTR;
		*odd += err && err != -EINTR;
	}
	*odd += !is_as_before(f, before);
	return interrupted;
}

/* It does so again and again until it is killed, at any moment. */
static bool is_killed_well(struct faults *f, const struct row *r, const struct state *before)
{
	pid_t pid = fork();

	if (!pid) {
		close(f->c.dev);
		f->c.dev = open_device();
		for (;;)
			end_call(f, r, do_call(f, r));
	}
	usleep(1000 + rnd(8000));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return is_as_before(f, before);
}

static void test_signals(struct faults *f, const struct row *r)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct state before = state_of(f);
	unsigned int odd = 0, interrupted, i, bad = 0;

	sigaction(SIGALRM, &sa, NULL);
	interrupted = interrupt(f, r, &before, &odd);
	for (i = 0; i < KILLS; i++)
		bad += !is_killed_well(f, r, &before);
	check(&f->c, !odd && !bad,
	      "%s: %d signals, %u of which interrupted it, and %d callers killed: as before (%u, %u)",
	      r->name, ALARMS, interrupted, KILLS, odd, bad);
}

/* What waits is woken. */
static void test_waiting(struct faults *f)
{
	struct state before = state_of(f);
	struct ptremap_event e;
	ssize_t got;
	int err;

	memset(f->arg, 0, PAGE);
	fill_watch(f, 0);
	err = call(&f->c, PTREMAP_WATCH, f->arg);
	alarm_in(20000);
	got = read(f->arg->watch.fd, &e, sizeof(e));
	err = err ?: got < 0 ? -errno : 0;
	undo_watch(f);
	check(&f->c, err == -EINTR && is_as_before(f, &before),
	      "a read of a watch that has nothing: a signal ends it (%d)", err);
}

/* ---- CPUs ------------------------------------------------------------------------------------ */

struct hotplug {
	struct world *w;
	unsigned int times;
	_Atomic bool enough, done;
};

static void *plug(void *arg)
{
	struct hotplug *h = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(1, &set);
	while (h->times < HOTPLUGS) {
		if (!write_file("/sys/devices/system/cpu/cpu1/online", "0") ||
		    !write_file("/sys/devices/system/cpu/cpu1/online", "1"))
			die("CPU 1");
		/* Its reader was driven away. */
		pthread_setaffinity_np(h->w->readers[1].thread, sizeof(set), &set);
		h->times++;
		usleep(5000);
	}
	h->done = true;
	return NULL;
}

static unsigned int edits_under_hotplug(struct world *w, struct hotplug *h, char *p)
{
	struct ptremap_item i = { .pid = getpid(),
				  .va = at(p),
				  .what = PTREMAP_FRAME,
				  .other_pid = getpid(),
				  .other_va = at(p + PAGE) };
	unsigned int edits = 0;
	uint32_t id;

	unsettle(w);
	settle(w, p, 1ull << 32);
	do {
		unsettle(w);
		if (edit(&w->c, &i, &id))
			die("edit");
		settle(w, p, 2ull << 32);
		unsettle(w);
		if (undo(&w->c, id) != 1)
			die("undo");
		settle(w, p, 1ull << 32);
		edits++;
	} while (!h->done);
	return edits;
}

static void test_cpus(struct faults *f)
{
	static struct world w;
	struct hotplug h = { .w = &w };
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct state before = state_of(f);
	unsigned int edits;
	pthread_t thread;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		die("needs two CPUs");
	fill_page(p, 1);
	fill_page(p + PAGE, 2);
	w.c = f->c;
	start_readers(&w);
	if (pthread_create(&thread, NULL, plug, &h))
		die("pthread_create");
	edits = edits_under_hotplug(&w, &h, p);
	pthread_join(thread, NULL);
	stop_readers(&w);
	check(&f->c, edits >= HOTPLUGS && !stale_reads(&w) && is_as_before(f, &before),
	      "%u edits while a CPU went and came %u times: %lu stale reads", edits, h.times,
	      stale_reads(&w));
	munmap(p, 2 * PAGE);
}

/* ---- allocations ----------------------------------------------------------------------------- */

static const char *fail_path(void)
{
	return access("/proc/self/fail-nth", W_OK) ? "/sys/kernel/debug/fail-nth"
						   : "/proc/self/fail-nth";
}

/* All may fail, those that may sleep, too, and nothing is said about it. */
static void allow_failures(void)
{
	static const char *const folders[] = { "failslab", "fail_page_alloc", "fail_usercopy" };
	static const char *const files[] = { "ignore-gfp-wait", "ignore-gfp-highmem", "min-order",
					     "verbose" };
	char path[128];
	size_t i, k;

	for (i = 0; i < 3; i++) {
		for (k = 0; k < 4; k++) {
			snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", folders[i],
				 files[k]);
			write_file(path, k < 2 ? "N" : "0");
		}
	}
}

static int fail_nth(int fd, unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	return pwrite(fd, text, (size_t)len, 0) == len ? 0 : -errno;
}

/* How many were left until it: 0, it has failed. */
static unsigned int nth_left(int fd)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		die(fail_path());
	fail_nth(fd, 0);
	return (unsigned int)strtoul(text, NULL, 10);
}

/* A page that cannot be had may be said to be absent; fault injection also makes copies fail. */
static bool tells_of_memory(int err)
{
	return !err || err == -ENOMEM || err == -EAGAIN || err == -ENOENT || err == -EFAULT;
}

static void test_alloc(struct faults *f, const struct row *r, int fd)
{
	struct state before = state_of(f);
	unsigned int n, refused = 0, odd = 0, left = 0;
	int err, last = 0;

	for (n = 1; n < MOST_FAULTS && !left; n++) {
		memset(f->arg, 0, PAGE);
		r->fill(f, r->more);
		if (fail_nth(fd, n))
			die(fail_path());
		err = call(&f->c, r->nr, f->arg);
		left = nth_left(fd);
		end_call(f, r, err);
		refused += err != 0;
		last = err ? err : last;
		odd += !tells_of_memory(err) || !is_as_before(f, &before);
	}
	check(&f->c, left && !odd && (!err || n > 2),
	      "%s: each of %u allocations failed: %u times the call, too (%d): as before", r->name,
	      n - 2, refused, last);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void for_each_row(struct faults *f, void (*test)(struct faults *f, const struct row *r))
{
	size_t i;

	for (i = 0; i < NR_ROWS; i++)
		if (is_possible_row(f, &ROWS[i]))
			test(f, &ROWS[i]);
}

static void test_allocs(struct faults *f)
{
	int fd = open(fail_path(), O_RDWR | O_CLOEXEC);
	size_t i;

	if (fd < 0)
		die(fail_path());
	allow_failures();
	for (i = 0; i < NR_ROWS; i++)
		if (is_possible_row(f, &ROWS[i]))
			test_alloc(f, &ROWS[i], fd);
	close(fd);
}

/* Each works when nothing comes in between: else it would fail for another reason. */
static void test_plain(struct faults *f, const struct row *r)
{
	int err = do_call(f, r);

	end_call(f, r, err);
	if (err)
		check(&f->c, false, "%s: %s", r->name, strerror(-err));
}

static void run_part(struct faults *f, const char *part)
{
	if (!strcmp(part, "answers")) {
		for_each_row(f, test_answer);
	} else if (!strcmp(part, "signals")) {
		for_each_row(f, test_signals);
		test_waiting(f);
	} else if (!strcmp(part, "cpus")) {
		test_cpus(f);
	} else if (!strcmp(part, "alloc")) {
		test_allocs(f);
	} else {
		fprintf(stderr, "faults: no part '%s'\n", part);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct faults f = { .c.dev = open_device(), .kvm = !access("/dev/kvm", F_OK) };
	const char *seed = getenv("PTSCOPE_SEED");
	int i;

	if (argc < 2) {
		fprintf(stderr, "usage: faults answers|signals|cpus|alloc...\n");
		return 2;
	}
	state_of_random = seed ? (uint32_t)strtoul(seed, NULL, 0) : (uint32_t)time(NULL);
	printf("# PTSCOPE_SEED=%u\n", state_of_random);
	f.arg = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	f.room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (f.arg == MAP_FAILED || f.room == MAP_FAILED)
		die("mmap");
	start_target(&f);
	for_each_row(&f, test_plain);
	for (i = 1; i < argc; i++)
		run_part(&f, argv[i]);
	kill(f.pid, SIGKILL);
	waitpid(f.pid, NULL, 0);
	return f.c.failed > 0;
}
