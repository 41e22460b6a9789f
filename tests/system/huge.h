/* SPDX-License-Identifier: GPL-2.0 */
/* Memory of huge pages, for the tests of edits of level 2. */
#ifndef TESTS_HUGE_H
#define TESTS_HUGE_H

#include "tests/system/edits.h"

#define HUGE	   (2u << 20)
#define HUGES	   3 /* in each memory */
#define HUGE_TRIES 20

enum huge_memory { HUGE_ANON, HUGE_TMPFS, HUGETLB_PRIVATE, HUGETLB_SHARED, HUGE_MEMORIES };

static const char *const HUGE_NAMES[] = { "anonymous", "tmpfs", "private hugetlb",
					  "shared hugetlb" };

static inline bool is_hugetlb(enum huge_memory m)
{
	return m == HUGETLB_PRIVATE || m == HUGETLB_SHARED;
}

static inline bool is_shared(enum huge_memory m)
{
	return m == HUGE_TMPFS || m == HUGETLB_SHARED;
}

/* hugetlb refuses those; uapi/ptremap.h says why. */
static inline bool is_possible(enum huge_memory m, uint32_t what)
{
	return !is_hugetlb(m) || (what != PTREMAP_FRESH && what != PTREMAP_TRAP);
}

/* The first and the last word of each 4 KiB page tell where it came from. */
static inline void fill_huge(void *huge, uint64_t seed)
{
	uint64_t *p = huge;
	size_t i;

	for (i = 0; i < HUGE / sizeof(*p); i += PAGE / sizeof(*p)) {
		p[i] = (seed << 32) + i;
		p[i + PAGE / sizeof(*p) - 1] = ~p[i];
	}
}

static inline bool is_huge_filled(const void *huge, uint64_t seed)
{
	const volatile uint64_t *p = huge;
	size_t i;

	for (i = 0; i < HUGE / sizeof(*p); i += PAGE / sizeof(*p))
		if (p[i] != (seed << 32) + i || p[i + PAGE / sizeof(*p) - 1] != ~p[i])
			return false;
	return true;
}

static inline bool is_huge_zero(const void *huge)
{
	const volatile uint64_t *p = huge;
	size_t i;

	for (i = 0; i < HUGE / sizeof(*p); i += PAGE / sizeof(*p))
		if (p[i] || p[i + PAGE / sizeof(*p) - 1])
			return false;
	return true;
}

static inline char *aligned_room(size_t len)
{
	char *p = mmap(NULL, len + HUGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return (char *)((at(p) + HUGE - 1) & ~(uint64_t)(HUGE - 1));
}

/* By /proc/kpageflags: bit 22, KPF_THP. */
static inline bool is_thp(const void *p)
{
	uint64_t entry = 0, flags = 0;
	int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	int all = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);

	if (pread(map, &entry, 8, (off_t)(at(p) / PAGE * 8)) != 8 ||
	    pread(all, &flags, 8, (off_t)((entry & ((1ull << 55) - 1)) * 8)) != 8)
		die("page flags");
	close(map);
	close(all);
	return flags >> 22 & 1;
}

/* Memory is in pieces at times, until what is on its way somewhere has arrived and can be moved. */
static inline void make_one_huge(enum huge_memory m, char *p, uint64_t seed)
{
	int tries;

	for (tries = 0;; tries++) {
		fill_huge(p, seed);
		if (is_hugetlb(m) || is_thp(p) || tries == HUGE_TRIES)
			return;
		if (madvise(p, HUGE, is_shared(m) ? MADV_REMOVE : MADV_DONTNEED))
			die("madvise");
		write_file("/proc/sys/vm/compact_memory", "1");
	}
}

/* @nr huge pages that are filled, each with its index; *@fd: of the file, or -1. */
static inline char *make_huge(enum huge_memory m, unsigned int nr, int *fd)
{
	size_t len = (size_t)nr * HUGE;
	char *p = aligned_room(len);
	int flags = MAP_FIXED | (is_shared(m) ? MAP_SHARED : MAP_PRIVATE);
	unsigned int i;

	*fd = -1;
	if (is_shared(m))
		*fd = memfd_create("huge", m == HUGETLB_SHARED ? MFD_HUGETLB : 0);
	else
		flags |= MAP_ANONYMOUS | (m == HUGETLB_PRIVATE ? MAP_HUGETLB : 0);
	if ((*fd >= 0 && ftruncate(*fd, (off_t)len)) ||
	    mmap(p, len, PROT_READ | PROT_WRITE, flags, *fd, 0) != p)
		die("mmap of huge pages");
	if (!is_hugetlb(m) && madvise(p, len, MADV_HUGEPAGE))
		die("MADV_HUGEPAGE");
	for (i = 0; i < nr; i++)
		make_one_huge(m, p + (size_t)i * HUGE, i);
	return p;
}

/* "HugePages_Total" and the like. */
static inline long count_hugetlb(const char *name)
{
	return proc_number("/proc/meminfo", name);
}

/* Huge pages wherever they are asked for: of tmpfs, too, and @nr of hugetlb. */
static inline void allow_huge(unsigned int nr)
{
	char text[16];
	int tries;

	snprintf(text, sizeof(text), "%u", nr);
	if (!write_file("/sys/kernel/mm/transparent_hugepage/enabled", "madvise") ||
	    !write_file("/sys/kernel/mm/transparent_hugepage/defrag", "madvise") ||
	    !write_file("/sys/kernel/mm/transparent_hugepage/shmem_enabled", "advise"))
		die("huge pages");
	for (tries = 0; tries < HUGE_TRIES; tries++) {
		write_file("/proc/sys/vm/drop_caches", "3");
		write_file("/proc/sys/vm/compact_memory", "1");
		if (write_file("/proc/sys/vm/nr_hugepages", text) &&
		    count_hugetlb("HugePages_Total") == (long)nr)
			return;
		usleep(100000);
	}
	die("huge pages");
}

/* 0: there is none. */
static inline uint64_t huge_leaf(const struct checks *c, pid_t pid, const char *p)
{
	struct ptremap_walk_entry e = walk(c, pid, at(p));

	return !e.status && e.level == 2 ? e.entry[1] : 0;
}

#endif
