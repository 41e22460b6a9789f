// SPDX-License-Identifier: GPL-2.0
/*
 * zoo: makes every kind of page fault and writes down what each one was.
 *
 *	zoo [-d DIR] [-s] [-H] ORACLE N
 *
 * About N faults of the cheap kinds, some of the others. File faults need DIR on a real file
 * system, swapping (-s) a swap area, hugetlb (-H) a few free 2 MiB pages. ORACLE gets one line
 * per fault (tests/system/oracle.h), the first and the last of which bracket the phase whose
 * ru_minflt and ru_majflt are printed.
 */
#include <linux/userfaultfd.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "tests/system/zoo.h"

#define ROOM_EXTRAS 16384 /* faults of the kinds whose number is fixed */

static struct zoo zoo;

static void caught(int sig)
{
	siglongjmp(zoo.escape, sig);
}

static void ignored(int sig)
{
	(void)sig;
}

static void anon(struct zoo *z)
{
	size_t i, n = z->n * 3 / 10;
	char *p = map_anon(z, n);

	for (i = 0; i < n; i++)
		fill(z, p + i * PAGE, "write", "anon", 1);
}

/* Every level is missing in turn. */
static void levels(struct zoo *z)
{
	static const size_t offsets[] = { 0, PAGE, HUGE, HUGE + PAGE };
	char *p = map_anon(z, 8 * GIB / PAGE);
	size_t i;

	for (i = 0; i < 8 * 4; i++)
		fill(z, p + i / 4 * GIB + offsets[i % 4], "write", "anon", 1);
}

static void zero_then_cow(struct zoo *z)
{
	size_t i, n = z->n / 5;
	char *p = map_anon(z, n);

	for (i = 0; i < n; i++)
		fill(z, p + i * PAGE, "read", "zero", 1);
	for (i = 0; i < n; i++)
		rewrite(z, p + i * PAGE, "cow", 1);
}

static void shared(struct zoo *z)
{
	size_t i, n = z->n / 10;
	char *p = oracle_map(&z->o, n * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1);

	for (i = 0; i < n; i++)
		fill(z, p + i * PAGE, "write", "file", 1);
}

/* Copied while a child shares the page, made writable in place when it is gone. */
static void fork_cow(struct zoo *z)
{
	size_t i, n = z->n / 20;
	char *p = map_anon(z, n);
	pid_t child;

	for (i = 0; i < n; i++)
		fill(z, p + i * PAGE, "write", "anon", 1);
	child = fork_sleeper();
	for (i = 0; i < n; i++)
		rewrite(z, p + i * PAGE, "cow", 1);
	end_child(child);
	end_child(fork_sleeper());
	for (i = 0; i < SOME && i < n; i++)
		rewrite(z, p + i * PAGE, "wp", 1);
}

static void populate(struct zoo *z, int advice, const char *access, const char *outcome)
{
	size_t i, n = z->n / 20, first = z->o.nr;
	char *p = map_anon(z, n);
	struct fault *f;

	for (i = 0; i < n; i++) {
		f = expect(z, p + i * PAGE, "gup", access, outcome);
		oracle_filled(&z->o, f->address, 1);
	}
	if (madvise(p, n * PAGE, advice))
		die("MADV_POPULATE");
	for (f = z->o.faults + first; f < z->o.faults + z->o.nr; f++)
		f->pfn = oracle_pfn(&z->o, f->address);
}

static void own_gup(struct zoo *z)
{
	populate(z, MADV_POPULATE_READ, "read", "zero");
	populate(z, MADV_POPULATE_WRITE, "write", "anon");
}

/* get_user_pages in another process's memory, whose pagemap tells the frame. */
static void remote_gup(struct zoo *z)
{
	char *p = map_anon(z, SOME), byte = 0, path[32];
	struct iovec local = { &byte, 1 }, remote = { p, 1 };
	int own = z->o.pagemap;
	pid_t child = fork_sleeper();
	struct fault *f;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", child);
	z->o.pagemap = open(path, O_RDONLY | O_CLOEXEC);
	for (; remote.iov_base < (void *)(p + SOME * PAGE); remote.iov_base += PAGE) {
		f = expect(z, remote.iov_base, "gup", "read", "zero");
		if (process_vm_readv(child, &local, 1, &remote, 1, 0) != 1)
			die("process_vm_readv");
		filled(z, f, 1);
	}
	close(z->o.pagemap);
	z->o.pagemap = own;
	end_child(child);
}

/* Faults of the kernel on behalf of a system call: answered, and not to be answered. */
static void in_kernel(struct zoo *z)
{
	char *p = map_anon(z, SOME), *nothing = oracle_map(&z->o, PAGE, PROT_NONE, ANON, -1);
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	struct fault *f;
	size_t i;

	for (i = 0; i < SOME; i++) {
		f = expect(z, p + i * PAGE, "kernel", "write", "anon");
		if (read(zero, p + i * PAGE, 1) != 1)
			die("/dev/zero");
		filled(z, f, 1);
	}
	for (i = 0; i < FEW; i++) {
		f = expect(z, nothing + i * 4, "kernel", "write", "fixup");
		if (!syscall(SYS_getcpu, nothing + i * 4, NULL, NULL))
			die("getcpu");
	}
	close(zero);
}

