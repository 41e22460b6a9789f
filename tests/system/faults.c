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

#include "tests/system/faults_cpus.h"
#include "tests/system/faults_rows.h"

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

/* ---- answers --------------------------------------------------------------------------------- */

static void test_answer(struct faults *f, const struct row *r)
{
	struct state before;
	int err;

	if (r->flags & ROW_MUTE)
		return;
	before = settled_state(f);
	begin_row(f, r);
	mprotect(f->arg, PAGE, PROT_READ);
	err = run_row(f, r);
	mprotect(f->arg, PAGE, PROT_READ | PROT_WRITE);
	end_row(f, r, err);
	check(&f->c, err == -EFAULT && is_as_before(f, &before),
	      "%s: the answer cannot be written (%d): as before", r->name, err);
}

/* ---- signals --------------------------------------------------------------------------------- */

static void on_alarm(int signal)
{
	(void)signal;
}

/* Again and again: what begins to wait behind the first one gets the next. 0: no more. */
static void alarm_every(uint32_t us)
{
	/* A slow machine must deal with each before the next one, or would never get on. */
	struct itimerval t = { .it_interval = { 0, us ? 20000 : 0 }, .it_value = { 0, us } };

	setitimer(ITIMER_REAL, &t, NULL);
}

/* Each call works, or says that it was interrupted. */
static unsigned int interrupt(struct faults *f, const struct row *r, const struct state *before,
			      unsigned int *odd)
{
	unsigned int i, interrupted = 0;
	int err;

	for (i = 0; i < ALARMS; i++) {
		begin_row(f, r);
		alarm_every(1 + rnd(LATEST_US));
		err = run_row(f, r);
		alarm_every(0);
		end_row(f, r, err);
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
			end_row(f, r, do_row(f, r));
	}
	usleep(1000 + rnd(8000));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return is_as_before(f, before);
}

static void test_signals(struct faults *f, const struct row *r)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct state before = settled_state(f);
	unsigned int odd = 0, interrupted, i, bad = 0;

	sigaction(SIGALRM, &sa, NULL);
	interrupted = interrupt(f, r, &before, &odd);
	for (i = 0; i < KILLS; i++)
		bad += !is_killed_well(f, r, &before);
	check(&f->c, !odd && !bad,
	      "%s: %d signals, %u of which interrupted it, and %d callers killed: as before (%u, %u)",
	      r->name, ALARMS, interrupted, KILLS, odd, bad);
}

/* What waits is woken. @fd: where the call puts its descriptor. */
static void test_waiting(struct faults *f, const char *name, unsigned long nr, const int32_t *fd)
{
	struct state before = settled_state(f);
	char events[256];
	int err = call(&f->c, nr, f->arg);
	ssize_t got = 0;

	if (!err) {
		alarm_every(20000);
		got = read(*fd, events, sizeof(events));
		err = got < 0 ? -errno : 0;
		alarm_every(0);
		close(*fd);
	}
	check(&f->c, err == -EINTR && is_as_before(f, &before),
	      "a read of a %s that has nothing: a signal ends it (%d)", name, err);
}

static void test_waits(struct faults *f)
{
	memset(f->arg, 0, PAGE);
	fill_watch(f, 0);
	test_waiting(f, "watch", PTREMAP_WATCH, &f->arg->watch.fd);
	if (!f->kvm)
		return;
	memset(f->arg, 0, PAGE);
	fill_access(f, 7);
	test_waiting(f, "watch of accesses", PTREMAP_ACCESS, &f->arg->access.fd);
}

/* ---- allocations ----------------------------------------------------------------------------- */

/* Of a kernel that is built for it. */
static bool has_own_way(void)
{
	return !access("/proc/self/fail-nth", W_OK);
}

static const char *fail_path(void)
{
	return has_own_way() ? "/proc/self/fail-nth" : "/sys/kernel/debug/fail-nth";
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

/* @pid: what kernel threads allocate in its memory counts, too. 0 where the module is not there. */
static int fail_nth(int fd, unsigned int n, pid_t pid)
{
	char text[32];
	int len = pid ? snprintf(text, sizeof(text), "%u %d", n, pid)
		      : snprintf(text, sizeof(text), "%u", n);

	return pwrite(fd, text, (size_t)len, 0) == len ? 0 : -errno;
}

/* How many were left until it: 0, it has failed. */
static unsigned int nth_left(int fd)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		die(fail_path());
	fail_nth(fd, 0, 0);
	return (unsigned int)strtoul(text, NULL, 10);
}

/*
 * A page that cannot be had may be said to be absent; fault injection also makes copies fail; and
 * device memory that cannot be mapped is not told from such that nobody can map.
 */
static bool tells_of_memory(int err)
{
	return err == -ENOMEM || err == -EAGAIN || err == -ENOENT || err == -EFAULT ||
	       err == -EIO || err == -EMEDIUMTYPE;
}

struct faulty {
	int fd;
	pid_t pid; /* of fail_nth() */
	unsigned int n, refused, odd, left;
	int last;
};

/* The Nth allocation of @run fails; the first one that there is not any more spoils nothing. */
static int without_memory(struct faulty *y, struct faults *f, const struct row *r,
			  int (*run)(struct faults *f, const struct row *r))
{
	int err;

	if (fail_nth(y->fd, y->n, y->pid))
		die(fail_path());
	err = run(f, r);
	y->left = nth_left(y->fd);
	if (err < 0) {
		y->refused++;
		y->last = err;
		y->odd += y->left || !tells_of_memory(err);
	}
	return err;
}

