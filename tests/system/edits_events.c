// SPDX-License-Identifier: GPL-2.0
/*
 * edits_events: what the kernel does to a process with active edits, one thing after the other.
 *
 *	edits_events FILE
 *
 * A process of its own for each event and each kind of edit is edited in its page 1, and lets the
 * event happen. Then the edit is undone, if that was not done already. Its memory must be what it
 * would be without the edit, and what was lent to it as before. FILE is made anew, on a file
 * system on a disk. What the kernel finds wrong by itself (page and RSS counters) is in its log.
 */
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "tests/system/edits.h"

#define PAGES  8
#define REGION (2u << 20)
#define LENT   99u
/* More than is free in the machine that the test is for. */
#define ALLOCATION (600u << 20)

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef SYS_process_mrelease
#define SYS_process_mrelease 448
#endif

enum step { STARTED, READY, GO, HAPPENED, END, OVER };
enum result { WRONG, RIGHT, UNAVAILABLE };

/* Between the process under test and the one that edits it. */
struct meeting {
	_Atomic int step;
	_Atomic int result, after;
	char *_Atomic where;
};

struct test {
	struct checks c;
	struct meeting *m;
	const char *file;
	char *lent; /* a page of this process */
	pid_t pid;  /* of the process under test */
	uint32_t what;
	uint32_t id;
};

/* ---- the events, in the process that they happen to ------------------------------------------ */

static enum result right(bool it_is)
{
	return it_is ? RIGHT : WRONG;
}

static char *edited(char *p)
{
	return p + PAGE;
}

static enum result ev_munmap(char **p)
{
	return right(!munmap(edited(*p), PAGE));
}

static enum result ev_mprotect(char **p)
{
	return right(!mprotect(*p, PAGES * PAGE, PROT_READ) && is_filled(edited(*p), 1) &&
		     !mprotect(*p, PAGES * PAGE, PROT_READ | PROT_WRITE));
}

static enum result ev_mprotect_none(char **p)
{
	return right(!mprotect(*p, PAGES * PAGE, PROT_NONE) &&
		     !mprotect(*p, PAGES * PAGE, PROT_READ | PROT_WRITE) &&
		     is_filled(edited(*p), 1));
}

static enum result ev_mremap(char **p)
{
	char *moved = mremap(*p, PAGES * PAGE, 2 * REGION, MREMAP_MAYMOVE);

	if (moved == MAP_FAILED || moved == *p)
		return WRONG;
	*p = moved;
	return right(is_filled(edited(moved), 1));
}

static enum result ev_mremap_dontunmap(char **p)
{
	char *moved = mremap(*p, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
	uint64_t left;

	if (moved == MAP_FAILED)
		return WRONG;
	left = *(volatile uint64_t *)(edited(*p) + 8);
	*p = moved;
	return right(!left && is_filled(edited(moved), 1));
}

static enum result advise(char *p, int advice)
{
	if (!madvise(p, PAGES * PAGE, advice))
		return RIGHT;
	return errno == EINVAL ? UNAVAILABLE : WRONG;
}

static enum result ev_dontneed(char **p)
{
	return advise(*p, MADV_DONTNEED);
}

static enum result ev_free(char **p)
{
	return advise(*p, MADV_FREE);
}

static enum result ev_cold(char **p)
{
	return advise(*p, MADV_COLD);
}

static enum result ev_pageout(char **p)
{
	return advise(*p, MADV_PAGEOUT);
}

static enum result ev_remove(char **p)
{
	return advise(*p, MADV_REMOVE);
}

static enum result ev_fsync(char **p)
{
	return right(!msync(*p, PAGES * PAGE, MS_SYNC));
}

static enum result ev_collapse(char **p)
{
	/* It may refuse to, as references are held. */
	madvise(*p, REGION, MADV_COLLAPSE);
	return RIGHT;
}

static enum result ev_fork(char **p)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		bool good = is_filled(edited(*p), 1) && is_filled(*p + 2 * PAGE, 2);

		edited(*p)[5] = 1; /* in its copy */
		_exit(!good);
	}
	return right(pid > 0 && waitpid(pid, &status, 0) == pid && !status);
}

/* Of shared memory the child gets no entries copied. */
static enum result ev_fork_shared(char **p)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(!is_filled(edited(*p), 1));
	return right(pid > 0 && waitpid(pid, &status, 0) == pid && !status);
}

