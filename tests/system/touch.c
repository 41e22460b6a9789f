// SPDX-License-Identifier: GPL-2.0
/*
 * touch: makes a known number of page faults, and nothing else, between two readings of rusage.
 *
 *	touch [-k KIND] [-t THREADS] [-r ROUNDS] [-c CHILDREN] [-w] PAGES
 *
 * PAGES fresh pages are shared out among the threads, each with a region of its own, and touched
 * once per round. KIND is write or read (user mode), kernel (read(2) into the page), populate
 * (madvise) or readv (process_vm_readv from a child's pages; both get_user_pages). CHILDREN
 * processes then touch PAGES pages each. With -w it says "ready PID TID..." and begins at SIGUSR1.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE	    4096u
#define MAX_THREADS 64
#define MAX_IOV	    64 /* pages per process_vm_readv */

struct region {
	char *base;
	size_t pages;
};

typedef void (*toucher)(const struct region *);

struct options {
	toucher touch;
	unsigned int threads, rounds, children;
	size_t pages;
	bool wait;
};

struct worker {
	pthread_t thread;
	pid_t tid;
	const struct options *o;
	struct region warm, region;
	pthread_barrier_t *barrier;
};

static int zero_fd;	/* /dev/zero */
static pid_t reader_of; /* whose pages readv reads */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void touch_write(const struct region *r)
{
	size_t i;

	for (i = 0; i < r->pages; i++)
		*(volatile char *)(r->base + i * PAGE) = 1;
}

static void touch_read(const struct region *r)
{
	size_t i;

	for (i = 0; i < r->pages; i++)
		(void)*(volatile char *)(r->base + i * PAGE);
}

static void touch_kernel(const struct region *r)
{
	size_t i;

	for (i = 0; i < r->pages; i++)
		if (read(zero_fd, r->base + i * PAGE, 1) != 1)
			die("/dev/zero");
}

static void touch_populate(const struct region *r)
{
	if (madvise(r->base, r->pages * PAGE, MADV_POPULATE_WRITE))
		die("MADV_POPULATE_WRITE");
}

/* The regions were mapped before the child was born: it has the same, as untouched as here. */
static void touch_readv(const struct region *r)
{
	struct iovec remote[MAX_IOV];
	char bytes[MAX_IOV];
	struct iovec local = { .iov_base = bytes };
	size_t done, n, i;

	for (done = 0; done < r->pages; done += n) {
		n = r->pages - done < MAX_IOV ? r->pages - done : MAX_IOV;
		for (i = 0; i < n; i++)
			remote[i] = (struct iovec){ r->base + (done + i) * PAGE, 1 };
		local.iov_len = n;
		if (process_vm_readv(reader_of, &local, 1, remote, n, 0) != (ssize_t)n)
			die("process_vm_readv");
	}
}

static struct region map_region(size_t pages)
{
	struct region r = { .pages = pages };

	r.base = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (r.base == MAP_FAILED || madvise(r.base, pages * PAGE, MADV_NOHUGEPAGE))
		die("mmap");
	return r;
}

static void forget(const struct region *r)
{
	if (madvise(r->base, r->pages * PAGE, MADV_DONTNEED))
		die("MADV_DONTNEED");
}

/* The first pass is over pages that do not count: it brings in the stacks. */
static void *work(void *arg)
{
	struct worker *w = arg;
	unsigned int round;

	w->tid = (pid_t)syscall(SYS_gettid);
	w->o->touch(&w->warm);
	forget(&w->warm);
	pthread_barrier_wait(w->barrier);
	pthread_barrier_wait(w->barrier);
	for (round = 0; round < w->o->rounds; round++) {
		if (round)
			forget(&w->region);
		w->o->touch(&w->region);
	}
	pthread_barrier_wait(w->barrier);
	return NULL;
}

static toucher find_kind(const char *name)
{
	static const struct {
		const char *name;
		toucher touch;
	} kinds[] = {
		{ "write", touch_write },   { "read", touch_read },
		{ "kernel", touch_kernel }, { "populate", touch_populate },
		{ "readv", touch_readv },
	};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return kinds[i].touch;
	return NULL;
}

static void usage(void)
{
	fputs("usage: touch [-k KIND] [-t THREADS] [-r ROUNDS] [-c CHILDREN] [-w] PAGES\n", stderr);
	exit(2);
}

