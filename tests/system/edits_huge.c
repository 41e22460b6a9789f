// SPDX-License-Identifier: GPL-2.0
/*
 * edits_huge: edits of 2 MiB leaves, of each kind on memory of each kind that has them, made while
 * a thread on each CPU reads there; and what is refused.
 *
 * No CPU may see the old page after the call returned; the undo must bring back the very entry,
 * but for what CPUs note in it, the contents and the reference counts.
 */
#include "tests/system/huge.h"
#include "tests/system/readers.h"

#define BIT_PS	  0x80ull
#define BIT_PAT2  0x1000ull
#define POOL	  12 /* huge pages of hugetlb */
#define GIB	  (1ull << 30)
#define HUGE_MASK (FRAME_MASK & ~(uint64_t)(HUGE - 1))

static uint64_t first_word(uint64_t seed)
{
	return seed << 32;
}

/* Of the second of @p's huge pages. */
static struct ptremap_item item_of(const char *p, uint32_t what)
{
	bool two = what == PTREMAP_FRAME || what == PTREMAP_SWAP;

	return (struct ptremap_item){
		.pid = getpid(),
		.va = at(p + HUGE),
		.what = what,
		.level = 2,
		.other_pid = two ? getpid() : 0,
		.other_va = two ? at(p + 2 * HUGE) : 0,
		.clear = what == PTREMAP_PROTECT ? BIT_RW : 0,
	};
}

/* ---- what is there --------------------------------------------------------------------------- */

struct before {
	uint64_t entry[HUGES];
	int refs[HUGES];
	int64_t maps[HUGES];
};

static struct before look(const struct world *w, const char *p)
{
	struct before b;
	int i;

	for (i = 0; i < HUGES; i++) {
		struct ptremap_walk_entry e = walk(&w->c, getpid(), at(p + i * HUGE));

		b.entry[i] = e.level == 2 ? e.entry[1] & ~NOTED : 0;
		b.refs[i] = e.page.refcount;
		b.maps[i] = mapcount(e.page.pfn);
	}
	return b;
}

static bool all_filled(const char *p)
{
	unsigned int i;

	for (i = 0; i < HUGES; i++)
		if (!is_huge_filled(p + i * HUGE, i))
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
	for (i = 0; i < HUGES; i++)
		printf("# page %d: %" PRIx64 " -> %" PRIx64 ", references %d -> %d, mapped %" PRId64
		       " -> %" PRId64 "\n",
		       i, b->entry[i], now.entry[i], b->refs[i], now.refs[i], b->maps[i],
		       now.maps[i]);
	return false;
}

/* ---- one edit -------------------------------------------------------------------------------- */

static uint64_t seen_with(uint32_t what)
{
	if (what == PTREMAP_FRAME || what == PTREMAP_SWAP)
		return first_word(2);
	return what == PTREMAP_FRESH ? 0 : first_word(1);
}

static bool entry_is_right(const struct ptremap_item *i, uint64_t now)
{
	if (!(now & BIT_PS) || !(now & BIT_P))
		return false;
	if (i->what == PTREMAP_PROTECT)
		return ((i->old ^ now) & ~NOTED) == (i->old & BIT_RW) && !(now & BIT_RW);
	/* What was a trap was read since. */
	return i->what == PTREMAP_TRAP ? !((i->old ^ now) & HUGE_MASK) : (i->old ^ now) & HUGE_MASK;
}

/* The list says of which level it is. */
static bool is_listed(const struct world *w, uint32_t id)
{
	struct ptremap_record r;

	return list(&w->c, &r, 1) >= 1 && r.id == id && r.level == 2 && r.state == PTREMAP_ACTIVE;
}

static void test_edit(struct world *w, const char *name, char *p, uint32_t what)
{
	struct ptremap_item item = item_of(p, what);
	struct before before = look(w, p);
	unsigned long stale = stale_reads(w);
	bool listed;
	uint64_t now;
	uint32_t id;
	int err, back;

	settle(w, p + HUGE + 7 * PAGE, first_word(1) + 7 * PAGE / 8);
	unsettle(w);
	err = edit(&w->c, &item, &id);
	settle(w, p + HUGE + 7 * PAGE,
	       err || seen_with(what) ? seen_with(err ? 0 : what) + 7 * PAGE / 8 : 0);
	now = huge_leaf(&w->c, getpid(), p + HUGE);
	unsettle(w);
	listed = !err && is_listed(w, id);
	back = err ? err : undo(&w->c, id);
	settle(w, p + HUGE + 7 * PAGE, first_word(1) + 7 * PAGE / 8);
	unsettle(w);
	check(&w->c,
	      !err && listed && back == (what == PTREMAP_SWAP ? 2 : 1) &&
		      entry_is_right(&item, now),
	      "%s, %s: made (%d), undone (%d), entry %" PRIx64 " -> %" PRIx64, name, WHAT[what],
	      err, back, (uint64_t)item.old, now);
	check(&w->c, stale_reads(w) == stale, "%s, %s: %lu stale reads on %d CPUs", name,
	      WHAT[what], stale_reads(w) - stale, w->nr_readers);
	check(&w->c, same_as(w, p, &before) && all_filled(p),
	      "%s, %s: entries, counts and contents are as before", name, WHAT[what]);
}

