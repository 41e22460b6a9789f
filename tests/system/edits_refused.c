// SPDX-License-Identifier: GPL-2.0
/*
 * edits_refused: what the helper module refuses, with which error, and that it then changes
 *nothing.
 *
 *	edits_refused SECONDS
 *
 * Then it is given random bytes for SECONDS, and must still work. PTSCOPE_SEED in the environment
 * repeats those.
 */
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/system/edits.h"

#define PAGES 4

struct test {
	struct checks c;
	char *p;      /* private, written to */
	char *shared; /* shared, read-only */
	char *none;   /* PROT_NONE */
	char *hole;   /* nothing */
	char *ro;     /* private, written to, now read-only */
	uint64_t entry;
	pid_t zombie;
};

static char *map(int prot, int flags)
{
	char *p = mmap(NULL, PAGES * PAGE, prot, flags | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	/* A fork would make its entries read-only. */
	madvise(p, PAGES * PAGE, MADV_NOHUGEPAGE);
	madvise(p, PAGES * PAGE, MADV_DONTFORK);
	return p;
}

static void set_up(struct test *t)
{
	unsigned int i;

	t->c.dev = open_device();
	t->p = map(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	t->ro = map(PROT_READ | PROT_WRITE, MAP_PRIVATE);
	t->shared = map(PROT_READ, MAP_SHARED);
	t->none = map(PROT_NONE, MAP_PRIVATE);
	t->hole = map(PROT_NONE, MAP_PRIVATE);
	munmap(t->hole, PAGES * PAGE);
	for (i = 0; i < PAGES; i++) {
		fill_page(t->p + i * PAGE, i);
		fill_page(t->ro + i * PAGE, 50 + i);
	}
	mprotect(t->ro, PAGES * PAGE, PROT_READ);
	t->entry = leaf(&t->c, getpid(), at(t->p)) & ~NOTED;
	t->zombie = fork();
	if (!t->zombie)
		_exit(0);
	waitid(P_PID, (id_t)t->zombie, &(siginfo_t){ .si_pid = 0 }, WEXITED | WNOWAIT);
}

/* Nothing is changed, nothing is left. */
static bool is_untouched(const struct test *t)
{
	unsigned int i;
	bool good = list(&t->c, NULL, 0) == 0;

	for (i = 0; i < PAGES; i++)
		good = good && is_filled(t->p + i * PAGE, i) && is_filled(t->ro + i * PAGE, 50 + i);
	return good && (leaf(&t->c, getpid(), at(t->p)) & ~NOTED) == t->entry;
}

static void refused(struct test *t, const char *what, int err, int want)
{
	check(&t->c, err == -want && is_untouched(t), "%s: %s%s%s", what,
	      err < 0 ? strerrorname_np(-err) : "no error", err == -want ? "" : ", not ",
	      err == -want ? "" : strerrorname_np(want));
}

/* ---- items ----------------------------------------------------------------------------------- */

static uint64_t vvar(void)
{
	char line[256];
	FILE *f = fopen("/proc/self/maps", "r");
	uint64_t va = 0;

	while (f && !va && fgets(line, sizeof(line), f))
		if (strstr(line, "[vvar]"))
			va = strtoull(line, NULL, 16);
	if (f)
		fclose(f);
	return va;
}

static void test_items(struct test *t)
{
	const pid_t me = getpid();
	const uint64_t p = at(t->p);
	struct {
		const char *what;
		int want;
		struct ptremap_item i;
	} cases[] = {
		{ "pid 0", ESRCH, { .va = p, .what = PTREMAP_TRAP } },
		{ "pid -1", ESRCH, { .pid = -1, .va = p, .what = PTREMAP_TRAP } },
		{ "no such pid", ESRCH, { .pid = 4194300, .va = p, .what = PTREMAP_TRAP } },
		{ "kernel thread", ENXIO, { .pid = 2, .va = p, .what = PTREMAP_TRAP } },
		{ "zombie", ENXIO, { .pid = t->zombie, .va = p, .what = PTREMAP_TRAP } },
		{ "other pid 0", ESRCH, { .pid = me, .va = p, .what = PTREMAP_FRAME } },
		{ "other pid not there",
		  ESRCH,
		  { .pid = me, .va = p, .what = PTREMAP_SWAP, .other_pid = 4194300 } },
		{ "not canonical", EDOM, { .pid = me, .va = 1ull << 63, .what = PTREMAP_TRAP } },
		{ "kernel half", EDOM, { .pid = me, .va = -(uint64_t)PAGE, .what = PTREMAP_TRAP } },
		{ "first page past the user half",
		  EDOM,
		  { .pid = me, .va = (1ull << 56) - PAGE, .what = PTREMAP_TRAP } },
		{ "unaligned", EDOM, { .pid = me, .va = p + 8, .what = PTREMAP_TRAP } },
		{ "other unaligned",
		  EDOM,
		  { .pid = me,
		    .va = p,
		    .what = PTREMAP_FRAME,
		    .other_pid = me,
		    .other_va = p + 1 } },
		{ "unmapped", ENOENT, { .pid = me, .va = at(t->hole), .what = PTREMAP_TRAP } },
		{ "page 0", ENOENT, { .pid = me, .va = 0, .what = PTREMAP_FRESH } },
		{ "other unmapped",
		  ENOENT,
		  { .pid = me,
		    .va = p,
		    .what = PTREMAP_FRAME,
		    .other_pid = me,
		    .other_va = at(t->hole) } },
		{ "PROT_NONE", ENOENT, { .pid = me, .va = at(t->none), .what = PTREMAP_TRAP } },
		{ "vvar", EOPNOTSUPP, { .pid = me, .va = vvar(), .what = PTREMAP_TRAP } },
		{ "kind 0", EINVAL, { .pid = me, .va = p } },
		{ "kind 8", EINVAL, { .pid = me, .va = p, .what = 8 } },
		{ "unknown item flag", EINVAL, { .pid = me, .va = p, .what = 5, .flags = 2 } },
		{ "level 3", EINVAL, { .pid = me, .va = p, .what = 5, .level = 3 } },
		{ "another unknown flag",
		  EINVAL,
		  { .pid = me, .va = p, .what = PTREMAP_RAM, .flags = 0x200 } },
		{ "force for a fresh page",
		  EINVAL,
		  { .pid = me, .va = p, .what = PTREMAP_FRESH, .flags = 0x10 } },
		{ "force for device memory",
		  EINVAL,
		  { .pid = me, .va = p, .what = PTREMAP_MMIO, .flags = 0x80 } },
		{ "other pid for RAM",
		  EINVAL,
		  { .pid = me, .va = p, .what = PTREMAP_RAM, .other_pid = me } },
		{ "RAM in 2 MiB", EINVAL, { .pid = me, .va = p, .what = PTREMAP_RAM, .level = 2 } },
		{ "RAM unaligned",
		  EDOM,
		  { .pid = me, .va = p, .what = PTREMAP_RAM, .other_va = 0x100008 } },
		{ "RAM beyond MAXPHYADDR",
		  ERANGE,
		  { .pid = me, .va = p, .what = PTREMAP_RAM, .other_va = 1ull << 52 } },
		{ "device memory beyond MAXPHYADDR",
		  ERANGE,
		  { .pid = me, .va = p, .what = PTREMAP_MMIO, .other_va = -(uint64_t)PAGE } },
		{ "RAM in a hole",
		  ENODEV,
		  { .pid = me, .va = p, .what = PTREMAP_RAM, .other_va = 1ull << 38 } },
		{ "device memory in a hole",
		  ENODEV,
		  { .pid = me, .va = p, .what = PTREMAP_MMIO, .other_va = 1ull << 38 } },
		{ "no bit to change", EINVAL, { .pid = me, .va = p, .what = PTREMAP_PROTECT } },
		{ "bit set and cleared",
		  EINVAL,
		  { .pid = me, .va = p, .what = PTREMAP_PROTECT, .set = 2, .clear = 2 } },
		{ "P cleared",
		  EINVAL,
		  { .pid = me, .va = p, .what = PTREMAP_PROTECT, .clear = 1 } },
		{ "U cleared",
		  EINVAL,
		  { .pid = me, .va = p, .what = PTREMAP_PROTECT, .clear = 4 } },
		{ "frame bit set",
		  EINVAL,
		  { .pid = me, .va = p, .what = PTREMAP_PROTECT, .set = 4096 } },
		{ "bits for a frame",
		  EINVAL,
		  { .pid = me, .va = p, .what = PTREMAP_FRESH, .set = BIT_RW } },
		{ "other pid for TRAP",
		  EINVAL,
		  { .pid = me, .va = p, .what = PTREMAP_TRAP, .other_pid = me } },
		{ "stale entry",
		  ESTALE,
		  { .pid = me,
		    .va = p,
		    .what = PTREMAP_TRAP,
		    .flags = PTREMAP_ITEM_EXPECT,
		    .expected = t->entry ^ PAGE } },
		{ "RW in shared read-only memory",
		  EROFS,
		  { .pid = me, .va = at(t->shared), .what = PTREMAP_PROTECT, .set = BIT_RW } },
		{ "D in read-only memory",
		  EROFS,
		  { .pid = me, .va = at(t->ro), .what = PTREMAP_PROTECT, .set = 0x40 } },
		{ "frame of read-only memory for writing",
		  EROFS,
		  { .pid = me,
		    .va = p,
		    .what = PTREMAP_FRAME,
		    .other_pid = me,
		    .other_va = at(t->ro) } },
		{ "swap with itself",
		  EBUSY,
		  { .pid = me, .va = p, .what = PTREMAP_SWAP, .other_pid = me, .other_va = p } },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct ptremap_item two[2] = { { .pid = me, .va = p + PAGE, .what = PTREMAP_FRESH },
					       cases[i].i };
		int err = edit(&t->c, &cases[i].i, NULL);

		refused(t, cases[i].what, err, cases[i].want);
		/* After one that is good: all or none. */
		err = edit_many(&t->c, two, 2, 0, NULL);
		if (err != -cases[i].want || two[1].status != err || two[0].status ||
		    !is_untouched(t))
			refused(t, "the same after a good item", err, cases[i].want);
	}
}

static void test_overlap(struct test *t)
{
	struct ptremap_item i = {
		.pid = getpid(), .va = at(t->p), .what = PTREMAP_PROTECT, .clear = BIT_RW
	};
	struct ptremap_item twice[] = { i, i };
	uint32_t id;
	int err;

	refused(t, "one page twice in a call", edit_many(&t->c, twice, 2, 0, NULL), EBUSY);
	if (edit(&t->c, &i, &id))
		die("edit");
	err = edit(&t->c, &i, NULL);
	undo(&t->c, id);
	refused(t, "a page that has an edit", err, EBUSY);
	refused(t, "undo of one that was undone", undo(&t->c, id), ENOENT);
	err = edit_many(&t->c, &i, 1, PTREMAP_EDIT_DRY_RUN, &id);
	check(&t->c, !err && !id && ((i.new ^ i.old) & ~NOTED) == BIT_RW && is_untouched(t),
	      "dry run (%d, id %u): %" PRIx64 " would become %" PRIx64 ", and nothing is changed",
	      err, id, (uint64_t)i.old, (uint64_t)i.new);
}

/* ---- structures and calls -------------------------------------------------------------------- */

static int edit_of_size(struct test *t, uint32_t size, unsigned char tail, void *items)
{
	unsigned char bytes[2 * PAGE] = {};
	struct ptremap_edit e = {
		.size = size, .items = at(items), .nr = 1, .flags = PTREMAP_EDIT_DRY_RUN
	};

	memcpy(bytes, &e, sizeof(e));
	bytes[sizeof(e) + 3] = tail;
	return call(&t->c, PTREMAP_EDIT, bytes);
}

static void test_structures(struct test *t)
{
	struct ptremap_item i = { .pid = getpid(), .va = at(t->p), .what = PTREMAP_FRESH };
	struct ptremap_item *ro =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct ptremap_edit e = { .size = sizeof(e), .items = at(&i), .nr = 1, .flags = 4 };
	struct ptremap_list l = { .size = sizeof(l), .flags = 1 };
	struct ptremap_undo u = { .size = sizeof(u), .flags = 1 };
	const uint32_t size = sizeof(e);

	refused(t, "unknown flag", call(&t->c, PTREMAP_EDIT, &e), EINVAL);
	e.flags = 0;
	refused(t, "size that is too small", edit_of_size(t, size - 1, 0, &i), EINVAL);
	refused(t, "size 0", edit_of_size(t, 0, 0, &i), EINVAL);
	refused(t, "size beyond a page", edit_of_size(t, PAGE + 1, 0, &i), EINVAL);
	refused(t, "larger, and not 0 there", edit_of_size(t, size + 8, 1, &i), E2BIG);
	check(&t->c, !edit_of_size(t, size + 8, 0, &i) && is_untouched(t),
	      "larger, and 0 there: accepted");
	refused(t, "no items", edit_many(&t->c, &i, 0, 0, NULL), EINVAL);
	refused(t, "too many items", edit_many(&t->c, &i, PTREMAP_EDIT_MAX + 1, 0, NULL), EINVAL);
	refused(t, "items that are not there", edit_many(&t->c, (void *)t->hole, 1, 0, NULL),
		EFAULT);
	*ro = i;
	mprotect(ro, PAGE, PROT_READ);
	refused(t, "items that are read-only", edit(&t->c, ro, NULL), EFAULT);
	refused(t, "structure that is not there", call(&t->c, PTREMAP_EDIT, t->hole), EFAULT);
	refused(t, "unknown call", call(&t->c, _IO(PTREMAP_TYPE, 99), &e), ENOTTY);
	refused(t, "call of another device", call(&t->c, _IO('p', 4), &e), ENOTTY);
	refused(t, "call with a direction", call(&t->c, _IOW(PTREMAP_TYPE, 4, int), &e), ENOTTY);
	refused(t, "list: unknown flag", call(&t->c, PTREMAP_LIST, &l), EINVAL);
	refused(t, "list: reserved field",
		call(&t->c, PTREMAP_LIST,
		     &(struct ptremap_list){ .size = sizeof(l), .record_size = 39 }),
		EINVAL);
	refused(t, "undo: unknown flag", call(&t->c, PTREMAP_UNDO, &u), EINVAL);
	refused(t, "undo: no such transaction", undo(&t->c, 0x7ffffff0), ENOENT);
	munmap(ro, PAGE);
}

/* ---- rights ---------------------------------------------------------------------------------- */

/* -errno of an edit, or of opening the device, in a child without these rights. */
static int without(struct test *t, uint64_t caps, uid_t uid, bool opens)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	struct ptremap_item i = { .pid = getpid(), .va = at(t->p), .what = PTREMAP_FRESH };
	int status, err;
	pid_t pid = fork();

	if (!pid) {
		if (uid && setuid(uid))
			_exit(255);
		if (syscall(SYS_capget, &head, data))
			_exit(255);
		data[0].effective &= ~(uint32_t)caps;
		data[0].permitted &= ~(uint32_t)caps;
		if (syscall(SYS_capset, &head, data))
			_exit(255);
		err = opens ? open(PTREMAP_DEVICE, O_RDWR) < 0 ? -errno : 0 : edit(&t->c, &i, NULL);
		_exit(-err);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : 1;
}

static void test_rights(struct test *t)
{
	const uint64_t admin = 1u << CAP_SYS_ADMIN, raw = 1u << CAP_SYS_RAWIO;

	refused(t, "not root: open", without(t, 0, 1000, true), EACCES);
	refused(t, "not root, a file from root", without(t, 0, 1000, false), EPERM);
	refused(t, "no CAP_SYS_ADMIN", without(t, admin, 0, false), EPERM);
	refused(t, "no CAP_SYS_RAWIO", without(t, raw, 0, false), EACCES);
	refused(t, "no CAP_SYS_ADMIN: open", without(t, admin, 0, true), EPERM);
	refused(t, "no CAP_SYS_RAWIO: open", without(t, raw, 0, true), EACCES);
}

/* ---- random bytes ---------------------------------------------------------------------------- */

static uint32_t rnd(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	return *state ^= *state << 5;
}

union any {
	uint32_t words[32];
	uint32_t size;
	struct ptremap_phys phys;
	struct ptremap_edit edit;
	struct ptremap_walk walk;
	struct ptremap_tables tables;
	struct ptremap_list list;
	struct ptremap_watch watch;
};

/* Valid here and there, so that it gets further. */
static void random_bytes(union any *a, uint32_t *state, void *buf, pid_t pid)
{
	unsigned int i;

	for (i = 0; i < sizeof(*a) / sizeof(a->words[0]); i++)
		a->words[i] = rnd(state) % 3 ? rnd(state) % 9 : rnd(state);
	if (rnd(state) % 8)
		a->size = 8 * (rnd(state) % 13);
	if (rnd(state) % 2)
		a->edit.items = at(buf);
	if (rnd(state) % 2)
		a->tables.buf = at(buf);
	if (rnd(state) % 2)
		a->walk.pid = pid;
}

static void random_items(struct ptremap_item *items, uint32_t *state, char *p, pid_t pid)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		uint32_t *words = (uint32_t *)&items[i];
		unsigned int k;

		for (k = 0; k < sizeof(*items) / sizeof(*words); k++)
			words[k] = rnd(state) % 3 ? 0 : rnd(state) % 9;
		/* Of nobody else. */
		items[i].pid = rnd(state) % 8 ? pid : -(int)(rnd(state) >> 1);
		items[i].other_pid = rnd(state) % 2 ? pid : 0;
		items[i].va = rnd(state) % 8 ? at(p) + PAGE * (rnd(state) % PAGES) : rnd(state);
		items[i].other_va = rnd(state) % 2 ? at(p) + PAGE * (rnd(state) % PAGES) : 0;
	}
}

