/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The processes that the soak edits. What each has in its pages is known: it never writes there but
 * what is there already, by an atomic OR with 0, which does no harm wherever an edit leads it. New
 * contents are made elsewhere, where nobody edits, and moved into their place.
 */
#ifndef TESTS_SOAK_TARGET_H
#define TESTS_SOAK_TARGET_H

#include <linux/userfaultfd.h>

#include "tests/system/soak.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

struct life {
	struct soak *s;
	struct target *t;
	struct log *log;
	unsigned int who;
	uint32_t state; /* of random numbers */
	char *p;	/* the memory */
	char *spare;	/* 2 MiB for contents that are made, which nobody edits */
	int shared, file, huge;
	struct tiny_vm *vm;
};

struct part {
	char *p;
	size_t len;
	unsigned int first, nr; /* pages, of their kind */
};

/* ---- what is in the pages -------------------------------------------------------------------- */

enum kind { ANON, SHARED, FILED, KINDS };

static const struct kind_row {
	const char *name;
	uint32_t at;
	unsigned int nr;
} KIND[KINDS] = {
	{ "anonymous", 0, ANON_PAGES },
	{ "shared", SHARED_AT, SHARED_PAGES },
	{ "file", FILE_AT, FILE_PAGES },
};

static uint64_t page_seed(const struct life *l, enum kind k, unsigned int i)
{
	if (k == ANON && i >= ANON_PAGES - TWINS)
		return 7777 + i % 2;
	return (l->who + 1) * 1000 + k * 100 + i;
}

static uint64_t huge_seed(const struct life *l, unsigned int i)
{
	return (l->who + 1) * 1000 + 900 + i;
}

static struct part part_of(const struct life *l, enum kind k, unsigned int first, unsigned int nr)
{
	return (struct part){ l->p + KIND[k].at + (size_t)first * PAGE, (size_t)nr * PAGE, first,
			      nr };
}

static struct part some_pages(struct life *l, enum kind k)
{
	unsigned int nr = 1 + random_of(&l->state, 8);

	return part_of(l, k, random_of(&l->state, KIND[k].nr - nr + 1), nr);
}

static struct part all_pages(const struct life *l, enum kind k)
{
	return part_of(l, k, 0, KIND[k].nr);
}

static char *huge_of(const struct life *l, unsigned int i)
{
	return l->p + HUGE_AT + (size_t)i * HUGE;
}

static bool are_right(const struct life *l, enum kind k, const char *what)
{
	bool good = true;
	unsigned int i;

	for (i = 0; i < KIND[k].nr; i++) {
		if (is_filled(part_of(l, k, i, 1).p, page_seed(l, k, i)))
			continue;
		note_wrong(l->s, what, l->who, KIND[k].at / PAGE + i);
		good = false;
	}
	return good;
}

static bool huges_are_right(const struct life *l, const char *what)
{
	bool good = true;
	unsigned int i;

	for (i = 0; i < HUGE_NR; i++) {
		if (is_huge_filled(huge_of(l, i), huge_seed(l, i)))
			continue;
		note_wrong(l->s, what, l->who, (HUGE_AT + i * HUGE) / PAGE);
		good = false;
	}
	return good;
}

/* ---- making them ----------------------------------------------------------------------------- */

