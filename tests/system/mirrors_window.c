// SPDX-License-Identifier: GPL-2.0
/*
 * mirrors_window: the whole of the low 4 GiB; the window's own end; windows and memory of other
 * processes; requests that are wrong.
 *
 * mirrors_window peek VA...: prints what is there, once a byte comes on stdin.
 */
#include <sys/wait.h>

#include "tests/system/mirror.h"

#define LOW	  0x10000ull
#define ELSEWHERE 77

/* ---- the whole of the low 4 GiB ----------------------------------------------------------------
 */

static void low_window(struct checks *c)
{
	struct guest g;
	struct ptremap_mirror req;
	struct ptremap_mirror_window w;
	uint64_t gva, value = 0, wrong = 0, n = 0;
	int err;

	guest_init(&g, RAM);
	fill_ram(&g);
	/* Each MiB leads to another page. */
	for (gva = 0; gva < 4 * GIB; gva += MIB)
		guest_map(&g, gva + LOW, gva / MIB % (RAM / PAGE) * PAGE, PAGE, RW_U, 1);
	guest_map(&g, 4 * GIB - PAGE, ELSEWHERE * PAGE, PAGE, RW_U, 1);
	req = mirror_request(&g, LOW, 4 * GIB - LOW);
	req.va = LOW;
	err = make_mirror(c, &g, &req, &w);
	check(c, !err, "a window from 0x10000 to 4 GiB: %s", err ? strerror(-err) : "made");
	if (err)
		return;
	for (gva = LOW; gva < 4 * GIB; gva += MIB, n++) {
		if (load((uint64_t *)(uintptr_t)gva, &value) ||
		    value != content((gva - LOW) / MIB % (RAM / PAGE)))
			wrong++;
	}
	check(c, !wrong, "%" PRIu64 " addresses, guest and host the same; %" PRIu64 " wrong", n,
	      wrong);
	check(c,
	      !load((uint64_t *)(uintptr_t)(4 * GIB - PAGE), &value) && value == content(ELSEWHERE),
	      "its last page");
	check(c,
	      load((uint64_t *)(uintptr_t)(LOW + PAGE), &value) == SIGSEGV &&
		      why(&w, (void *)(uintptr_t)(LOW + PAGE)) == PTREMAP_MIRROR_NOT_PRESENT,
	      "a hole between them");
	check(c,
	      load((uint64_t *)(uintptr_t)8, &value) == SIGSEGV && !why(&w, (void *)(uintptr_t)8),
	      "address 0 is not mapped");
	ptremap_mirror_destroy(&w);
	check(c, load((uint64_t *)(uintptr_t)LOW, &value) == SIGSEGV, "nothing is left there");
	guest_exit(&g);
}

/* ---- the window's own end ----------------------------------------------------------------------
 */

static bool in_maps(void)
{
	char line[512];
	FILE *f = fopen("/proc/self/maps", "r");
	bool found = false;

	while (f && fgets(line, sizeof(line), f))
		found |= strstr(line, "[ptremap]") != NULL;
	if (f)
		fclose(f);
	return found;
}