static void huge(struct zoo *z)
{
	size_t i, n = 16;
	char *p = oracle_map(&z->o, n * HUGE, RW, ANON, -1);

	if (madvise(p, n * HUGE, MADV_HUGEPAGE))
		die("MADV_HUGEPAGE");
	for (i = 0; i < n / 2; i++)
		fill(z, p + i * HUGE, "write", "huge", 2);
	for (; i < n; i++)
		fill(z, p + i * HUGE, "read", "zero", 2);
	for (i = n / 2; i < n; i++)
		rewrite(z, p + i * HUGE, "cow", 2);
}

static void hugetlb(struct zoo *z)
{
	size_t i, n = 8;
	char *p = oracle_map(&z->o, n * HUGE, RW, ANON | MAP_HUGETLB | 21 << MAP_HUGE_SHIFT, -1);

	for (i = 0; i < n; i++)
		fill(z, p + i * HUGE, i % 2 ? "write" : "read", "hugetlb", 2);
}

static void files(struct zoo *z)
{
	size_t i, pages = SOME * AROUND;
	int fd = make_file(z, pages);
	char *shared = oracle_map(&z->o, pages * PAGE, RW, MAP_SHARED, fd);
	char *private = oracle_map(&z->o, pages * PAGE, RW, MAP_PRIVATE, fd);
	char *code = oracle_map(&z->o, pages * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd);

	for (i = 0; i < pages; i += AROUND)
		fill(z, code + i * PAGE, "exec", "file", 1);
	for (i = 0; i < pages; i += AROUND)
		fill(z, private + i * PAGE, "read", "file", 1);
	for (i = 0; i < pages; i += AROUND)
		rewrite(z, private + i * PAGE, "cow", 1);
	for (i = 0; i < pages; i += AROUND)
		fill(z, shared + i * PAGE, "write", "file", 1);
	close(fd);
}

static void file_copies(struct zoo *z)
{
	size_t i;
	int fd = make_file(z, SOME);
	char *p = oracle_map(&z->o, SOME * PAGE, RW, MAP_PRIVATE, fd);

	for (i = 0; i < SOME; i++)
		fill(z, p + i * PAGE, "write", "cow", 1);
	close(fd);
}

/* Pages that have to be read from the disk, each for itself. */
static void major(struct zoo *z)
{
	size_t i;
	int fd = make_file(z, FEW);
	char *p = oracle_map(&z->o, FEW * PAGE, PROT_READ, MAP_SHARED, fd);

	if (posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) || madvise(p, FEW * PAGE, MADV_RANDOM))
		die("madvise");
	for (i = 0; i < FEW; i++)
		fill(z, p + i * PAGE, "read", "major", 1);
	close(fd);
}

static void swap(struct zoo *z)
{
	char *p = map_anon(z, SOME);
	size_t i, swapped = 0;

	for (i = 0; i < SOME; i++)
		fill(z, p + i * PAGE, "write", "anon", 1);
	if (madvise(p, SOME * PAGE, MADV_PAGEOUT))
		die("MADV_PAGEOUT");
	for (i = 0; i < SOME; i++) {
		if (!(oracle_pagemap(&z->o, (uintptr_t)p + i * PAGE) >> 62 & 1))
			continue;
		fill(z, p + i * PAGE, i % 2 ? "write" : "read", "swap", 1);
		swapped++;
	}
	if (swapped < SOME / 2) {
		fprintf(stderr, "zoo: only %zu of %d pages were swapped out\n", swapped, SOME);
		exit(1);
	}
}

static void answer(struct zoo *z, const struct uffd_msg *msg)
{
	uint64_t page = msg->arg.pagefault.address & ~(PAGE - 1);
	struct uffdio_copy copy = { .dst = page, .src = (uintptr_t)z->source, .len = PAGE };
	struct uffdio_writeprotect unprotect = { .range = { page, PAGE } };

	if (z->interrupt) {
		z->interrupt = false;
		pthread_kill(z->main, SIGUSR1);
	} else if (msg->arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP) {
		if (ioctl(z->uffd, UFFDIO_WRITEPROTECT, &unprotect))
			die("UFFDIO_WRITEPROTECT");
	} else if (ioctl(z->uffd, UFFDIO_COPY, &copy)) {
		die("UFFDIO_COPY");
	}
}

static void *handle(void *arg)
{
	struct zoo *z = arg;
	struct uffd_msg msg;

	while (read(z->uffd, &msg, sizeof(msg)) == sizeof(msg))
		answer(z, &msg);
	return NULL;
}

static void uffd_open(struct zoo *z, char *p, size_t size)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP };
	struct uffdio_register reg = { .range = { (uintptr_t)p, size },
				       .mode = UFFDIO_REGISTER_MODE_MISSING |
					       UFFDIO_REGISTER_MODE_WP };

	z->source = mmap(NULL, PAGE, RW, ANON | MAP_POPULATE, -1, 0);
	z->uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (z->source == MAP_FAILED || z->uffd < 0 || ioctl(z->uffd, UFFDIO_API, &api) ||
	    ioctl(z->uffd, UFFDIO_REGISTER, &reg))
		die("userfaultfd");
	if (pthread_create(&z->handler, NULL, handle, z))
		die("pthread_create");
}