static void map_spare(const struct life *l, int prot)
{
	if (mmap(l->spare, HUGE, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != l->spare)
		die("mmap");
}

/* A place that is free may be one that was just unmapped in the memory itself: so it stays taken.
 */
static void move_in(const struct life *l, char *to, size_t len)
{
	struct log_entry *e = log_begin(l->log, DEED_MREMAP, getpid(), to, len);

	if (mremap(l->spare, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, to) != to)
		die("mremap");
	log_end(e);
	map_spare(l, PROT_NONE);
}

static void refill(const struct life *l, const struct part *r)
{
	unsigned int i;

	map_spare(l, PROT_READ | PROT_WRITE);
	madvise(l->spare, HUGE, MADV_NOHUGEPAGE);
	for (i = 0; i < r->nr; i++)
		fill_page(l->spare + (size_t)i * PAGE, page_seed(l, ANON, r->first + i));
	move_in(l, r->p, r->len);
}

static void map_shared_huge(char *p, int fd)
{
	if (mmap(p, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) != p ||
	    madvise(p, HUGE, MADV_HUGEPAGE))
		die("mmap of a huge page");
}

/* Its contents are written where nobody edits. */
static void make_shared_huge(struct life *l)
{
	char *p = aligned_room(HUGE);

	l->huge = memfd_create("soak-huge", MFD_CLOEXEC);
	if (l->huge < 0 || ftruncate(l->huge, HUGE))
		die("memfd_create");
	map_shared_huge(p, l->huge);
	fill_huge(p, huge_seed(l, HUGE_SHARED));
	munmap(p, HUGE);
}

static void refill_huge(const struct life *l, unsigned int i)
{
	if (i == HUGE_SHARED) {
		map_shared_huge(huge_of(l, i), l->huge);
		return;
	}
	map_spare(l, PROT_READ | PROT_WRITE);
	madvise(l->spare, HUGE, MADV_HUGEPAGE);
	fill_huge(l->spare, huge_seed(l, i));
	move_in(l, huge_of(l, i), HUGE);
}

/* A graft may have taken the free place. */
static void map_file(const struct life *l, enum kind k, const struct part *r)
{
	struct log_entry *e = log_begin(l->log, DEED_MUNMAP, getpid(), r->p, r->len);

	if (mmap(r->p, r->len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 k == SHARED ? l->shared : l->file, (off_t)r->first * PAGE) != r->p)
		die("mmap of a file");
	log_end(e);
}

static void fill_file(const struct life *l, enum kind k, int fd)
{
	static char page[PAGE];
	unsigned int i;

	for (i = 0; i < KIND[k].nr; i++) {
		fill_page(page, page_seed(l, k, i));
		if (pwrite(fd, page, PAGE, (off_t)i * PAGE) != PAGE)
			die("write");
	}
}

static void make_memory(struct life *l)
{
	struct part anon, shared, file;
	char path[256];
	unsigned int i;

	snprintf(path, sizeof(path), "%s-%u", l->s->file, l->who);
	l->p = aligned_room(MEMORY);
	l->spare = aligned_room(HUGE);
	anon = all_pages(l, ANON);
	shared = all_pages(l, SHARED);
	file = all_pages(l, FILED);
	l->shared = memfd_create("soak", MFD_CLOEXEC);
	l->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (l->shared < 0 || l->file < 0)
		die("files");
	fill_file(l, SHARED, l->shared);
	fill_file(l, FILED, l->file);
	map_file(l, SHARED, &shared);
	map_file(l, FILED, &file);
	refill(l, &anon);
	make_shared_huge(l);
	for (i = 0; i < HUGE_NR; i++)
		refill_huge(l, i);
}

/* ---- what it does ---------------------------------------------------------------------------- */

static struct log_entry *begin(const struct life *l, enum deed deed, const struct part *r)
{
	return log_begin(l->log, deed, getpid(), r->p, r->len);
}

/* A write that leaves all as it is. */
static void touch(struct life *l, const struct part *r)
{
	struct log_entry *e = begin(l, DEED_COPY, r);
	unsigned int i;

	for (i = 0; i < r->nr; i++)
		__atomic_fetch_or((uint64_t *)(void *)(r->p + (size_t)i * PAGE + 8), 0,
				  __ATOMIC_SEQ_CST);
	log_end(e);
}

static enum kind any_kind(struct life *l)
{
	return (enum kind)random_of(&l->state, KINDS);
}

static void do_touch(struct life *l)
{
	struct part r = some_pages(l, any_kind(l));

	touch(l, &r);
}

static void do_munmap(struct life *l)
{
	enum kind k = any_kind(l);
	struct part r = some_pages(l, k);
	struct log_entry *e = begin(l, DEED_MUNMAP, &r);

	if (munmap(r.p, r.len))
		die("munmap");
	log_end(e);
	if (k == ANON)
		refill(l, &r);
	else
		map_file(l, k, &r);
}

static void do_mprotect(struct life *l)
{
	struct part r = some_pages(l, any_kind(l));
	struct log_entry *e = begin(l, DEED_MPROTECT, &r);

	if (mprotect(r.p, r.len, random_of(&l->state, 2) ? PROT_READ : PROT_NONE) ||
	    mprotect(r.p, r.len, PROT_READ | PROT_WRITE))
		die("mprotect");
	log_end(e);
}

/* To where nobody edits, and back. What is of several mappings is not moved. */
static void do_mremap(struct life *l)
{
	struct part r = some_pages(l, any_kind(l));
	struct log_entry *e = begin(l, DEED_MREMAP, &r);
	bool moved = mremap(r.p, r.len, r.len, MREMAP_MAYMOVE | MREMAP_FIXED, l->spare) == l->spare;

	log_end(e);
	if (moved)
		move_in(l, r.p, r.len);
}

/* All that is private is the child's own, as it was: edits are the parent's alone. */
static void __attribute__((noreturn)) be_child(const struct life *l)
{
	bool good = are_right(l, ANON, "child") && huges_are_right(l, "child");

	_exit(!good);
}

static void do_fork(struct life *l)
{
	struct log_entry *e = log_begin(l->log, DEED_FORK, getpid(), l->p, MEMORY);
	pid_t pid = fork();
	int i;

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		be_child(l);
	}
	log_end(e);
	for (i = 0; i < 3; i++) {
		struct part r = some_pages(l, ANON);

		touch(l, &r);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
	l->s->n.forks++;
}

static void do_advice(struct life *l)
{
	enum kind k = any_kind(l);
	struct part r = some_pages(l, k);
	struct log_entry *e = begin(l, DEED_ADVICE, &r);

	if (madvise(r.p, r.len, MADV_DONTNEED))
		die("MADV_DONTNEED");
	log_end(e);
	if (k == ANON)
		refill(l, &r);
}

static void do_reclaim(struct life *l)
{
	struct part r = some_pages(l, any_kind(l));
	struct log_entry *e = begin(l, DEED_RECLAIM, &r);

	madvise(r.p, r.len, MADV_PAGEOUT);
	log_end(e);
	touch(l, &r);
}

/* Between the two nodes, if there are two. */
static void do_migrate(struct life *l)
{
	struct part r = some_pages(l, random_of(&l->state, 2) ? ANON : SHARED);
	int node = (int)random_of(&l->state, 2), nodes[8], status[8];
	struct log_entry *e = begin(l, DEED_MIGRATE, &r);
	void *pages[8];
	unsigned int i;

	for (i = 0; i < r.nr; i++) {
		pages[i] = r.p + (size_t)i * PAGE;
		nodes[i] = node;
	}
	syscall(SYS_move_pages, 0, (unsigned long)r.nr, pages, nodes, status, 2 /* MPOL_MF_MOVE */);
	log_end(e);
}

/* One page: older kernels want all to be in one mapping. */
static void do_uffd(struct life *l)
{
	struct part r = part_of(l, ANON, random_of(&l->state, ANON_PAGES), 1);
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP };
	struct uffdio_register reg = { .range = { at(r.p), r.len },
				       .mode = UFFDIO_REGISTER_MODE_WP };
	struct uffdio_writeprotect wp = { .range = { at(r.p), r.len },
					  .mode = UFFDIO_WRITEPROTECT_MODE_WP };
	struct log_entry *e = begin(l, DEED_UFFD, &r);
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg) ||
	    ioctl(fd, UFFDIO_WRITEPROTECT, &wp))
		die("userfaultfd");
	*(volatile char *)r.p;
	wp.mode = 0;
	if (ioctl(fd, UFFDIO_WRITEPROTECT, &wp))
		die("userfaultfd");
	close(fd);
	log_end(e);
}

