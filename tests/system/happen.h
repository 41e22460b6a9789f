/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What can happen to a process with an active edit in page 1 of its memory: done by itself, and
 * what is expected of the edit and of the memory.
 */
#ifndef TESTS_HAPPEN_H
#define TESTS_HAPPEN_H

#include <linux/userfaultfd.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "tests/system/edits.h"

#define PAGES  8
#define REGION (2u << 20)

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

enum result { WRONG, RIGHT, UNAVAILABLE };

/* ---- the events, in the process that they happen to ------------------------------------------ */

static enum result right(bool it_is)
{
	return it_is ? RIGHT : WRONG;
}

static char *edited(char *p)
{
	return p + PAGE;
}

static enum result ev_munmap(char **p)
{
	return right(!munmap(edited(*p), PAGE));
}

static enum result ev_mprotect(char **p)
{
	return right(!mprotect(*p, PAGES * PAGE, PROT_READ) && is_filled(edited(*p), 1) &&
		     !mprotect(*p, PAGES * PAGE, PROT_READ | PROT_WRITE));
}

static enum result ev_mprotect_none(char **p)
{
	return right(!mprotect(*p, PAGES * PAGE, PROT_NONE) &&
		     !mprotect(*p, PAGES * PAGE, PROT_READ | PROT_WRITE) &&
		     is_filled(edited(*p), 1));
}

static enum result ev_mremap(char **p)
{
	char *moved = mremap(*p, PAGES * PAGE, 2 * REGION, MREMAP_MAYMOVE);

	if (moved == MAP_FAILED || moved == *p)
		return WRONG;
	*p = moved;
	return right(is_filled(edited(moved), 1));
}

static enum result ev_mremap_dontunmap(char **p)
{
	char *moved = mremap(*p, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
	uint64_t left;

	if (moved == MAP_FAILED)
		return WRONG;
	left = *(volatile uint64_t *)(edited(*p) + 8);
	*p = moved;
	return right(!left && is_filled(edited(moved), 1));
}

static enum result advise(char *p, int advice)
{
	if (!madvise(p, PAGES * PAGE, advice))
		return RIGHT;
	return errno == EINVAL ? UNAVAILABLE : WRONG;
}

static enum result ev_dontneed(char **p)
{
	return advise(*p, MADV_DONTNEED);
}

static enum result ev_free(char **p)
{
	return advise(*p, MADV_FREE);
}

static enum result ev_cold(char **p)
{
	return advise(*p, MADV_COLD);
}

static enum result ev_pageout(char **p)
{
	return advise(*p, MADV_PAGEOUT);
}

static enum result ev_remove(char **p)
{
	return advise(*p, MADV_REMOVE);
}

static enum result ev_fsync(char **p)
{
	return right(!msync(*p, PAGES * PAGE, MS_SYNC));
}

static enum result ev_collapse(char **p)
{
	/* It may refuse to, as references are held. */
	madvise(*p, REGION, MADV_COLLAPSE);
	return RIGHT;
}

static enum result ev_fork(char **p)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		bool good = is_filled(edited(*p), 1) && is_filled(*p + 2 * PAGE, 2);

		edited(*p)[5] = 1; /* in its copy */
		_exit(!good);
	}
	return right(pid > 0 && waitpid(pid, &status, 0) == pid && !status);
}

/* Of shared memory the child gets no entries copied. */
static enum result ev_fork_shared(char **p)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(!is_filled(edited(*p), 1));
	return right(pid > 0 && waitpid(pid, &status, 0) == pid && !status);
}

static enum result ev_exec(char **p)
{
	(void)p;
	execl("/bin/true", "true", NULL);
	return WRONG;
}

static enum result ev_exit(char **p)
{
	(void)p;
	_exit(0);
}

static enum result ev_none(char **p)
{
	(void)p;
	return RIGHT;
}

static enum result ev_soft_dirty(char **p)
{
	(void)p;
	return right(write_file("/proc/self/clear_refs", "4") &&
		     write_file("/proc/self/clear_refs", "1"));
}

static enum result ev_compact(char **p)
{
	(void)p;
	return right(write_file("/proc/sys/vm/compact_memory", "1"));
}