static void refused(struct world *w, const char *p, const char *what, struct ptremap_item *item,
		    int want)
{
	int err = edit(&w->c, item, NULL);

	check(&w->c, err == -want && list(&w->c, NULL, 0) == 0 && all_filled(p), "%s: %s%s%s", what,
	      err < 0 ? strerrorname_np(-err) : "no error", err == -want ? "" : ", not ",
	      err == -want ? "" : strerrorname_np(want));
}

/* Writes go to where the entry leads to, and nowhere else; D of the original is not lost. */
static void test_write(struct world *w, const char *name, char *p)
{
	struct ptremap_item item = item_of(p, PTREMAP_FRAME);
	uint32_t id;
	int err = edit(&w->c, &item, &id);
	bool right = !err && is_huge_filled(p + HUGE, 2);

	if (!err) {
		fill_huge(p + HUGE, 77);
		right = right && is_huge_filled(p + 2 * HUGE, 77) && undo(&w->c, id) == 1 &&
			is_huge_filled(p + HUGE, 1) && is_huge_filled(p + 2 * HUGE, 77);
		fill_huge(p + 2 * HUGE, 2);
	}
	check(&w->c, right && all_filled(p), "%s: writes go to the lent page (%d)", name, err);
}

/* RW where it was, NX, and PAT, which has another place here, and in hugetlb none. */
static void test_bits(struct world *w, enum huge_memory m, char *p)
{
	const char *name = HUGE_NAMES[m];
	const uint64_t pat = is_hugetlb(m) ? 0 : BIT_PAT2;
	struct ptremap_item item = item_of(p, PTREMAP_PROTECT);
	uint64_t entry;
	uint32_t id;
	int err;

	item.clear = 0;
	item.set = BIT_RW | pat | BIT_NX;
	err = edit(&w->c, &item, &id);
	entry = huge_leaf(&w->c, getpid(), p + HUGE);
	if (!err)
		undo(&w->c, id);
	check(&w->c,
	      !err && ((entry ^ item.old) & ~NOTED) == ((item.set & ~item.old) & ~NOTED) &&
		      ((huge_leaf(&w->c, getpid(), p + HUGE) ^ item.old) & ~NOTED) == 0 &&
		      all_filled(p),
	      "%s: bits set (%d), %" PRIx64 " -> %" PRIx64, name, err, (uint64_t)item.old, entry);
	item.set = BIT_PS;
	refused(w, p, "PS set", &item, EINVAL);
	item.set = BIT_PAT2;
	if (is_hugetlb(m))
		refused(w, p, "PAT of hugetlb", &item, EOPNOTSUPP);
}

/* Edits that overlap, of both levels. */
static void test_overlap(struct world *w, const char *name, char *p)
{
	struct ptremap_item big = item_of(p, PTREMAP_PROTECT), small = big;
	struct ptremap_item both[2];
	uint32_t id;
	int err, inside;

	small.level = 1;
	small.va += 300 * PAGE;
	both[0] = big;
	both[1] = small;
	err = edit(&w->c, &big, &id);
	inside = edit(&w->c, &small, NULL);
	check(&w->c,
	      !err && inside == -EBUSY && edit(&w->c, &big, NULL) == -EBUSY &&
		      huge_leaf(&w->c, getpid(), p + HUGE) && undo(&w->c, id) == 1,
	      "%s: no edit of a part, or of the same, while one is active (%d, %d)", name, err,
	      inside);
	err = edit_many(&w->c, both, 2, 0, NULL);
	check(&w->c,
	      err == -EBUSY && both[1].status == -EBUSY && list(&w->c, NULL, 0) == 0 &&
		      huge_leaf(&w->c, getpid(), p + HUGE) && all_filled(p),
	      "%s: nor of both in one transaction (%d)", name, err);
}

static void test_memory(struct world *w, enum huge_memory m)
{
	const char *name = HUGE_NAMES[m];
	int fd;
	char *p = make_huge(m, HUGES, &fd);
	uint32_t what;

	for (what = PTREMAP_PROTECT; what <= PTREMAP_TRAP; what++) {
		struct ptremap_item item = item_of(p, what);
		char text[64];

		snprintf(text, sizeof(text), "%s, %s", name, WHAT[what]);
		if (is_possible(m, what))
			test_edit(w, name, p, what);
		else
			refused(w, p, text, &item, EOPNOTSUPP);
	}
	test_write(w, name, p);
	test_bits(w, m, p);
	test_overlap(w, name, p);
	w->where = NULL;
	munmap(p, HUGES * HUGE);
	close(fd);
}

/* ---- what is refused ------------------------------------------------------------------------- */

