// SPDX-License-Identifier: GPL-2.0
/*
 * edits_physical: pages led to physical addresses: RAM of each kind, and device memory.
 *
 * What is seen there must be what the direct map has, or the walk; each kind is refused without its
 * flag; whoever asks the kernel for the page itself gets the original; and nothing may be left.
 */
#include <linux/futex.h>
#include <linux/kernel-page-flags.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "tests/system/edits.h"
#include "tests/system/watches.h"

#define PAGES	4
#define SEED	7u
#define FLAG(n) (1ull << (n))

struct test {
	struct checks c;
	char *p;  /* private memory */
	char *ro; /* the same, read-only now */
};

static char *new_pages(void)
{
	char *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);
	unsigned int i;

	if (p == MAP_FAILED)
		die("mmap");
	madvise(p, PAGES * PAGE, MADV_NOHUGEPAGE);
	for (i = 0; i < PAGES; i++)
		fill_page(p + i * PAGE, SEED + i);
	return p;
}

static bool all_filled(const char *p)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		if (!is_filled(p + i * PAGE, SEED + i))
			return false;
	return true;
}

/* Page 1 of @p. */
static struct ptremap_item item_at(const char *p, uint32_t what, uint64_t pa, uint32_t flags)
{
	return (struct ptremap_item){
		.pid = getpid(), .va = at(p + PAGE), .what = what, .other_va = pa, .flags = flags
	};
}

/* A page of RAM as the kernel's direct map has it. */
static bool read_physical(const struct test *t, uint64_t pa, void *page)
{
	struct ptremap_phys p = { .size = sizeof(p), .pa = pa, .len = PAGE, .buf = at(page) };

	return !call(&t->c, PTREMAP_PHYS, &p);
}

/* The last page that has one of @flags in /proc/kpageflags and none of @without; 0: none. */
static uint64_t find_frame(uint64_t flags, uint64_t without)
{
	static uint64_t page_flags[4096];
	int fd = open("/proc/kpageflags", O_RDONLY);
	uint64_t pa = 0, pfn = 0;
	ssize_t n;
	size_t i;

	while (fd >= 0 && (n = read(fd, page_flags, sizeof(page_flags))) > 0) {
		for (i = 0; i < (size_t)n / 8; i++)
			if (page_flags[i] & flags && !(page_flags[i] & without))
				pa = (pfn + i) * PAGE;
		pfn += (size_t)n / 8;
	}
	if (fd >= 0)
		close(fd);
	return pa;
}

static uint64_t kernel_code(void)
{
	FILE *f = fopen("/proc/iomem", "r");
	char line[256];
	uint64_t pa = 0;

	while (f && !pa && fgets(line, sizeof(line), f))
		if (strstr(line, "Kernel code"))
			pa = strtoull(line, NULL, 16);
	if (f)
		fclose(f);
	return pa;
}

/* The kernel marks it as a page table only in its later versions. */
static uint64_t top_table(const struct test *t)
{
	struct ptremap_walk_entry e = { .va = at(t->p) };
	struct ptremap_walk w = { .size = sizeof(w), .pid = getpid(), .nr = 1, .entries = at(&e) };

	return call(&t->c, PTREMAP_WALK, &w) ? 0 : w.root;
}

static bool has_advice(const void *p)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	bool inside = false, found = false;
	unsigned long start, end;
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = at(p) >= start && at(p) < end;
		else if (inside && !strncmp(line, "VmFlags:", 8))
			found = strstr(line, " rr");
	}
	if (f)
		fclose(f);
	return found;
}

/* Of the first record; 0: there is none. */
static uint8_t state_now(const struct test *t, uint8_t *cause)
{
	struct ptremap_record r = { 0 };

	list(&t->c, &r, 1);
	*cause = r.cause;
	return r.state;
}

static bool is_clean(const struct test *t)
{
	return all_filled(t->p) && all_filled(t->ro) && list(&t->c, NULL, 0) == 0 &&
	       !has_advice(t->p) && !has_advice(t->ro);
}

/* ---- kinds of RAM ---------------------------------------------------------------------------- */