static void parse(struct options *o, int argc, char **argv)
{
	int opt;

	*o = (struct options){ .touch = touch_write, .threads = 1, .rounds = 1 };
	while ((opt = getopt(argc, argv, "k:t:r:c:w")) != -1) {
		if (opt == 'k')
			o->touch = find_kind(optarg);
		else if (opt == 't')
			o->threads = (unsigned int)atoi(optarg);
		else if (opt == 'r')
			o->rounds = (unsigned int)atoi(optarg);
		else if (opt == 'c')
			o->children = (unsigned int)atoi(optarg);
		else if (opt == 'w')
			o->wait = true;
		else
			usage();
	}
	if (optind != argc - 1 || !o->touch || !o->threads || o->threads > MAX_THREADS)
		usage();
	o->pages = (size_t)atol(argv[optind]) / o->threads;
	if (!o->pages)
		usage();
}

static void wait_for_signal(const struct worker *w, unsigned int n)
{
	unsigned int i;
	sigset_t set;
	int sig;

	printf("ready %d", getpid());
	for (i = 0; i < n; i++)
		printf(" %d", w[i].tid);
	puts("");
	fflush(stdout);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigwait(&set, &sig);
}

static void print(const struct worker *w, unsigned int n, const struct rusage *from,
		  const struct rusage *to)
{
	unsigned int i;

	printf("{\"pid\":%d,\"minflt\":%ld,\"majflt\":%ld,\"threads\":[", getpid(),
	       to->ru_minflt - from->ru_minflt, to->ru_majflt - from->ru_majflt);
	for (i = 0; i < n; i++)
		printf("%s{\"tid\":%d,\"first\":\"%p\",\"last\":\"%p\"}", i ? "," : "", w[i].tid,
		       (void *)w[i].region.base,
		       (void *)(w[i].region.base + w[i].region.pages * PAGE - 1));
	puts("]}");
	fflush(stdout);
}

/* A child that keeps its copy of the untouched pages until it is told to end. */
static pid_t fork_reader(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid)
		for (;;)
			pause();
	return pid;
}

static void run_threads(struct worker *w, const struct options *o)
{
	struct rusage from, to;
	pthread_barrier_t barrier;
	unsigned int i;

	pthread_barrier_init(&barrier, NULL, o->threads + 1);
	for (i = 0; i < o->threads; i++) {
		w[i] = (struct worker){ .o = o, .barrier = &barrier };
		w[i].warm = map_region(MAX_IOV);
		w[i].region = map_region(o->pages);
	}
	if (o->touch == touch_readv)
		reader_of = fork_reader();
	for (i = 0; i < o->threads; i++)
		if (pthread_create(&w[i].thread, NULL, work, &w[i]))
			die("pthread_create");
	pthread_barrier_wait(&barrier);
	if (o->wait)
		wait_for_signal(w, o->threads);
	getrusage(RUSAGE_SELF, &from);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	getrusage(RUSAGE_SELF, &to);
	for (i = 0; i < o->threads; i++)
		pthread_join(w[i].thread, NULL);
	if (reader_of) {
		kill(reader_of, SIGKILL);
		waitpid(reader_of, NULL, 0);
	}
	print(w, o->threads, &from, &to);
}

static void run_children(const struct options *o)
{
	struct region r;
	unsigned int i;
	pid_t pid;

	for (i = 0; i < o->children; i++) {
		pid = fork();
		if (pid < 0)
			die("fork");
		if (!pid) {
			r = map_region(o->pages);
			o->touch(&r);
			printf("{\"child\":%d,\"first\":\"%p\",\"last\":\"%p\"}\n", getpid(),
			       (void *)r.base, (void *)(r.base + r.pages * PAGE - 1));
			fflush(stdout);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	static struct worker workers[MAX_THREADS];
	struct options o;
	sigset_t set;

	parse(&o, argc, argv);
	/* All code and data at once: what is measured brings in nothing but its regions. */
	if (mlockall(MCL_CURRENT))
		die("mlockall");
	zero_fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	if (zero_fd < 0)
		die("/dev/zero");
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	run_threads(workers, &o);
	run_children(&o);
	return 0;
}
