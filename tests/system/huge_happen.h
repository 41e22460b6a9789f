/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What can happen to a process with an active edit of the leaf of a huge page, the second of its
 * memory: done by itself, and what is expected of the edit and of the memory.
 */
#ifndef TESTS_HUGE_HAPPEN_H
#define TESTS_HUGE_HAPPEN_H

#include <linux/userfaultfd.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "tests/system/huge.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif

#define LEN  ((size_t)HUGES * HUGE)
#define PART (9 * PAGE) /* a 4 KiB page within the edited one */

enum result { WRONG, RIGHT, UNAVAILABLE };

struct mem {
	char *p;
	enum huge_memory kind;
	int fd;	  /* of its file, or -1 */
	int disk; /* of a file on a disk, for O_DIRECT */
};

static enum result right(bool it_is)
{
	return it_is ? RIGHT : WRONG;
}

static char *edited(const struct mem *m)
{
	return m->p + HUGE;
}

static bool is_itself(const struct mem *m)
{
	return is_huge_filled(edited(m), 1);
}

static enum result ev_munmap(struct mem *m)
{
	return right(!munmap(edited(m), HUGE));
}

static enum result ev_munmap_part(struct mem *m)
{
	return right(!munmap(edited(m) + PART, PAGE));
}

static enum result ev_mprotect(struct mem *m)
{
	return right(!mprotect(m->p, LEN, PROT_READ) && is_itself(m) &&
		     !mprotect(m->p, LEN, PROT_READ | PROT_WRITE));
}

static enum result ev_mprotect_part(struct mem *m)
{
	return right(!mprotect(edited(m) + PART, PAGE, PROT_READ) && is_itself(m) &&
		     !mprotect(edited(m) + PART, PAGE, PROT_READ | PROT_WRITE));
}

static enum result ev_mprotect_none(struct mem *m)
{
	return right(!mprotect(m->p, LEN, PROT_NONE) &&
		     !mprotect(m->p, LEN, PROT_READ | PROT_WRITE) && is_itself(m));
}

static enum result move_to(struct mem *m, char *to)
{
	char *moved = mremap(m->p, LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED, to);

	if (moved != to)
		return WRONG;
	m->p = moved;
	return right(is_itself(m));
}

static enum result ev_mremap(struct mem *m)
{
	return move_to(m, aligned_room(LEN));
}

/* Where no 2 MiB leaf can be. */
static enum result ev_mremap_odd(struct mem *m)
{
	return move_to(m, aligned_room(LEN + HUGE) + PAGE);
}

static enum result ev_mremap_dontunmap(struct mem *m)
{
	char *to = aligned_room(LEN);
	char *moved = mremap(m->p, LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to);
	bool left = moved == to && is_huge_zero(edited(m));

	m->p = to;
	return right(left && is_itself(m));
}

static enum result advise(char *p, size_t len, int advice)
{
	if (!madvise(p, len, advice))
		return RIGHT;
	return errno == EINVAL ? UNAVAILABLE : WRONG;
}

static enum result ev_dontneed(struct mem *m)
{
	return advise(edited(m), HUGE, MADV_DONTNEED);
}

static enum result ev_dontneed_part(struct mem *m)
{
	return advise(edited(m) + PART, PAGE, MADV_DONTNEED);
}

static enum result ev_free(struct mem *m)
{
	return advise(m->p, LEN, MADV_FREE);
}

static enum result ev_cold(struct mem *m)
{
	return advise(m->p, LEN, MADV_COLD);
}

static enum result ev_cold_part(struct mem *m)
{
	return advise(edited(m) + PART, PAGE, MADV_COLD);
}

static enum result ev_pageout(struct mem *m)
{
	return advise(m->p, LEN, MADV_PAGEOUT);
}

static enum result ev_remove(struct mem *m)
{
	return advise(edited(m), HUGE, MADV_REMOVE);
}

static enum result ev_remove_part(struct mem *m)
{
	return advise(edited(m) + PART, PAGE, MADV_REMOVE);
}

static enum result ev_truncate(struct mem *m)
{
	return right(!ftruncate(m->fd, 0) && !ftruncate(m->fd, (off_t)LEN));
}

/* It may refuse to, as references are held. */
static enum result ev_collapse(struct mem *m)
{
	madvise(m->p, LEN, MADV_COLLAPSE);
	return RIGHT;
}

/* Child and parent write to what they have in common, the parent first. */
static enum result ev_fork(struct mem *m)
{
	int fds[2], status;
	pid_t pid;
	char c;

