// SPDX-License-Identifier: GPL-2.0
/*
 * mirrors: what happens to the memory behind a window and to the window itself; huge pages; the
 * whole of the low 4 GiB; other processes; requests that are wrong.
 *
 * mirrors peek VA...: prints what is there, once a byte comes on stdin.
 */
#include <sys/wait.h>

#include "tests/system/mirror.h"

#define GVA	  0x40000000ull
#define LEN	  (16 * MIB)
#define RAM	  (32 * MIB)
#define LOW	  0x10000ull
#define HUGE	  (2 * MIB)
#define WRITTEN	  0x1234567ull
#define ELSEWHERE 77

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* A guest whose pages from GVA on are its memory from 0 on, and a window over them. */
struct fixture {
	struct guest guest;
	struct ptremap_mirror_window window;
};

static void setup(struct checks *c, struct fixture *f, unsigned int max_level, uint32_t flags)
{
	guest_init(&f->guest, RAM);
	fill_ram(&f->guest);
	guest_map(&f->guest, GVA, 0, LEN, RW_U, max_level);
	mirror_guest(c, &f->guest, GVA, LEN, flags, &f->window);
}

static void teardown(struct fixture *f)
{
	ptremap_mirror_destroy(&f->window);
	guest_exit(&f->guest);
}

/* What page @page shows; 0: a signal. */
static uint64_t shown(const struct fixture *f, uint64_t page)
{
	uint64_t value = 0;

	return load(in_window(&f->window, GVA + page * PAGE), &value) ? 0 : value;
}

static unsigned int why_page(const struct fixture *f, uint64_t page)
{
	return why(&f->window, in_window(&f->window, GVA + page * PAGE));
}

/* ---- what the host does to the memory -------------------------------------------------------- */

/* Done to page @p of the memory; true if page 1 of the window is then as it has to be. */
static bool after_cow(struct fixture *f, uint8_t *p)
{
	pid_t pid = fork();

	if (!pid) {
		usleep(20000);
		_exit(*word(p, 0) != content(1));
	}
	*word(p, 0) = WRITTEN; /* the parent gets another frame */
	waitpid(pid, NULL, 0);
	return shown(f, 1) == WRITTEN;
}

static bool after_write_and_fork(struct fixture *f, uint8_t *p)
{
	uint64_t *in = in_window(&f->window, GVA + PAGE);
	int status;
	pid_t pid;

	store(in, 1);
	pid = fork();
	if (!pid) {
		usleep(20000);
		_exit(*word(p, 0) != 1);
	}
	store(in, 2); /* not in the child's memory */
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && !WEXITSTATUS(status) && *word(p, 0) == 2 && shown(f, 1) == 2;
}

static bool after_discard(struct fixture *f, uint8_t *p)
{
	madvise(p, PAGE, MADV_DONTNEED);
	*word(p, 8) = WRITTEN;
	return !*word(p, 0) && !shown(f, 1) && in_window(&f->window, GVA + PAGE)[1] == WRITTEN;
}

static bool after_unmap(struct fixture *f, uint8_t *p)
{
	munmap(p, PAGE);
	return !shown(f, 1) && got_signal == SIGSEGV && why_page(f, 1) == PTREMAP_MIRROR_HOST;
}

static bool after_none(struct fixture *f, uint8_t *p)
{
	bool hole;

	mprotect(p, PAGE, PROT_NONE);
	hole = !shown(f, 1) && why_page(f, 1) == PTREMAP_MIRROR_HOST;
	mprotect(p, PAGE, PROT_READ);
	return hole && shown(f, 1) == content(1);
}

static bool after_read_only(struct fixture *f, uint8_t *p)
{
	uint64_t *in = in_window(&f->window, GVA + PAGE);

	store(in, WRITTEN);
	mprotect(p, PAGE, PROT_READ);
	return store(in, 1) == SIGSEGV && why_page(f, 1) == PTREMAP_MIRROR_HOST &&
	       shown(f, 1) == WRITTEN;
}

static bool after_move(struct fixture *f, uint8_t *p)
{
	void *to = reserve(PAGE, PAGE);

	return mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to && !shown(f, 1) &&
	       why_page(f, 1) == PTREMAP_MIRROR_HOST && *word(to, 0) == content(1);
}