static enum result ev_exec(char **p)
{
	(void)p;
	execl("/bin/true", "true", NULL);
	return WRONG;
}

static enum result ev_exit(char **p)
{
	(void)p;
	_exit(0);
}

static enum result ev_none(char **p)
{
	(void)p;
	return RIGHT;
}

static enum result ev_soft_dirty(char **p)
{
	(void)p;
	return right(write_file("/proc/self/clear_refs", "4") &&
		     write_file("/proc/self/clear_refs", "1"));
}

static enum result ev_compact(char **p)
{
	(void)p;
	return right(write_file("/proc/sys/vm/compact_memory", "1"));
}

static enum result ev_mlock(char **p)
{
	/* All of it: where a VMA is split, huge pages are said to be. */
	return right(!mlock(*p, REGION) && !munlock(*p, REGION));
}

static enum result ev_uffd_wp(char **p)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP };
	struct uffdio_register reg = { .range = { at(*p), PAGES * PAGE },
				       .mode = UFFDIO_REGISTER_MODE_WP };
	struct uffdio_writeprotect wp = { .range = { at(*p), PAGES * PAGE },
					  .mode = UFFDIO_WRITEPROTECT_MODE_WP };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	bool good;

	if (fd < 0)
		return UNAVAILABLE;
	good = !ioctl(fd, UFFDIO_API, &api) && !ioctl(fd, UFFDIO_REGISTER, &reg) &&
	       !ioctl(fd, UFFDIO_WRITEPROTECT, &wp) && is_filled(edited(*p), 1);
	wp.mode = 0;
	good = good && !ioctl(fd, UFFDIO_WRITEPROTECT, &wp);
	close(fd);
	return right(good);
}

/* linux/userfaultfd.h of 6.8. */
struct move_args {
	uint64_t dst, src, len, mode;
	int64_t moved;
};
#define MOVE		  _IOWR(UFFDIO, 0x05, struct move_args)
#define FEATURE_MOVE	  (1 << 16)
#define MOVE_MODE_NO_WAKE 1

static enum result ev_uffd_move(char **p)
{
	struct uffdio_api api = { .api = UFFD_API, .features = FEATURE_MOVE };
	char *to = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			0);
	struct uffdio_register reg = { .range = { at(to), PAGES * PAGE },
				       .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct move_args move = { .dst = at(to), .src = at(*p), .len = PAGES * PAGE };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	int tries, err = -1;

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg))
		return UNAVAILABLE;
	/* Pages that others hold are refused for a while: the edit's are given back soon. */
	for (tries = 0; tries < 100 && err; tries++) {
		err = ioctl(fd, MOVE, &move);
		if (err && move.moved > 0) {
			move.dst += (uint64_t)move.moved;
			move.src += (uint64_t)move.moved;
			move.len -= (uint64_t)move.moved;
		}
		if (err)
			usleep(1000);
	}
	close(fd);
	if (!err)
		*p = to;
	return right(!err && is_filled(edited(to), 1));
}

/* A second page with the same contents, so that there is something to merge. */
static enum result ev_ksm(char **p)
{
	char *twin = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	unsigned int i;
	bool good;

	for (i = 0; i < PAGES; i++)
		fill_page(twin + i * PAGE, i);
	if (madvise(*p, PAGES * PAGE, MADV_MERGEABLE) ||
	    madvise(twin, PAGES * PAGE, MADV_MERGEABLE))
		return UNAVAILABLE;
	good = write_file("/sys/kernel/mm/ksm/sleep_millisecs", "1") &&
	       write_file("/sys/kernel/mm/ksm/pages_to_scan", "1000") &&
	       write_file("/sys/kernel/mm/ksm/run", "1");
	usleep(60000);
	good = good && write_file("/sys/kernel/mm/ksm/run", "2");
	return right(good && write_file("/sys/kernel/mm/ksm/run", "0"));
}

static enum result ev_reclaim(char **p)
{
	char pid[32];

	(void)p;
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	mkdir("/sys/fs/cgroup/edits", 0755);
	snprintf(pid, sizeof(pid), "%d", getpid());
	if (!write_file("/sys/fs/cgroup/edits/cgroup.procs", pid))
		return UNAVAILABLE;
	/* Its pages are charged where it was when it got them: all that there is, then. */
	write_file("/sys/fs/cgroup/memory.reclaim", "64M");
	write_file("/sys/fs/cgroup/edits/memory.reclaim", "64M");
	return RIGHT;
}

