// SPDX-License-Identifier: GPL-2.0
/*
 * edits_huge_events: what the kernel does to a process with active edits of 2 MiB leaves, one thing
 * after the other.
 *
 *	edits_huge_events FILE [guest]
 *
 * A process of its own for each event, kind of memory and kind of edit is edited in the leaf of its
 * second huge page, and lets the event happen. Then the edit is undone, if that was not done
 * already. Its memory must be what it would be without the edit, and what was lent to it as before.
 * With "guest" it is the memory of a VM whose vCPU reads it without end, edits are of
 *guest-physical pages, and the guest must see what the process sees. FILE is made anew, on a disk.
 *What the kernel finds wrong by itself is in its log.
 */
#include "tests/system/ept.h"
#include "tests/system/huge_happen.h"
#include "tests/system/meeting.h"

#define LENT 99u
#define POOL 24 /* huge pages of hugetlb */
/* More than is free in the machine that the test is for. */
#define ALLOCATION (600u << 20)

struct test {
	struct checks c;
	struct meeting *m;
	const char *file;
	char *lent[2]; /* huge pages of this process; [1]: of hugetlb */
	enum huge_memory kind;
	pid_t pid;
	uint32_t id;
	bool guest;
};

/* ---- the process under test ------------------------------------------------------------------ */

/* As page 1 is, but for its 4 KiB page at PART. */
static bool part_is_right(const struct event *e, const char *huge)
{
	static char copy[HUGE];
	unsigned char there;
	bool gone = mincore((void *)(uintptr_t)(huge + PART), PAGE, &there) && errno == ENOMEM;

	fill_huge(copy, 1);
	if (gone != (e->after == PART_GONE))
		return false;
	if (!gone && (huge[PART] || huge[PART + PAGE - 1]))
		return false;
	return !memcmp(huge, copy, 8) && !memcmp(huge + PART - PAGE, copy + PART - PAGE, 8) &&
	       !memcmp(huge + PART + PAGE, copy + PART + PAGE, 8) &&
	       !memcmp(huge + HUGE - 8, copy + HUGE - 8, 8);
}

static bool page_is_right(const struct event *e, const char *huge)
{
	unsigned char there;

	switch (e->after) {
	case GONE:
		return mincore((void *)(uintptr_t)huge, PAGE, &there) && errno == ENOMEM;
	case ZERO:
	case ALL_ZERO:
		return is_huge_zero(huge);
	case PART_ZERO:
	case PART_GONE:
		return part_is_right(e, huge);
	default:
		return is_huge_filled(huge, 1);
	}
}

static bool is_right(const struct event *e, const struct mem *m)
{
	bool zero = e->after == ALL_ZERO;

	return page_is_right(e, edited(m)) &&
	       (zero ? is_huge_zero(m->p) : is_huge_filled(m->p, 0)) &&
	       (zero ? is_huge_zero(m->p + 2 * HUGE) : is_huge_filled(m->p + 2 * HUGE, 2));
}

/* KVM has entries of the page that is edited, and of the one that takes part in swaps. */
static void start_guest(struct tiny_vm *vm, const char *p)
{
	tiny_make(vm, p, HUGES * HUGE);
	tiny_read(vm, 0, TINY_GPA + HUGE);
	tiny_read(vm, 0, TINY_GPA + 2 * HUGE);
	tiny_start(vm, 0, tiny_look_code, TINY_GPA + HUGE, TINY_GPA + 2 * HUGE);
}

/* What memory is there after @e is the same for both. */
static bool guest_sees(struct tiny_vm *vm, const struct event *e, const char *before, const char *p)
{
	bool good = true;
	unsigned int i;

	tiny_stop(vm, 1);
	for (i = 1; i < 3 && p == before && e->after == SAME; i++)
		good = tiny_read(vm, 0, TINY_GPA + i * HUGE) ==
			       *(const volatile uint32_t *)(p + i * HUGE) &&
		       good;
	return good;
}