	if (pipe(fds))
		return WRONG;
	pid = fork();
	if (!pid) {
		bool good;

		close(fds[1]);
		good = !read(fds[0], &c, 1) && is_itself(m) && is_huge_filled(m->p + 2 * HUGE, 2);
		edited(m)[5] = 1;
		_exit(!good);
	}
	fill_huge(edited(m), 1);
	close(fds[1]);
	close(fds[0]);
	return right(pid > 0 && waitpid(pid, &status, 0) == pid && !status);
}

/* Of shared memory the child gets no entries copied. */
static enum result ev_fork_shared(struct mem *m)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(!is_itself(m));
	return right(pid > 0 && waitpid(pid, &status, 0) == pid && !status);
}

static enum result ev_exec(struct mem *m)
{
	(void)m;
	execl("/bin/true", "true", NULL);
	return WRONG;
}

static enum result ev_exit(struct mem *m)
{
	(void)m;
	_exit(0);
}

static enum result ev_none(struct mem *m)
{
	(void)m;
	return RIGHT;
}

static enum result ev_soft_dirty(struct mem *m)
{
	(void)m;
	return right(write_file("/proc/self/clear_refs", "4") &&
		     write_file("/proc/self/clear_refs", "1"));
}

static enum result ev_compact(struct mem *m)
{
	(void)m;
	return right(write_file("/proc/sys/vm/compact_memory", "1"));
}

/* All of it: where a VMA is split, huge pages are said to be. */
static enum result ev_mlock(struct mem *m)
{
	return right(!mlock(m->p, LEN) && !munlock(m->p, LEN));
}

static enum result ev_uffd_wp(struct mem *m)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP };
	struct uffdio_register reg = { .range = { at(m->p), LEN },
				       .mode = UFFDIO_REGISTER_MODE_WP };
	struct uffdio_writeprotect wp = { .range = { at(m->p), LEN },
					  .mode = UFFDIO_WRITEPROTECT_MODE_WP };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	bool good;

	if (fd < 0)
		return UNAVAILABLE;
	good = !ioctl(fd, UFFDIO_API, &api) && !ioctl(fd, UFFDIO_REGISTER, &reg) &&
	       !ioctl(fd, UFFDIO_WRITEPROTECT, &wp) && is_itself(m);
	wp.mode = 0;
	good = good && !ioctl(fd, UFFDIO_WRITEPROTECT, &wp);
	close(fd);
	return right(good);
}

/* A second page with the same contents, so that there is something to merge. */
static enum result ev_ksm(struct mem *m)
{
	int fd;
	char *twin = make_huge(HUGE_ANON, HUGES, &fd);
	bool good;

	if (madvise(m->p, LEN, MADV_MERGEABLE) || madvise(twin, LEN, MADV_MERGEABLE))
		return UNAVAILABLE;
	good = write_file("/sys/kernel/mm/ksm/sleep_millisecs", "1") &&
	       write_file("/sys/kernel/mm/ksm/pages_to_scan", "1000") &&
	       write_file("/sys/kernel/mm/ksm/run", "1");
	usleep(60000);
	good = good && write_file("/sys/kernel/mm/ksm/run", "2");
	return right(good && write_file("/sys/kernel/mm/ksm/run", "0"));
}

/* The kernel's own test of splits; it may fail to, as references are held. */
static enum result ev_split(struct mem *m)
{
	char text[64];

	snprintf(text, sizeof(text), "%d,0x%" PRIx64 ",0x%" PRIx64 "\n", getpid(), at(m->p),
		 at(m->p + LEN));
	write_file("/sys/kernel/debug/split_huge_pages", text);
	return access("/sys/kernel/debug/split_huge_pages", W_OK) ? UNAVAILABLE : RIGHT;
}

/* The same of what moves a page away from memory that begins to fail. */
static enum result ev_soft_offline(struct mem *m)
{
	if (madvise(edited(m) + PART, PAGE, MADV_SOFT_OFFLINE) && errno == EINVAL)
		return UNAVAILABLE;
	return RIGHT;
}

static enum result ev_reclaim(struct mem *m)
{
	(void)m;
	return write_file("/sys/fs/cgroup/memory.reclaim", "64M") || errno == EAGAIN ? RIGHT
										     : UNAVAILABLE;
}

static enum result ev_vmsplice(struct mem *m)
{
	struct iovec v = { edited(m) + PART, PAGE };
	int fds[2];
	bool good = !pipe(fds) && vmsplice(fds[1], &v, 1, 0) == PAGE;