static enum result ev_vmsplice(char **p)
{
	struct iovec v = { edited(*p), PAGE };
	char page[PAGE];
	int fds[2];
	bool good;

	if (pipe(fds))
		return WRONG;
	good = vmsplice(fds[1], &v, 1, 0) == PAGE && !madvise(*p, PAGES * PAGE, MADV_COLD) &&
	       read(fds[0], page, PAGE) == PAGE;
	close(fds[0]);
	close(fds[1]);
	return right(good);
}

/* To the disk and back, with the same contents each time. */
static enum result ev_direct_io(char **p)
{
	int fd = open("/proc/self/fd/9", O_RDWR | O_DIRECT);
	bool good;

	if (fd < 0)
		return UNAVAILABLE;
	good = pwrite(fd, edited(*p), PAGE, 0) == PAGE && pread(fd, edited(*p), PAGE, 0) == PAGE;
	close(fd);
	return right(good);
}

/* ---- what they are, and what is expected ----------------------------------------------------- */

enum memory { ANON, SHARED, FILE_SHARED };
enum after { SAME, ZERO, GONE, ENDED, ANY };
enum outcome { TAKEN, STAYS, EITHER };

static const struct event {
	const char *name;
	enum result (*run)(char **p);
	enum memory memory;
	enum after after;
	enum outcome outcome;
} events[] = {
	{ "munmap", ev_munmap, ANON, GONE, TAKEN },
	{ "munmap, shared", ev_munmap, SHARED, GONE, TAKEN },
	{ "munmap, file", ev_munmap, FILE_SHARED, GONE, TAKEN },
	{ "mprotect", ev_mprotect, ANON, SAME, TAKEN },
	{ "mprotect, file", ev_mprotect, FILE_SHARED, SAME, TAKEN },
	{ "PROT_NONE and back", ev_mprotect_none, ANON, SAME, TAKEN },
	{ "mremap", ev_mremap, ANON, SAME, TAKEN },
	{ "mremap, shared", ev_mremap, SHARED, ANY, TAKEN },
	{ "MREMAP_DONTUNMAP", ev_mremap_dontunmap, ANON, SAME, TAKEN },
	{ "MADV_DONTNEED", ev_dontneed, ANON, ZERO, TAKEN },
	{ "MADV_DONTNEED, shared", ev_dontneed, SHARED, SAME, TAKEN },
	{ "MADV_FREE", ev_free, ANON, SAME, TAKEN },
	{ "MADV_COLD", ev_cold, ANON, SAME, STAYS },
	{ "MADV_PAGEOUT", ev_pageout, ANON, SAME, EITHER },
	{ "MADV_PAGEOUT, shared", ev_pageout, SHARED, SAME, EITHER },
	{ "MADV_REMOVE", ev_remove, SHARED, ZERO, TAKEN },
	{ "MADV_COLLAPSE", ev_collapse, ANON, SAME, EITHER },
	{ "MADV_COLLAPSE, shared", ev_collapse, SHARED, SAME, EITHER },
	{ "fork", ev_fork, ANON, SAME, TAKEN },
	{ "fork, shared", ev_fork_shared, SHARED, SAME, STAYS },
	{ "exec", ev_exec, ANON, ENDED, TAKEN },
	{ "exit", ev_exit, ANON, ENDED, TAKEN },
	{ "exit, shared", ev_exit, SHARED, ENDED, TAKEN },
	{ "exit, file", ev_exit, FILE_SHARED, ENDED, TAKEN },
	{ "clear_refs", ev_soft_dirty, ANON, SAME, TAKEN },
	{ "compaction", ev_compact, ANON, SAME, EITHER },
	{ "mlock and munlock", ev_mlock, ANON, SAME, STAYS },
	{ "write-protection by userfaultfd", ev_uffd_wp, ANON, SAME, TAKEN },
	{ "UFFDIO_MOVE", ev_uffd_move, ANON, SAME, TAKEN },
	{ "KSM", ev_ksm, ANON, SAME, EITHER },
	{ "reclaim", ev_reclaim, ANON, SAME, EITHER },
	{ "reclaim, shared", ev_reclaim, SHARED, SAME, EITHER },
	{ "reclaim, file", ev_reclaim, FILE_SHARED, SAME, EITHER },
	{ "write-back", ev_fsync, FILE_SHARED, SAME, EITHER },
	{ "vmsplice", ev_vmsplice, ANON, SAME, EITHER },
	{ "O_DIRECT", ev_direct_io, ANON, SAME, EITHER },
};

