// SPDX-License-Identifier: GPL-2.0
/*
 * library: libptw against 4-level walks written by hand for just this table, on the same tables in
 * memory. Library and hand take turns, so that what the machine does to one it does to the other;
 * the ratio printed is the median of the pairs' (1.00: as fast as by hand).
 */
#include <inttypes.h>
#include <sys/mman.h>

#include "tests/bench/bench.h"
#include "user/pt/ptw.h"

#define ROUNDS	11
#define LOOKUPS 2000000
#define MIB	((pt_u64)1 << 20)
#define GIB	((pt_u64)1 << 30)
#define BASE	(4 * GIB) /* where the tables say that they lie */
#define START	(8 * GIB) /* first address that is mapped */
#define PA_MASK PT_BITS(51, 12)

struct tables {
	struct pt_space space;
	struct pt_fmt fmt;
	struct pt_arena arena;
	pt_u64 buffer_size;
	pt_u64 bytes; /* mapped at START, a power of two */
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "library: %s\n", what);
	exit(1);
}

static void make_space(struct tables *t, enum pt_mode mode, pt_u64 buffer_size)
{
	static const struct pt_feat feat = { .maxphyaddr = 46, .nx = 1, .page1g = 1 };
	void *buffer = mmap(NULL, buffer_size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (buffer == MAP_FAILED || pt_fmt_init(&t->fmt, mode, &feat) ||
	    pt_arena_init(&t->arena, buffer, BASE, buffer_size, true))
		die("no memory");
	t->buffer_size = buffer_size;
	t->space = (struct pt_space){ .fmt = &t->fmt, .mem = &t->arena.mem };
	if (pt_root_alloc(&t->space, &t->arena.alloc))
		die("no root table");
}

static void map(struct tables *t, pt_u64 start, pt_u64 pa, const struct pt_prot *prot)
{
	if (pt_map(&t->space, start, start + t->bytes - 1, pa, prot, &t->arena.alloc))
		die("cannot map");
}

static void free_space(struct tables *t)
{
	munmap(t->arena.bytes, t->buffer_size);
}

/* @bytes, by 4 KiB pages. */
static void make_tables(struct tables *t, pt_u64 bytes)
{
	static const struct pt_prot prot = {
		.perm = PT_PERM_R | PT_PERM_W | PT_PERM_U,
		.ad = 1,
		.max_level = 1,
	};

	t->bytes = bytes;
	make_space(t, PT_MODE_4LEVEL, bytes / 256 + MIB);
	map(t, START, BASE + 64 * GIB, &prot);
}

/* ---- lookups ---- */

typedef int (*lookup_fn)(const struct tables *t, pt_u64 ia, pt_u64 *pa);

static __always_inline int by_hand(const struct tables *t, pt_u64 ia, pt_u64 *pa)
{
	pt_u64 table = t->space.root, entry, offset;
	unsigned int shift;

	for (shift = 39;; shift -= 9) {
		offset = table + (ia >> shift & 511) * 8 - BASE;
		if (offset >= t->buffer_size)
			return -EFAULT;
		entry = *(const pt_u64 *)(const void *)(t->arena.bytes + offset);
		if (!(entry & PT_P))
			return -ENOENT;
		if (shift == 12 || (shift < 39 && (entry & PT_PS)))
			break;
		table = entry & PA_MASK;
	}
	offset = PT_BIT(shift) - 1;
	*pa = (entry & PA_MASK & ~offset) | (ia & offset);
	return 0;
}

static __always_inline int by_translate(const struct tables *t, pt_u64 ia, pt_u64 *pa)
{
	return pt_translate(&t->space, ia, pa);
}

static __always_inline int by_lookup(const struct tables *t, pt_u64 ia, pt_u64 *pa)
{
	struct pt_path path;

	if (pt_lookup(&t->space, ia, &path) != PT_LEAF)
		return -ENOENT;
	__asm__ volatile("" : : "r"(&path) : "memory"); /* the whole path is wanted */
	*pa = path.end.pa;
	return 0;
}

/* Seconds of LOOKUPS addresses, in order or not. */
static __always_inline double lookups(lookup_fn lookup, const struct tables *t, bool random)
{
	pt_u64 mask = t->bytes / 4096 - 1, state = 1, i, page, pa, sum = 0;
	double start = now();

	for (i = 0; i < LOOKUPS; i++) {
		state = state * 6364136223846793005U + 1442695040888963407U;
		page = (random ? state >> 33 : i) & mask;
		if (lookup(t, START + page * 4096, &pa))
			die("a hole");
		sum += pa - page * 4096;
	}
	if (sum != LOOKUPS * (BASE + 64 * GIB))
		die("a wrong address");
	return now() - start;
}

static __attribute__((noinline)) double hand_lookups(const struct tables *t, bool random)
{
	return lookups(by_hand, t, random);
}

static __attribute__((noinline)) double translate_lookups(const struct tables *t, bool random)
{
	return lookups(by_translate, t, random);
}

static __attribute__((noinline)) double path_lookups(const struct tables *t, bool random)
{
	return lookups(by_lookup, t, random);
}

/* ---- dumps ---- */

struct sum {
	pt_u64 leaves, pa;
};

/* What is done with a leaf: little, but out of line, as printing it would be. */
static __attribute__((noinline)) void take(struct sum *sum, pt_u64 start, pt_u64 last, pt_u64 pa,
					   pt_u64 perm)
{
	sum->leaves += perm && start < last;
	sum->pa += pa - start;
}

static void check_sum(const struct tables *t, const struct sum *sum)
{
	if (sum->leaves != t->bytes / 4096 || sum->pa != sum->leaves * (BASE + 64 * GIB - START))
		die("wrong leaves");
}

/* One table and what is below it; @perm is what the entries above allow. */
static void dump_by_hand(const struct tables *t, pt_u64 table, unsigned int level, pt_u64 ia,
			 pt_u64 perm, struct sum *sum)
{
	pt_u64 size = PT_BIT(12 + 9 * (level - 1)), entry;
	const pt_u64 *entries;
	unsigned int i;

	if (table - BASE > t->buffer_size - 4096)
		die("a table outside the memory");
	entries = (const void *)(t->arena.bytes + (table - BASE));
	for (i = 0; i < 512; i++, ia += size) {
		entry = entries[i];
		if (!(entry & PT_P))
			continue;
		if (level == 1 || (entry & PT_PS))
			take(sum, ia, ia + size - 1, entry & PA_MASK, entry & perm);
		else
			dump_by_hand(t, entry & PA_MASK, level - 1, ia, perm & entry, sum);
	}
}

static double hand_dump(const struct tables *t, bool unused)
{
	double start = now();
	struct sum sum = { 0 };

	(void)unused;
	dump_by_hand(t, t->space.root, 4, 0, PT_P | PT_RW | PT_US, &sum);
	check_sum(t, &sum);
	return now() - start;
}

static double iter_dump(const struct tables *t, bool unused)
{
	double start = now();
	struct sum sum = { 0 };
	struct pt_item item;
	struct pt_iter it;

	(void)unused;
	if (pt_iter_init(&it, &t->space, 0, ~(pt_u64)0, 0, 0))
		die("no iterator");
	while (pt_iter_next(&it, &item) > 0) {
		if (item.kind == PT_LEAF)
			take(&sum, item.start, item.last, item.pa, item.perm);
	}
	check_sum(t, &sum);
	return now() - start;
}

static double merge_dump(const struct tables *t, bool unused)
{
	double start = now();
	pt_u64 bytes = 0;
	struct pt_item item;
	struct pt_merge m;

	(void)unused;
	if (pt_merge_init(&m, &t->space, 0, ~(pt_u64)0, 0, 0))
		die("no iterator");
	while (pt_merge_next(&m, &item) > 0)
		bytes += item.kind == PT_LEAF ? item.last - item.start + 1 : 0;
	if (bytes != t->bytes)
		die("leaves are missing");
	return now() - start;
}

/* ---- pairs ---- */

typedef double (*run_fn)(const struct tables *t, bool random);

/*
 * Median times of @hand and @library, and the median of the pairs' ratios; for the table @name does
 * @what, of which there are @amount.
 */
static double in_pairs(run_fn hand, run_fn library, const struct tables *t, bool random,
		       const char *what, const char *name, double amount, double *hand_time,
		       double *library_time)
{
	double a[ROUNDS], b[ROUNDS], ratio[ROUNDS];
	unsigned int i;

	library(t, random); /* warm up */
	for (i = 0; i < ROUNDS; i++) {
		a[i] = hand(t, random);
		b[i] = library(t, random);
		ratio[i] = a[i] / b[i];
	}
	*hand_time = median(a, ROUNDS);
	*library_time = median(b, ROUNDS);
	row_of_rounds(what, name, b, "a walk written by hand", a, ROUNDS, amount);
	return median(ratio, ROUNDS);
}

static void compare_lookups(const struct tables *t, const char *name, bool random)
{
	static const struct {
		const char *name;
		run_fn run;
	} ways[] = { { "pt_translate", translate_lookups }, { "pt_lookup", path_lookups } };
	double hand, library, ratio;
	char what[64], ours[32];
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		snprintf(what, sizeof(what), "a lookup in tables with %s, %s", name,
			 random ? "random" : "in order");
		snprintf(ours, sizeof(ours), "`%s()`", ways[i].name);
		ratio = in_pairs(hand_lookups, ways[i].run, t, random, what, ours, LOOKUPS, &hand,
				 &library);
		snprintf(what, sizeof(what), "%s, %s, %s", ways[i].name, name,
			 random ? "random" : "in order");
		printf("%-48s %8.2f %10.1f %10.1f\n", what, ratio, LOOKUPS / library / 1e6,
		       LOOKUPS / hand / 1e6);
	}
}

