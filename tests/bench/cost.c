// SPDX-License-Identifier: GPL-2.0
/*
 * cost COMMAND [ARGS]: runs it with its output thrown away, and prints what it took: seconds of
 * time, seconds of processors, KiB of memory at most.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static void run(char **command)
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(null, STDERR_FILENO) < 0)
		_exit(126);
	execvp(*command, command);
	_exit(127);
}

int main(int argc, char **argv)
{
	struct timespec from, to;
	struct rusage use;
	pid_t pid;
	int status;

	if (argc < 2)
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &from);
	pid = fork();
	if (!pid)
		run(argv + 1);
	if (pid < 0 || wait4(pid, &status, 0, &use) != pid || !WIFEXITED(status)) {
		perror("cost");
		return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%.4f %.3f %ld\n",
	       (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9,
	       seconds(use.ru_utime) + seconds(use.ru_stime), use.ru_maxrss);
	return WEXITSTATUS(status);
}