static enum result ev_mlock(char **p)
{
	/* All of it: where a VMA is split, huge pages are said to be. */
	return right(!mlock(*p, REGION) && !munlock(*p, REGION));
}

static enum result ev_uffd_wp(char **p)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP };
	struct uffdio_register reg = { .range = { at(*p), PAGES * PAGE },
				       .mode = UFFDIO_REGISTER_MODE_WP };
	struct uffdio_writeprotect wp = { .range = { at(*p), PAGES * PAGE },
					  .mode = UFFDIO_WRITEPROTECT_MODE_WP };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	bool good;

	if (fd < 0)
		return UNAVAILABLE;
	good = !ioctl(fd, UFFDIO_API, &api) && !ioctl(fd, UFFDIO_REGISTER, &reg) &&
	       !ioctl(fd, UFFDIO_WRITEPROTECT, &wp) && is_filled(edited(*p), 1);
	wp.mode = 0;
	good = good && !ioctl(fd, UFFDIO_WRITEPROTECT, &wp);
	close(fd);
	return right(good);
}

/* linux/userfaultfd.h of 6.8. */
struct move_args {
	uint64_t dst, src, len, mode;
	int64_t moved;
};
#define MOVE		  _IOWR(UFFDIO, 0x05, struct move_args)
#define FEATURE_MOVE	  (1 << 16)
#define MOVE_MODE_NO_WAKE 1

static enum result ev_uffd_move(char **p)
{
	struct uffdio_api api = { .api = UFFD_API, .features = FEATURE_MOVE };
	char *to = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			0);
	struct uffdio_register reg = { .range = { at(to), PAGES * PAGE },
				       .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct move_args move = { .dst = at(to), .src = at(*p), .len = PAGES * PAGE };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	int tries, err = -1;

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg))
		return UNAVAILABLE;
	/* Pages that others hold are refused for a while: the edit's are given back soon. */
	for (tries = 0; tries < 100 && err; tries++) {
		err = ioctl(fd, MOVE, &move);
		if (err && move.moved > 0) {
			move.dst += (uint64_t)move.moved;
			move.src += (uint64_t)move.moved;
			move.len -= (uint64_t)move.moved;
		}
		if (err)
			usleep(1000);
	}
	close(fd);
	if (!err)
		*p = to;
	return right(!err && is_filled(edited(to), 1));
}

/* A second page with the same contents, so that there is something to merge. */
static enum result ev_ksm(char **p)
{
	char *twin = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	unsigned int i;
	bool good;

	for (i = 0; i < PAGES; i++)
		fill_page(twin + i * PAGE, i);
	if (madvise(*p, PAGES * PAGE, MADV_MERGEABLE) ||
	    madvise(twin, PAGES * PAGE, MADV_MERGEABLE))
		return UNAVAILABLE;
	good = write_file("/sys/kernel/mm/ksm/sleep_millisecs", "1") &&
	       write_file("/sys/kernel/mm/ksm/pages_to_scan", "1000") &&
	       write_file("/sys/kernel/mm/ksm/run", "1");
	usleep(60000);
	good = good && write_file("/sys/kernel/mm/ksm/run", "2");
	return right(good && write_file("/sys/kernel/mm/ksm/run", "0"));
}

static enum result ev_reclaim(char **p)
{
	char pid[32];

	(void)p;
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	mkdir("/sys/fs/cgroup/edits", 0755);
	snprintf(pid, sizeof(pid), "%d", getpid());
	if (!write_file("/sys/fs/cgroup/edits/cgroup.procs", pid))
		return UNAVAILABLE;
	/* Its pages are charged where it was when it got them: all that there is, then. */
	write_file("/sys/fs/cgroup/memory.reclaim", "64M");
	write_file("/sys/fs/cgroup/edits/memory.reclaim", "64M");
	return RIGHT;
}

static enum result ev_vmsplice(char **p)
{
	struct iovec v = { edited(*p), PAGE };
	char page[PAGE];
	int fds[2];
	bool good;

	if (pipe(fds))
		return WRONG;
	good = vmsplice(fds[1], &v, 1, 0) == PAGE && !madvise(*p, PAGES * PAGE, MADV_COLD) &&
	       read(fds[0], page, PAGE) == PAGE;
	close(fds[0]);
	close(fds[1]);
	return right(good);
}

