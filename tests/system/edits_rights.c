// SPDX-License-Identifier: GPL-2.0
/*
 * edits_rights: who may use the helper module.
 *
 *	edits_rights caps	each call, as somebody who lacks a capability, and by descriptors
 *that others were given edits_rights lockdown	with edits in force, the kernel is locked down, for
 *good
 */
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/system/edits.h"

#define PAGES	 8
#define LOCKDOWN "/sys/kernel/security/lockdown"
/* Calls have numbers below it; one that is not there is asked about rights, too, or refused. */
#define CALLS  16
#define NOBODY 65534

struct test {
	struct checks c;
	char *p; /* private, written to */
	uint64_t entry;
};

static void set_up(struct test *t)
{
	unsigned int i;

	t->c.dev = open_device();
	t->p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (t->p == MAP_FAILED)
		die("mmap");
	/* A fork would make its entries read-only. */
	madvise(t->p, PAGES * PAGE, MADV_NOHUGEPAGE);
	madvise(t->p, PAGES * PAGE, MADV_DONTFORK);
	for (i = 0; i < PAGES; i++)
		fill_page(t->p + i * PAGE, i);
	t->entry = leaf(&t->c, getpid(), at(t->p)) & ~NOTED;
}

static bool is_filled_all(const struct test *t)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		if (!is_filled(t->p + i * PAGE, i))
			return false;
	return true;
}

/* ---- attempts: -errno or 0 ------------------------------------------------------------------- */

static int try_open(void)
{
	int fd = open(PTREMAP_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* Eight bytes of RAM, which there is behind the first MiB. */
static int try_read(const struct test *t)
{
	uint64_t word;

	return pread(t->c.dev, &word, sizeof(word), 1 << 20) < 0 ? -errno : 0;
}

/* The structure is of a size that no call takes, so that those who may get EINVAL. */
static int try_call(const struct test *t, unsigned int nr)
{
	uint32_t size = 0;

	return call(&t->c, _IO(PTREMAP_TYPE, nr), &size);
}

static int try_edit(const struct test *t, pid_t pid)
{
	struct ptremap_item i = { .pid = pid, .va = at(t->p), .what = PTREMAP_FRESH };
	uint32_t id;
	int err = edit(&t->c, &i, &id);

	return err ? err : undo(&t->c, id) == 1 ? 0 : -EILSEQ;
}

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

static const char *name_of(int err)
{
	return err ? strerrorname_np(-err) : "no error";
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

static int watch_on(int dev)
{
	struct ptremap_watch w = { .size = sizeof(w), .flags = PTREMAP_WATCH_NONBLOCK };

	if (ioctl(dev, PTREMAP_WATCH, &w))
		die("PTREMAP_WATCH");
	return w.fd;
}

static int read_watch(int fd)
{
	char events[4096];

	return read(fd, events, sizeof(events)) < 0 ? -errno : 0;
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

/* ---- lockdown -------------------------------------------------------------------------------- */

/* Frames as the kernel tells them, since the module says nothing any more. */
static void look(const struct test *t, uint64_t *pfns)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);

	if (fd < 0 || pread(fd, pfns, PAGES * 8, (off_t)(at(t->p) / PAGE * 8)) != PAGES * 8)
		die("pagemap");
	close(fd);
}

/* One of each kind, from page 1 on; a swap takes the last two. */
static uint32_t edit_all(const struct test *t, int dev)
{
	struct ptremap_item items[PTREMAP_TRAP];
	struct checks c = { .dev = dev };
	uint32_t what, id;

	for (what = PTREMAP_PROTECT; what <= PTREMAP_TRAP; what++)
		items[what - 1] = (struct ptremap_item){ .pid = getpid(),
							 .va = at(t->p + what * PAGE),
							 .what = what };
	items[PTREMAP_PROTECT - 1].clear = BIT_RW;
	items[PTREMAP_FRAME - 1].other_pid = getpid();
	items[PTREMAP_FRAME - 1].other_va = at(t->p);
	items[PTREMAP_SWAP - 1].other_pid = getpid();
	items[PTREMAP_SWAP - 1].other_va = at(t->p + 7 * PAGE);
	errno = -edit_many(&c, items, PTREMAP_TRAP, 0, &id);
	if (errno)
		die("edit");
	return id;
}

static bool is_edited(const struct test *t)
{
	return is_filled(t->p + PTREMAP_FRAME * PAGE, 0) &&
	       is_filled(t->p + PTREMAP_SWAP * PAGE, 7) && is_filled(t->p + 7 * PAGE, 3) &&
	       !*(volatile uint64_t *)(t->p + PTREMAP_FRESH * PAGE + 8) &&
	       is_filled(t->p + PTREMAP_TRAP * PAGE, PTREMAP_TRAP);
}

static void test_refusals(struct test *t, const char *level)
{
	unsigned int nr, refused = 0;
	uint64_t before[PAGES], after[PAGES];
	int err;

	look(t, before);
	err = try_open();
	check(&t->c, err == -EKEYREJECTED, "%s: open: %s", level, name_of(err));
	err = try_read(t);
	check(&t->c, err == -EKEYREJECTED, "%s: read: %s", level, name_of(err));
	err = try_edit(t, getpid());
	check(&t->c, err == -EKEYREJECTED, "%s: edit: %s", level, name_of(err));
	for (nr = 0; nr < CALLS; nr++) {
		err = try_call(t, nr);
		refused += err == -EKEYREJECTED || err == -ENOTTY;
	}
	check(&t->c, refused == CALLS, "%s: %u of %d calls refused, or not there", level, refused,
	      CALLS);
	look(t, after);
	check(&t->c, !memcmp(before, after, sizeof(before)), "%s: nothing is changed", level);
}

static void lock_down(struct test *t, const char *level)
{
	check(&t->c, write_file(LOCKDOWN, level), "the kernel is locked down: %s", level);
}

static void test_lockdown(struct test *t)
{
	uint64_t before[PAGES], after[PAGES];
	int dev = open_device();
	uint32_t id;

	look(t, before);
	id = edit_all(t, dev);
	lock_down(t, "integrity");
	check(&t->c, is_edited(t), "edits are in force when lockdown comes");
	test_refusals(t, "integrity");
	check(&t->c, undo(&t->c, id) == -EKEYREJECTED && is_edited(t),
	      "integrity: undo is refused, edits stay");
	lock_down(t, "confidentiality");
	test_refusals(t, "confidentiality");
	close(dev);
	look(t, after);
	check(&t->c, !memcmp(before, after, sizeof(before)) && is_filled_all(t),
	      "under lockdown: edits are taken back with their file");
}

int main(int argc, char **argv)
{
	static struct test t;

	if (argc != 2 || (strcmp(argv[1], "caps") && strcmp(argv[1], "lockdown"))) {
		fprintf(stderr, "usage: edits_rights caps|lockdown\n");
		return 2;
	}
	set_up(&t);
	if (!strcmp(argv[1], "caps")) {
		test_caps(&t);
		test_pairs(&t);
		test_descriptors(&t);
	} else {
		test_lockdown(&t);
	}
	return t.c.failed > 0;
}
