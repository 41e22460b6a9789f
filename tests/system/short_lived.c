// SPDX-License-Identifier: GPL-2.0
/*
 * short_lived: processes that are gone before anybody can look at them, one after the other.
 *
 *	short_lived [-r] CHILDREN
 *
 * At SHORT_LIVED_AT each child touches two pages as "even", or three as "odd", in turns. With -r as
 * many as possible get the same process id. Prints how many different ids there were.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE	       4096u
#define SHORT_LIVED_AT ((char *)0x200000000000)
#define PAGES	       3
#define PIDS	       (1u << 22) /* PID_MAX_LIMIT */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* The next process gets the number behind it, if that is free (pid_namespaces(7)). */
static void again(int last_pid, pid_t pid)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", pid - 1);

	if (pwrite(last_pid, text, (size_t)len, 0) != len)
		die("ns_last_pid");
}

static void child(unsigned long i)
{
	unsigned int page;

	prctl(PR_SET_NAME, i % 2 ? "odd" : "even");
	for (page = 0; page < 2 + i % 2; page++)
		*(volatile char *)(SHORT_LIVED_AT + page * PAGE) = 1;
	_exit(0);
}

static pid_t run(unsigned long i)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		child(i);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		die("child");
	return pid;
}

int main(int argc, char **argv)
{
	bool same = argc > 2 && !strcmp(argv[1], "-r");
	unsigned long i, different = 0, children = argc > 1 ? strtoul(argv[argc - 1], NULL, 10) : 0;
	int last_pid = same ? open("/proc/sys/kernel/ns_last_pid", O_RDWR | O_CLOEXEC) : -1;
	bool *seen = calloc(PIDS, sizeof(*seen));
	pid_t pid = 0;

	if (!children) {
		fprintf(stderr, "usage: short_lived [-r] CHILDREN\n");
		return 2;
	}
	if (!seen || (same && last_pid < 0))
		die("ns_last_pid");
	if (mmap(SHORT_LIVED_AT, PAGES * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != SHORT_LIVED_AT)
		die("mmap");
	for (i = 0; i < children; i++) {
		if (same && pid)
			again(last_pid, pid);
		pid = run(i);
		different += !seen[pid];
		seen[pid] = true;
	}
	printf("%lu\n", different);
	return 0;
}