static void __attribute__((noreturn)) live(const struct event *e, const struct test *t)
{
	struct mem mem = { .kind = t->kind };
	struct meeting *m = t->m;
	struct tiny_vm vm;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	mem.p = make_huge(t->kind, HUGES, &mem.fd);
	mem.disk = open(t->file, O_RDWR | O_CREAT | O_DIRECT, 0600);
	if (mem.disk < 0)
		die(t->file);
	m->where = mem.p;
	if (t->guest)
		start_guest(&vm, mem.p);
	m->step = READY;
	wait_for(m, GO);
	m->result = e->run(&mem);
	m->step = HAPPENED;
	wait_for(m, END);
	m->after = (!t->guest || guest_sees(&vm, e, m->where, mem.p)) && is_right(e, &mem);
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
		live(e, t);
	}
	if (!comes_to(t->m, t->pid, READY))
		die("the process under test");
}

static struct ptremap_item item_for(const struct test *t, uint32_t what)
{
	struct ptremap_item i = {
		.pid = t->pid, .va = at(t->m->where + HUGE), .what = what, .level = 2
	};

	if (what == PTREMAP_PROTECT)
		i.clear = BIT_RW;
	if (what == PTREMAP_FRAME) {
		i.other_pid = getpid();
		i.other_va = at(t->lent[is_hugetlb(t->kind)]);
	}
	if (what == PTREMAP_SWAP) {
		i.other_pid = t->pid;
		i.other_va = at(t->m->where + 2 * HUGE);
	}
	return i;
}

/* The same of the guest's page. */
static struct ptremap_ept_item in_guest(const struct test *t, const struct ptremap_item *i)
{
	struct ptremap_ept_item g = { .what = i->what + PTREMAP_EPT_FRAME - PTREMAP_FRAME,
				      .gpa = TINY_GPA + i->va - at(t->m->where),
				      .level = i->level };

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
	char *lent = t->lent[is_hugetlb(t->kind)];
	struct ptremap_walk_entry e;
	int tries;

	for (tries = 0; tries < 50; tries++) {
		drain_lru();
		e = walk(&t->c, getpid(), at(lent));
		if (e.level == 2 && e.page.refcount == 1)
			return is_huge_filled(lent, LENT);
		usleep(10000);
	}
	printf("# lent page: level %d, %d references\n", e.level, e.page.refcount);
	return false;
}

/* Until it has happened. */
static void go(const struct test *t)
{
	t->m->step = GO;
	comes_to(t->m, t->pid, HAPPENED);
}

static bool lives_on(const struct test *t, const struct event *e)
{
	if (e->after != ENDED) {
		t->m->step = END;
		if (!comes_to(t->m, t->pid, OVER))
			return false;
	}
	waitpid(t->pid, NULL, 0);
	return e->after == ENDED || t->m->after;
}

static void test_event(struct test *t, const struct event *e, uint32_t what, uint32_t flags)
{
	struct ptremap_item item;
	uint8_t state = 0, cause = 0;
	int err, back;
	bool good;

	start(t, e);
	item = item_for(t, what);
	err = change(t, &item, flags, &t->id);
	if (e->after == ENDED) {
		t->m->step = GO;
		wait_exec(t->pid);
	} else {
		go(t);
	}
	state = state_in_list(&t->c, t->id, &cause);
	back = err ? err : undo(&t->c, t->id);
	good = lives_on(t, e);
	if (!err && e->after != ENDED && t->m->result == UNAVAILABLE) {
		printf("skip %s, %s, %s: not in this kernel\n", e->name, HUGE_NAMES[t->kind],
		       WHAT[what]);
		fflush(stdout);
		return;
	}
	check(&t->c,
	      !err && (e->after == ENDED || t->m->result == RIGHT) &&
		      state_fits(state, e->outcome) && good && is_given_back(t),
	      "%s, %s, %s: made (%d), %s (cause %d), undone (%d), memory is right (%d %d)", e->name,
	      HUGE_NAMES[t->kind], WHAT[what], err,
	      state == PTREMAP_ACTIVE  ? "stayed"
	      : state == PTREMAP_TAKEN ? "was taken back"
				       : "LOST",
	      cause, back, t->m->result, good);
}

/* ---- events that come from outside ----------------------------------------------------------- */

static const struct event quiet = { "", ev_none, ANY_HUGE, SAME, STAYS };

static void test_kill(struct test *t, uint32_t what)
{
	struct ptremap_item item;
	uint8_t state, cause = 0;
	int err;

	start(t, &quiet);
	item = item_for(t, what);
	err = change(t, &item, 0, &t->id);
	kill(t->pid, SIGKILL);
	wait_exec(t->pid);
	waitpid(t->pid, NULL, 0);
	state = state_in_list(&t->c, t->id, &cause);
	undo(&t->c, t->id);
	check(&t->c, !err && state == PTREMAP_TAKEN && is_given_back(t),
	      "kill -9, %s, %s: was taken back (%d, cause %d)", HUGE_NAMES[t->kind], WHAT[what],
	      err, cause);
}