/* ---- the process under test ------------------------------------------------------------------ */

static void wait_for(struct meeting *m, enum step step)
{
	while (m->step < (int)step)
		usleep(200);
}

static char *make_memory(enum memory memory, const char *file)
{
	int flags = memory == ANON ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	char *p = mmap(NULL, 2 * REGION, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = -1;
	unsigned int i;

	p = (char *)((at(p) + REGION - 1) & ~(uint64_t)(REGION - 1));
	if (memory == SHARED)
		fd = memfd_create("edits", 0);
	else if (memory == FILE_SHARED)
		fd = open(file, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if ((fd >= 0 && ftruncate(fd, REGION)) ||
	    mmap(p, REGION, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0) == MAP_FAILED)
		die("mmap");
	madvise(p, REGION, MADV_NOHUGEPAGE);
	for (i = 0; i < PAGES; i++)
		fill_page(p + i * PAGE, i);
	madvise(p, REGION, MADV_HUGEPAGE);
	if (memory == ANON)
		dup2(open(file, O_RDWR | O_CREAT, 0600), 9);
	return p;
}

static bool is_zero(const char *page)
{
	size_t i;

	for (i = 0; i < PAGE; i++)
		if (page[i])
			return false;
	return true;
}

static bool is_right(const struct event *e, const char *p)
{
	unsigned char there;
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		const char *page = p + i * PAGE;

		if (i == 1 && e->after == GONE) {
			if (!mincore((void *)(uintptr_t)page, PAGE, &there) || errno != ENOMEM)
				return false;
		} else if (e->after == ZERO ? !is_zero(page) : !is_filled(page, i)) {
			return false;
		}
	}
	return true;
}

/* RSS as the kernel counts it against what is mapped, which it finds by walking. */
static bool rss_is_right(void)
{
	long counted = kib_of("/proc/self/status", "RssAnon");
	long walked = kib_of("/proc/self/smaps_rollup", "Anonymous");

	bool good = labs(counted - walked) <= 4 * 64 * sysconf(_SC_NPROCESSORS_ONLN);

	/* The counters are kept per CPU, or per thread, for some 64 pages. */
	if (!good)
		printf("# anonymous memory: %ld KiB counted, %ld KiB mapped\n", counted, walked);
	fflush(stdout);
	return good;
}

static void __attribute__((noreturn))
live(const struct event *e, struct meeting *m, const char *file)
{
	char *p = make_memory(e->memory, file);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	m->where = p;
	m->step = READY;
	wait_for(m, GO);
	m->result = e->run(&p);
	m->step = HAPPENED;
	wait_for(m, END);
	m->after = e->after == ANY || (is_right(e, p) && rss_is_right());
	m->step = OVER;
	_exit(0);
}

/* ---- the one that edits ---------------------------------------------------------------------- */

static void start(struct test *t, const struct event *e)
{
	t->m->step = STARTED;
	t->m->after = 0;
	t->pid = fork();
	if (t->pid < 0)
		die("fork");
	if (!t->pid) {
		close(t->c.dev);
		live(e, t->m, t->file);
	}
	wait_for(t->m, READY);
}

static struct ptremap_item item_for(const struct test *t, uint32_t what)
{
	struct ptremap_item i = { .pid = t->pid, .va = at(t->m->where + PAGE), .what = what };

	if (what == PTREMAP_PROTECT)
		i.clear = BIT_RW;
	if (what == PTREMAP_FRAME) {
		i.other_pid = getpid();
		i.other_va = at(t->lent);
	}
	if (what == PTREMAP_SWAP) {
		i.other_pid = t->pid;
		i.other_va = at(t->m->where + 2 * PAGE);
	}
	return i;
}

/* Of page 1 in the transaction; 0: it is not there. */
static uint8_t state_of(const struct test *t, uint8_t *cause)
{
	struct ptremap_record r[16];
	int nr = list(&t->c, r, 16), i;

	for (i = 0; i < nr && i < 16; i++) {
		if (r[i].id == t->id) {
			*cause = r[i].cause;
			return r[i].state;
		}
	}
	return 0;
}

static bool state_fits(uint8_t state, enum outcome outcome)
{
	return outcome == EITHER ? state == PTREMAP_ACTIVE || state == PTREMAP_TAKEN
				 : state == (outcome == TAKEN ? PTREMAP_TAKEN : PTREMAP_ACTIVE);
}

/* Until the process is gone, or has come to @step. */
static bool came_to(const struct test *t, enum step step)
{
	while (t->m->step < (int)step) {
		if (waitpid(t->pid, NULL, WNOHANG) == t->pid)
			return t->m->step >= (int)step;
		usleep(200);
	}
	return true;
}

/* What was lent is as before, with no reference left. */
static bool is_given_back(const struct test *t)
{
	struct ptremap_walk_entry e;
	int tries;

	for (tries = 0; tries < 50; tries++) {
		drain_lru();
		e = walk(&t->c, getpid(), at(t->lent));
		if (e.level == 1 && e.page.refcount == 1 && mapcount(e.page.pfn) == 1)
			return true;
		usleep(10000);
	}
	printf("# lent page: %d references, mapped %" PRId64 "\n", e.page.refcount,
	       mapcount(e.page.pfn));
	return false;
}

/* A page of this process that nobody had before, and that stays where it is. */
static char *new_lent(char *lent)
{
	if (munlock(lent, PAGE) || madvise(lent, PAGE, MADV_DONTNEED) || mlock(lent, PAGE))
		die("lent page");
	fill_page(lent, LENT);
	return lent;
}

static bool lives_on(const struct test *t, const struct event *e)
{
	if (e->after == ENDED) {
		while (waitpid(t->pid, NULL, 0) < 0 && errno == EINTR)
			;
		return true;
	}
	t->m->step = END;
	if (!came_to(t, OVER))
		return false;
	waitpid(t->pid, NULL, 0);
	return t->m->after;
}

static void wait_exec(const struct test *t)
{
	siginfo_t info;

	waitid(P_PID, (id_t)t->pid, &info, WEXITED | WNOWAIT);
}

static void test_event(struct test *t, const struct event *e, uint32_t what)
{
	struct ptremap_item item;
	uint8_t state = 0, cause = 0;
	int err, back;
	bool good;

	new_lent(t->lent);
	start(t, e);
	item = item_for(t, what);
	err = edit(&t->c, &item, &t->id);
	t->m->step = GO;
	if (e->after == ENDED)
		wait_exec(t);
	else
		came_to(t, HAPPENED);
	state = state_of(t, &cause);
	back = err ? err : undo(&t->c, t->id);
	good = lives_on(t, e);
	if (!err && e->after != ENDED && t->m->result == UNAVAILABLE) {
		printf("skip %s, %s: not in this kernel\n", e->name, WHAT[what]);
		fflush(stdout);
		return;
	}
	check(&t->c,
	      !err && (e->after == ENDED || t->m->result == RIGHT) &&
		      state_fits(state, e->outcome) && good && is_given_back(t),
	      "%s, %s: made (%d), %s (cause %d), undone (%d), memory is right (%d %d)", e->name,
	      WHAT[what], err,
	      state == PTREMAP_ACTIVE  ? "stayed"
	      : state == PTREMAP_TAKEN ? "was taken back"
				       : "LOST",
	      cause, back, t->m->result, good);
}

/* ---- events that come from outside ----------------------------------------------------------- */

static const struct event quiet = { "", ev_none, ANON, SAME, STAYS };
static const struct event killed = { "", ev_none, ANON, ENDED, TAKEN };

static void test_kill(struct test *t, uint32_t what, bool mrelease)
{
	struct ptremap_item item;
	uint8_t state, cause = 0;
	int err, fd;

	new_lent(t->lent);
	start(t, &killed);
	item = item_for(t, what);
	err = edit(&t->c, &item, &t->id);
	fd = (int)syscall(SYS_pidfd_open, t->pid, 0);
	kill(t->pid, SIGKILL);
	if (mrelease)
		syscall(SYS_process_mrelease, fd, 0);
	close(fd);
	wait_exec(t);
	waitpid(t->pid, NULL, 0);
	state = state_of(t, &cause);
	undo(&t->c, t->id);
	check(&t->c, !err && state == PTREMAP_TAKEN && is_given_back(t),
	      "kill -9%s, %s: was taken back (cause %d)", mrelease ? " and process_mrelease" : "",
	      WHAT[what], cause);
}

/* Reads and writes of the other process' memory go where its own would. */
static void test_vm_access(struct test *t, uint32_t what)
{
	struct ptremap_item item;
	char page[PAGE];
	struct iovec here = { page, PAGE }, there;
	uint64_t want;
	bool good;
	int err;

	new_lent(t->lent);
	start(t, &quiet);
	item = item_for(t, what);
	err = edit(&t->c, &item, &t->id);
	there = (struct iovec){ t->m->where + PAGE, PAGE };
	want = what == PTREMAP_FRAME ? LENT : what == PTREMAP_SWAP ? 2 : 1;
	good = process_vm_readv(t->pid, &here, 1, &there, 1, 0) == PAGE &&
	       (what == PTREMAP_FRESH ? is_zero(page) : is_filled(page, want)) &&
	       process_vm_writev(t->pid, &here, 1, &there, 1, 0) == PAGE;
	t->m->step = GO;
	came_to(t, HAPPENED);
	undo(&t->c, t->id);
	good = lives_on(t, &quiet) && good;
	check(&t->c, !err && good && is_filled(t->lent, LENT) && is_given_back(t),
	      "process_vm_readv and writev, %s: saw what is there, original is right", WHAT[what]);
}

/* The lender dies; its frame stays until the edit goes. */
static void test_source_death(struct test *t)
{
	struct ptremap_item item;
	struct meeting *mine = t->m, *lenders = mine + 1;
	struct test lender = *t;
	bool good;
	int err;

	lender.m = lenders;
	start(&lender, &quiet);
	start(t, &quiet);
	item = item_for(t, PTREMAP_FRAME);
	item.other_pid = lender.pid;
	item.other_va = at(lenders->where + 3 * PAGE);
	err = edit(&t->c, &item, &t->id);
	kill(lender.pid, SIGKILL);
	waitpid(lender.pid, NULL, 0);
	usleep(20000);
	{
		char page[PAGE];
		struct iovec here = { page, PAGE }, there = { t->m->where + PAGE, PAGE };

		good = process_vm_readv(t->pid, &here, 1, &there, 1, 0) == PAGE &&
		       is_filled(page, 3);
	}
	t->m->step = GO;
	came_to(t, HAPPENED);
	good = undo(&t->c, t->id) == 1 && good;
	check(&t->c, !err && lives_on(t, &quiet) && good,
	      "death of the source: its frame stays until the undo, original is right");
}

/* ---- the death of the controller ------------------------------------------------------------- */

static void controller(const struct test *t, uint32_t what, uint32_t flags, uint32_t *id)
{
	struct test own = *t;
	struct ptremap_item item = item_for(t, what);

	own.c.dev = open_device();
	if (edit_many(&own.c, &item, 1, flags, id))
		_exit(1);
	kill(getpid(), SIGKILL);
}

static void test_controller_death(struct test *t, uint32_t what, bool keep)
{
	uint32_t *id = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint8_t state, cause = 0;
	bool good;
	pid_t pid;

	new_lent(t->lent);
	start(t, &quiet);
	pid = fork();
	if (!pid)
		controller(t, what == PTREMAP_FRAME ? PTREMAP_FRESH : what,
			   keep ? PTREMAP_EDIT_KEEP : 0, id);
	waitpid(pid, NULL, 0);
	t->id = *id;
	state = state_of(t, &cause);
	good = *id && state == (keep ? PTREMAP_ACTIVE : 0);
	if (keep)
		good = undo(&t->c, *id) > 0 && good;
	t->m->step = GO;
	came_to(t, HAPPENED);
	check(&t->c, good && lives_on(t, &quiet), "death of the controller%s, %s: %s",
	      keep ? " that keeps" : "", WHAT[what], keep ? "stayed until undone" : "was undone");
	munmap(id, PAGE);
}

/* ---- several at once ------------------------------------------------------------------------- */

/* A process with an edit, for each kind. */
static int start_all(const struct test *t, struct test *own, uint32_t flags)
{
	uint32_t what;
	int err = 0;

	for (what = PTREMAP_PROTECT; what <= PTREMAP_TRAP; what++) {
		struct test *o = &own[what - 1];
		struct ptremap_item item;

		*o = *t;
		o->m = t->m + what;
		start(o, &quiet);
		item = item_for(o, what);
		err = err ? err : edit_many(&o->c, &item, 1, flags, &o->id);
	}
	return err;
}

static bool end_all(struct test *own)
{
	bool good = true;
	uint32_t what;

	for (what = PTREMAP_PROTECT; what <= PTREMAP_TRAP; what++) {
		struct test *o = &own[what - 1];

		o->m->step = GO;
		came_to(o, HAPPENED);
		good = lives_on(o, &quiet) && good;
	}
	return good;
}

/* Pages written to swap so far. */
static long swapped_out(void)
{
	char line[256];
	FILE *f = fopen("/proc/vmstat", "r");
	long n = -1;

	while (f && n < 0 && fgets(line, sizeof(line), f))
		sscanf(line, "pswpout %ld", &n);
	if (f)
		fclose(f);
	return n;
}

/* All of it written to, by a process that is the one to go if it is too much. */
static bool fill_memory(size_t len)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		write_file("/proc/self/oom_score_adj", "1000");
		_exit(mmap(NULL, len, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) == MAP_FAILED);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static void test_pressure(struct test *t)
{
	struct test own[PTREMAP_TRAP];
	struct ptremap_record r[16];
	long swapped = swapped_out();
	int err, nr, i, active = 0;
	bool good;

	new_lent(t->lent);
	err = start_all(t, own, 0);
	good = fill_memory(ALLOCATION);
	nr = list(&t->c, r, 16);
	for (i = 0; i < nr && i < 16; i++)
		active += r[i].state == PTREMAP_ACTIVE;
	undo(&t->c, 0);
	good = fill_memory(ALLOCATION) && good;
	check(&t->c, !err && end_all(own) && good && is_given_back(t),
	      "%u MiB allocated under an edit of each kind, and again after the undo: %ld pages "
	      "swapped out, %d of %d items still active, memory is right",
	      ALLOCATION >> 20, swapped_out() - swapped, active, nr);
}

/* The module is removed with edits that are kept. Nothing can be asked of it afterwards. */
static void test_rmmod(struct test *t)
{
	struct test own[PTREMAP_TRAP];
	int err = start_all(t, own, PTREMAP_EDIT_KEEP);
	bool good;

	close(t->c.dev);
	good = !syscall(SYS_delete_module, "ptremap", O_NONBLOCK);
	good = end_all(own) && good;
	check(&t->c, !err && good && is_filled(t->lent, LENT),
	      "rmmod with kept edits of each kind: originals are back (%d)", err);
}

/* In KiB; CPUs count for themselves until they are asked. */
static long locked_memory(void)
{
	drain_lru();
	write_file("/proc/sys/vm/stat_refresh", "1");
	return kib_of("/proc/meminfo", "Mlocked");
}

int main(int argc, char **argv)
{
	static struct test t;
	long locked = locked_memory();
	uint32_t what;
	size_t i;

	if (argc != 2) {
		fprintf(stderr, "usage: edits_events FILE\n");
		return 2;
	}
	t.c.dev = open_device();
	t.file = argv[1];
	t.m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	t.lent = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (t.m == MAP_FAILED || t.lent == MAP_FAILED)
		die("mmap");
	for (what = PTREMAP_PROTECT; what <= PTREMAP_TRAP; what++) {
		for (i = 0; i < sizeof(events) / sizeof(*events); i++)
			if (events[i].memory != FILE_SHARED || what != PTREMAP_SWAP)
				test_event(&t, &events[i], what);
		test_kill(&t, what, false);
		test_kill(&t, what, true);
		test_vm_access(&t, what);
		test_controller_death(&t, what, false);
		test_controller_death(&t, what, true);
	}
	test_source_death(&t);
	test_pressure(&t);
	check(&t.c, list(&t.c, NULL, 0) == 0, "no edit is left");
	munlock(t.lent, PAGE);
	check(&t.c, locked_memory() == locked, "locked memory: %ld KiB, before %ld KiB",
	      locked_memory(), locked);
	test_rmmod(&t);
	return t.c.failed > 0;
}
