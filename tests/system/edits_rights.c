// SPDX-License-Identifier: GPL-2.0
/*
 * edits_rights: who may use the helper module: each call, as somebody who lacks a capability, and
 * by descriptors that others were given.
 */
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/system/rights.h"

#define NOBODY 65534

/* ---- capabilities ---------------------------------------------------------------------------- */

#define ADMIN (1ull << CAP_SYS_ADMIN)
#define RAWIO (1ull << CAP_SYS_RAWIO)

struct who {
	const char *name;
	uint64_t caps; /* what is kept of root's */
	bool user_ns;  /* all of them, but of a user namespace */
	int want;
};

static const struct who whos[] = {
	{ "no CAP_SYS_ADMIN", ~ADMIN, false, EPERM },
	{ "no CAP_SYS_RAWIO", ~RAWIO, false, EACCES },
	{ "neither of them", ~(ADMIN | RAWIO), false, EPERM },
	{ "CAP_SYS_ADMIN alone", ADMIN, false, EACCES },
	{ "CAP_SYS_RAWIO alone", RAWIO, false, EPERM },
	{ "root of a user namespace", ~0ull, true, EPERM },
	{ "these two alone", ADMIN | RAWIO, false, 0 },
};

static void become(const struct who *who)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	unsigned int i;

	if (who->user_ns) {
		if (unshare(CLONE_NEWUSER))
			die("unshare");
		return;
	}
	if (syscall(SYS_capget, &head, data))
		die("capget");
	for (i = 0; i < 2; i++) {
		data[i].effective &= (uint32_t)(who->caps >> 32 * i);
		data[i].permitted &= (uint32_t)(who->caps >> 32 * i);
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &head, data))
		die("capset");
}

/* One for each way into the module. */
struct answers {
	int open, read, edit, calls[CALLS];
};