/* Anonymous memory of which page 1 has 4 KiB entries, and page 2 is not written to. */
static char *mixed(void)
{
	int fd;
	char *p = make_huge(HUGE_ANON, HUGES, &fd);

	mprotect(p + HUGE, PAGE, PROT_READ);
	mprotect(p + HUGE, PAGE, PROT_READ | PROT_WRITE);
	madvise(p + 2 * HUGE, HUGE, MADV_DONTNEED);
	return p;
}

static void refused_of_kind(struct world *w, const char *p, const char *what, const char *va,
			    uint32_t kind, const char *other, int want)
{
	struct ptremap_item item = item_of(p, kind);

	item.va = at(va);
	if (other) {
		item.other_pid = getpid();
		item.other_va = at(other);
	}
	refused(w, p, what, &item, want);
}

static void test_anon_refused(struct world *w, const char *p, const char *hugetlb)
{
	char *odd = mixed();

	refused_of_kind(w, p, "no multiple of 2 MiB", p + HUGE + PAGE, PTREMAP_TRAP, NULL, EDOM);
	refused_of_kind(w, p, "other no multiple of 2 MiB", p + HUGE, PTREMAP_FRAME,
			p + 2 * HUGE + PAGE, EDOM);
	refused_of_kind(w, p, "4 KiB entries", odd + HUGE, PTREMAP_PROTECT, NULL, ENOTBLK);
	refused_of_kind(w, p, "frame of 4 KiB entries", p + HUGE, PTREMAP_FRAME, odd + HUGE,
			ENOTBLK);
	(void)*(volatile char *)(odd + 2 * HUGE);
	refused_of_kind(w, p, "the kernel's huge page of zeros", odd + 2 * HUGE, PTREMAP_PROTECT,
			NULL, ENOTBLK);
	refused_of_kind(w, p, "hugetlb's frame elsewhere", p + HUGE, PTREMAP_FRAME, hugetlb,
			EOPNOTSUPP);
	refused_of_kind(w, p, "another frame in hugetlb", hugetlb, PTREMAP_FRAME, p + HUGE,
			EOPNOTSUPP);
	refused_of_kind(w, p, "swap with hugetlb", p + HUGE, PTREMAP_SWAP, hugetlb, EOPNOTSUPP);
	refused_of_kind(w, p, "swap with itself", p + HUGE, PTREMAP_SWAP, p + HUGE, EBUSY);
	munmap(odd, HUGES * HUGE);
}

/* A page that the owner may only read, in memory that is written to. */
static void test_read_only(struct world *w, enum huge_memory m)
{
	int fd;
	char *p = make_huge(m, HUGES, &fd), text[64];

	snprintf(text, sizeof(text), "read-only %s's frame for writing", HUGE_NAMES[m]);
	mprotect(p + 2 * HUGE, HUGE, PROT_READ);
	refused_of_kind(w, p, text, p + HUGE, PTREMAP_FRAME, p + 2 * HUGE, EROFS);
	munmap(p, HUGES * HUGE);
	close(fd);
}

/* Shared, and over a whole GiB: others may come to have the same table. */
static void test_shareable(struct world *w, const char *p)
{
	int fd = memfd_create("shareable", MFD_HUGETLB);
	char *room =
		mmap(NULL, 2 * GIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *q = (char *)((at(room) + GIB - 1) & ~(GIB - 1));

	if (room == MAP_FAILED || fd < 0 || ftruncate(fd, GIB) ||
	    mmap(q, GIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd, 0) !=
		    q)
		die("mmap of a GiB");
	fill_huge(q, 1);
	refused_of_kind(w, p, "hugetlb whose table can be shared", q, PTREMAP_PROTECT, NULL,
			EOPNOTSUPP);
	munmap(room, 2 * GIB);
	close(fd);
}

static void test_refused(struct world *w)
{
	int fd, lb;
	char *p = make_huge(HUGE_ANON, HUGES, &fd), *hugetlb = make_huge(HUGETLB_PRIVATE, 1, &lb);
	enum huge_memory m;

	test_anon_refused(w, p, hugetlb);
	munmap(hugetlb, HUGE);
	for (m = 0; m < HUGE_MEMORIES; m++)
		test_read_only(w, m);
	test_shareable(w, p);
	munmap(p, HUGES * HUGE);
}

int main(void)
{
	static struct world w;
	enum huge_memory m;

	w.c.dev = open_device();
	allow_huge(POOL);
	start_readers(&w);
	w.phase = 1;
	for (m = 0; m < HUGE_MEMORIES; m++)
		test_memory(&w, m);
	unsettle(&w);
	stop_readers(&w);
	test_refused(&w);
	check(&w.c, list(&w.c, NULL, 0) == 0, "no edit is left");
	check(&w.c, count_hugetlb("HugePages_Free") == POOL,
	      "huge pages of hugetlb are free again: %ld of %d", count_hugetlb("HugePages_Free"),
	      POOL);
	write_file("/proc/sys/vm/nr_hugepages", "0");
	return w.c.failed > 0;
}