/* @n - 2: the last one had nothing to fail. */
static void tell_faulty(struct faults *f, const struct row *r, const struct faulty *y,
			const char *what)
{
	check(&f->c, y->left && !y->odd,
	      "%s%s: each of %u allocations failed: %u times the call, too (%d): as before",
	      r->name, what, y->n - 2, y->refused, y->last);
}

/* Whose memory a kernel thread uses for the call, where what it allocates may fail, too. */
static pid_t worked_for(const struct faults *f, const struct row *r)
{
	if (has_own_way())
		return 0;
	return r->nr == PTREMAP_MAP ? f->arg->map.pid : r->nr == PTREMAP_MIRROR ? getpid() : 0;
}

static void test_alloc(struct faults *f, const struct row *r, int fd)
{
	struct state before = settled_state(f);
	struct faulty y = { .fd = fd };
	int err;

	for (y.n = 1; y.n < MOST_FAULTS && !y.left; y.n++) {
		begin_row(f, r);
		y.pid = worked_for(f, r);
		err = without_memory(&y, f, r, run_row);
		end_row(f, r, err);
		y.odd += !is_as_before(f, &before);
	}
	tell_faulty(f, r, &y, "");
}

static int undo_row(struct faults *f, const struct row *r)
{
	return r->undo(f);
}

/* One that is refused can be tried once more. */
static void test_alloc_at_end(struct faults *f, const struct row *r, int fd)
{
	struct state before = settled_state(f);
	struct faulty y = { .fd = fd };

	if (!r->undo || r->flags & ROW_PROBE || r->more & ROW_REHEARSE)
		return;
	for (y.n = 1; y.n < MOST_FAULTS && !y.left; y.n++) {
		y.odd += do_row(f, r) != 0;
		if (without_memory(&y, f, r, undo_row) < 0)
			y.odd += r->undo(f) < 0;
		y.odd += !is_as_before(f, &before);
	}
	tell_faulty(f, r, &y, ", its end");
}

/* Where a call of ROW_OURS has put it. */
static uint64_t va_of(const struct faults *f, const struct row *r)
{
	return r->nr == PTREMAP_MAP ? f->arg->map.va : f->arg->mirror.va;
}

static uint64_t len_of(const struct faults *f, const struct row *r)
{
	return r->nr == PTREMAP_MAP ? f->arg->map.len : f->arg->mirror.len;
}

/* What could not be unmapped for want of memory stays, but leads nowhere. */

static void test_alloc_of_worker(struct faults *f, const struct row *r, int fd)
{
	struct state before = settled_state(f);
	struct faulty y = { .fd = fd, .pid = getpid() };
	unsigned int stayed = 0;

	if (!(r->flags & ROW_OURS) || has_own_way())
		return;
	for (y.n = 1; y.n < MOST_FAULTS && !y.left; y.n++) {
		y.odd += do_row(f, r) || read_page(va_of(f, r));
		y.odd += without_memory(&y, f, r, undo_row) < 0;
		if (mappings_of(getpid(), "[ptremap") > before.own_windows) {
			stayed++;
			y.odd += read_page(va_of(f, r)) != -EFAULT;
			munmap((void *)(uintptr_t)va_of(f, r), len_of(f, r));
		}
		y.odd += !is_as_before(f, &before);
	}
	check(&f->c, y.left && !y.odd && stayed,
	      "%s: each of %u allocations failed that its unmapping makes: %u times it stayed, and "
	      "led nowhere",
	      r->name, y.n - 2, stayed);
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
	for (i = 0; i < NR_ROWS; i++) {
		if (!is_possible_row(f, &ROWS[i]))
			continue;
		test_alloc(f, &ROWS[i], fd);
		test_alloc_at_end(f, &ROWS[i], fd);
		test_alloc_of_worker(f, &ROWS[i], fd);
	}
	close(fd);
}

/* Each works when nothing comes in between: else it would fail for another reason. */
static void test_plain(struct faults *f, const struct row *r)
{
	int err = do_row(f, r);

	end_row(f, r, err);
	if (err)
		check(&f->c, false, "%s: %s", r->name, strerror(-err));
}

static void run_part(struct faults *f, const char *part)
{
	if (!strcmp(part, "answers")) {
		for_each_row(f, test_answer);
	} else if (!strcmp(part, "signals")) {
		for_each_row(f, test_signals);
		test_waits(f);
	} else if (!strcmp(part, "cpus")) {
		test_cpus(f);
	} else if (!strcmp(part, "alloc")) {
		test_allocs(f);
	} else {
		fprintf(stderr, "faults: no part '%s'\n", part);
		exit(2);
	}
}

static int page_of_file(void)
{
	int fd = memfd_create("own", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, PAGE))
		die("memfd");
	return fd;
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
	f.own = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, page_of_file(),
		     0);
	if (f.arg == MAP_FAILED || f.room == MAP_FAILED || f.own == MAP_FAILED)
		die("mmap");
	f.base = aligned_room(MEMORY);
	f.pid = start_target(&f, f.kvm);
	f.plain = start_target(&f, false);
	begin_to_call_rules();
	for_each_row(&f, test_plain);
	for (i = 1; i < argc; i++)
		run_part(&f, argv[i]);
	kill(f.pid, SIGKILL);
	kill(f.plain, SIGKILL);
	waitpid(f.pid, NULL, 0);
	waitpid(f.plain, NULL, 0);
	return f.c.failed > 0;
}
