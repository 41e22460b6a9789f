// SPDX-License-Identifier: GPL-2.0
#include "user/trace/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The terminal is somebody else's: its keys are not read, nothing is written over it. */
static int leave_terminal(void)
{
	int fd, null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (isatty(fd) && dup2(null, fd) < 0)
			return -errno;
	return 0;
}

static int redirect(int out_fd)
{
	if (out_fd == LAUNCH_OFF_TERMINAL)
		return leave_terminal();
	return out_fd != STDOUT_FILENO && dup2(out_fd, STDOUT_FILENO) < 0 ? -errno : 0;
}

/* Runs in the child; returns only by _exit(). */
static void child(int go_fd, int error_fd, int out_fd, char *const argv[])
{
	char byte;
	int err;

	if (redirect(out_fd))
		_exit(126);
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

static int executable(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	return S_ISREG(st.st_mode) && !access(path, X_OK) ? 0 : -EACCES;
}

/* execvp(3): a name with a slash is a path; others are looked for in PATH. */
int launch_find(const char *file)
{
	const char *dir = getenv("PATH"), *end;
	char path[PATH_MAX];
	int err, found = -ENOENT;

	if (strchr(file, '/'))
		return executable(file);
	if (!dir)
		dir = "/bin:/usr/bin";
	for (; *file; dir = end + 1) {
		end = strchrnul(dir, ':');
		snprintf(path, sizeof(path), "%.*s/%s", end == dir ? 1 : (int)(end - dir),
			 end == dir ? "." : dir, file);
		err = executable(path);
		if (!err)
			return 0;
		if (err == -EACCES)
			found = err;
		if (!*end)
			break;
	}
	return found;
}

static int pidfd_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

int launch_prepare(struct launch *l, char *const argv[], int out_fd)
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
		child(go[0], error[1], out_fd, argv);
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

void launch_abandon(struct launch *l)
{
	close_fd(&l->go_fd);
	close_fd(&l->error_fd);
	close_fd(&l->pidfd);
	l->pid = -1;
}

int launch_end(struct launch *l)
{
	pid_t pid = l->pid;
	int status = 0;

	launch_abandon(l);
	if (pid <= 0)
		return 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
