// SPDX-License-Identifier: GPL-2.0
/*
 * mirrors: what happens to the memory behind a window, what the guest does, roots, huge pages.
 */
#include <sys/wait.h>

#include "tests/system/mirror.h"

#define HUGE	  (2 * MIB)
#define WRITTEN	  0x1234567ull
#define ELSEWHERE 77

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

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

/* What the module lists of it, and nothing else is there. */
static void listed(struct checks *c, const struct fixture *f, uint64_t first)
{
	struct ptremap_mirror_range *r;
	struct ptremap_mirror_info *m;
	size_t nr;
	int err = ptremap_mirror_list(c->dev, &m, &nr, &r);

	check(c, !err && nr == 1 && m->pid == getpid() && m->ram_pid == getpid(),
	      "one mirror is listed: %d, %zu", err, nr);
	if (err || !nr)
		return;
	check(c,
	      m->va == f->window.va && m->len == LEN && m->gva == GVA &&
		      m->mode == PTREMAP_MIRROR_4LEVEL && m->held == f->window.page->held,
	      "its window, and what it holds: %llu", m->held);
	check(c,
	      m->nr_roots == 2 && m->roots[0].root == f->guest.space.root && m->roots[0].tag == 1 &&
		      m->roots[0].cpu == PTREMAP_MIRROR_USER && m->roots[1].root == first &&
		      !m->roots[1].tag,
	      "its %u roots, the one in use first", m->nr_roots);
	check(c,
	      m->nr_ranges == 2 && r[0].hva == at(f->guest.ram) && r[0].len == RAM &&
		      r[1].gpa == TABLES && r[1].hva == at(f->guest.tables),
	      "its memory in %u ranges", m->nr_ranges);
	free(m);
	free(r);
}

static void listed_no_more(struct checks *c, const char *what)
{
	struct ptremap_mirror_range *r;
	struct ptremap_mirror_info *m;
	size_t nr = 99;
	int err = ptremap_mirror_list(c->dev, &m, &nr, &r);

	check(c, !err && !nr, "%s: no mirror is listed: %d, %zu", what, err, nr);
	free(m);
	free(r);
}

/* More than what one call has room for at first; a window that was unmapped is none. */
static void many_listed(struct checks *c)
{
	struct ptremap_mirror_window w[40];
	struct ptremap_mirror_range *r;
	struct ptremap_mirror_info *m;
	struct ptremap_mirror req;
	struct guest g;
	size_t nr, i, good = 0;
	int err;

	guest_init(&g, RAM);
	for (i = 0; i < 40; i++) {
		req = mirror_request(&g, GVA, PAGE);
		req.va += i * 2 * MIB;
		if (make_mirror(c, &g, &req, &w[i]))
			die("mirror");
	}
	munmap((void *)(uintptr_t)w[7].va, PAGE);
	err = ptremap_mirror_list(c->dev, &m, &nr, &r);
	for (i = 0; !err && i < nr; i++)
		good += m[i].va == VA + (i + (i >= 7)) * 2 * MIB && r[2 * i].hva == at(g.ram);
	check(c, !err && nr == 39 && good == 39, "%zu of 39 mirrors are listed in order: %d", good,
	      err);
	free(m);
	free(r);
	for (i = 0; i < 40; i++)
		ptremap_mirror_destroy(&w[i]);
	guest_exit(&g);
	listed_no_more(c, "they have ended");
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
	listed(c, &f, first);
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
	listed_no_more(c, "it has ended");
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

int main(void)
{
	struct checks c = { .dev = ptremap_open() };

	if (c.dev < 0)
		die(PTREMAP_DEVICE);
	catch_faults();
	guest_changes(&c);
	warm_roots(&c);
	many_listed(&c);
	execution(&c);
	host_events(&c, 1);
	host_events(&c, 2);
	huge_pages(&c);
	return c.failed > 0;
}
