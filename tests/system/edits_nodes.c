// SPDX-License-Identifier: GPL-2.0
/*
 * edits_nodes: pages with active edits are wanted elsewhere: on another NUMA node, or in a huge
 * page.
 *
 *	edits_nodes PTREMAP
 *
 * The process edits itself, then asks the kernel to move its pages, or lets NUMA balancing or
 * khugepaged find them. An edit stays or is taken back first; whatever happens the memory is right
 * after the undo, and no reference is left. The nodes that the module and PTREMAP, the program,
 * tell are those of move_pages(). It needs two nodes.
 */
#include <linux/mempolicy.h>
#include <sched.h>
#include <time.h>

#include "tests/system/edits.h"

#define PAGES	  512
#define REGION	  ((size_t)PAGES * PAGE)
#define EDITED	  1
#define TWIN	  2
#define LENT	  9999u
#define BALANCING "/sys/kernel/debug/sched/numa_balancing/"
#define KHUGE	  "/sys/kernel/mm/transparent_hugepage/khugepaged/"
/* The kernel has so long for what it does at its own pace. */
#define PATIENCE 60.0

struct test {
	struct checks c;
	char *p;    /* a huge page's worth of small ones, on node 0 */
	char *lent; /* a page, on node 0 */
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void run_on(int node)
{
	cpu_set_t set;
	unsigned int cpu = 0, on = 0;

	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		if (!sched_setaffinity(0, sizeof(set), &set) &&
		    !syscall(SYS_getcpu, NULL, &on, NULL) && on == (unsigned int)node)
			return;
	}
	die("no CPU of that node");
}

static long bind_to(void *p, size_t len, int node, unsigned int flags)
{
	unsigned long mask = 1ul << node;

	return syscall(SYS_mbind, p, len, MPOL_BIND, &mask, 8 * sizeof(mask), flags);
}

/* Of nobody's choice, so that NUMA balancing may choose. */
static void unbind(void *p, size_t len)
{
	if (syscall(SYS_mbind, p, len, MPOL_DEFAULT, NULL, 0, 0))
		die("mbind");
}

static char *fresh_region(void)
{
	char *p =
		mmap(NULL, 2 * REGION, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *start;
	unsigned int i;

	if (p == MAP_FAILED)
		die("mmap");
	start = (char *)((at(p) + REGION - 1) & ~(uint64_t)(REGION - 1));
	madvise(p, 2 * REGION, MADV_NOHUGEPAGE);
	if (bind_to(start, REGION, 0, 0))
		die("mbind");
	for (i = 0; i < PAGES; i++)
		fill_page(start + (size_t)i * PAGE, i);
	unbind(start, REGION);
	if (start > p)
		munmap(p, (size_t)(start - p));
	munmap(start + REGION, (size_t)(p + REGION - start));
	return start;
}

static void set_up(struct test *t)
{
	t->c.dev = open_device();
	if (!write_file("/proc/sys/kernel/numa_balancing", "0"))
		die("numa_balancing");
	t->lent = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (t->lent == MAP_FAILED || bind_to(t->lent, PAGE, 0, 0))
		die("lent page");
	fill_page(t->lent, LENT);
}

/* ---- where pages are ------------------------------------------------------------------------- */

/* As move_pages() says; negative: -errno. */
static void nodes_of(char *p, unsigned int nr, int *nodes)
{
	void *pages[PAGES];
	unsigned int i;

	for (i = 0; i < nr; i++)
		pages[i] = p + (size_t)i * PAGE;
	if (syscall(SYS_move_pages, 0, (unsigned long)nr, pages, NULL, nodes, 0))
		die("move_pages");
}

static unsigned int count_on(const struct test *t, int node)
{
	int nodes[PAGES];
	unsigned int i, nr = 0;

	nodes_of(t->p, PAGES, nodes);
	for (i = 0; i < PAGES; i++)
		nr += nodes[i] == node;
	return nr;
}

/* The "node N" that the program prints. */
static int node_printed(const char *program, const void *p)
{
	char command[256], line[256];
	int node = -1;
	FILE *f;

	snprintf(command, sizeof(command), "%s walk --pid %d 0x%" PRIx64, program, getpid(), at(p));
	f = popen(command, "r");
	while (f && fgets(line, sizeof(line), f)) {
		const char *word = strstr(line, ", node ");

		if (word)
			node = (int)strtol(word + strlen(", node "), NULL, 10);
	}
	return f && !pclose(f) ? node : -1;
}

/* Half of them on each node, in turns of 1. */
static void test_facts(struct test *t, const char *program)
{
	struct ptremap_walk_entry e[PAGES] = {};
	struct ptremap_walk w = {
		.size = sizeof(w), .pid = getpid(), .nr = PAGES, .entries = at(e)
	};
	unsigned int i, same = 0, on[2] = {};
	int nodes[PAGES], printed[2];

	t->p = fresh_region();
	for (i = 0; i < PAGES; i++) {
		e[i].va = at(t->p + (size_t)i * PAGE);
		if (bind_to(t->p + (size_t)i * PAGE, PAGE, (int)i % 2, MPOL_MF_MOVE))
			die("mbind");
	}
	if (call(&t->c, PTREMAP_WALK, &w))
		die("walk");
	nodes_of(t->p, PAGES, nodes);
	for (i = 0; i < PAGES; i++) {
		same += e[i].level == 1 && e[i].page.node == nodes[i];
		if (nodes[i] == 0 || nodes[i] == 1)
			on[nodes[i]]++;
	}
	check(&t->c, same == PAGES && on[0] > PAGES / 4 && on[1] > PAGES / 4,
	      "nodes of %d pages, %u on node 0 and %u on node 1: %u as move_pages() says", PAGES,
	      on[0], on[1], same);
	for (i = 0; i < 2; i++)
		printed[i] = node_printed(program, t->p + (size_t)i * PAGE);
	check(&t->c, printed[0] == nodes[0] && printed[1] == nodes[1],
	      "nodes of two pages as printed: %d %d, as move_pages() says: %d %d", printed[0],
	      printed[1], nodes[0], nodes[1]);
	munmap(t->p, REGION);
}

/* ---- what happens ---------------------------------------------------------------------------- */

/* By the system calls; they may refuse a page that is held, and say so. */
static bool by_move_pages(struct test *t)
{
	void *pages[PAGES];
	int to[PAGES], status[PAGES];
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		pages[i] = t->p + (size_t)i * PAGE;
		to[i] = 1;
	}
	return syscall(SYS_move_pages, 0, (unsigned long)PAGES, pages, to, status, MPOL_MF_MOVE) >=
		       0 &&
	       count_on(t, 1) >= PAGES - 2;
}