/* All attempts of one who is @who, with the file that root has opened. */
static void ask(const struct test *t, const struct who *who, struct answers *a)
{
	pid_t parent = getpid(), pid = fork();
	unsigned int nr;
	int status;

	if (!pid) {
		become(who);
		a->open = try_open();
		a->read = try_read(t);
		a->edit = try_edit(t, parent);
		for (nr = 0; nr < CALLS; nr++)
			a->calls[nr] = try_call(t, nr);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		die(who->name);
}

static void test_who(struct test *t, const struct who *who, struct answers *a)
{
	unsigned int nr, denied = 0, reached = 0;

	ask(t, who, a);
	for (nr = 0; nr < CALLS; nr++) {
		denied += a->calls[nr] == -EPERM || a->calls[nr] == -EACCES;
		reached += a->calls[nr] == (who->want ? -who->want : -EINVAL) ||
			   a->calls[nr] == -ENOTTY;
	}
	check(&t->c, a->open == -who->want, "%s: open: %s", who->name, name_of(a->open));
	check(&t->c, a->read == -who->want, "%s: read: %s", who->name, name_of(a->read));
	check(&t->c, a->edit == -who->want, "%s: edit and undo: %s", who->name, name_of(a->edit));
	check(&t->c, reached == CALLS && (who->want ? denied > 7 : !denied),
	      "%s: %u of %d calls %s", who->name, reached, CALLS,
	      who->want ? "refused for it, or not there" : "reached, or not there");
	check(&t->c,
	      list(&t->c, NULL, 0) == 0 && is_filled_all(t) &&
		      (leaf(&t->c, getpid(), at(t->p)) & ~NOTED) == t->entry,
	      "%s: nothing is changed or left", who->name);
}

static void test_caps(struct test *t)
{
	struct answers *a =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	size_t i;

	if (a == MAP_FAILED)
		die("mmap");
	for (i = 0; i < sizeof(whos) / sizeof(*whos); i++)
		test_who(t, &whos[i], a);
}

/* ---- who has which capabilities -------------------------------------------------------------- */

/* An open and a call as somebody who has @caps alone: what both say, or 1 where they differ. */
static int say(const struct test *t, uint64_t caps)
{
	const struct who who = { .caps = caps };
	int status, err;
	pid_t pid = fork();

	if (!pid) {
		become(&who);
		err = -try_open();
		_exit(err == (try_call(t, 1) == -EINVAL ? 0 : -try_call(t, 1)) ? err : 255);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		die("capabilities");
	return WEXITSTATUS(status) == 255 ? 1 : -WEXITSTATUS(status);
}

/* Beside @caps one other capability after the other: how many of these sets are told @want. */
static unsigned int say_all(const struct test *t, uint64_t caps, int want)
{
	unsigned int cap, told = 0;

	for (cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (!((ADMIN | RAWIO) >> cap & 1))
			told += say(t, caps | 1ull << cap) == want;
	return told;
}

static void test_pairs(struct test *t)
{
	static const struct {
		const char *name;
		uint64_t caps;
		int want;
	} sets[] = {
		{ "each other capability alone", 0, -EPERM },
		{ "CAP_SYS_ADMIN and each other one but CAP_SYS_RAWIO", ADMIN, -EACCES },
		{ "CAP_SYS_RAWIO and each other one but CAP_SYS_ADMIN", RAWIO, -EPERM },
	};
	unsigned int told;
	size_t i;

	for (i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		told = say_all(t, sets[i].caps, sets[i].want);
		check(&t->c, told == CAP_LAST_CAP - 1, "%s: %u of %d sets: %s", sets[i].name, told,
		      CAP_LAST_CAP - 1, name_of(sets[i].want));
	}
}

/* ---- descriptors ----------------------------------------------------------------------------- */

static void become_nobody(void)
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		die("setresuid");
}

static void send_fd(int socket, int fd)
{
	char byte = 0, space[CMSG_SPACE(sizeof(fd))] = "";
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = space,
			      .msg_controllen = sizeof(space) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	*c = (struct cmsghdr){ CMSG_LEN(sizeof(fd)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (sendmsg(socket, &msg, 0) != 1)
		die("sendmsg");
}

static int receive_fd(int socket)
{
	char byte, space[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = space,
			      .msg_controllen = sizeof(space) };
	int fd;

	if (recvmsg(socket, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		die("recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/* What one without rights is told by descriptors that root opened: the worst of it is 0. */
static int use(const struct test *t, int dev, int watch)
{
	struct test other = { .c.dev = dev, .p = t->p };
	int read = try_read(&other), words = read_watch(watch), err = try_call(&other, 1);
	unsigned int nr;

	for (nr = 0; nr < CALLS && (err == read || err == -ENOTTY); nr++)
		err = try_call(&other, nr);
	return read == words && (err == read || err == -ENOTTY) ? read : 0;
}

/* In a child: 0, or which step went wrong. */
static int by_socket(const struct test *t, int socket, bool user_ns)
{
	int dev, watch;

	become_nobody();
	if (user_ns && unshare(CLONE_NEWUSER))
		return 1;
	dev = receive_fd(socket);
	watch = receive_fd(socket);
	return use(t, dev, watch) == -EPERM ? 0 : 2;
}

static int by_setuid(const struct test *t, int watch)
{
	int dev = open_device(), before = try_call(&(struct test){ .c.dev = dev }, 1);

	become_nobody();
	return before != -EINVAL ? 1 : use(t, dev, watch) == -EPERM ? 0 : 2;
}

static int ended(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_socket(struct test *t, int watch, bool user_ns)
{
	int pair[2], failed;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair))
		die("socketpair");
	pid = fork();
	if (!pid)
		_exit(by_socket(t, pair[1], user_ns));
	send_fd(pair[0], t->c.dev);
	send_fd(pair[0], watch);
	failed = ended(pid);
	check(&t->c, !failed, "descriptors sent to nobody%s: each use: EPERM (step %d)",
	      user_ns ? ", root of a user namespace" : "", failed);
	close(pair[0]);
	close(pair[1]);
}

/* Opened with O_PATH by nobody, which asks for no right, and used by root. */
static void test_path(struct test *t)
{
	struct test other = { .c.dev = open(PTREMAP_DEVICE, O_PATH | O_CLOEXEC) };
	int err = try_call(&other, 1);

	check(&t->c, err == -EBADF, "a descriptor that was not opened: %s", name_of(err));
	close(other.c.dev);
}

static void test_open_mode(struct test *t)
{
	struct stat st;
	pid_t pid;
	int err;

	if (stat(PTREMAP_DEVICE, &st))
		die(PTREMAP_DEVICE);
	check(&t->c, !st.st_uid && (st.st_mode & 07777) == 0600, "the device is root's alone: %o",
	      st.st_mode & 07777);
	chmod(PTREMAP_DEVICE, 0666);
	pid = fork();
	if (!pid) {
		become_nobody();
		_exit(-try_open());
	}
	err = ended(pid);
	check(&t->c, err == EPERM, "a device that everybody may open, by nobody: %s",
	      name_of(-err));
	chmod(PTREMAP_DEVICE, 0600);
}

static void test_descriptors(struct test *t)
{
	int watch = watch_on(t->c.dev), failed;
	pid_t pid;

	test_socket(t, watch, false);
	test_socket(t, watch, true);
	pid = fork();
	if (!pid)
		_exit(by_setuid(t, watch));
	failed = ended(pid);
	check(&t->c, !failed, "root that becomes nobody after opening: EPERM (step %d)", failed);
	test_path(t);
	test_open_mode(t);
	check(&t->c, read_watch(watch) == -EAGAIN, "the watch is still root's");
	close(watch);
}

int main(void)
{
	static struct test t;

	set_up(&t);
	test_caps(&t);
	test_pairs(&t);
	test_descriptors(&t);
	return t.c.failed > 0;
}