/* Reads and writes of the other process' memory go where its own would. */
static void test_vm_access(struct test *t, uint32_t what)
{
	static char copy[HUGE];
	struct iovec here = { copy, HUGE }, there;
	struct ptremap_item item;
	bool good;
	int err;

	start(t, &quiet);
	item = item_for(t, what);
	err = change(t, &item, 0, &t->id);
	there = (struct iovec){ t->m->where + HUGE, HUGE };
	good = process_vm_readv(t->pid, &here, 1, &there, 1, 0) == HUGE &&
	       (what == PTREMAP_FRESH ? is_huge_zero(copy)
				      : is_huge_filled(copy, what == PTREMAP_FRAME  ? LENT
							     : what == PTREMAP_SWAP ? 2
										    : 1)) &&
	       process_vm_writev(t->pid, &here, 1, &there, 1, 0) == HUGE;
	go(t);
	undo(&t->c, t->id);
	good = lives_on(t, &quiet) && good;
	check(&t->c, !err && good && is_given_back(t),
	      "process_vm_readv and writev, %s, %s: saw what is there, original is right",
	      HUGE_NAMES[t->kind], WHAT[what]);
}

/* A 4 KiB frame of the page is wanted elsewhere: for that its mapping is split. */
static void test_small_frame(struct test *t)
{
	struct ptremap_item item, small;
	uint8_t state, cause = 0;
	uint32_t id = 0;
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int err, second;

	start(t, &quiet);
	page[0] = 1;
	item = item_for(t, PTREMAP_FRAME);
	small = (struct ptremap_item){
		.pid = getpid(),
		.va = at(page),
		.what = PTREMAP_FRAME,
		.other_pid = t->pid,
		.other_va = item.va + PART,
	};
	err = edit(&t->c, &item, &t->id);
	second = edit(&t->c, &small, &id);
	state = state_in_list(&t->c, t->id, &cause);
	go(t);
	undo(&t->c, id);
	undo(&t->c, t->id);
	check(&t->c,
	      !err && !second && state == PTREMAP_TAKEN && lives_on(t, &quiet) && is_given_back(t),
	      "a 4 KiB frame of the page is lent (%d, %d): it was taken back", err, second);
	munmap(page, PAGE);
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

	start(t, &quiet);
	pid = fork();
	if (!pid)
		controller(t, what, keep ? PTREMAP_EDIT_KEEP : 0, id);
	waitpid(pid, NULL, 0);
	state = state_in_list(&t->c, *id, &cause);
	good = *id && state == (keep ? PTREMAP_ACTIVE : 0);
	if (keep)
		good = undo(&t->c, *id) > 0 && good;
	go(t);
	check(&t->c, good && lives_on(t, &quiet), "death of the controller%s, %s, %s: %s",
	      keep ? " that keeps" : "", HUGE_NAMES[t->kind], WHAT[what],
	      keep ? "stayed until undone" : "was undone");
	munmap(id, PAGE);
}

/* ---- several at once ------------------------------------------------------------------------- */

/* A process of @kind with an edit, for each kind of those. */
static int start_all(const struct test *t, struct test *own, enum huge_memory kind, uint32_t flags)
{
	uint32_t what;
	int err = 0;

	for (what = PTREMAP_PROTECT; what <= PTREMAP_TRAP; what++) {
		struct test *o = &own[what - 1];
		struct ptremap_item item;

		*o = *t;
		o->kind = kind;
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
		go(&own[what - 1]);
		good = lives_on(&own[what - 1], &quiet) && good;
	}
	return good;
}

static void test_pressure(struct test *t, enum huge_memory kind)
{
	struct test own[PTREMAP_TRAP];
	struct ptremap_record r[16];
	int err, nr, i, active = 0;
	bool good;

	err = start_all(t, own, kind, 0);
	good = fill_memory(ALLOCATION);
	nr = list(&t->c, r, 16);
	for (i = 0; i < nr && i < 16; i++)
		active += r[i].state == PTREMAP_ACTIVE;
	undo(&t->c, 0);
	check(&t->c, !err && end_all(own) && good,
	      "%u MiB allocated under an edit of each kind of %s: %d of %d items still active, "
	      "memory is right (%d)",
	      ALLOCATION >> 20, HUGE_NAMES[kind], active, nr, err);
}