/* What is seen is what the direct map has, at a moment when that does not change. */
static bool sees_physical(const struct test *t, const char *page, uint64_t pa)
{
	char before[PAGE], seen[PAGE], after[PAGE];
	int tries;

	for (tries = 0; tries < 100; tries++) {
		if (!read_physical(t, pa, before))
			return false;
		memcpy(seen, page, PAGE);
		read_physical(t, pa, after);
		if (!memcmp(before, after, PAGE))
			return !memcmp(before, seen, PAGE);
	}
	return false;
}

#define WORDS (PAGE / 8)

/*
 * As one reads a process' memory, which may be of a kind that the kernel does not hand out. A few
 * words may be other ones than before and after: the call takes references itself.
 */
static bool reads_physical(const struct test *t, const char *page, uint64_t pa)
{
	uint64_t before[WORDS], own[WORDS];
	struct ptremap_phys p = { .size = sizeof(p),
				  .flags = PTREMAP_PHYS_VA,
				  .pa = at(page),
				  .len = PAGE,
				  .buf = at(own),
				  .pid = getpid() };
	unsigned int i, others = 0;

	if (!read_physical(t, pa, before) || call(&t->c, PTREMAP_PHYS, &p))
		return false;
	for (i = 0; i < WORDS; i++)
		others += before[i] != own[i];
	return others <= WORDS / 16;
}

/* References while it is mapped; a page that was left with one would have more the next time. */
static int refs_mapped(struct test *t, uint64_t pa, uint32_t force, bool *good)
{
	struct ptremap_item i = item_at(t->p, PTREMAP_RAM, pa, force);
	struct ptremap_walk_entry e;
	uint32_t id;

	if (edit(&t->c, &i, &id)) {
		*good = false;
		return 0;
	}
	e = walk(&t->c, getpid(), i.va);
	*good = *good && sees_physical(t, t->p + PAGE, pa) && reads_physical(t, t->p + PAGE, pa) &&
		has_advice(t->p) && (e.entry[0] & FRAME_MASK) == pa;
	*good = undo(&t->c, id) == 1 && *good;
	return e.page.refcount;
}

static void test_kind(struct test *t, const char *name, uint64_t pa, uint32_t force, int want)
{
	uint32_t other = PTREMAP_ITEM_FORCE & ~force;
	struct ptremap_item i = item_at(t->p, PTREMAP_RAM, pa, 0);
	int plain, wrong, first, second;
	bool good = pa;

	plain = edit(&t->c, &i, NULL);
	i.flags = other;
	wrong = edit(&t->c, &i, NULL);
	check(&t->c, pa && plain == -want && wrong == -want && is_clean(t),
	      "%s at 0x%" PRIx64 ": refused (%s), with the flags of all other kinds (%s)", name, pa,
	      strerrorname_np(-plain), strerrorname_np(-wrong));
	first = refs_mapped(t, pa, force, &good);
	second = refs_mapped(t, pa, force, &good);
	check(&t->c, good && is_clean(t) && first == second,
	      "%s, forced: seen as the direct map has it, %d and %d references", name, first,
	      second);
}

/* Free pages may be given to somebody at any time: of a few, one stays. */
static void test_free(struct test *t)
{
	struct ptremap_item i;
	int tries, plain = 0, forced = -1;
	uint32_t id;
	bool good = false;

	for (tries = 0; tries < 10 && !good; tries++) {
		i = item_at(t->p, PTREMAP_RAM, find_frame(FLAG(KPF_BUDDY), 0), 0);
		plain = edit(&t->c, &i, NULL);
		i.flags = PTREMAP_ITEM_FORCE_FREE;
		forced = edit(&t->c, &i, &id);
		if (forced)
			continue;
		good = plain == -ENODATA && sees_physical(t, t->p + PAGE, i.other_va) &&
		       walk(&t->c, getpid(), i.va).page.refcount == 0;
		undo(&t->c, id);
	}
	check(&t->c, good && is_clean(t),
	      "free page at 0x%" PRIx64 ": refused (%d), forced (%d), has no reference",
	      (uint64_t)i.other_va, plain, forced);
}