static void one_call(struct test *t, uint32_t *state, void *buf, pid_t pid)
{
	unsigned int nr = rnd(state) % 9;
	unsigned long cmd = rnd(state) % 16 ? _IO(PTREMAP_TYPE, nr) : rnd(state);
	union any a;

	random_bytes(&a, state, buf, pid);
	random_items(buf, state, t->p, pid);
	/* Neither memory nor devices of this machine are written to, nor are devices read. */
	a.phys.flags &= cmd == PTREMAP_PHYS ? PTREMAP_PHYS_VA : ~0u;
	if (!call(&t->c, cmd, &a) && cmd == PTREMAP_WATCH)
		close(a.watch.fd);
}

static void test_random(struct test *t, unsigned int seconds)
{
	const char *env = getenv("PTSCOPE_SEED");
	uint32_t seed = env ? (uint32_t)strtoul(env, NULL, 0) : (uint32_t)time(NULL);
	uint32_t state = seed ? seed : 1, id;
	void *buf =
		mmap(NULL, 1u << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct ptremap_item i = { .pid = getpid(), .va = at(t->p), .what = PTREMAP_FRESH };
	time_t end = time(NULL) + seconds;
	unsigned long calls = 0;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (mmap(t->p, PAGES * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			die("mmap");
		memset(t->p, 1, PAGES * PAGE);
		for (;;)
			pause();
	}
	printf("# PTSCOPE_SEED=%u\n", seed);
	fflush(stdout);
	while (time(NULL) < end)
		for (; ++calls % 64;)
			one_call(t, &state, buf, pid);
	undo(&t->c, 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	check(&t->c, !edit(&t->c, &i, &id) && undo(&t->c, id) == 1 && is_untouched(t),
	      "%lu calls with random bytes: the device still works", calls);
}

int main(int argc, char **argv)
{
	static struct test t;

	if (argc != 2) {
		fprintf(stderr, "usage: edits_refused SECONDS\n");
		return 2;
	}
	set_up(&t);
	test_items(&t);
	test_overlap(&t);
	test_structures(&t);
	test_rights(&t);
	test_random(&t, (unsigned int)strtoul(argv[1], NULL, 10));
	return t.c.failed > 0;
}
