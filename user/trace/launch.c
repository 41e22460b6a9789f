// SPDX-License-Identifier: GPL-2.0
#include "user/trace/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs in the child; returns only by _exit(). */
static void child(int go_fd, int error_fd, char *const argv[])
{
	char byte;
	int err;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (read(go_fd, &byte, 1) != 1)
		_exit(0);
	prctl(PR_SET_PDEATHSIG, 0);
	execvp(argv[0], argv);
	err = errno;
	if (write(error_fd, &err, sizeof(err)) != sizeof(err))
		_exit(126);
	_exit(127);
}

static int pidfd_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

int launch_prepare(struct launch *l, char *const argv[])
{
	int go[2], error[2], err;

	if (pipe2(go, O_CLOEXEC))
		return -errno;
	if (pipe2(error, O_CLOEXEC)) {
		err = -errno;
		close(go[0]);
		close(go[1]);
		return err;
	}
	l->pid = fork();
	err = -errno;
	if (l->pid == 0) {
		close(go[1]);
		child(go[0], error[1], argv);
	}
	close(go[0]);
	close(error[1]);
	l->go_fd = go[1];
	l->error_fd = error[0];
	if (l->pid < 0) {
		launch_end(l);
		return err;
	}
	l->pidfd = pidfd_open(l->pid);
	if (l->pidfd < 0) {
		err = -errno;
		launch_end(l);
		return err;
	}
	return 0;
}

int launch_go(struct launch *l)
{
	int err = 0;
	ssize_t n;

	if (write(l->go_fd, "", 1) != 1)
		return -errno;
	do
		n = read(l->error_fd, &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	return n == sizeof(err) ? -err : 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int launch_end(struct launch *l)
{
	int status = 0;

	close_fd(&l->go_fd);
	close_fd(&l->error_fd);
	close_fd(&l->pidfd);
	if (l->pid <= 0)
		return 0;
	while (waitpid(l->pid, &status, 0) < 0 && errno == EINTR)
		;
	l->pid = -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