static void window_ends(struct checks *c)
{
	struct fixture f;
	void *window;
	int status;
	pid_t pid;

	setup(c, &f, 1, 0);
	window = in_window(&f.window, GVA);
	check(c, shown(&f, 1) == content(1) && in_maps(), "a window is in the list of mappings");
	check(c, munmap(window, PAGE) && errno == EINVAL, "a part of it cannot be unmapped");
	check(c, mprotect(window, LEN, PROT_READ) && errno == EACCES, "mprotect is refused");
	check(c, madvise(window, LEN, MADV_DOFORK), "it cannot be inherited");
	pid = fork();
	if (!pid)
		_exit(shown(&f, 1) || got_signal != SIGSEGV);
	waitpid(pid, &status, 0);
	check(c, !status, "a child has none");
	check(c, shown(&f, 2) == content(2), "the parent has it still");
	check(c, !munmap(window, LEN) && !in_maps() && !f.window.page->held, "munmap of it all");
	check(c,
	      !ptremap_mirror_switch(&f.window, 0, 1, 0, 0) &&
		      !ptremap_mirror_invalidate(&f.window, 0, 0),
	      "its calls do no harm then");
	teardown(&f);
	setup(c, &f, 1, 0);
	shown(&f, 1);
	window = in_window(&f.window, GVA);
	mmap(window, LEN, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	check(c, !shown(&f, 1) && !in_maps(), "another mapping over it");
	munmap(window, LEN);
	teardown(&f);
	setup(c, &f, 1, 0);
	shown(&f, 1);
	window = mremap(in_window(&f.window, GVA), LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED,
			(char *)in_window(&f.window, GVA) + GIB);
	check(c, window == MAP_FAILED || load(window, (uint64_t *)&window) == SIGBUS,
	      "mremap does not take it along");
	teardown(&f);
	check(c, !in_maps(), "and nothing is left");
	munmap((char *)(uintptr_t)(VA + GIB), LEN);
}

/* ---- two processes ------------------------------------------------------------------------------
 */

static void wait_forever(void)
{
	for (;;)
		pause();
}

/* The memory is a child's, or the window is. */
static void others_memory(struct checks *c)
{
	struct ptremap_mirror_window w;
	struct ptremap_mirror req;
	struct guest g;
	uint64_t value = 0;
	pid_t pid;
	int err, status;

	guest_init(&g, RAM);
	fill_ram(&g);
	guest_map(&g, GVA, 0, LEN, RW_U, 1);
	pid = fork();
	if (!pid)
		wait_forever();
	memset(g.ram, 0, RAM); /* the child's is still as it was */
	req = mirror_request(&g, GVA, LEN);
	req.ram_pid = pid;
	err = make_mirror(c, &g, &req, &w);
	check(c, !err && !load(in_window(&w, GVA + PAGE), &value) && value == content(1),
	      "the memory of another process: %s", err ? strerror(-err) : "shown");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	check(c,
	      !err && load(in_window(&w, GVA + PAGE), &value) == SIGSEGV &&
		      why(&w, in_window(&w, GVA + PAGE)) == PTREMAP_MIRROR_HOST,
	      "and when that has ended: a hole");
	if (!err)
		ptremap_mirror_destroy(&w);
	guest_exit(&g);
}

static void others_window(struct checks *c)
{
	struct ptremap_mirror_window w;
	struct ptremap_mirror req;
	struct guest g;
	int err, status, go[2];
	char byte = 0;
	pid_t pid;

	guest_init(&g, RAM);
	fill_ram(&g);
	guest_map(&g, GVA, 0, LEN, RW_U, 1);
	if (pipe(go))
		die("pipe");
	pid = fork();
	if (!pid) {
		if (read(go[0], &byte, 1) != 1)
			_exit(9);
		_exit(*(volatile uint64_t *)(uintptr_t)(VA + PAGE) == content(1) ? 3 : 4);
	}
	req = mirror_request(&g, GVA, LEN);
	req.pid = pid;
	err = make_mirror(c, &g, &req, &w);
	if (write(go[1], &byte, 1) != 1)
		die("write");
	waitpid(pid, &status, 0);
	check(c, !err && WIFEXITED(status) && WEXITSTATUS(status) == 3,
	      "a window of another process: %s", err ? strerror(-err) : "shows it");
	if (!err)
		ptremap_mirror_destroy(&w);
	close(go[0]);
	close(go[1]);
	guest_exit(&g);
}

/* ---- requests that are wrong -------------------------------------------------------------------
 */

static const struct wrong {
	const char *what;
	int want;
	struct ptremap_mirror change; /* what is not 0 replaces what is right */
} wrongs[] = {
	{ "an unknown flag", -EINVAL, { .flags = 1u << 20 } },
	{ "an unknown feature", -EINVAL, { .features = 1u << 20 } },
	{ "an unknown register bit", -EINVAL, { .cpu = 1u << 20 } },
	{ "an unknown tag", -EINVAL, { .tag = PTREMAP_MIRROR_TAGS } },
	{ "a reserved field", -EINVAL, { .reserved = 1 } },
	{ "an unknown format", -EPROTO, { .mode = 9 } },
	{ "a physical address width of 200", -EPROTO, { .maxphyaddr = 200 } },
	{ "too large", -EMSGSIZE, { .len = PTREMAP_MIRROR_MAX_LEN + PAGE } },
	{ "too many ranges", -EMSGSIZE, { .nr_ranges = PTREMAP_MIRROR_MAX_RANGES + 1 } },
	{ "an address within a page", -EDOM, { .va = VA + 8 } },
	{ "an address of the kernel", -EDOM, { .va = 0xffff800000000000 } },
	{ "a length within a page", -EDOM, { .len = PAGE + 8 } },
	{ "a guest's address within a page", -EDOM, { .gva = GVA + 8 } },
	{ "guest's addresses that wrap", -EDOM, { .gva = 0xfffffffffffff000 } },
	{ "more than 4 GiB of 32 bits", -EDOM, { .mode = PTREMAP_MIRROR_PAE, .gva = 0xfffff000 } },
	{ "below vm.mmap_min_addr", -EADDRNOTAVAIL, { .va = PAGE } },
	{ "no such process", -ESRCH, { .pid = 0x3ffffffe } },
	{ "a kernel thread's memory", -ENXIO, { .ram_pid = 2 } },
	{ "no pidfd", -EBADF, { .flags = PTREMAP_PIDFD, .pid = 1000000 } },
	{ "ranges that are not the caller's", -EFAULT, { .ranges = 0xffff800000000000 } },
};

static const struct {
	const char *what;
	struct ptremap_mirror_range range;
} wrong_ranges[] = {
	{ "an empty range", { .hva = VA } },
	{ "a range within a page", { .len = 8, .hva = VA } },
	{ "a range beyond the guest's addresses", { .gpa = 1ull << 40, .len = PAGE, .hva = VA } },
	{ "a range that wraps", { .gpa = PAGE, .len = -(uint64_t)PAGE, .hva = VA } },
	{ "a range of the kernel", { .len = PAGE, .hva = 0xffff800000000000 } },
	{ "a range that overlaps", { .gpa = TABLES, .len = PAGE, .hva = VA } },
};

static struct ptremap_mirror changed(const struct ptremap_mirror *good, const struct wrong *w)
{
	const struct ptremap_mirror *change = &w->change;
	struct ptremap_mirror m = *good;

	m.va = change->va ? change->va : m.va;
	m.len = change->len ? change->len : m.len;
	m.gva = change->gva ? change->gva : m.gva;
	m.pid = change->pid;
	m.ram_pid = change->ram_pid;
	m.flags = change->flags;
	m.mode = change->mode ? change->mode : m.mode;
	m.features = change->features ? change->features : m.features;
	m.cpu = change->cpu ? change->cpu : m.cpu;
	m.tag = change->tag;
	m.reserved = change->reserved;
	m.maxphyaddr = change->maxphyaddr ? change->maxphyaddr : m.maxphyaddr;
	m.nr_ranges = change->nr_ranges ? change->nr_ranges : m.nr_ranges;
	m.ranges = change->ranges ? change->ranges : m.ranges;
	return m;
}

static void refuse(struct checks *c, const char *what, struct ptremap_mirror *m, int want)
{
	struct ptremap_mirror_window w;
	int err = ptremap_mirror_create(c->dev, m, &w);

	check(c, err == want && !in_maps(), "refused: %s: %s", what, ptremap_mirror_strerror(err));
	if (!err)
		ptremap_mirror_destroy(&w);
}

static void refused(struct checks *c)
{
	struct ptremap_mirror_range ranges[3];
	struct ptremap_mirror good, m;
	struct guest g;
	size_t i;
	void *there;

	guest_init(&g, RAM);
	guest_ranges(&g, ranges);
	good = mirror_request(&g, GVA, LEN);
	good.ranges = at(ranges);
	good.nr_ranges = 2;
	for (i = 0; i < sizeof(wrongs) / sizeof(*wrongs); i++) {
		m = changed(&good, &wrongs[i]);
		refuse(c, wrongs[i].what, &m, wrongs[i].want);
	}
	good.nr_ranges = 3;
	for (i = 0; i < sizeof(wrong_ranges) / sizeof(*wrong_ranges); i++) {
		ranges[2] = wrong_ranges[i].range;
		m = good;
		refuse(c, wrong_ranges[i].what, &m, -ERANGE);
	}
	good.nr_ranges = 2;
	there = mmap((void *)(uintptr_t)(VA + LEN - PAGE), PAGE, PROT_READ,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	m = good;
	refuse(c, "over an existing mapping", &m, -EEXIST);
	munmap(there, PAGE);
	guest_exit(&g);
}

/* The right that is missing is asked for when the device is opened, and at each call. */
static void not_root(struct checks *c)
{
	struct ptremap_mirror m = { .len = PAGE };
	struct ptremap_mirror_window w;
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (setuid(65534))
			_exit(9);
		_exit(ptremap_open() != -EPERM || ptremap_mirror_create(c->dev, &m, &w) != -EPERM);
	}
	waitpid(pid, &status, 0);
	check(c, !status, "refused: not root: %s", ptremap_mirror_strerror(-EPERM));
}

/* For windows that others make here: the words at addresses, after the first byte of stdin. */
static int peek(char **addresses)
{
	uint64_t value;

	if (getchar() == EOF)
		return 1;
	for (; *addresses; addresses++) {
		if (load((uint64_t *)(uintptr_t)strtoull(*addresses, NULL, 0), &value))
			printf("signal %d\n", got_signal);
		else
			printf("0x%" PRIx64 "\n", value);
	}
	return 7;
}

int main(int argc, char **argv)
{
	struct checks c = { .dev = ptremap_open() };

	if (c.dev < 0)
		die(PTREMAP_DEVICE);
	catch_faults();
	if (argc > 2 && !strcmp(argv[1], "peek"))
		return peek(argv + 2);
	low_window(&c);
	window_ends(&c);
	others_memory(&c);
	others_window(&c);
	refused(&c);
	not_root(&c);
	return c.failed > 0;
}