static void do_soft_dirty(struct life *l)
{
	struct log_entry *e = log_begin(l->log, DEED_SOFT_DIRTY, getpid(), l->p, MEMORY);

	write_file("/proc/self/clear_refs", random_of(&l->state, 2) ? "4" : "1");
	log_end(e);
}

static void do_sync(struct life *l)
{
	struct part r = all_pages(l, FILED);
	struct log_entry *e = begin(l, DEED_SYNC, &r);

	msync(r.p, r.len, MS_SYNC);
	log_end(e);
}

/* KSM forgets who it merged when it takes all apart. */
static void do_mergeable(struct life *l)
{
	struct part r = part_of(l, ANON, ANON_PAGES - TWINS, TWINS);
	struct log_entry *e = begin(l, DEED_KSM, &r);

	madvise(r.p, r.len, MADV_UNMERGEABLE);
	madvise(r.p, r.len, MADV_MERGEABLE);
	log_end(e);
}

/* By a mapping that ends in its middle, or by the kernel's own means for tests. */
static void do_split(struct life *l)
{
	char *huge = huge_of(l, random_of(&l->state, HUGE_NR)), text[64];
	struct part r = { huge, HUGE, 0, HUGE / PAGE };
	struct log_entry *split = begin(l, DEED_SPLIT, &r), *protect = begin(l, DEED_MPROTECT, &r);

	if (random_of(&l->state, 2)) {
		snprintf(text, sizeof(text), "%d,0x%" PRIx64 ",0x%" PRIx64 "\n", getpid(), at(huge),
			 at(huge) + HUGE);
		write_file("/sys/kernel/debug/split_huge_pages", text);
	} else if (mprotect(huge + HUGE / 2, PAGE, PROT_READ) ||
		   mprotect(huge + HUGE / 2, PAGE, PROT_READ | PROT_WRITE)) {
		die("mprotect of a part");
	}
	log_end(protect);
	log_end(split);
}

/* What is a huge page already, but mapped in parts, is mapped as one again. */
static void do_collapse(struct life *l)
{
	char *huge =
		huge_of(l, random_of(&l->state, 4) ? HUGE_SHARED : random_of(&l->state, HUGE_NR));
	struct part r = { huge, HUGE, 0, HUGE / PAGE };
	struct log_entry *e = begin(l, DEED_COLLAPSE, &r);

	madvise(huge, HUGE, MADV_COLLAPSE);
	log_end(e);
}

static void do_new_huge(struct life *l)
{
	unsigned int i = random_of(&l->state, HUGE_NR);
	struct part r = { huge_of(l, i), HUGE, 0, HUGE / PAGE };
	struct log_entry *e = begin(l, DEED_MUNMAP, &r);

	if (munmap(r.p, r.len))
		die("munmap");
	log_end(e);
	refill_huge(l, i);
}

typedef void (*deed_fn)(struct life *l);

/* Some more than once: they shall come more often. */
static const deed_fn DOES[] = {
	do_touch,   do_munmap,	do_mprotect, do_mremap,	  do_fork,	do_advice,   do_reclaim,
	do_reclaim, do_reclaim, do_uffd,     do_sync,	  do_mergeable, do_migrate,  do_migrate,
	do_split,   do_split,	do_split,    do_collapse, do_collapse,	do_new_huge, do_soft_dirty,
};

#endif
