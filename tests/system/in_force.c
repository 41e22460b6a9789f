// SPDX-License-Identifier: GPL-2.0
/*
 * in_force: changes of every kind are in force, by descriptors that others get; then the kernel is
 * locked down, for good: first integrity, then confidentiality.
 *
 *	in_force COMMAND	runs COMMAND LEVEL at each level, too
 */
#include <grp.h>
#include <sched.h>
#include <sys/wait.h>

#include "tests/system/ept_access.h"
#include "tests/system/mirror.h"
#include "tests/system/rights.h"

#define LOCKDOWN "/sys/kernel/security/lockdown"
#define NOBODY	 65534
/* Pages of the window that nobody has touched, and that no fault of others brings. */
#define UNSEEN_1 1000
#define UNSEEN_2 2000

/* Pages of the guest, and what is done to them. */
enum { GUEST_MOVED = 1, GUEST_OTHER, GUEST_PROTECTED, GUEST_WATCHED, GUEST_PAGES = 8 };

struct in_force {
	int dev; /* what it all belongs to, but for: */
	int watch, access;
	struct fixture mirror;
	uint32_t edits;
	char *lent, *graft; /* two pages */
	struct tiny_vm vm;
	char *ram;
};

/* ---- edits of this process ------------------------------------------------------------------- */

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

/* ---- the others ------------------------------------------------------------------------------ */

static char *filled_pages(unsigned int nr, uint64_t seed)
{
	char *p = mmap(NULL, nr * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i;

	if (p == MAP_FAILED)
		die("mmap");
	madvise(p, nr * PAGE, MADV_NOHUGEPAGE);
	madvise(p, nr * PAGE, MADV_DONTFORK);
	for (i = 0; i < nr; i++)
		fill_page(p + i * PAGE, seed + i);
	return p;
}

static void make_graft(struct in_force *f)
{
	struct ptremap_map m = { .size = sizeof(m),
				 .pid = getpid(),
				 .other_pid = getpid(),
				 .len = 2 * PAGE,
				 .source = PTREMAP_MAP_FRAMES,
				 .prot = PTREMAP_MAP_READ | PTREMAP_MAP_WRITE };

	f->lent = filled_pages(2, 50);
	m.from = at(f->lent);
	if (ioctl(f->dev, PTREMAP_MAP, &m))
		die("PTREMAP_MAP");
	f->graft = (char *)(uintptr_t)m.va;
}

static uint64_t gpa(unsigned int page)
{
	return TINY_GPA + page * (uint64_t)PAGE;
}

/* A guest's first word of a page, as filled_pages() made it. */
static bool guest_reads(struct in_force *f, unsigned int page, unsigned int want)
{
	return tiny_read(&f->vm, 0, gpa(page) + 4) == 100 + want;
}

/* KVM has an entry with all access for what was written to. */
static void make_guest(struct in_force *f)
{
	struct ptremap_ept_item moved =
		ept_item(PTREMAP_EPT_FRAME, gpa(GUEST_MOVED), gpa(GUEST_OTHER), 0);
	struct ptremap_ept_item protected = { .what = PTREMAP_EPT_PROTECT,
					      .gpa = gpa(GUEST_PROTECTED),
					      .clear = W };
	const struct checks c = { .dev = f->dev };

	f->ram = filled_pages(GUEST_PAGES, 100);
	tiny_make(&f->vm, f->ram, GUEST_PAGES * PAGE);
	if (!tiny_write(&f->vm, 0, gpa(GUEST_PROTECTED), 1))
		die("the guest");
	errno = -ept(&c, &moved, NULL);
	if (errno)
		die("PTREMAP_EPT, frame");
	errno = -ept_many(&c, getpid(), -1, &protected, 1, PTREMAP_EPT_STICKY, NULL);
	if (errno)
		die("PTREMAP_EPT, protect");
	f->access = watch_range(&c, gpa(GUEST_WATCHED), PAGE, W);
	errno = f->access < 0 ? -f->access : 0;
	if (errno || !tiny_write(&f->vm, 0, gpa(GUEST_WATCHED), 2))
		die("PTREMAP_ACCESS");
}

static void make_all(struct test *t, struct in_force *f)
{
	f->dev = open_device();
	f->watch = watch_on(f->dev);
	f->edits = edit_all(t, f->dev);
	make_graft(f);
	make_guest(f);
	setup(&t->c, &f->mirror, 1, 0);
}

/* The second page is accessed for the first time under lockdown. */
static bool is_grafted(const struct in_force *f)
{
	return is_filled(f->graft, 50) && is_filled(f->graft + PAGE, 51);
}

/* KVM does in the guest's place what is denied to it for good. */
static bool guest_writes(struct in_force *f, bool denied)
{
	uint64_t before = vcpu_stat(&f->vm, 0, "insn_emulation");
	bool done = tiny_write(&f->vm, 0, gpa(GUEST_PROTECTED), 3);

	return done && (vcpu_stat(&f->vm, 0, "insn_emulation") > before) == denied;
}

static bool is_guest_changed(struct in_force *f)
{
	return guest_reads(f, GUEST_MOVED, GUEST_OTHER) && guest_writes(f, true);
}

/* ---- handed on ------------------------------------------------------------------------------- */

/* In a child: 0, or which step went wrong. A mirror's descriptor is to be used by who has none. */
static int by_nobody(const struct in_force *f, bool user_ns)
{
	const struct ptremap_mirror_window *w = &f->mirror.window;
	uint32_t size = 0;

	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY) || (user_ns && unshare(CLONE_NEWUSER)))
		return 1;
	if (read_watch(f->access) != -EPERM || read_watch(f->watch) != -EPERM)
		return 2;
	if (ioctl(f->access, PTREMAP_FEATURES, &size) != -1 || errno != ENOTTY ||
	    ioctl(w->fd, PTREMAP_FEATURES, &size) != -1 || errno != ENOTTY)
		return 3;
	if (read_watch(w->fd) != -EINVAL)
		return 4;
	if (mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, 0) != MAP_FAILED)
		return 5;
	if (ptremap_mirror_invalidate(w, 0, 0) ||
	    ptremap_mirror_switch(w, f->mirror.guest.space.root, 0,
				  PTREMAP_MIRROR_WP | PTREMAP_MIRROR_USER, 0))
		return 6;
	return 0;
}

