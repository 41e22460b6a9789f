// SPDX-License-Identifier: GPL-2.0
/*
 * edits_events: what the kernel does to a process with active edits, one thing after the other.
 *
 *	edits_events FILE [guest]
 *
 * A process of its own for each event and each kind of edit is edited in its page 1, and lets the
 * event happen. Then the edit is undone, if that was not done already. Its memory must be what it
 * would be without the edit, and what was lent to it as before. With "guest" it is the memory of a
 * VM whose vCPUs read that page without end, edits are of guest-physical pages, and the guest must
 * see what the process sees. FILE is made anew, on a file system on a disk. What the kernel finds
 *wrong by itself (page and RSS counters) is in its log.
 */
#include <sched.h>
#include <sys/uio.h>

#include "tests/system/ept.h"
#include "tests/system/happen.h"
#include "tests/system/meeting.h"

#define LENT 99u
/* More than is free in the machine that the test is for. */
#define ALLOCATION (600u << 20)

#ifndef SYS_process_mrelease
#define SYS_process_mrelease 448
#endif

struct test {
	struct checks c;
	struct meeting *m;
	const char *file;
	char *lent; /* a page of this process */
	pid_t pid;  /* of the process under test */
	uint32_t id;
	bool guest;
	uint32_t first, last; /* kinds of edits */
};

/* vCPUs that look at the memory without end. */
#define LOOKING 2

/* ---- the process under test ------------------------------------------------------------------ */

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

/* Page 1, which is edited, and page 2, which takes part in swaps. */
static void start_guest(struct tiny_vm *vm, const char *p)
{
	unsigned int i;

	tiny_make(vm, p, REGION);
	tiny_read(vm, 0, TINY_GPA + PAGE);
	tiny_read(vm, 0, TINY_GPA + 2 * PAGE);
	for (i = 0; i < LOOKING; i++)
		tiny_start(vm, i, tiny_look_code, TINY_GPA + PAGE, TINY_GPA + 2 * PAGE);
}

/* What memory is there after @e is the same for both. */
static bool guest_sees(struct tiny_vm *vm, const struct event *e, const char *before, const char *p)
{
	bool good = true;
	unsigned int i;

	tiny_stop(vm, LOOKING);
	for (i = 1; i < 3 && p == before && (e->after == SAME || e->after == ZERO); i++)
		good = tiny_read(vm, 0, TINY_GPA + i * PAGE) ==
			       *(const volatile uint32_t *)(p + i * PAGE) &&
		       good;
	return good;
}

static void __attribute__((noreturn))
live(const struct event *e, struct meeting *m, const char *file, bool guest)
{
	char *p = make_memory(e->memory, file), *before = p;
	struct tiny_vm vm;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (guest)
		start_guest(&vm, p);
	m->where = p;
	m->step = READY;
	wait_for(m, GO);
	m->result = e->run(&p);
	m->step = HAPPENED;
	wait_for(m, END);
	m->after = (!guest || guest_sees(&vm, e, before, p)) &&
		   (e->after == ANY || (is_right(e, p) && rss_is_right()));
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
		live(e, t->m, t->file, t->guest);
	}
	wait_for(t->m, READY);
}

/* Of the lent page, which is this process' alone from here on. */
static uint64_t lent_pa(const struct test *t)
{
	*(volatile char *)t->lent = *(volatile char *)t->lent;
	return leaf(&t->c, getpid(), at(t->lent)) & FRAME_MASK;
}

static struct ptremap_item item_for(const struct test *t, uint32_t what)
{
	struct ptremap_item i = { .pid = t->pid, .va = at(t->m->where + PAGE), .what = what };

	if (what == PTREMAP_RAM)
		i.other_va = lent_pa(t);
	if (what == PTREMAP_MMIO)
		i.other_va = timer_pa();
	if (what == WHAT_TABLE) {
		i.what = PTREMAP_RAM;
		i.other_va = walk(&t->c, t->pid, i.va).entry[1] & FRAME_MASK;
		i.flags = PTREMAP_ITEM_FORCE_TABLE;
	}

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

/* The same of the guest's page. */
static struct ptremap_ept_item in_guest(const struct test *t, const struct ptremap_item *i)
{
	struct ptremap_ept_item g = { .what = i->what + PTREMAP_EPT_FRAME - PTREMAP_FRAME,
				      .gpa = TINY_GPA + i->va - at(t->m->where) };

