/* SPDX-License-Identifier: GPL-2.0 */
/* A process that does what it is told, for the tests of mappings at new addresses. */
#ifndef TESTS_PUPPET_H
#define TESTS_PUPPET_H

#include <setjmp.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/system/edits.h"

enum order_what {
	ORDER_READ,  /* 8 bytes at args[0] */
	ORDER_WRITE, /* args[1] to args[0] */
	ORDER_CALL,  /* the function at args[0] */
	ORDER_FORK,  /* a child reads 8 bytes at args[0] */
	ORDER_EXEC,  /* becomes another program */
	ORDER_SYSCALL,
};

struct order {
	enum order_what what;
	long nr; /* of the system call */
	uint64_t args[5];
};

/* ->error: of a system call; or the signal that was got instead, negative. */
struct reply {
	uint64_t value;
	int error;
};

/* Each of its pages has its own contents: seeds PUPPET_SEED and up. */
#define PUPPET_PAGES 8
#define PUPPET_SEED  100

struct puppet {
	pid_t pid;
	int orders, replies;
	uint64_t pages; /* private ones, where they are */
	uint64_t read_only;
};

static sigjmp_buf puppet_out;

static inline void puppet_on_signal(int signal)
{
	siglongjmp(puppet_out, signal);
}

/* The child's answer is its exit status: the signal that it got. */
static inline int puppet_fork_and_read(uint64_t va)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		_exit((int)(*(volatile uint64_t *)(uintptr_t)va & 0));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return EAGAIN;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : 0;
}

static inline struct reply puppet_obey(const struct order *o)
{
	volatile uint64_t *where = (volatile uint64_t *)(uintptr_t)o->args[0];
	struct reply r = { 0 };
	long got;

	r.error = -sigsetjmp(puppet_out, 1);
	if (r.error)
		return r;
	switch (o->what) {
	case ORDER_READ:
		r.value = *where;
		break;
	case ORDER_WRITE:
		*where = o->args[1];
		break;
	case ORDER_CALL:
		r.value = (uint64_t)((int (*)(void))(uintptr_t)o->args[0])();
		break;
	case ORDER_FORK:
		r.error = puppet_fork_and_read(o->args[0]);
		break;
	case ORDER_EXEC:
		execl("/bin/sleep", "sleep", "1000", (char *)NULL);
		r.error = errno;
		break;
	case ORDER_SYSCALL:
		got = syscall(o->nr, o->args[0], o->args[1], o->args[2], o->args[3], o->args[4],
			      0ul);
		r.value = (uint64_t)got;
		r.error = got == -1 ? errno : 0;
		break;
	}
	return r;
}

/* Orders end with the one who gives them. */
static inline void puppet_serve(int orders, int replies)
{
	struct sigaction sa = { .sa_handler = puppet_on_signal, .sa_flags = SA_NODEFER };
	struct order o;
	struct reply r;

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	while (read(orders, &o, sizeof(o)) == sizeof(o)) {
		r = puppet_obey(&o);
		if (write(replies, &r, sizeof(r)) != sizeof(r))
			break;
	}
	_exit(0);
}

static inline char *puppet_make_pages(void)
{
	char *p = mmap(NULL, PUPPET_PAGES * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i;

	if (p == MAP_FAILED)
		die("mmap");
	madvise(p, PUPPET_PAGES * PAGE, MADV_NOHUGEPAGE);
	for (i = 0; i < PUPPET_PAGES; i++)
		fill_page(p + i * PAGE, PUPPET_SEED + i);
	return p;
}

static inline void puppet_run(int orders, int replies)
{
	struct reply pages = { .value = at(puppet_make_pages()) };
	char *fixed = puppet_make_pages();
	struct reply read_only = { .value = at(fixed) };

	mprotect(fixed, PUPPET_PAGES * PAGE, PROT_READ);
	if (write(replies, &pages, sizeof(pages)) != sizeof(pages) ||
	    write(replies, &read_only, sizeof(read_only)) != sizeof(read_only))
		_exit(1);
	puppet_serve(orders, replies);
}

static inline uint64_t puppet_answer(const struct puppet *p, int *error)
{
	struct reply r;

	if (read(p->replies, &r, sizeof(r)) != sizeof(r))
		r = (struct reply){ .error = EPIPE };
	*error = r.error;
	return r.value;
}

static inline void puppet_start(struct puppet *p)
{
	int orders[2], replies[2], error;

	if (pipe2(orders, O_CLOEXEC) || pipe2(replies, O_CLOEXEC))
		die("pipe");
	p->pid = fork();
	if (p->pid < 0)
		die("fork");
	if (!p->pid) {
		/* It keeps nothing open that is the controller's. */
		dup2(orders[0], 0);
		dup2(replies[1], 1);
		close_range(3, ~0u, 0);
		puppet_run(0, 1);
	}
	close(orders[0]);
	close(replies[1]);
	p->orders = orders[1];
	p->replies = replies[0];
	p->pages = puppet_answer(p, &error);
	p->read_only = puppet_answer(p, &error);
}

/* Ends and reaps it. */
static inline void puppet_end(struct puppet *p)
{
	close(p->orders);
	close(p->replies);
	kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
}

static inline struct reply puppet_do(const struct puppet *p, struct order order)
{
	struct reply r = { .error = EPIPE };

	if (write(p->orders, &order, sizeof(order)) == sizeof(order))
		r.value = puppet_answer(p, &r.error);
	return r;
}

/* The system call's value, or -errno. */
static inline long puppet_call(const struct puppet *p, long nr, uint64_t a, uint64_t b, uint64_t c,
			       uint64_t d, uint64_t e)
{
	struct order o = { .what = ORDER_SYSCALL, .nr = nr, .args = { a, b, c, d, e } };
	struct reply r = puppet_do(p, o);

	return r.error ? -r.error : (long)r.value;
}

/* The value, or *@error is set. */
static inline uint64_t puppet_read(const struct puppet *p, uint64_t va, int *error)
{
	struct reply r = puppet_do(p, (struct order){ .what = ORDER_READ, .args = { va } });

	*error = r.error;
	return r.value;
}

static inline int puppet_write(const struct puppet *p, uint64_t va, uint64_t value)
{
	return puppet_do(p, (struct order){ .what = ORDER_WRITE, .args = { va, value } }).error;
}

#endif
