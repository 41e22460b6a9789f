// SPDX-License-Identifier: GPL-2.0
/*
 * memory_reads: a process' memory as PTREMAP_PHYS_VA reads it, leaf by leaf: of each kind of page,
 * from any address on, across leaves of both sizes; up to the very byte where a page is absent, or
 * where the caller has no memory for it. Prints the seed of the random ranges and takes it back.
 */
#include <time.h>

#include "tests/system/huge.h"

#ifndef MFD_HUGETLB
#define MFD_HUGETLB 4u
#endif
#define LEN    (3 * (size_t)HUGE)
#define RANGES 100

struct test {
	struct checks c;
	uint32_t seed;
	uint8_t *buf, *want; /* LEN bytes */
};

static uint32_t rnd(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static void touch(const volatile uint8_t *p)
{
	size_t i;

	for (i = 0; i < LEN; i += PAGE)
		(void)p[i];
}

/* 0 or -errno; *@done: bytes that were read. */
static int read_va(const struct test *t, const void *from, void *to, uint64_t len, uint64_t *done)
{
	struct ptremap_phys p = { .size = sizeof(p),
				  .flags = PTREMAP_PHYS_VA,
				  .pa = at(from),
				  .len = len,
				  .buf = at(to),
				  .pid = getpid() };
	int err = call(&t->c, PTREMAP_PHYS, &p);

	*done = p.done;
	return err;
}

/* Each byte tells where it is. */
static void fill(uint8_t *p, size_t len)
{
	uint64_t *words = (uint64_t *)(void *)p;
	size_t i;

	for (i = 0; i < len / sizeof(*words); i++)
		words[i] = (i + 1) * 0x9e3779b97f4a7c15ull;
}

/* @p: LEN bytes, as t->want has them. */
static void check_ranges(struct test *t, const uint8_t *p, const char *what)
{
	uint32_t state = t->seed;
	uint64_t first, len, done, bytes = 0;
	int i, err, good = 0;

	for (i = 0; i < RANGES; i++) {
		first = rnd(&state) % LEN;
		if (i % 8 == 1) /* the last bytes of a leaf, and what is behind them */
			first = HUGE - 1 - rnd(&state) % PAGE;
		len = 1 + rnd(&state) % (i % 8 ? 2 * PAGE : LEN);
		if (len > LEN - first)
			len = LEN - first;
		memset(t->buf, 0xa5, len + 1 < LEN ? len + 1 : LEN);
		err = read_va(t, p + first, t->buf, len, &done);
		good += !err && done == len && !memcmp(t->buf, t->want + first, len) &&
			(len == LEN || t->buf[len] == 0xa5);
		bytes += len;
	}
	check(&t->c, good == RANGES, "%s: %d of %d ranges, %" PRIu64 " bytes", what, good, RANGES,
	      bytes);
}

static void test_kind(struct test *t, enum huge_memory m)
{
	char what[64];
	int fd;
	uint8_t *p = (uint8_t *)make_huge(m, 3, &fd);

	fill(p, LEN);
	memcpy(t->want, p, LEN);
	check(&t->c, huge_leaf(&t->c, getpid(), (char *)p) != 0, "%s: there is a huge page",
	      HUGE_NAMES[m]);
	check_ranges(t, p, HUGE_NAMES[m]);
	mprotect(p, LEN, PROT_NONE);
	snprintf(what, sizeof(what), "%s, PROT_NONE", HUGE_NAMES[m]);
	check_ranges(t, p, what);
	mprotect(p, LEN, PROT_READ | PROT_WRITE);
	if (!is_hugetlb(m)) { /* the second one is split, and some of its pages are read-only */
		mprotect(p + HUGE + 5 * PAGE, 7 * PAGE, PROT_READ);
		touch(p); /* a file's pages were let go of */
		snprintf(what, sizeof(what), "%s, the one between in small pages", HUGE_NAMES[m]);
		check_ranges(t, p, what);
	}
	munmap(p, LEN);
	if (fd >= 0)
		close(fd);
}

/* Pages of nobody: zeros, small and huge. */
static void test_zeros(struct test *t)
{
	uint8_t *p = (uint8_t *)aligned_room(LEN);

	mmap(p, LEN, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	madvise(p, HUGE, MADV_HUGEPAGE);
	madvise(p + HUGE, LEN - HUGE, MADV_NOHUGEPAGE);
	touch(p);
	memset(t->want, 0, LEN);
	check_ranges(t, p, "zeros");
	munmap(p, LEN);
}

/* What is absent, and memory that the direct map does not have: all that lies before is read. */
static void test_gaps(struct test *t)
{
	uint8_t *p = (uint8_t *)aligned_room(LEN);
	uint64_t done;
	int fd, err;

	mmap(p, LEN, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	madvise(p, LEN, MADV_HUGEPAGE);
	fill(p, LEN);
	memcpy(t->want, p, LEN);
	munmap(p + HUGE + 9 * PAGE, PAGE);
	err = read_va(t, p + 77, t->buf, LEN - 77, &done);
	check(&t->c,
	      err == -ENXIO && done == HUGE + 9 * PAGE - 77 && !memcmp(t->buf, t->want + 77, done),
	      "nothing is mapped: error %d behind %" PRIu64 " bytes", err, done);
	fd = (int)syscall(SYS_memfd_secret, 0);
	if (fd < 0 || ftruncate(fd, PAGE) ||
	    mmap(p + HUGE + 9 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_SHARED, fd,
		 0) == MAP_FAILED) {
		check(&t->c, false, "memfd_secret: %s", strerror(errno));
	} else {
		memset(p + HUGE + 9 * PAGE, 's', PAGE);
		err = read_va(t, p + 78, t->buf, LEN - 78, &done);
		check(&t->c, err == -EIO && done == HUGE + 9 * PAGE - 78,
		      "taken out of the direct map: error %d behind %" PRIu64 " bytes", err, done);
	}
	munmap(p, LEN);
}

/* The caller's own memory ends within a leaf; nothing is said to be there that is not. */
static void test_no_room(struct test *t)
{
	uint8_t *to = (uint8_t *)aligned_room(LEN), *p;
	uint64_t done;
	int fd, err;

	p = (uint8_t *)make_huge(HUGE_ANON, 3, &fd);
	fill(p, LEN);
	mmap(to, HUGE + PAGE, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1,
	     0);
	err = read_va(t, p + 5, to + 3, LEN - 5, &done);
	check(&t->c,
	      err == -EFAULT && done <= HUGE + PAGE - 3 && done >= HUGE &&
		      !memcmp(to + 3, p + 5, done),
	      "no room: error %d, %" PRIu64 " bytes are there", err, done);
	munmap(p, LEN);
	munmap(to, HUGE + PAGE);
}

int main(int argc, char **argv)
{
	struct test t = { .c = { .dev = open_device() } };
	enum huge_memory m;

	t.seed = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : (uint32_t)time(NULL);
	t.seed = t.seed ? t.seed : 1;
	printf("# seed %u\n", t.seed);
	t.buf = malloc(LEN);
	t.want = malloc(LEN);
	if (!t.buf || !t.want)
		die("malloc");
	allow_huge(6);
	for (m = HUGE_ANON; m < HUGE_MEMORIES; m++)
		test_kind(&t, m);
	test_zeros(&t);
	test_gaps(&t);
	test_no_room(&t);
	return t.c.failed > 0;
}