	if (i->what == PTREMAP_SWAP)
		g.other = TINY_GPA + i->other_va - at(t->m->where);
	if (i->what == PTREMAP_FRAME) {
		g.other_pid = i->other_pid;
		g.other_fd = PTREMAP_EPT_PROCESS;
		g.other = i->other_va;
	}
	return g;
}

static int change(const struct test *t, struct ptremap_item *item, uint32_t flags, uint32_t *id)
{
	struct ptremap_ept_item g;

	if (!t->guest)
		return edit_many(&t->c, item, 1, flags, id);
	g = in_guest(t, item);
	return ept_many(&t->c, t->pid, -1, &g, 1, flags & PTREMAP_EDIT_KEEP ? PTREMAP_EPT_KEEP : 0,
			id);
}

static bool state_fits(uint8_t state, enum outcome outcome)
{
	return outcome == EITHER ? state == PTREMAP_ACTIVE || state == PTREMAP_TAKEN
				 : state == (outcome == TAKEN ? PTREMAP_TAKEN : PTREMAP_ACTIVE);
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
	if (!comes_to(t->m, t->pid, OVER))
		return false;
	waitpid(t->pid, NULL, 0);
	return t->m->after;
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
	err = change(t, &item, 0, &t->id);
	t->m->step = GO;
	if (e->after == ENDED)
		wait_exec(t->pid);
	else
		comes_to(t->m, t->pid, HAPPENED);
	state = state_in_list(&t->c, t->id, &cause);
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
	err = change(t, &item, 0, &t->id);
	fd = (int)syscall(SYS_pidfd_open, t->pid, 0);
	kill(t->pid, SIGKILL);
	if (mrelease)
		syscall(SYS_process_mrelease, fd, 0);
	close(fd);
	wait_exec(t->pid);
	waitpid(t->pid, NULL, 0);
	state = state_in_list(&t->c, t->id, &cause);
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
	err = change(t, &item, 0, &t->id);
	there = (struct iovec){ t->m->where + PAGE, PAGE };
	want = what == PTREMAP_FRAME || what == PTREMAP_RAM ? LENT : what == PTREMAP_SWAP ? 2 : 1;
	good = process_vm_readv(t->pid, &here, 1, &there, 1, 0) == PAGE &&
	       (what == PTREMAP_FRESH ? is_zero(page) : is_filled(page, want)) &&
	       process_vm_writev(t->pid, &here, 1, &there, 1, 0) == PAGE;
	t->m->step = GO;
	comes_to(t->m, t->pid, HAPPENED);
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
	err = change(t, &item, 0, &t->id);
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
	comes_to(t->m, t->pid, HAPPENED);
	good = undo(&t->c, t->id) == 1 && good;
	check(&t->c, !err && lives_on(t, &quiet) && good,
	      "death of the source: its frame stays until the undo, original is right");
}

/* ---- the death of the controller ------------------------------------------------------------- */

/* A page of this process, which a child of it has as a copy. */
static bool lends(uint32_t what)
{
	return what == PTREMAP_FRAME || what == PTREMAP_RAM;
}

static void controller(const struct test *t, uint32_t what, uint32_t flags, uint32_t *id)
{
	struct test own = *t;
	struct ptremap_item item = item_for(t, what);

	own.c.dev = open_device();
	if (change(&own, &item, flags, id))
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
		controller(t, lends(what) ? PTREMAP_FRESH : what, keep ? PTREMAP_EDIT_KEEP : 0, id);
	waitpid(pid, NULL, 0);
	t->id = *id;
	state = state_in_list(&t->c, t->id, &cause);
	good = *id && state == (keep ? PTREMAP_ACTIVE : 0);
	if (keep)
		good = undo(&t->c, *id) > 0 && good;
	t->m->step = GO;
	comes_to(t->m, t->pid, HAPPENED);
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

	for (what = t->first; what <= t->last; what++) {
		struct test *o = &own[what - 1];
		struct ptremap_item item;

		*o = *t;
		o->m = t->m + what;
		start(o, &quiet);
		item = item_for(o, what);
		err = err ? err : change(o, &item, flags, &o->id);
	}
	return err;
}

static bool end_all(const struct test *t, struct test *own)
{
	bool good = true;
	uint32_t what;

	for (what = t->first; what <= t->last; what++) {
		struct test *o = &own[what - 1];

		o->m->step = GO;
		comes_to(o->m, o->pid, HAPPENED);
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

static void test_pressure(struct test *t)
{
	struct test own[WHAT_TABLE];
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
	check(&t->c, !err && end_all(t, own) && good && is_given_back(t),
	      "%u MiB allocated under an edit of each kind, and again after the undo: %ld pages "
	      "swapped out, %d of %d items still active, memory is right",
	      ALLOCATION >> 20, swapped_out() - swapped, active, nr);
}

/* The module is removed with edits that are kept. Nothing can be asked of it afterwards. */
static void test_rmmod(struct test *t)
{
	struct test own[WHAT_TABLE];
	int err = start_all(t, own, PTREMAP_EDIT_KEEP);
	bool good;

	close(t->c.dev);
	good = (!t->guest || !syscall(SYS_delete_module, "ptremap_kvm", O_NONBLOCK)) &&
	       !syscall(SYS_delete_module, "ptremap", O_NONBLOCK);
	good = end_all(t, own) && good;
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

	t.guest = argc == 3 && !strcmp(argv[2], "guest");
	if (argc != 2 && !t.guest) {
		fprintf(stderr, "usage: edits_events FILE [guest]\n");
		return 2;
	}
	t.first = t.guest ? PTREMAP_FRAME : PTREMAP_PROTECT;
	t.last = t.guest ? PTREMAP_FRESH : WHAT_TABLE;
	t.c.dev = open_device();
	t.file = argv[1];
	t.m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	t.lent = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (t.m == MAP_FAILED || t.lent == MAP_FAILED)
		die("mmap");
	for (what = t.first; what <= t.last; what++) {
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
