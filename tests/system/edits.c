// SPDX-License-Identifier: GPL-2.0
/*
 * edits: edits of each kind on memory of each kind, made while a thread on each CPU reads there.
 *
 *	edits FILE
 *
 * No CPU may see the old page after the call returned; the undo must bring back the very entry,
 * but for what CPUs note in it, the contents and the reference counts. FILE is made anew, on a
 * file system that keeps track of what is written.
 */
#include "tests/system/readers.h"

#define PAGES 8
#define HUGE  (2u << 20)

/* ---- memory of each kind --------------------------------------------------------------------- */

static char *map(size_t len, int flags, int fd)
{
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static int sized_file(int fd)
{
	char page[PAGE];
	unsigned int i;

	if (fd < 0)
		die("file");
	for (i = 0; i < PAGES; i++) {
		fill_page(page, i);
		if (pwrite(fd, page, PAGE, i * PAGE) != PAGE)
			die("write");
	}
	return fd;
}

static char *anon(const char *file)
{
	char *p = map(PAGES * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	(void)file;
	madvise(p, PAGES * PAGE, MADV_NOHUGEPAGE);
	return p;
}

static char *anon_shared(const char *file)
{
	(void)file;
	return map(PAGES * PAGE, MAP_SHARED | MAP_ANONYMOUS, -1);
}

static char *file_private(const char *file)
{
	return map(PAGES * PAGE, MAP_PRIVATE, sized_file(open(file, O_RDWR | O_CREAT, 0600)));
}

static char *file_shared(const char *file)
{
	return map(PAGES * PAGE, MAP_SHARED, sized_file(open(file, O_RDWR | O_CREAT, 0600)));
}

static char *tmpfs(const char *file)
{
	(void)file;
	return map(PAGES * PAGE, MAP_SHARED, sized_file(memfd_create("edits", 0)));
}

static char *huge(const char *file)
{
	char *p = map(2 * HUGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	(void)file;
	p = (char *)((at(p) + HUGE - 1) & ~(uint64_t)(HUGE - 1));
	madvise(p, HUGE, MADV_HUGEPAGE);
	return p;
}

static const struct memory {
	const char *name;
	char *(*make)(const char *file);
	bool clean;   /* its pages are not written to before the edit */
	bool tracked; /* a file system wants to know who writes there */
} memories[] = {
	{ .name = "anonymous", .make = anon },
	{ .name = "shared anonymous", .make = anon_shared },
	{ .name = "private file", .make = file_private, .clean = true },
	{ .name = "written private file", .make = file_private },
	{ .name = "shared file", .make = file_shared, .tracked = true },
	{ .name = "clean shared file", .make = file_shared, .clean = true, .tracked = true },
	{ .name = "tmpfs", .make = tmpfs },
	{ .name = "huge page", .make = huge },
};

/* ---- edits ----------------------------------------------------------------------------------- */

static uint64_t first_word(unsigned int seed)
{
	return (uint64_t)seed << 32;
}

/* What is to be seen at page 1 while the edit is active. */
static uint64_t seen_with(uint32_t what)
{
	switch (what) {
	case PTREMAP_FRAME:
	case PTREMAP_SWAP:
	case PTREMAP_RAM:
		return first_word(2);
	case PTREMAP_FRESH:
		return 0;
	default:
		return first_word(1);
	}
}

static bool entry_is_right(const struct ptremap_item *i, uint64_t now)
{
	switch (i->what) {
	case PTREMAP_PROTECT:
		return ((i->old ^ now) & ~NOTED) == (i->old & BIT_RW) && !(now & BIT_RW);
	case PTREMAP_TRAP:
		/* It was read since. */
		return now & BIT_P && !((i->old ^ now) & FRAME_MASK);
	default:
		return now & BIT_P && (i->old ^ now) & FRAME_MASK;
	}
}

struct before {
	uint64_t entry[PAGES];
	int refs[PAGES];
	int64_t maps[PAGES];
};

static struct before look(const struct world *w, const char *p)
{
	struct before b;
	int i;

	for (i = 0; i < PAGES; i++) {
		struct ptremap_walk_entry e = walk(&w->c, getpid(), at(p + i * PAGE));

		b.entry[i] = e.level == 1 ? e.entry[0] & ~NOTED : 0;
		b.refs[i] = e.page.refcount;
		b.maps[i] = mapcount(e.page.pfn);
	}
	return b;
}

static bool all_filled(const char *p)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		if (!is_filled(p + i * PAGE, i))
			return false;
	return true;
}

/* Some references are given back by work that the kernel does later. */
static bool same_as(const struct world *w, const char *p, const struct before *b)
{
	struct before now;
	int tries, i;

	for (tries = 0; tries < 20; tries++) {
		drain_lru();
		now = look(w, p);
		if (!memcmp(&now, b, sizeof(now)))
			return true;
		usleep(10000);
	}
	for (i = 0; i < PAGES; i++)
		printf("# page %d: %" PRIx64 " -> %" PRIx64 ", references %d -> %d, mapped %" PRId64
		       " -> %" PRId64 "\n",
		       i, b->entry[i], now.entry[i], b->refs[i], now.refs[i], b->maps[i],
		       now.maps[i]);
	return false;
}

/* Written to through another entry, its file system would not know. */
static bool test_tracked(struct world *w, const struct memory *m, const char *p,
			 struct ptremap_item *item)
{
	bool other = item->what == PTREMAP_FRAME || item->what == PTREMAP_SWAP ||
		     item->what == PTREMAP_RAM;

	if (!m->tracked || !other)
		return false;
	check(&w->c, edit(&w->c, item, NULL) == -EROFS && all_filled(p), "%s, %s: refused (EROFS)",
	      m->name, WHAT[item->what]);
	return true;
}

static void test_edit(struct world *w, const struct memory *m, char *p, uint32_t what)
{
	bool two = what == PTREMAP_FRAME || what == PTREMAP_SWAP;
	struct ptremap_item item = {
		.pid = getpid(),
		.va = at(p + PAGE),
		.what = what,
		.other_pid = two ? getpid() : 0,
		.other_va = two ? at(p + 2 * PAGE) : 0,
		.clear = what == PTREMAP_PROTECT ? BIT_RW : 0,
	};
	unsigned long stale = stale_reads(w);
	struct before before;
	uint64_t now;
	uint32_t id;
	int err, back;

	if (what == PTREMAP_RAM)
		item.other_va = leaf(&w->c, getpid(), at(p + 2 * PAGE)) & FRAME_MASK;
	if (test_tracked(w, m, p, &item))
		return;
	/* One that goes first splits huge pages and breaks copy-on-write; what it leaves counts. */
	err = edit(&w->c, &item, &id);
	if (!err)
		undo(&w->c, id);
	drain_lru();
	before = look(w, p);
	err = edit(&w->c, &item, &id);
	settle(w, p + PAGE, err ? first_word(1) : seen_with(what));
	now = leaf(&w->c, getpid(), item.va);
	unsettle(w);
	back = undo(&w->c, id);
	settle(w, p + PAGE, first_word(1));
	unsettle(w);
	check(&w->c, !err && back == (what == PTREMAP_SWAP ? 2 : 1) && entry_is_right(&item, now),
	      "%s, %s: made (%d), undone (%d), entry %" PRIx64 " -> %" PRIx64, m->name, WHAT[what],
	      err, back, (uint64_t)item.old, now);
	check(&w->c, stale_reads(w) == stale, "%s, %s: %lu stale reads on %d CPUs", m->name,
	      WHAT[what], stale_reads(w) - stale, w->nr_readers);
	check(&w->c, same_as(w, p, &before) && all_filled(p),
	      "%s, %s: entries, counts and contents are as before", m->name, WHAT[what]);
}

/* Writes go to where the entry leads to, and nowhere else. */
static void test_write(struct world *w, const struct memory *m, char *p)
{
	struct ptremap_item item = { .pid = getpid(), .va = at(p + PAGE), .what = PTREMAP_FRESH };
	uint32_t id;
	int err = edit(&w->c, &item, &id);
	bool right = !err && *(volatile uint64_t *)(p + PAGE) == 0;

	if (!err) {
		fill_page(p + PAGE, 77);
		right = right && is_filled(p + PAGE, 77);
		undo(&w->c, id);
	}
	check(&w->c, right && all_filled(p), "%s: writes to a fresh page stay there (%d)", m->name,
	      err);
}

static void test_memory(struct world *w, const struct memory *m, const char *file)
{
	char *p = m->make(file);
	unsigned int i;
	uint32_t what;

	for (i = 0; i < PAGES; i++) {
		if (m->clean)
			*(volatile char *)(p + i * PAGE);
		else
			fill_page(p + i * PAGE, i);
	}
	/* Huge pages that are split stay so. */
	madvise(p, PAGES * PAGE, MADV_NOHUGEPAGE);
	for (what = PTREMAP_PROTECT; what <= last_kind(); what++)
		test_edit(w, m, p, what);
	test_edit(w, m, p, PTREMAP_RAM);
	test_write(w, m, p);
}

/* 4 KiB leaves of hugetlb there are none. */
static void test_hugetlb(struct world *w)
{
	struct ptremap_item item = { .pid = getpid(), .what = PTREMAP_TRAP };
	char *p;

	if (!write_file("/proc/sys/vm/nr_hugepages", "2"))
		die("nr_hugepages");
	p = map(HUGE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
	fill_page(p, 1);
	item.va = at(p);
	check(&w->c, edit(&w->c, &item, NULL) == -EOPNOTSUPP && is_filled(p, 1),
	      "hugetlb: refused (EOPNOTSUPP)");
	munmap(p, HUGE);
	write_file("/proc/sys/vm/nr_hugepages", "0");
}

/* Nobody would let the access through. */
static void test_no_traps(struct world *w)
{
	char *p = anon(NULL);
	struct ptremap_item item = { .pid = getpid(), .va = at(p), .what = PTREMAP_TRAP };

	fill_page(p, 1);
	if (!has_traps())
		check(&w->c, edit(&w->c, &item, NULL) == -EOPNOTSUPP && is_filled(p, 1),
		      "trap, without NUMA balancing: refused (EOPNOTSUPP)");
	munmap(p, PAGES * PAGE);
}

int main(int argc, char **argv)
{
	static struct world w;
	size_t i;

	if (argc != 2) {
		fprintf(stderr, "usage: edits FILE\n");
		return 2;
	}
	w.c.dev = open_device();
	start_readers(&w);
	w.phase = 1;
	for (i = 0; i < sizeof(memories) / sizeof(*memories); i++) {
		unlink(argv[1]);
		test_memory(&w, &memories[i], argv[1]);
	}
	w.where = NULL;
	unsettle(&w);
	stop_readers(&w);
	test_hugetlb(&w);
	test_no_traps(&w);
	check(&w.c, list(&w.c, NULL, 0) == 0, "no edit is left");
	return w.c.failed > 0;
}