/* The entries that a walk has are in the table, at their places. */
static void test_table(struct test *t)
{
	uint64_t pa = walk(&t->c, getpid(), at(t->p)).entry[1] & FRAME_MASK;
	struct ptremap_item i = item_at(t->p, PTREMAP_RAM, pa, PTREMAP_ITEM_FORCE_TABLE);
	const volatile uint64_t *table = (void *)(t->p + PAGE);
	unsigned int k, same = 0;
	uint32_t id;
	int err;

	test_kind(t, "page table", pa, PTREMAP_ITEM_FORCE_TABLE, ELOOP);
	err = edit(&t->c, &i, &id);
	for (k = 0; !err && k < PAGES; k++) {
		uint64_t va = at(t->p + k * PAGE), entry = leaf(&t->c, getpid(), va);

		same += entry && !((entry ^ table[va / PAGE % 512]) & ~NOTED);
	}
	undo(&t->c, err ? ~0u >> 1 : id);
	check(&t->c, !err && same == PAGES && is_clean(t),
	      "the process' own page table: %u of %u entries are those of walks", same, PAGES);
}

/* ---- device memory --------------------------------------------------------------------------- */

static void test_mmio(struct test *t)
{
	uint64_t pa = timer_pa(), value = 0, seen = 0;
	struct ptremap_phys phys = { .size = sizeof(phys),
				     .flags = PTREMAP_PHYS_MMIO,
				     .pa = pa,
				     .len = 8,
				     .buf = at(&value),
				     .width = 8 };
	struct ptremap_item i = item_at(t->p, PTREMAP_MMIO, pa, 0);
	struct ptremap_item ram = item_at(t->p, PTREMAP_RAM, pa, PTREMAP_ITEM_FORCE);
	struct ptremap_item other = item_at(t->p, PTREMAP_MMIO, kernel_code(), 0);
	uint64_t entry = 0;
	uint32_t id = 0;
	int err = call(&t->c, PTREMAP_PHYS, &phys) ?: edit(&t->c, &i, &id);

	if (!err) {
		seen = *(volatile uint64_t *)(t->p + PAGE);
		entry = leaf(&t->c, getpid(), i.va);
		undo(&t->c, id);
	}
	check(&t->c,
	      !err && value && seen == value && entry & BIT_PCD && (entry & FRAME_MASK) == pa &&
		      is_clean(t),
	      "device memory at 0x%" PRIx64 " (%d): 0x%" PRIx64 " is there, 0x%" PRIx64
	      " is seen, uncached",
	      pa, err, value, seen);
	err = edit(&t->c, &ram, NULL);
	check(&t->c, err == -ENODEV && edit(&t->c, &other, NULL) == -ENODEV && is_clean(t),
	      "device memory as RAM, and RAM as device memory: refused (%s)",
	      strerrorname_np(-err));
}

/* ---- a page of a process --------------------------------------------------------------------- */

static void test_other_process(struct test *t)
{
	char *own = new_pages();
	int ready[2], go[2], status = 1, err;
	struct ptremap_item i;
	uint32_t id = 0;
	char c = 0;
	pid_t pid;
	bool good;

	if (pipe(ready) || pipe(go))
		die("pipe");
	pid = fork();
	if (!pid) {
		fill_page(own, 42);
		good = write(ready[1], &c, 1) == 1 && read(go[0], &c, 1) == 1;
		_exit(!good || !is_filled(own, 43));
	}
	good = read(ready[0], &c, 1) == 1;
	i = item_at(t->p, PTREMAP_RAM, leaf(&t->c, pid, at(own)) & FRAME_MASK, 0);
	err = edit(&t->c, &i, &id);
	good = good && !err && is_filled(t->p + PAGE, 42) && !has_advice(t->p);
	if (good)
		fill_page(t->p + PAGE, 43);
	undo(&t->c, id);
	good = write(go[1], &c, 1) == 1 && waitpid(pid, &status, 0) == pid && good;
	check(&t->c, good && !status && is_clean(t),
	      "another process' page by its address (%d): read and written", err);
	munmap(own, PAGES * PAGE);
}

/* Anonymous memory after a fork is two processes', until one writes. */
static void test_shared_after_fork(struct test *t)
{
	char *own = new_pages();
	struct ptremap_item i;
	pid_t pid = fork();
	int err, ro;
	uint32_t id;

	if (!pid) {
		pause();
		_exit(0);
	}
	i = item_at(t->p, PTREMAP_RAM, leaf(&t->c, getpid(), at(own)) & FRAME_MASK, 0);
	err = edit(&t->c, &i, NULL);
	i.va = at(t->ro + PAGE);
	ro = edit(&t->c, &i, &id);
	check(&t->c, err == -EROFS && !ro && is_filled(t->ro + PAGE, SEED) && undo(&t->c, id) == 1,
	      "a copy-on-write page: refused where it could be written to (%s), lent to be read (%d)",
	      strerrorname_np(-err), ro);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	munmap(own, PAGES * PAGE);
}