static bool after_replace(struct fixture *f, uint8_t *p)
{
	mmap(p, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	*word(p, 0) = WRITTEN;
	return shown(f, 1) == WRITTEN;
}

static bool after_pageout(struct fixture *f, uint8_t *p)
{
	madvise(p, PAGE, MADV_PAGEOUT);
	return shown(f, 1) == content(1);
}

static bool after_collapse(struct fixture *f, uint8_t *p)
{
	uint64_t page;

	madvise(p - PAGE, HUGE, MADV_COLLAPSE);
	for (page = 0; page < HUGE / PAGE; page++) {
		if (shown(f, page) != content(page))
			return false;
	}
	return true;
}

static bool after_compaction(struct fixture *f, uint8_t *p)
{
	int fd = open("/proc/sys/vm/compact_memory", O_WRONLY);
	bool asked = write(fd, "1", 1) == 1;

	close(fd);
	*word(p, 0) = WRITTEN;
	return asked && shown(f, 1) == WRITTEN;
}

static bool after_nothing(struct fixture *f, uint8_t *p)
{
	store(in_window(&f->window, GVA + PAGE), WRITTEN);
	return *word(p, 0) == WRITTEN && shown(f, 1) == WRITTEN;
}

static const struct {
	const char *what;
	bool (*happens)(struct fixture *f, uint8_t *p);
} events[] = {
	{ "a store through the window", after_nothing },
	{ "a copy on write", after_cow },
	{ "a store, and then a fork", after_write_and_fork },
	{ "MADV_DONTNEED", after_discard },
	{ "munmap", after_unmap },
	{ "PROT_NONE", after_none },
	{ "PROT_READ", after_read_only },
	{ "mremap", after_move },
	{ "another mapping", after_replace },
	{ "MADV_PAGEOUT", after_pageout },
	{ "MADV_COLLAPSE", after_collapse },
	{ "compaction", after_compaction },
};

/* With small pages, and with huge ones of guest and host. */
static void host_events(struct checks *c, unsigned int max_level)
{
	struct fixture f;
	size_t i;

	for (i = 0; i < sizeof(events) / sizeof(*events); i++) {
		bool seen, good;

		setup(c, &f, max_level, 0);
		madvise(f.guest.ram, RAM, max_level > 1 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
		if (max_level > 1)
			madvise(f.guest.ram, HUGE, MADV_COLLAPSE);
		seen = shown(&f, 1) == content(1);
		good = events[i].happens(&f, f.guest.ram + PAGE);
		check(c, seen && good, "level %u: %s: %s", max_level, events[i].what,
		      seen ? "the window shows it" : "nothing is shown before");
		teardown(&f);
	}
}

/* ---- huge pages ---------------------------------------------------------------------------------
 */

/* The size of the page of @va that the CPU sees; 0: none. */
static unsigned int level_at(const struct checks *c, const void *va)
{
	struct ptremap_walk_entry e = walk(c, getpid(), at(va));

	return !e.status && e.entry[e.level - 1] & PT_P ? e.level : 0;
}

static void huge_pages(struct checks *c)
{
	struct fixture f;
	uint64_t *in;

	setup(c, &f, 2, PTREMAP_MIRROR_AD);
	in = in_window(&f.window, GVA);
	madvise(f.guest.ram, RAM, MADV_HUGEPAGE);
	if (madvise(f.guest.ram, HUGE, MADV_COLLAPSE))
		memset(f.guest.ram, 0, HUGE);
	fill_ram(&f.guest);
	if (level_at(c, f.guest.ram) != 2) {
		check(c, false, "the host has a huge page");
		teardown(&f);
		return;
	}
	check(c, shown(&f, 5) == content(5) && level_at(c, in) == 2,
	      "huge: one entry of 2 MiB, to be read");
	check(c,
	      !store(in + PAGE / 8 * 7, WRITTEN) && level_at(c, in) == 2 &&
		      *word(f.guest.ram, 7 * PAGE) == WRITTEN,
	      "huge: and to be written");
	madvise(f.guest.ram + 3 * PAGE, PAGE, MADV_DONTNEED);
	check(c, shown(&f, 5) == content(5) && !shown(&f, 3) && level_at(c, in + 5 * PAGE / 8) == 1,
	      "huge: when the host splits it, so does the window");
	teardown(&f);
}

/* ---- what the guest does ----------------------------------------------------------------------
 */

static void guest_changes(struct checks *c)
{
	struct fixture f;
	uint64_t *leaf1;

	setup(c, &f, 1, PTREMAP_MIRROR_AD);
	leaf1 = guest_leaf(&f.guest, GVA + PAGE);
	check(c, !(*leaf1 & (PT_A | PT_D)), "A and D: neither before");
	check(c, shown(&f, 1) == content(1) && (*leaf1 & (PT_A | PT_D)) == PT_A,
	      "A and D: A after a load");
	check(c, !(*guest_leaf(&f.guest, GVA + 2 * PAGE) & PT_A),
	      "A and D: not of the page beside it");
	store(in_window(&f.window, GVA + PAGE), content(1));
	check(c, *leaf1 & PT_D, "A and D: D after a store");
	*leaf1 = (*leaf1 & ~PT_A & ~PT_D & ~0xfffff000ull) | ELSEWHERE * PAGE;
	check(c,
	      !ptremap_mirror_invalidate(&f.window, GVA + PAGE, 1) &&
		      shown(&f, 1) == content(ELSEWHERE) && *leaf1 & PT_A,
	      "after INVLPG the window shows another page");
	*leaf1 &= ~PT_RW;
	ptremap_mirror_invalidate(&f.window, 0, 0);
	check(c,
	      store(in_window(&f.window, GVA + PAGE), 1) == SIGSEGV &&
		      why_page(&f, 1) == PTREMAP_MIRROR_PERMISSION && !(*leaf1 & PT_D),
	      "a store to what is read-only");
	*leaf1 &= ~PT_US;
	ptremap_mirror_invalidate(&f.window, GVA, LEN);
	check(c, !shown(&f, 1) && why_page(&f, 1) == PTREMAP_MIRROR_PERMISSION,
	      "a user's load from a supervisor's page");
	check(c,
	      !ptremap_mirror_switch(&f.window, f.guest.space.root, 1, 0, 0) &&
		      shown(&f, 1) == content(ELSEWHERE) &&
		      !store(in_window(&f.window, GVA + PAGE), WRITTEN),
	      "a supervisor may, and may write with CR0.WP clear");
	ptremap_mirror_switch(&f.window, f.guest.space.root, 0, PTREMAP_MIRROR_USER, 0);
	check(c, !shown(&f, 1), "back at the user");
	*leaf1 = RAM | PT_P | PT_US;
	ptremap_mirror_invalidate(&f.window, GVA, LEN);
	check(c, !shown(&f, 1) && why_page(&f, 1) == PTREMAP_MIRROR_MMIO, "what is no memory");
	*leaf1 = PT_BIT(45) | PT_P | PT_US;
	check(c, !shown(&f, 1) && why_page(&f, 1) == PTREMAP_MIRROR_RESERVED, "a reserved bit");
	*leaf1 = 0;
	check(c, !shown(&f, 1) && why_page(&f, 1) == PTREMAP_MIRROR_NOT_PRESENT, "a hole");
	teardown(&f);
}

/* Roots that are warm do not fault again for each page. */
static void warm_roots(struct checks *c)
{
	struct fixture f;
	uint64_t first, page, walked;

	setup(c, &f, 1, 0);
	first = f.guest.space.root;
	new_root(&f.guest);
	guest_map(&f.guest, GVA, LEN, LEN, RW_U, 1);
	for (page = 0; page < 512; page++)
		shown(&f, page);
	ptremap_mirror_switch(&f.window, f.guest.space.root, 1, PTREMAP_MIRROR_USER, 0);
	check(c, shown(&f, 1) == content(LEN / PAGE + 1), "another root shows other pages");
	ptremap_mirror_switch(&f.window, first, 0, PTREMAP_MIRROR_USER | PTREMAP_MIRROR_WP, 0);
	walked = f.window.page->walked;
	for (page = 0; page < 512 && shown(&f, page) == content(page); page++)
		;
	check(c, page == 512 && f.window.page->walked == walked,
	      "the first root is still warm: %d walks", (int)(f.window.page->walked - walked));
	*word(f.guest.ram, 0) = WRITTEN; /* nothing of the host */
	madvise(f.guest.ram + LEN, PAGE, MADV_DONTNEED);
	ptremap_mirror_switch(&f.window, f.guest.space.root, 1, PTREMAP_MIRROR_USER, 0);
	check(c, !shown(&f, 0), "what the host took is not warm");
	ptremap_mirror_switch(&f.window, first, 0, PTREMAP_MIRROR_USER | PTREMAP_MIRROR_WP,
			      PTREMAP_MIRROR_FORGET);
	check(c, shown(&f, 0) == WRITTEN && f.window.page->walked > walked, "FORGET walks again");
	teardown(&f);
}

/* What may be executed is the guest's word; a fetch that it forbids is told apart by its code. */
static void execution(struct checks *c)
{
	static const uint8_t code[] = { 0xb8, 42, 0, 0, 0, 0xc3 }; /* mov $42, %eax; ret */
	struct ptremap_mirror_record r = { 0 };
	struct fixture f;
	int (*volatile there)(void);

	setup(c, &f, 1, PTREMAP_MIRROR_EXEC);
	memcpy(f.guest.ram + PAGE, code, sizeof(code));
	*guest_leaf(&f.guest, GVA + PAGE) &= ~PT_NX;
	there = (int (*)(void))(uintptr_t)in_window(&f.window, GVA + PAGE);
	check(c, shown(&f, 1) && there() == 42, "code of the guest runs");
	*guest_leaf(&f.guest, GVA + PAGE) |= PT_NX;
	ptremap_mirror_invalidate(&f.window, GVA + PAGE, PAGE);
	if (!sigsetjmp(out, 0))
		there();
	check(c,
	      got_signal == SIGSEGV &&
		      !ptremap_mirror_why(&f.window, (void *)(uintptr_t)there, got_code, 0, &r) &&
		      r.why == PTREMAP_MIRROR_PERMISSION && r.access == PTREMAP_MAP_EXEC,
	      "NX, and nothing is mapped yet: access %u", r.access);
	check(c, shown(&f, 1), "it can be read");
	if (!sigsetjmp(out, 0))
		there();
	check(c,
	      got_code == SEGV_ACCERR &&
		      !ptremap_mirror_why(&f.window, (void *)(uintptr_t)there, got_code, 0, &r) &&
		      r.access == PTREMAP_MAP_EXEC,
	      "NX, and it is mapped: a fetch is forbidden");
	teardown(&f);
}

/* ---- the whole of the low 4 GiB ----------------------------------------------------------------
 */

static void low_window(struct checks *c)
{
	struct guest g;
	struct ptremap_mirror req;
	struct ptremap_mirror_window w;
	uint64_t gva, value = 0, wrong = 0, n = 0;
	int err;

	guest_init(&g, RAM);
	fill_ram(&g);
	/* Each MiB leads to another page. */
	for (gva = 0; gva < 4 * GIB; gva += MIB)
		guest_map(&g, gva + LOW, gva / MIB % (RAM / PAGE) * PAGE, PAGE, RW_U, 1);
	guest_map(&g, 4 * GIB - PAGE, ELSEWHERE * PAGE, PAGE, RW_U, 1);
	req = mirror_request(&g, LOW, 4 * GIB - LOW);
	req.va = LOW;
	err = make_mirror(c, &g, &req, &w);
	check(c, !err, "a window from 0x10000 to 4 GiB: %s", err ? strerror(-err) : "made");
	if (err)
		return;
	for (gva = LOW; gva < 4 * GIB; gva += MIB, n++) {
		if (load((uint64_t *)(uintptr_t)gva, &value) ||
		    value != content((gva - LOW) / MIB % (RAM / PAGE)))
			wrong++;
	}
	check(c, !wrong, "%" PRIu64 " addresses, guest and host the same; %" PRIu64 " wrong", n,
	      wrong);
	check(c,
	      !load((uint64_t *)(uintptr_t)(4 * GIB - PAGE), &value) && value == content(ELSEWHERE),
	      "its last page");
	check(c,
	      load((uint64_t *)(uintptr_t)(LOW + PAGE), &value) == SIGSEGV &&
		      why(&w, (void *)(uintptr_t)(LOW + PAGE)) == PTREMAP_MIRROR_NOT_PRESENT,
	      "a hole between them");
	check(c,
	      load((uint64_t *)(uintptr_t)8, &value) == SIGSEGV && !why(&w, (void *)(uintptr_t)8),
	      "address 0 is not mapped");
	ptremap_mirror_destroy(&w);
	check(c, load((uint64_t *)(uintptr_t)LOW, &value) == SIGSEGV, "nothing is left there");
	guest_exit(&g);
}

/* ---- the window's own end ----------------------------------------------------------------------
 */

static bool in_maps(void)
{
	char line[512];
	FILE *f = fopen("/proc/self/maps", "r");
	bool found = false;

	while (f && fgets(line, sizeof(line), f))
		found |= strstr(line, "[ptremap]") != NULL;
	if (f)
		fclose(f);
	return found;
}

static void window_ends(struct checks *c)
{
	struct fixture f;
	void *window;
	int status;
	pid_t pid;

	setup(c, &f, 1, 0);
	window = in_window(&f.window, GVA);
	check(c, shown(&f, 1) == content(1) && in_maps(), "a window is in the list of mappings");
	check(c, munmap(window, PAGE) && errno == EINVAL, "a part of it cannot be unmapped");
	check(c, mprotect(window, LEN, PROT_READ) && errno == EACCES, "mprotect is refused");
	check(c, madvise(window, LEN, MADV_DOFORK), "it cannot be inherited");
	pid = fork();
	if (!pid)
		_exit(shown(&f, 1) || got_signal != SIGSEGV);
	waitpid(pid, &status, 0);
	check(c, !status, "a child has none");
	check(c, shown(&f, 2) == content(2), "the parent has it still");
	check(c, !munmap(window, LEN) && !in_maps() && !f.window.page->held, "munmap of it all");
	check(c,
	      !ptremap_mirror_switch(&f.window, 0, 1, 0, 0) &&
		      !ptremap_mirror_invalidate(&f.window, 0, 0),
	      "its calls do no harm then");
	teardown(&f);
	setup(c, &f, 1, 0);
	shown(&f, 1);
	window = in_window(&f.window, GVA);
	mmap(window, LEN, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	check(c, !shown(&f, 1) && !in_maps(), "another mapping over it");
	munmap(window, LEN);
	teardown(&f);
	setup(c, &f, 1, 0);
	shown(&f, 1);
	window = mremap(in_window(&f.window, GVA), LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED,
			(char *)in_window(&f.window, GVA) + GIB);
	check(c, window == MAP_FAILED || load(window, (uint64_t *)&window) == SIGBUS,
	      "mremap does not take it along");
	teardown(&f);
	check(c, !in_maps(), "and nothing is left");
	munmap((char *)(uintptr_t)(VA + GIB), LEN);
}

/* ---- two processes ------------------------------------------------------------------------------
 */

static void wait_forever(void)
{
	for (;;)
		pause();
}

/* The memory is a child's, or the window is. */
static void others_memory(struct checks *c)
{
	struct ptremap_mirror_window w;
	struct ptremap_mirror req;
	struct guest g;
	uint64_t value = 0;
	pid_t pid;
	int err, status;

	guest_init(&g, RAM);
	fill_ram(&g);
	guest_map(&g, GVA, 0, LEN, RW_U, 1);
	pid = fork();
	if (!pid)
		wait_forever();
	memset(g.ram, 0, RAM); /* the child's is still as it was */
	req = mirror_request(&g, GVA, LEN);
	req.ram_pid = pid;
	err = make_mirror(c, &g, &req, &w);
	check(c, !err && !load(in_window(&w, GVA + PAGE), &value) && value == content(1),
	      "the memory of another process: %s", err ? strerror(-err) : "shown");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	check(c,
	      !err && load(in_window(&w, GVA + PAGE), &value) == SIGSEGV &&
		      why(&w, in_window(&w, GVA + PAGE)) == PTREMAP_MIRROR_HOST,
	      "and when that has ended: a hole");
	if (!err)
		ptremap_mirror_destroy(&w);
	guest_exit(&g);
}

static void others_window(struct checks *c)
{
	struct ptremap_mirror_window w;
	struct ptremap_mirror req;
	struct guest g;
	int err, status, go[2];
	char byte = 0;
	pid_t pid;

	guest_init(&g, RAM);
	fill_ram(&g);
	guest_map(&g, GVA, 0, LEN, RW_U, 1);
	if (pipe(go))
		die("pipe");
	pid = fork();
	if (!pid) {
		if (read(go[0], &byte, 1) != 1)
			_exit(9);
		_exit(*(volatile uint64_t *)(uintptr_t)(VA + PAGE) == content(1) ? 3 : 4);
	}
	req = mirror_request(&g, GVA, LEN);
	req.pid = pid;
	err = make_mirror(c, &g, &req, &w);
	if (write(go[1], &byte, 1) != 1)
		die("write");
	waitpid(pid, &status, 0);
	check(c, !err && WIFEXITED(status) && WEXITSTATUS(status) == 3,
	      "a window of another process: %s", err ? strerror(-err) : "shows it");
	if (!err)
		ptremap_mirror_destroy(&w);
	close(go[0]);
	close(go[1]);
	guest_exit(&g);
}

/* ---- requests that are wrong -------------------------------------------------------------------
 */

static const struct wrong {
	const char *what;
	int want;
	struct ptremap_mirror change; /* what is not 0 replaces what is right */
} wrongs[] = {
	{ "an unknown flag", -EINVAL, { .flags = 1u << 20 } },
	{ "an unknown feature", -EINVAL, { .features = 1u << 20 } },
	{ "an unknown register bit", -EINVAL, { .cpu = 1u << 20 } },
	{ "an unknown tag", -EINVAL, { .tag = PTREMAP_MIRROR_TAGS } },
	{ "a reserved field", -EINVAL, { .reserved = 1 } },
	{ "an unknown format", -EPROTO, { .mode = 9 } },
	{ "a physical address width of 200", -EPROTO, { .maxphyaddr = 200 } },
	{ "too large", -EMSGSIZE, { .len = PTREMAP_MIRROR_MAX_LEN + PAGE } },
	{ "too many ranges", -EMSGSIZE, { .nr_ranges = PTREMAP_MIRROR_MAX_RANGES + 1 } },
	{ "an address within a page", -EDOM, { .va = VA + 8 } },
	{ "an address of the kernel", -EDOM, { .va = 0xffff800000000000 } },
	{ "a length within a page", -EDOM, { .len = PAGE + 8 } },
	{ "a guest's address within a page", -EDOM, { .gva = GVA + 8 } },
	{ "guest's addresses that wrap", -EDOM, { .gva = 0xfffffffffffff000 } },
	{ "more than 4 GiB of 32 bits", -EDOM, { .mode = PTREMAP_MIRROR_PAE, .gva = 0xfffff000 } },
	{ "below vm.mmap_min_addr", -EADDRNOTAVAIL, { .va = PAGE } },
	{ "no such process", -ESRCH, { .pid = 0x3ffffffe } },
	{ "a kernel thread's memory", -ENXIO, { .ram_pid = 2 } },
	{ "no pidfd", -EBADF, { .flags = PTREMAP_PIDFD, .pid = 1000000 } },
	{ "ranges that are not the caller's", -EFAULT, { .ranges = 0xffff800000000000 } },
};

static const struct {
	const char *what;
	struct ptremap_mirror_range range;
} wrong_ranges[] = {
	{ "an empty range", { .hva = VA } },
	{ "a range within a page", { .len = 8, .hva = VA } },
	{ "a range beyond the guest's addresses", { .gpa = 1ull << 40, .len = PAGE, .hva = VA } },
	{ "a range that wraps", { .gpa = PAGE, .len = -(uint64_t)PAGE, .hva = VA } },
	{ "a range of the kernel", { .len = PAGE, .hva = 0xffff800000000000 } },
	{ "a range that overlaps", { .gpa = TABLES, .len = PAGE, .hva = VA } },
};

static struct ptremap_mirror changed(const struct ptremap_mirror *good, const struct wrong *w)
{
	const struct ptremap_mirror *change = &w->change;
	struct ptremap_mirror m = *good;

	m.va = change->va ? change->va : m.va;
	m.len = change->len ? change->len : m.len;
	m.gva = change->gva ? change->gva : m.gva;
	m.pid = change->pid;
	m.ram_pid = change->ram_pid;
	m.flags = change->flags;
	m.mode = change->mode ? change->mode : m.mode;
	m.features = change->features ? change->features : m.features;
	m.cpu = change->cpu ? change->cpu : m.cpu;
	m.tag = change->tag;
	m.reserved = change->reserved;
	m.maxphyaddr = change->maxphyaddr ? change->maxphyaddr : m.maxphyaddr;
	m.nr_ranges = change->nr_ranges ? change->nr_ranges : m.nr_ranges;
	m.ranges = change->ranges ? change->ranges : m.ranges;
	return m;
}

static void refuse(struct checks *c, const char *what, struct ptremap_mirror *m, int want)
{
	struct ptremap_mirror_window w;
	int err = ptremap_mirror_create(c->dev, m, &w);

	check(c, err == want && !in_maps(), "refused: %s: %s", what, ptremap_mirror_strerror(err));
	if (!err)
		ptremap_mirror_destroy(&w);
}

static void refused(struct checks *c)
{
	struct ptremap_mirror_range ranges[3];
	struct ptremap_mirror good, m;
	struct guest g;
	size_t i;
	void *there;

	guest_init(&g, RAM);
	guest_ranges(&g, ranges);
	good = mirror_request(&g, GVA, LEN);
	good.ranges = at(ranges);
	good.nr_ranges = 2;
	for (i = 0; i < sizeof(wrongs) / sizeof(*wrongs); i++) {
		m = changed(&good, &wrongs[i]);
		refuse(c, wrongs[i].what, &m, wrongs[i].want);
	}
	good.nr_ranges = 3;
	for (i = 0; i < sizeof(wrong_ranges) / sizeof(*wrong_ranges); i++) {
		ranges[2] = wrong_ranges[i].range;
		m = good;
		refuse(c, wrong_ranges[i].what, &m, -ERANGE);
	}
	good.nr_ranges = 2;
	there = mmap((void *)(uintptr_t)(VA + LEN - PAGE), PAGE, PROT_READ,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	m = good;
	refuse(c, "over an existing mapping", &m, -EEXIST);
	munmap(there, PAGE);
	guest_exit(&g);
}

/* The right that is missing is asked for when the device is opened, and at each call. */
static void not_root(struct checks *c)
{
	struct ptremap_mirror m = { .len = PAGE };
	struct ptremap_mirror_window w;
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (setuid(65534))
			_exit(9);
		_exit(ptremap_open() != -EACCES || ptremap_mirror_create(c->dev, &m, &w) != -EPERM);
	}
	waitpid(pid, &status, 0);
	check(c, !status, "refused: not root: %s", ptremap_mirror_strerror(-EPERM));
}

/* For windows that others make here: the words at addresses, after the first byte of stdin. */
static int peek(char **addresses)
{
	uint64_t value;

	if (getchar() == EOF)
		return 1;
	for (; *addresses; addresses++) {
		if (load((uint64_t *)(uintptr_t)strtoull(*addresses, NULL, 0), &value))
			printf("signal %d\n", got_signal);
		else
			printf("0x%" PRIx64 "\n", value);
	}
	return 7;
}

int main(int argc, char **argv)
{
	struct checks c = { .dev = ptremap_open() };

	if (c.dev < 0)
		die(PTREMAP_DEVICE);
	catch_faults();
	if (argc > 2 && !strcmp(argv[1], "peek"))
		return peek(argv + 2);
	guest_changes(&c);
	warm_roots(&c);
	execution(&c);
	host_events(&c, 1);
	host_events(&c, 2);
	huge_pages(&c);
	low_window(&c);
	window_ends(&c);
	others_memory(&c);
	others_window(&c);
	refused(&c);
	not_root(&c);
	return c.failed > 0;
}