static bool by_mbind(struct test *t)
{
	return !bind_to(t->p, REGION, 1, MPOL_MF_MOVE) && count_on(t, 1) >= PAGES - 2;
}

static bool by_migrate_pages(struct test *t)
{
	unsigned long from = 1, to = 2;
	bool good = syscall(SYS_migrate_pages, getpid(), 8 * sizeof(from), &from, &to) >= 0 &&
		    count_on(t, 1) >= PAGES - 2;

	/* The rest of this process goes back. */
	syscall(SYS_migrate_pages, getpid(), 8 * sizeof(from), &to, &from);
	return good;
}

static void touch_all(struct test *t)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		if (i != EDITED && i != TWIN)
			*(volatile char *)(t->p + (size_t)i * PAGE);
}

/* Works on node 1 until its memory is there, too. */
static bool by_balancing(struct test *t)
{
	double end = now() + PATIENCE;
	bool good = false;

	run_on(1);
	write_file("/proc/sys/kernel/numa_balancing", "1");
	while (!good && now() < end) {
		touch_all(t);
		good = count_on(t, 1) >= PAGES / 2;
	}
	write_file("/proc/sys/kernel/numa_balancing", "0");
	run_on(0);
	return good;
}

static long number_in(const char *path)
{
	char text[32] = "";
	FILE *f = fopen(path, "r");

	if (!f || !fgets(text, sizeof(text), f))
		die(path);
	fclose(f);
	return strtol(text, NULL, 10);
}

/* It has looked at all there is twice since; whether it takes the pages is its affair. */
static bool by_khugepaged(struct test *t)
{
	long scans = number_in(KHUGE "full_scans");
	double end = now() + PATIENCE;

	madvise(t->p, REGION, MADV_HUGEPAGE);
	while (number_in(KHUGE "full_scans") < scans + 3 && now() < end)
		usleep(1000);
	return number_in(KHUGE "full_scans") >= scans + 3;
}

#define BIT_OF(what) (1u << (what))
#define EACH_KIND    (~0u)

/* The kernel finds a page to be moved through its entry, and does not see those that lead elsewhere
 * (FRAME, FRESH); 6.1's move_pages() does not see behind a PROT_NONE entry (TRAP), either. */
static const struct event {
	const char *name;
	bool (*run)(struct test *t);
	unsigned int taken; /* kinds that are always taken back; others may stay */
	uint8_t cause;	    /* of those that are taken back */
} events[] = {
	{ "move_pages", by_move_pages, BIT_OF(PTREMAP_PROTECT) | BIT_OF(PTREMAP_SWAP),
	  PTREMAP_CAUSE_CLEAR },
	{ "mbind", by_mbind, BIT_OF(PTREMAP_PROTECT) | BIT_OF(PTREMAP_SWAP) | BIT_OF(PTREMAP_TRAP),
	  PTREMAP_CAUSE_CLEAR },
	{ "migrate_pages", by_migrate_pages,
	  BIT_OF(PTREMAP_PROTECT) | BIT_OF(PTREMAP_SWAP) | BIT_OF(PTREMAP_TRAP),
	  PTREMAP_CAUSE_CLEAR },
	{ "NUMA balancing", by_balancing, EACH_KIND, PTREMAP_CAUSE_PROTECT },
	{ "khugepaged", by_khugepaged, 0, PTREMAP_CAUSE_CLEAR },
};