/* ---- who asks for the page itself ------------------------------------------------------------ */

static bool ask_vm_readv(struct test *t, char *p)
{
	char page[PAGE];
	struct iovec here = { page, PAGE }, there = { p + PAGE, PAGE };

	(void)t;
	return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == PAGE &&
	       is_filled(page, SEED + 1);
}

static bool ask_futex(struct test *t, char *p)
{
	(void)t;
	return syscall(SYS_futex, p + PAGE, FUTEX_WAKE, 1, NULL, NULL, 0) == 0;
}

/* By somebody who has nothing at that address. */
static bool ask_mem_write(struct test *t, char *p)
{
	char path[64], page[PAGE];
	int status, fd;
	pid_t pid;

	(void)t;
	snprintf(path, sizeof(path), "/proc/%d/mem", getpid());
	pid = fork();
	if (!pid) {
		munmap(p, PAGES * PAGE);
		fill_page(page, SEED + 1);
		fd = open(path, O_RDWR);
		_exit(fd < 0 || pwrite(fd, page, PAGE, (off_t)at(p + PAGE)) != PAGE);
	}
	return waitpid(pid, &status, 0) == pid && !status;
}

static void test_asker(struct test *t, const char *name, bool (*ask)(struct test *t, char *p),
		       char *p, uint32_t what, uint64_t pa, uint32_t force)
{
	struct ptremap_item i = item_at(p, what, pa, force);
	int watch = new_watch(t->c.dev, 0, 0), err;
	struct ptremap_event e;
	uint8_t state, cause = 0;
	bool good, told;
	uint32_t id = 0;

	/* A fork would end it: the asker is a child. */
	madvise(p, PAGES * PAGE, MADV_DONTFORK);
	err = edit(&t->c, &i, &id);
	good = !err && ask(t, p);
	state = state_now(t, &cause);
	told = next_event(watch, &e, 0) && e.type == PTREMAP_EVENT_MADE &&
	       next_event(watch, &e, 5000) && e.type == PTREMAP_EVENT_GONE &&
	       e.record.cause == PTREMAP_CAUSE_OTHER;
	undo(&t->c, id);
	madvise(p, PAGES * PAGE, MADV_DOFORK);
	told = told && is_quiet(watch);
	close(watch);
	check(&t->c, good && state == PTREMAP_TAKEN && cause == PTREMAP_CAUSE_OTHER && is_clean(t),
	      "%s, %s (%d): got the original (state %d, cause %d)", name,
	      what == PTREMAP_MMIO ? "device memory" : "forced page", err, state, cause);
	check(&t->c, told, "... and watches are told at once, and only once");
}

static void test_askers(struct test *t)
{
	const uint64_t mmio = timer_pa(), ram = kernel_code();
	const uint32_t force = PTREMAP_ITEM_FORCE_RESERVED;

	test_asker(t, "process_vm_readv", ask_vm_readv, t->p, PTREMAP_MMIO, mmio, 0);
	test_asker(t, "process_vm_readv", ask_vm_readv, t->p, PTREMAP_RAM, ram, force);
	test_asker(t, "process_vm_readv, read-only", ask_vm_readv, t->ro, PTREMAP_RAM, ram, force);
	test_asker(t, "futex", ask_futex, t->p, PTREMAP_MMIO, mmio, 0);
	test_asker(t, "write to /proc/PID/mem", ask_mem_write, t->p, PTREMAP_RAM, ram, force);
	test_asker(t, "write to /proc/PID/mem, read-only", ask_mem_write, t->ro, PTREMAP_RAM, ram,
		   force);
	test_asker(t, "write to /proc/PID/mem, read-only", ask_mem_write, t->ro, PTREMAP_MMIO, mmio,
		   0);
}