static void test_handed(struct test *t, struct in_force *f, bool user_ns)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(by_nobody(f, user_ns));
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		die("nobody");
	check(&t->c, !WEXITSTATUS(status),
	      "nobody%s: watches' descriptors: EPERM; a mirror's: flushed and switched (step %d)",
	      user_ns ? ", root of a user namespace" : "", WEXITSTATUS(status));
	check(&t->c, shown(&f->mirror, 0) == content(0), "the mirror shows the guest afterwards");
}

/* ---- lockdown -------------------------------------------------------------------------------- */

static bool shows_nothing(const struct in_force *f, uint64_t page)
{
	got_signal = 0;
	return !shown(&f->mirror, page) && got_signal == SIGBUS;
}

/* What it showed it need not go on to show: the kernel may have moved that page. */
static bool shows_no_more(const struct in_force *f, uint64_t unseen)
{
	return (shown(&f->mirror, 0) == content(0) || shows_nothing(f, 0)) &&
	       shows_nothing(f, unseen);
}

static void test_watches(struct test *t, const struct in_force *f, const char *level)
{
	int err = read_watch(f->watch);

	check(&t->c, err == -EKEYREJECTED, "%s: read of a watch: %s", level, name_of(err));
	err = read_watch(f->access);
	check(&t->c, err == -EKEYREJECTED, "%s: read of a watch of accesses: %s", level,
	      name_of(err));
}

static void test_level(struct test *t, struct in_force *f, const char *level, uint64_t unseen)
{
	int err;

	check(&t->c, write_file(LOCKDOWN, level), "the kernel is locked down: %s", level);
	test_refusals(t, level);
	test_watches(t, f, level);
	err = undo(&t->c, f->edits);
	check(&t->c, err == -EKEYREJECTED && is_edited(t), "%s: undo: %s, edits stay", level,
	      name_of(err));
	check(&t->c, is_grafted(f), "%s: a graft stays", level);
	check(&t->c, is_guest_changed(f), "%s: changes of a guest's pages stay", level);
	check(&t->c, tiny_write(&f->vm, 0, gpa(GUEST_WATCHED), 4),
	      "%s: a guest that is watched goes on", level);
	check(&t->c, shows_no_more(f, unseen), "%s: a mirror shows nothing more", level);
}

static void run_command(struct test *t, const char *command, const char *level)
{
	char line[4096];

	snprintf(line, sizeof(line), "%s %s", command, level);
	check(&t->c, !system(line), "%s: what is run then", level);
}

/* Taking back asks for nothing. */
static void test_ends(struct test *t, struct in_force *f, const uint64_t *before)
{
	uint64_t after[PAGES], word;

	close(f->dev);
	look(t, after);
	check(&t->c, !memcmp(before, after, sizeof(after)) && is_filled_all(t),
	      "under lockdown: edits are taken back with their file");
	check(&t->c, load((uint64_t *)(void *)f->graft, &word) == SIGSEGV,
	      "under lockdown: a graft goes with its file");
	check(&t->c, guest_reads(f, GUEST_MOVED, GUEST_MOVED) && guest_writes(f, false),
	      "under lockdown: changes of a guest's pages are taken back with their file");
	close(f->access);
	close(f->watch);
	check(&t->c, tiny_write(&f->vm, 0, gpa(GUEST_WATCHED), 6),
	      "under lockdown: a watch of accesses is closed");
	check(&t->c, !ptremap_mirror_invalidate(&f->mirror.window, 0, 0) && shows_nothing(f, 0),
	      "under lockdown: a mirror is flushed, and shows nothing any more");
	ptremap_mirror_destroy(&f->mirror.window);
	check(&t->c, load(in_window(&f->mirror.window, GVA), &word) == SIGSEGV,
	      "under lockdown: a mirror's window goes");
}

int main(int argc, char **argv)
{
	static struct test t;
	static struct in_force f;
	uint64_t before[PAGES];

	if (argc != 2) {
		fprintf(stderr, "usage: in_force COMMAND\n");
		return 2;
	}
	catch_faults();
	set_up(&t);
	look(&t, before);
	make_all(&t, &f);
	check(&t.c, is_edited(&t) && is_filled(f.graft, 50) && is_guest_changed(&f),
	      "changes are in force");
	test_handed(&t, &f, false);
	test_handed(&t, &f, true);
	test_level(&t, &f, "integrity", UNSEEN_1);
	run_command(&t, argv[1], "integrity");
	test_level(&t, &f, "confidentiality", UNSEEN_2);
	run_command(&t, argv[1], "confidentiality");
	test_ends(&t, &f, before);
	tiny_end(&f.vm);
	return t.c.failed > 0;
}