/* ---- edits ----------------------------------------------------------------------------------- */

static struct ptremap_item item_for(const struct test *t, uint32_t what)
{
	struct ptremap_item i = { .pid = getpid(), .va = at(t->p + EDITED * PAGE), .what = what };

	if (what == PTREMAP_PROTECT)
		i.clear = BIT_RW;
	if (what == PTREMAP_FRAME || what == PTREMAP_SWAP) {
		i.other_pid = getpid();
		i.other_va = at(what == PTREMAP_SWAP ? t->p + TWIN * PAGE : t->lent);
	}
	return i;
}

static uint8_t state_of(const struct test *t, uint32_t id, uint8_t *cause)
{
	struct ptremap_record r[4];
	int nr = list(&t->c, r, 4), i;

	for (i = 0; i < nr && i < 4; i++) {
		if (r[i].id == id) {
			*cause = r[i].cause;
			return r[i].state;
		}
	}
	return 0;
}

static bool all_filled(const struct test *t)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		if (!is_filled(t->p + (size_t)i * PAGE, i))
			return false;
	return is_filled(t->lent, LENT);
}

/* References that a mapping does not explain; some are given back later. */
static long extra_references(const struct test *t)
{
	unsigned int i, tries;
	long extra = 1;

	for (tries = 0; extra && tries < 50; tries++) {
		drain_lru();
		for (i = 0, extra = 0; i < PAGES; i++) {
			struct ptremap_walk_entry e =
				walk(&t->c, getpid(), at(t->p + (size_t)i * PAGE));

			if (e.level == 1)
				extra += e.page.refcount - mapcount(e.page.pfn);
		}
		if (extra)
			usleep(10000);
	}
	return extra;
}

static void test_event(struct test *t, const struct event *e, uint32_t what)
{
	struct ptremap_item item;
	uint8_t state, cause = 0;
	uint32_t id;
	bool done, fits;
	int err, back;
	long extra;

	t->p = fresh_region();
	drain_lru();
	item = item_for(t, what);
	err = edit(&t->c, &item, &id);
	done = !err && e->run(t);
	state = state_of(t, id, &cause);
	back = err ? err : undo(&t->c, id);
	fits = state == PTREMAP_TAKEN ? cause == e->cause
				      : state == PTREMAP_ACTIVE && !(e->taken & BIT_OF(what));
	extra = extra_references(t);
	check(&t->c, !err && done && fits && all_filled(t) && !extra,
	      "%s, %s: made (%d), done (%d), %s (cause %d), undone (%d), memory is right, "
	      "references too many: %ld",
	      e->name, WHAT[what], err, done,
	      state == PTREMAP_ACTIVE  ? "stayed"
	      : state == PTREMAP_TAKEN ? "was taken back"
				       : "LOST",
	      cause, back, extra);
	munmap(t->p, REGION);
}

/* What was refused under an edit is possible after it: khugepaged does work here. */
static void test_collapse(struct test *t)
{
	struct ptremap_walk_entry e = {};
	double end = now() + PATIENCE;

	t->p = fresh_region();
	madvise(t->p, REGION, MADV_HUGEPAGE);
	while (e.level != 2 && now() < end) {
		usleep(1000);
		e = walk(&t->c, getpid(), at(t->p));
	}
	check(&t->c, e.level == 2 && all_filled(t), "khugepaged, no edit: a huge page (level %d)",
	      e.level);
	munmap(t->p, REGION);
}

/* At once, instead of some seconds later. */
static bool hurry(void)
{
	return write_file(BALANCING "scan_delay_ms", "1") &&
	       write_file(BALANCING "scan_period_min_ms", "10") &&
	       write_file(BALANCING "scan_period_max_ms", "20") &&
	       write_file(KHUGE "scan_sleep_millisecs", "0") &&
	       write_file(KHUGE "alloc_sleep_millisecs", "0") &&
	       write_file(KHUGE "pages_to_scan", "4096");
}

int main(int argc, char **argv)
{
	static struct test t;
	uint32_t what;
	size_t i;

	if (argc != 2) {
		fprintf(stderr, "usage: edits_nodes PTREMAP\n");
		return 2;
	}
	set_up(&t);
	if (!hurry())
		die("settings");
	run_on(0);
	test_facts(&t, argv[1]);
	for (i = 0; i < sizeof(events) / sizeof(*events); i++)
		for (what = PTREMAP_PROTECT; what <= PTREMAP_TRAP; what++)
			test_event(&t, &events[i], what);
	test_collapse(&t);
	check(&t.c, list(&t.c, NULL, 0) == 0, "no edit is left");
	return t.c.failed > 0;
}