	close(fds[0]);
	close(fds[1]);
	return right(good);
}

static enum result ev_direct_io(struct mem *m)
{
	return right(pwrite(m->disk, edited(m), HUGE, 0) == HUGE &&
		     pread(m->disk, edited(m), HUGE, 0) == HUGE);
}

/* ---- what they are, and what is expected ----------------------------------------------------- */

enum after { SAME, ZERO, ALL_ZERO, GONE, PART_ZERO, PART_GONE, ENDED };
enum outcome { TAKEN, STAYS, EITHER };

#define OF(kind)   (1u << (kind))
#define THP	   (OF(HUGE_ANON) | OF(HUGE_TMPFS))
#define PRIVATE	   (OF(HUGE_ANON) | OF(HUGETLB_PRIVATE))
#define SHARED	   (OF(HUGE_TMPFS) | OF(HUGETLB_SHARED))
#define ANY_HUGE   (PRIVATE | SHARED)
#define ANON_HUGE  OF(HUGE_ANON)
#define TMPFS_HUGE OF(HUGE_TMPFS)

static const struct event {
	const char *name;
	enum result (*run)(struct mem *m);
	unsigned int of; /* kinds of memory */
	enum after after;
	enum outcome outcome;
} events[] = {
	{ "munmap", ev_munmap, ANY_HUGE, GONE, TAKEN },
	{ "munmap of a part", ev_munmap_part, THP, PART_GONE, TAKEN },
	{ "mprotect", ev_mprotect, ANY_HUGE, SAME, TAKEN },
	{ "mprotect of a part", ev_mprotect_part, THP, SAME, TAKEN },
	{ "PROT_NONE and back", ev_mprotect_none, ANY_HUGE, SAME, TAKEN },
	{ "mremap", ev_mremap, ANY_HUGE, SAME, TAKEN },
	{ "mremap that splits", ev_mremap_odd, THP, SAME, TAKEN },
	{ "MREMAP_DONTUNMAP", ev_mremap_dontunmap, ANON_HUGE, SAME, TAKEN },
	{ "MADV_DONTNEED", ev_dontneed, PRIVATE, ZERO, TAKEN },
	{ "MADV_DONTNEED", ev_dontneed, SHARED, SAME, TAKEN },
	{ "MADV_DONTNEED of a part", ev_dontneed_part, ANON_HUGE, PART_ZERO, TAKEN },
	{ "MADV_FREE", ev_free, ANON_HUGE, SAME, TAKEN },
	{ "MADV_COLD", ev_cold, THP, SAME, STAYS },
	{ "MADV_COLD of a part", ev_cold_part, THP, SAME, EITHER },
	{ "MADV_PAGEOUT", ev_pageout, THP, SAME, EITHER },
	{ "MADV_REMOVE", ev_remove, SHARED, ZERO, TAKEN },
	{ "MADV_REMOVE of a part", ev_remove_part, TMPFS_HUGE, PART_ZERO, TAKEN },
	{ "truncation", ev_truncate, SHARED, ALL_ZERO, TAKEN },
	{ "MADV_COLLAPSE", ev_collapse, THP, SAME, EITHER },
	{ "fork", ev_fork, PRIVATE, SAME, TAKEN },
	{ "fork", ev_fork_shared, SHARED, SAME, STAYS },
	{ "exec", ev_exec, ANY_HUGE, ENDED, TAKEN },
	{ "exit", ev_exit, ANY_HUGE, ENDED, TAKEN },
	{ "clear_refs", ev_soft_dirty, PRIVATE, SAME, TAKEN },
	{ "compaction", ev_compact, THP, SAME, EITHER },
	{ "mlock and munlock", ev_mlock, ANY_HUGE, SAME, STAYS },
	{ "write-protection by userfaultfd", ev_uffd_wp, ANON_HUGE, SAME, TAKEN },
	{ "KSM", ev_ksm, ANON_HUGE, SAME, EITHER },
	{ "split", ev_split, THP, SAME, EITHER },
	{ "soft offline", ev_soft_offline, ANY_HUGE, SAME, EITHER },
	{ "reclaim", ev_reclaim, THP, SAME, EITHER },
	{ "vmsplice", ev_vmsplice, PRIVATE, SAME, EITHER },
	{ "O_DIRECT", ev_direct_io, ANY_HUGE, SAME, EITHER },
};

#endif