/* To the disk and back, with the same contents each time. */
static enum result ev_direct_io(char **p)
{
	int fd = open("/proc/self/fd/9", O_RDWR | O_DIRECT);
	bool good;

	if (fd < 0)
		return UNAVAILABLE;
	good = pwrite(fd, edited(*p), PAGE, 0) == PAGE && pread(fd, edited(*p), PAGE, 0) == PAGE;
	close(fd);
	return right(good);
}

/* ---- what they are, and what is expected ----------------------------------------------------- */

enum memory { ANON, SHARED, FILE_SHARED };
enum after { SAME, ZERO, GONE, ENDED, ANY };
enum outcome { TAKEN, STAYS, EITHER };

static const struct event {
	const char *name;
	enum result (*run)(char **p);
	enum memory memory;
	enum after after;
	enum outcome outcome;
} events[] = {
	{ "munmap", ev_munmap, ANON, GONE, TAKEN },
	{ "munmap, shared", ev_munmap, SHARED, GONE, TAKEN },
	{ "munmap, file", ev_munmap, FILE_SHARED, GONE, TAKEN },
	{ "mprotect", ev_mprotect, ANON, SAME, TAKEN },
	{ "mprotect, file", ev_mprotect, FILE_SHARED, SAME, TAKEN },
	{ "PROT_NONE and back", ev_mprotect_none, ANON, SAME, TAKEN },
	{ "mremap", ev_mremap, ANON, SAME, TAKEN },
	{ "mremap, shared", ev_mremap, SHARED, ANY, TAKEN },
	{ "MREMAP_DONTUNMAP", ev_mremap_dontunmap, ANON, SAME, TAKEN },
	{ "MADV_DONTNEED", ev_dontneed, ANON, ZERO, TAKEN },
	{ "MADV_DONTNEED, shared", ev_dontneed, SHARED, SAME, TAKEN },
	{ "MADV_FREE", ev_free, ANON, SAME, TAKEN },
	{ "MADV_COLD", ev_cold, ANON, SAME, STAYS },
	{ "MADV_PAGEOUT", ev_pageout, ANON, SAME, EITHER },
	{ "MADV_PAGEOUT, shared", ev_pageout, SHARED, SAME, EITHER },
	{ "MADV_REMOVE", ev_remove, SHARED, ZERO, TAKEN },
	{ "MADV_COLLAPSE", ev_collapse, ANON, SAME, EITHER },
	{ "MADV_COLLAPSE, shared", ev_collapse, SHARED, SAME, EITHER },
	{ "fork", ev_fork, ANON, SAME, TAKEN },
	{ "fork, shared", ev_fork_shared, SHARED, SAME, STAYS },
	{ "exec", ev_exec, ANON, ENDED, TAKEN },
	{ "exit", ev_exit, ANON, ENDED, TAKEN },
	{ "exit, shared", ev_exit, SHARED, ENDED, TAKEN },
	{ "exit, file", ev_exit, FILE_SHARED, ENDED, TAKEN },
	{ "clear_refs", ev_soft_dirty, ANON, SAME, TAKEN },
	{ "compaction", ev_compact, ANON, SAME, EITHER },
	{ "mlock and munlock", ev_mlock, ANON, SAME, STAYS },
	{ "write-protection by userfaultfd", ev_uffd_wp, ANON, SAME, TAKEN },
	{ "UFFDIO_MOVE", ev_uffd_move, ANON, SAME, TAKEN },
	{ "KSM", ev_ksm, ANON, SAME, EITHER },
	{ "reclaim", ev_reclaim, ANON, SAME, EITHER },
	{ "reclaim, shared", ev_reclaim, SHARED, SAME, EITHER },
	{ "reclaim, file", ev_reclaim, FILE_SHARED, SAME, EITHER },
	{ "write-back", ev_fsync, FILE_SHARED, SAME, EITHER },
	{ "vmsplice", ev_vmsplice, ANON, SAME, EITHER },
	{ "O_DIRECT", ev_direct_io, ANON, SAME, EITHER },
};

#endif