/* A dump asks for every page. */
static void test_core_dump(struct test *t)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	struct ptremap_item i;
	uint32_t id = 0;
	int status = 0, err;
	pid_t pid;

	write_file("/proc/sys/kernel/core_pattern", "/tmp/edits.core");
	pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_CORE, &all);
		raise(SIGSTOP);
		abort();
	}
	waitpid(pid, &status, WUNTRACED);
	i = item_at(t->p, PTREMAP_MMIO, timer_pa(), 0);
	i.pid = pid;
	err = edit(&t->c, &i, &id);
	kill(pid, SIGCONT);
	waitpid(pid, &status, 0);
	undo(&t->c, id);
	check(&t->c, !err && WIFSIGNALED(status) && WCOREDUMP(status) && is_clean(t),
	      "core dump with device memory in it (%d): done", err);
	unlink("/tmp/edits.core");
}

/* ---- the multi-gen LRU ----------------------------------------------------------------------- */

/* Has it age the pages of all groups, by walks. Returns how many groups there were. */
static int age_all(void)
{
	FILE *f = fopen("/sys/kernel/debug/lru_gen", "r");
	unsigned int group = 0, node = 0;
	unsigned long seq;
	char line[512], order[128];
	int groups = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "memcg %u", &group) == 1 || sscanf(line, " node %u", &node) == 1 ||
		    sscanf(line, " %lu", &seq) != 1)
			continue;
		snprintf(order, sizeof(order), "+ %u %u %lu 1 1", group, node, seq);
		/* Only the youngest generation's number is taken. */
		groups += write_file("/sys/kernel/debug/lru_gen", order);
	}
	if (f)
		fclose(f);
	return groups;
}

static void test_aging(struct test *t)
{
	struct ptremap_item items[] = {
		item_at(t->p, PTREMAP_MMIO, timer_pa(), 0),
		item_at(t->ro, PTREMAP_RAM, kernel_code(), PTREMAP_ITEM_FORCE_RESERVED),
	};
	uint32_t id = 0;
	int err, i, groups = 0;

	write_file("/sys/kernel/mm/lru_gen/enabled", "y");
	err = edit_many(&t->c, items, 2, 0, &id);
	for (i = 0; i < 3; i++)
		groups += age_all();
	check(&t->c, groups > 0 && !err && undo(&t->c, id) == 2 && is_clean(t),
	      "aged by the multi-gen LRU %d times (%d): left alone", groups, err);
}

/* Two in one mapping: the advice stays until the second has gone. */
static void test_advice(struct test *t)
{
	struct ptremap_item one = item_at(t->p, PTREMAP_MMIO, timer_pa(), 0), two = one;
	uint32_t first = 0, second = 0;
	bool good;

	two.va += PAGE;
	good = !edit(&t->c, &one, &first) && !edit(&t->c, &two, &second) &&
	       undo(&t->c, first) == 1 && has_advice(t->p) && undo(&t->c, second) == 1;
	check(&t->c, good && is_clean(t),
	      "two in one mapping: the advice stays until both are gone");
	madvise(t->p, PAGES * PAGE, MADV_RANDOM);
	good = !edit(&t->c, &one, &first) && undo(&t->c, first) == 1 && has_advice(t->p);
	madvise(t->p, PAGES * PAGE, MADV_NORMAL);
	check(&t->c, good && is_clean(t), "advice of the process' own: it stays");
}

int main(void)
{
	static struct test t;

	t.c.dev = open_device();
	t.p = new_pages();
	t.ro = new_pages();
	mprotect(t.ro, PAGES * PAGE, PROT_READ);
	test_table(&t);
	test_kind(&t, "slab", find_frame(FLAG(KPF_SLAB), 0), PTREMAP_ITEM_FORCE_SLAB, ENOTEMPTY);
	test_kind(&t, "kernel code", kernel_code(), PTREMAP_ITEM_FORCE_RESERVED, ENOTUNIQ);
	test_kind(&t, "top page table", top_table(&t), PTREMAP_ITEM_FORCE_KERNEL, EADDRINUSE);
	test_free(&t);
	test_mmio(&t);
	test_other_process(&t);
	test_shared_after_fork(&t);
	test_askers(&t);
	test_core_dump(&t);
	test_advice(&t);
	test_aging(&t);
	return t.c.failed > 0;
}
