// SPDX-License-Identifier: GPL-2.0
/*
 * pidfds: processes named by descriptors of theirs, and their memory by its addresses.
 *
 *	pidfds FILE
 *
 * A descriptor means its process and no other one that has the number later. What is read through
 * the tables is what the process itself sees; what is written, too, or it is refused. FILE is made
 * anew, on a file system that keeps track of what is written.
 */
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <time.h>

#include "tests/system/watches.h"

#define PIDFD	 PTREMAP_PIDFD
#define REGION	 64 /* pages */
#define RANGES	 400
#define LAST_PID "/proc/sys/kernel/ns_last_pid"

static int pidfd_of(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static struct ptremap_item trap(int pid, uint64_t va, uint32_t flags)
{
	return (struct ptremap_item){ .pid = pid, .va = va, .what = PTREMAP_TRAP, .flags = flags };
}

/* ---- descriptors ----------------------------------------------------------------------------- */

static void test_edit(struct checks *c)
{
	struct ptremap_item item, swap;
	struct ptremap_record r[2];
	struct puppet p, other;
	int fd, other_fd, err, n;
	uint32_t id;

	puppet_start(&p);
	puppet_start(&other);
	fd = pidfd_of(p.pid);
	other_fd = pidfd_of(other.pid);
	item = trap(fd, p.pages, PIDFD);
	err = edit(c, &item, &id);
	n = list(c, r, 2);
	check(c, !err && n == 1 && r[0].pid == p.pid && leaf(c, p.pid, p.pages) == item.new,
	      "an edit by pidfd (%d): the record has the number", err);
	undo(c, id);
	swap = (struct ptremap_item){ .pid = fd,
				      .va = p.pages,
				      .what = PTREMAP_SWAP,
				      .other_pid = other_fd,
				      .other_va = other.pages + PAGE,
				      .flags = PIDFD | PTREMAP_OTHER_PIDFD };
	err = edit(c, &swap, &id);
	n = list(c, r, 2);
	check(c,
	      !err && n == 2 && r[0].pid == p.pid && r[1].pid == other.pid &&
		      puppet_read(&p, p.pages, &err) == (uint64_t)(PUPPET_SEED + 1) << 32,
	      "a swap by two pidfds: both records have numbers");
	undo(c, id);
	swap.other_pid = other.pid;
	swap.flags = PIDFD;
	err = edit(c, &swap, &id);
	check(c, !err && undo(c, id) == 2, "a swap by a pidfd and a number (%d)", err);
	item.flags = PIDFD | PTREMAP_OTHER_PIDFD;
	check(c, edit(c, &item, &id) == -EINVAL, "another pidfd for what has none: EINVAL");
	item.flags = PIDFD | 1u << 29;
	check(c, edit(c, &item, &id) == -EINVAL, "an unknown flag beside it: EINVAL");
	close(fd);
	close(other_fd);
	puppet_end(&p);
	puppet_end(&other);
}

static int walk_with(const struct checks *c, int pid, uint32_t flags, struct ptremap_walk_entry *e)
{
	struct ptremap_walk w = {
		.size = sizeof(w), .flags = flags, .pid = pid, .nr = 1, .entries = at(e)
	};

	return call(c, PTREMAP_WALK, &w);
}

static void test_walk(struct checks *c)
{
	static char buf[2][PTREMAP_TABLES_MIN_BUF] __attribute__((aligned(8)));
	struct ptremap_walk_entry e, f;
	struct ptremap_tables t = { .size = sizeof(t), .buf_len = sizeof(buf[0]) };
	struct puppet p;
	int fd, err;

	puppet_start(&p);
	fd = pidfd_of(p.pid);
	e = f = (struct ptremap_walk_entry){ .va = p.pages };
	err = walk_with(c, fd, PIDFD, &e);
	walk_with(c, p.pid, 0, &f);
	check(c, !err && f.level == 1 && !memcmp(&e, &f, sizeof(e)),
	      "a walk by pidfd is that by number (%d)", err);
	t.pid = p.pid;
	t.start = p.pages;
	t.last = p.pages + PAGE;
	t.buf = at(buf[0]);
	call(c, PTREMAP_TABLES, &t);
	t.pid = fd;
	t.flags = PIDFD;
	t.buf = at(buf[1]);
	err = call(c, PTREMAP_TABLES, &t);
	check(c, !err && t.used && !memcmp(buf[0], buf[1], t.used),
	      "so is a copy of tables: %llu bytes", t.used);
	close(fd);
	puppet_end(&p);
}

static void test_map(struct checks *c)
{
	struct ptremap_map m = { .size = sizeof(m),
				 .flags = PIDFD | PTREMAP_OTHER_PIDFD,
				 .len = PAGE,
				 .source = PTREMAP_MAP_FRAMES,
				 .prot = PTREMAP_MAP_READ };
	struct ptremap_record r;
	struct puppet p, lender;
	int err, error, n;
	uint64_t got;

	puppet_start(&p);
	puppet_start(&lender);
	m.pid = pidfd_of(p.pid);
	m.other_pid = pidfd_of(lender.pid);
	m.from = lender.pages + 3 * PAGE;
	err = call(c, PTREMAP_MAP, &m);
	got = puppet_read(&p, m.va, &error);
	n = list(c, &r, 1);
	check(c,
	      !err && !error && got == (uint64_t)(PUPPET_SEED + 3) << 32 && n == 1 &&
		      r.pid == p.pid,
	      "a mapping by two pidfds (%d): the record has the number", err);
	undo(c, m.id);
	m.flags = PIDFD | PTREMAP_OTHER_PIDFD;
	m.source = PTREMAP_MAP_FRESH;
	m.other_pid = 0;
	m.from = 0;
	check(c, call(c, PTREMAP_MAP, &m) == -EINVAL, "no lender, but a pidfd of one: EINVAL");
	puppet_end(&p);
	puppet_end(&lender);
}

static void test_bad(struct checks *c)
{
	const struct {
		const char *what;
		int fd;
	} bad[] = {
		{ "-1", -1 },
		{ "not open", 999 },
		{ "/dev/null", open("/dev/null", O_RDONLY) },
		{ "an eventfd", eventfd(0, 0) },
		{ "the device's own", c->dev },
		{ "/proc/self", open("/proc/self", O_RDONLY | O_DIRECTORY) },
	};
	struct ptremap_walk_entry e = { 0 };
	struct ptremap_item item;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		item = trap(bad[i].fd, 4096, PIDFD);
		check(c,
		      edit(c, &item, NULL) == -EBADF &&
			      walk_with(c, bad[i].fd, PIDFD, &e) == -EBADF,
		      "no pidfd, %s: EBADF", bad[i].what);
	}
}

