// SPDX-License-Identifier: GPL-2.0
/*
 * edits_rights: who may use the helper module.
 *
 *	edits_rights caps	each call, as somebody who lacks a capability
 *	edits_rights lockdown	with edits in force, the kernel is locked down, for good
 */
#include <linux/capability.h>
#include <sched.h>
#include <sys/wait.h>

#include "tests/system/edits.h"

#define PAGES	 8
#define LOCKDOWN "/sys/kernel/security/lockdown"
/* Calls have numbers below it; one that is not there is asked about rights, too, or refused. */
#define CALLS 9

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
	if (!strcmp(argv[1], "caps"))
		test_caps(&t);
	else
		test_lockdown(&t);
	return t.c.failed > 0;
}