static void bench_lookups(void)
{
	static const struct {
		const char *name;
		pt_u64 bytes;
	} sizes[] = {
		{ "2 KiB of entries", MIB },
		{ "512 KiB of entries", 256 * MIB },
		{ "32 MiB of entries", 16 * GIB },
	};
	struct tables t;
	size_t i;

	printf("%-48s %8s %10s %10s\n", "lookups, in an image in memory", "ratio", "million/s",
	       "by hand");
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		make_tables(&t, sizes[i].bytes);
		compare_lookups(&t, sizes[i].name, false);
		compare_lookups(&t, sizes[i].name, true);
		free_space(&t);
	}
}

static void bench_dumps(void)
{
	static const char what[] = "16 GiB in 4 KiB pages, listed";
	double hand, library, ratio;
	struct tables t;

	make_tables(&t, 16 * GIB);
	printf("\n%-48s %8s %10s %10s\n", "dumps of 16 GiB in 4 KiB pages", "ratio", "ms",
	       "by hand");
	ratio = in_pairs(hand_dump, iter_dump, &t, false, what, "`pt_iter_next()`", 1, &hand,
			 &library);
	printf("%-48s %8.2f %10.1f %10.1f\n", "pt_iter_next", ratio, library * 1e3, hand * 1e3);
	ratio = in_pairs(hand_dump, merge_dump, &t, false, what, "`pt_merge_next()`", 1, &hand,
			 &library);
	printf("%-48s %8.2f %10.1f %10.1f\n", "pt_merge_next", ratio, library * 1e3, hand * 1e3);
	free_space(&t);
}

static void bench_builder(void)
{
	static const struct pt_prot prot = {
		.perm = PT_PERM_R | PT_PERM_W | PT_PERM_X,
		.memtype = 6,
		.max_level = 2,
	};
	struct tables t = { .bytes = 512 * GIB };
	double start;

	make_space(&t, PT_MODE_EPT4, 4 * MIB);
	start = now();
	map(&t, 0, 0, &prot);
	printf("\n%-48s %8s %10.1f\n", "EPT of 512 GiB in 2 MiB pages, built: ms", "",
	       (now() - start) * 1e3);
	free_space(&t);
}

int main(void)
{
	rows_about("libptw in an image in memory");
	bench_lookups();
	bench_dumps();
	bench_builder();
	return 0;
}