static void expect_ended(struct checks *c, int fd, uint64_t va, int want, const char *what)
{
	struct ptremap_item item = trap(fd, va, PIDFD);
	struct ptremap_walk_entry e = { .va = va };
	int err = edit(c, &item, NULL), walked = walk_with(c, fd, PIDFD, &e);

	check(c, err == -want && walked == -want, "%s: %d, %d", what, err, walked);
}

/* Another process with the number that @pid had. */
static bool recycle(pid_t pid, struct puppet *p)
{
	char text[32];
	int tries;

	for (tries = 0; tries < 100; tries++) {
		snprintf(text, sizeof(text), "%d", pid - 1);
		if (!write_file(LAST_PID, text))
			die(LAST_PID);
		puppet_start(p);
		if (p->pid == pid)
			return true;
		puppet_end(p);
	}
	return false;
}

static void test_ended(struct checks *c)
{
	struct ptremap_item item;
	struct puppet p, heir;
	uint64_t before;
	int fd;
	bool same;

	puppet_start(&p);
	fd = pidfd_of(p.pid);
	kill(p.pid, SIGKILL);
	waitid(P_PID, (id_t)p.pid, NULL, WEXITED | WNOWAIT);
	expect_ended(c, fd, p.pages, ENXIO, "a process that has ended, and was not reaped");
	puppet_end(&p);
	expect_ended(c, fd, p.pages, ESRCH, "a process that was reaped");
	same = recycle(p.pid, &heir);
	before = leaf(c, heir.pid, heir.pages);
	expect_ended(c, fd, heir.pages, ESRCH, "its number belongs to another one");
	item = trap(p.pid, heir.pages, 0);
	check(c, same && before && leaf(c, heir.pid, heir.pages) == before && !edit(c, &item, NULL),
	      "... which is not hit, as it would be by its number");
	undo(c, 0);
	close(fd);
	puppet_end(&heir);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static int memory(const struct checks *c, uint32_t flags, int pid, uint64_t va, void *buf,
		  uint64_t len, uint64_t *done)
{
	struct ptremap_phys p = { .size = sizeof(p),
				  .flags = flags | PTREMAP_PHYS_VA,
				  .pa = va,
				  .len = len,
				  .buf = at(buf),
				  .pid = pid };
	int err = call(c, PTREMAP_PHYS, &p);

	*done = p.done;
	return err;
}

static uint32_t rnd(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

enum page_kind { WRITTEN, UNTOUCHED, UNMAPPED, READ_ONLY, NONE, NR_KINDS };

/* Of this process; what is PROT_NONE is so when it is read. */
static char *make_region(uint32_t *state, enum page_kind *kinds)
{
	char *p = mmap(NULL, REGION * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);
	unsigned int i;

	madvise(p, REGION * PAGE, MADV_NOHUGEPAGE);
	for (i = 0; i < REGION; i++) {
		kinds[i] = rnd(state) % 2 ? WRITTEN : rnd(state) % NR_KINDS;
		if (kinds[i] != UNTOUCHED)
			fill_page(p + i * PAGE, i + 1);
		if (kinds[i] == UNMAPPED)
			munmap(p + i * PAGE, PAGE);
		if (kinds[i] == READ_ONLY)
			mprotect(p + i * PAGE, PAGE, PROT_READ);
		if (kinds[i] == NONE)
			mprotect(p + i * PAGE, PAGE, PROT_NONE);
	}
	return p;
}

/* How many bytes of the range there are before the first one that is not there. */
static uint64_t expected(const enum page_kind *kinds, uint64_t from, uint64_t len, bool write)
{
	uint64_t n = 0, step;

	while (n < len) {
		enum page_kind kind = kinds[(from + n) / PAGE];

		if (kind == UNTOUCHED || kind == UNMAPPED || (write && kind != WRITTEN))
			break;
		step = PAGE - (from + n) % PAGE;
		n += step < len - n ? step : len - n;
	}
	return n;
}

/* What fill_page() put there. */
static bool is_content(const char *got, uint64_t from, uint64_t n)
{
	uint64_t i, word;

	for (i = 0; i < n; i++) {
		word = ((from + i) / PAGE + 1) << 32 | (from + i) % PAGE / 8;
		if (got[i] != (char)(word >> 8 * ((from + i) % 8)))
			return false;
	}
	return true;
}

static void test_ranges(struct checks *c, uint32_t *state)
{
	static char buf[REGION * PAGE];
	enum page_kind kinds[REGION];
	char *p = make_region(state, kinds);
	unsigned long bytes = 0, wrong = 0, holes = 0;
	uint64_t from, len, done, want;
	int i, err, want_err;
	bool write;

	for (i = 0; i < RANGES; i++) {
		from = rnd(state) % (REGION * PAGE);
		len = 1 + rnd(state) % (REGION * PAGE - from);
		/* The same is written that is there. */
		write = rnd(state) % 2;
		want = expected(kinds, from, len, write);
		want_err = want == len ? 0 : -ENXIO;
		if (write && want < len && kinds[(from + want) / PAGE] != UNTOUCHED &&
		    kinds[(from + want) / PAGE] != UNMAPPED)
			want_err = -EROFS;
		if (write && memory(c, 0, getpid(), at(p) + from, buf, len, &done) == -EFAULT)
			wrong++;
		err = memory(c, write ? PTREMAP_PHYS_WRITE : 0, getpid(), at(p) + from, buf, len,
			     &done);
		wrong += done != want || err != want_err || !is_content(buf, from, done);
		bytes += done;
		holes += err != 0;
	}
	check(c, !wrong && holes && bytes,
	      "%d ranges read and written, of pages present, read-only, PROT_NONE and absent: %lu "
	      "bytes, %lu ended at a page that says why, %lu were wrong",
	      RANGES, bytes, holes, wrong);
	mprotect(p, REGION * PAGE, PROT_READ);
	munmap(p, REGION * PAGE);
}

/* Through the tables as through /proc/PID/mem; then a write that the process itself sees. */
static void test_other(struct checks *c)
{
	char here[3 * PAGE], there[3 * PAGE], path[64];
	struct puppet p;
	uint64_t done, word = 0x123456789abcdef0;
	int fd, mem, err, error;

	puppet_start(&p);
	fd = pidfd_of(p.pid);
	snprintf(path, sizeof(path), "/proc/%d/mem", p.pid);
	mem = open(path, O_RDONLY);
	err = memory(c, PIDFD, fd, p.pages + 100, here, sizeof(here), &done);
	check(c,
	      !err && pread(mem, there, sizeof(there), (off_t)p.pages + 100) == sizeof(there) &&
		      !memcmp(here, there, sizeof(here)),
	      "memory by pidfd is what /proc/PID/mem has (%d)", err);
	puppet_call(&p, SYS_mprotect, p.pages, PAGE, PROT_NONE, 0, 0);
	err = memory(c, PIDFD | PTREMAP_PHYS_WRITE, fd, p.pages + 8, &word, 8, &done);
	check(c, err == -EROFS, "a write to a PROT_NONE page that is read-only: EROFS (%d)", err);
	err = memory(c, PIDFD | PTREMAP_PHYS_WRITE | PTREMAP_PHYS_FORCE, fd, p.pages + 8, &word, 8,
		     &done);
	puppet_call(&p, SYS_mprotect, p.pages, PAGE, PROT_READ, 0, 0);
	check(c, !err && puppet_read(&p, p.pages + 8, &error) == word,
	      "... forced: the process sees it when it may read (%d)", err);
	err = memory(c, PIDFD | PTREMAP_PHYS_WRITE, fd, p.pages + 2 * PAGE - 4, &word, 8, &done);
	check(c, !err && puppet_read(&p, p.pages + 2 * PAGE - 4, &error) == word,
	      "a write across two pages is seen (%d)", err);
	close(mem);
	close(fd);
	puppet_end(&p);
}

static void test_shared_frames(struct checks *c, const char *file)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open(file, O_RDWR | O_CREAT | O_TRUNC, 0600);
	uint64_t done, word = 0x1122334455667788;
	const volatile uint64_t *seen;
	char *f;
	pid_t pid;

	madvise(p, 2 * PAGE, MADV_NOHUGEPAGE);
	fill_page(p, 1);
	pid = fork();
	if (!pid) {
		pause();
		_exit(0);
	}
	check(c, memory(c, PTREMAP_PHYS_WRITE, getpid(), at(p), &word, 8, &done) == -EROFS,
	      "a write to a page that a child has, too: EROFS");
	seen = (const volatile uint64_t *)(p + PAGE);
	check(c,
	      !*seen && memory(c, PTREMAP_PHYS_WRITE | PTREMAP_PHYS_FORCE, getpid(), at(p) + PAGE,
			       &word, 8, &done) == -EROFS,
	      "a write to the page of zeros, forced: EROFS");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (ftruncate(fd, PAGE))
		die(file);
	f = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	seen = (const volatile uint64_t *)f;
	check(c,
	      !*seen && memory(c, PTREMAP_PHYS_WRITE, getpid(), at(f), &word, 8, &done) == -EROFS,
	      "a write to a clean page of a file: EROFS");
	f[100] = 1;
	check(c,
	      !memory(c, PTREMAP_PHYS_WRITE, getpid(), at(f), &word, 8, &done) && *seen == word &&
		      !fsync(fd) && !munmap(f, PAGE) &&
		      !posix_fadvise(fd, 0, PAGE, POSIX_FADV_DONTNEED) &&
		      pread(fd, &done, 8, 0) == 8 && done == word,
	      "a write to a dirty page of a file comes to the file");
	munmap(p, 2 * PAGE);
	close(fd);
}

/* While the process' pages come and go: what is read is one of the contents that were ever there.
 */
static void test_churn(struct checks *c)
{
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long reads = 0, absent = 0, wrong = 0;
	uint64_t word, done;
	struct timespec begin, now;
	pid_t pid = fork();
	int err;

	if (!pid) {
		for (;;) {
			*(volatile uint64_t *)p = 0x5a5a5a5a5a5a5a5a;
			madvise(p, PAGE, MADV_DONTNEED);
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		err = memory(c, 0, pid, at(p), &word, 8, &done);
		reads += !err;
		absent += err == -ENXIO;
		wrong += err ? err != -ENXIO && err != -EAGAIN : word && word != 0x5a5a5a5a5a5a5a5a;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - begin.tv_sec < 2);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	check(c, reads && !wrong,
	      "a page that comes and goes: %lu times read, %lu absent, %lu wrong", reads, absent,
	      wrong);
	munmap(p, PAGE);
}

static void test_requests(struct checks *c)
{
	uint64_t word = 0, done, me = (uint64_t)getpid();
	int pid = (int)me;

	check(c, memory(c, 0, pid, 1ull << 63, &word, 8, &done) == -EDOM,
	      "the kernel's half: EDOM");
	check(c, memory(c, 0, 0, at(&word), &word, 8, &done) == -ESRCH, "pid 0: ESRCH");
	check(c, memory(c, 0, 2, at(&word), &word, 8, &done) == -ENXIO, "a kernel thread: ENXIO");
	check(c, memory(c, PTREMAP_PHYS_FORCE, pid, at(&word), &word, 8, &done) == -EINVAL,
	      "force without write: EINVAL");
	check(c, memory(c, PTREMAP_PHYS_MMIO, pid, at(&word), &word, 8, &done) == -EINVAL,
	      "a device's memory by address: EINVAL");
	check(c, memory(c, 16, pid, at(&word), &word, 8, &done) == -EINVAL,
	      "an unknown flag: EINVAL");
	check(c, memory(c, PIDFD, 999, at(&word), &word, 8, &done) == -EBADF, "no pidfd: EBADF");
}

int main(int argc, char **argv)
{
	const char *env = getenv("PTSCOPE_SEED");
	uint32_t seed = env ? (uint32_t)strtoul(env, NULL, 0) : (uint32_t)time(NULL);
	uint32_t state = seed ? seed : 1;
	struct checks c = { 0 };

	if (argc != 2) {
		fprintf(stderr, "usage: pidfds FILE\n");
		return 2;
	}
	c.dev = open_device();
	test_edit(&c);
	test_walk(&c);
	test_map(&c);
	test_bad(&c);
	test_ended(&c);
	printf("# PTSCOPE_SEED=%u\n", seed);
	test_ranges(&c, &state);
	test_other(&c);
	test_shared_frames(&c, argv[1]);
	test_churn(&c);
	test_requests(&c);
	check(&c, list(&c, NULL, 0) == 0, "no edit is left");
	return c.failed > 0;
}