/* The module is removed with edits that are kept. Nothing can be asked of it afterwards. */
static void test_rmmod(struct test *t)
{
	struct test own[PTREMAP_TRAP];
	int err = start_all(t, own, HUGE_ANON, PTREMAP_EDIT_KEEP);
	bool good;

	close(t->c.dev);
	good = !syscall(SYS_delete_module, "ptremap", O_NONBLOCK);
	good = end_all(own) && good;
	check(&t->c, !err && good && is_huge_filled(t->lent[0], LENT),
	      "rmmod with kept edits of each kind: originals are back (%d)", err);
}

/* In KiB, as the kernel counts it when it is asked to. */
static long counted(const char *name)
{
	drain_lru();
	write_file("/proc/sys/vm/stat_refresh", "1");
	return kib_of("/proc/meminfo", name);
}

static char *make_lent(enum huge_memory kind)
{
	int fd;
	char *p = make_huge(kind, 1, &fd);

	if (madvise(p, HUGE, MADV_DONTFORK) || mlock(p, HUGE))
		die("lent page");
	fill_huge(p, LENT);
	return p;
}

static void test_kind(struct test *t, uint32_t what)
{
	size_t i;

	for (i = 0; i < sizeof(events) / sizeof(*events); i++)
		if (events[i].of & OF(t->kind))
			test_event(t, &events[i], what, i % 2 ? PTREMAP_EDIT_KEEP : 0);
	test_kill(t, what);
	test_vm_access(t, what);
	if (what == PTREMAP_FRAME)
		return; /* the controller lends a page, which a child of it has not */
	test_controller_death(t, what, false);
	test_controller_death(t, what, true);
}

/* What the kernel counts is what it was; but soft offline may have taken pages for ever. */
static void test_counts(struct test *t, long anon, long shmem)
{
	long total = count_hugetlb("HugePages_Total"), unused = count_hugetlb("HugePages_Free");

	check(&t->c, counted("AnonHugePages") == anon && counted("ShmemHugePages") == shmem,
	      "huge pages: anonymous %ld KiB (%ld before), tmpfs %ld KiB (%ld)",
	      counted("AnonHugePages"), anon, counted("ShmemHugePages"), shmem);
	check(&t->c, unused == total - 1 && total > POOL / 2 && !count_hugetlb("HugePages_Rsvd"),
	      "huge pages of hugetlb are free again: %ld of %ld, one is lent", unused, total);
}

/* Of guests' pages: frames, in one memory of huge pages of each sort. */
static bool is_wanted(const struct test *t, uint32_t what)
{
	if (!t->guest)
		return true;
	return what >= PTREMAP_FRAME && what <= PTREMAP_FRESH &&
	       (t->kind == HUGE_ANON || t->kind == HUGETLB_SHARED);
}

int main(int argc, char **argv)
{
	static struct test t;
	long anon, shmem;
	uint32_t what;

	t.guest = argc == 3 && !strcmp(argv[2], "guest");
	if (argc != 2 && !t.guest) {
		fprintf(stderr, "usage: edits_huge_events FILE [guest]\n");
		return 2;
	}
	t.c.dev = open_device();
	t.file = argv[1];
	allow_huge(POOL);
	t.lent[0] = make_lent(HUGE_ANON);
	t.lent[1] = make_lent(HUGETLB_PRIVATE);
	t.m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	anon = counted("AnonHugePages");
	shmem = counted("ShmemHugePages");
	for (t.kind = 0; t.kind < HUGE_MEMORIES; t.kind++)
		for (what = PTREMAP_PROTECT; what <= PTREMAP_TRAP; what++)
			if (is_possible(t.kind, what) && is_wanted(&t, what))
				test_kind(&t, what);
	if (t.guest)
		return t.c.failed > 0;
	t.kind = HUGE_ANON;
	test_small_frame(&t);
	check(&t.c, list(&t.c, NULL, 0) == 0, "no edit is left");
	test_counts(&t, anon, shmem);
	munmap(t.lent[1], HUGE);
	write_file("/proc/sys/vm/nr_hugepages", "0");
	test_pressure(&t, HUGE_ANON);
	test_pressure(&t, HUGE_TMPFS);
	test_rmmod(&t);
	return t.c.failed > 0;
}