/* The first page is asked for twice: the wait for it is interrupted by a signal. */
static void uffd(struct zoo *z)
{
	char *p = map_anon(z, SOME);
	struct uffdio_writeprotect protect = { .range = { (uintptr_t)p, SOME * PAGE },
					       .mode = UFFDIO_WRITEPROTECT_MODE_WP };
	size_t i;

	uffd_open(z, p, SOME * PAGE);
	z->interrupt = true;
	expect(z, p, "user", "write", "retry");
	oracle_filled(&z->o, (uintptr_t)p, 1);
	for (i = 0; i < SOME; i++)
		fill(z, p + i * PAGE, i % 2 ? "read" : "write", "uffd", 1);
	if (ioctl(z->uffd, UFFDIO_WRITEPROTECT, &protect))
		die("UFFDIO_WRITEPROTECT");
	for (i = 0; i < SOME; i++)
		rewrite(z, p + i * PAGE, "uffd", 1);
}

static void signals(struct zoo *z)
{
	char *readable = oracle_map(&z->o, FEW * PAGE, PROT_READ, ANON, -1);
	char *none = oracle_map(&z->o, FEW * PAGE, PROT_NONE, ANON, -1);
	char *data = map_anon(z, FEW);
	size_t i;

	for (i = 0; i < FEW; i++) {
		fill(z, readable + i * PAGE, "read", "zero", 1);
		offend(z, readable + i * PAGE, "write", "sigsegv", 'l');
		offend(z, none + i * PAGE, "read", "sigsegv", 'h');
		fill(z, data + i * PAGE, "write", "anon", 1);
		offend(z, data + i * PAGE, "exec", "sigsegv", 'l');
		/* Behind the last page of the mapping there is nothing at all. */
		offend(z, none + (FEW + i) * PAGE, "write", "sigsegv", 'h');
	}
}

static void beyond_end(struct zoo *z)
{
	int fd = make_file(z, 1);
	char *p = oracle_map(&z->o, FEW * PAGE, PROT_READ, MAP_SHARED, fd);
	size_t i;

	fill(z, p, "read", "file", 1);
	for (i = 1; i < FEW; i++)
		offend(z, p + i * PAGE, "read", "sigbus", 'h')->pfn = 0;
	close(fd);
}

static void run(struct zoo *z, bool with_swap, bool with_hugetlb)
{
	anon(z);
	levels(z);
	zero_then_cow(z);
	shared(z);
	fork_cow(z);
	own_gup(z);
	remote_gup(z);
	in_kernel(z);
	huge(z);
	signals(z);
	if (with_hugetlb)
		hugetlb(z);
	if (z->dir) {
		files(z);
		file_copies(z);
		major(z);
		beyond_end(z);
	}
	if (with_swap)
		swap(z);
	uffd(z);
}

/* One CPU: what the kernel batches per CPU is where the next fault finds it. */
static void prepare(struct zoo *z)
{
	struct sigaction catch = { .sa_handler = caught }, ignore = { .sa_handler = ignored };
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	sigaction(SIGSEGV, &catch, NULL);
	sigaction(SIGBUS, &catch, NULL);
	sigaction(SIGUSR1, &ignore, NULL);
	z->main = pthread_self();
	oracle_init(&z->o, z->n + ROOM_EXTRAS);
}

/*
 * The kernel counts before it writes to @usage: were that page to be copied after a fork, its fault
 * would come after the count. So it is written to before.
 */
static void usage_now(struct rusage *usage)
{
	memset(usage, 0, sizeof(*usage));
	getrusage(RUSAGE_SELF, usage);
}

int main(int argc, char **argv)
{
	struct zoo *z = &zoo;
	bool with_swap = false, with_hugetlb = false;
	struct rusage from, to;
	char *marks;
	int opt;

	while ((opt = getopt(argc, argv, "d:sH")) != -1) {
		if (opt == 'd')
			z->dir = optarg;
		else if (opt == 's')
			with_swap = true;
		else if (opt == 'H')
			with_hugetlb = true;
		else
			return 2;
	}
	if (optind != argc - 2) {
		fputs("usage: zoo [-d DIR] [-s] [-H] ORACLE N\n", stderr);
		return 2;
	}
	z->n = (size_t)atol(argv[optind + 1]);
	prepare(z);
	marks = map_anon(z, 2);
	usage_now(&to);
	fill(z, marks, "write", "anon", 1);
	usage_now(&from);
	run(z, with_swap, with_hugetlb);
	usage_now(&to);
	fill(z, marks + PAGE, "write", "anon", 1);
	oracle_write(&z->o, argv[optind]);
	printf("{\"pid\":%d,\"faults\":%zu,\"minflt\":%ld,\"majflt\":%ld}\n", getpid(), z->o.nr,
	       to.ru_minflt - from.ru_minflt, to.ru_majflt - from.ru_majflt);
	return 0;
}
