/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For the test of calls that fail half-way: each call of the device, so that it succeeds if nothing
 * comes in between; and a target, whose state is compared.
 */
#ifndef TESTS_FAULTS_H
#define TESTS_FAULTS_H

#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tests/system/ept.h"
#include "tests/system/huge.h"

#define SMALL  16 /* pages of 4 KiB in the target, at its first 2 MiB */
#define LARGE  2  /* of 2 MiB behind them */
#define MEMORY ((1 + LARGE) * HUGE)
#define ROOM   (64 * PAGE)

union any_call {
	struct ptremap_features features;
	struct ptremap_walk walk;
	struct ptremap_tables tables;
	struct ptremap_phys phys;
	struct ptremap_edit edit;
	struct ptremap_list list;
	struct ptremap_undo undo;
	struct ptremap_map map;
	struct ptremap_watch watch;
	struct ptremap_vm vm;
	struct ptremap_ept ept;
	struct ptremap_rules rules;
	struct ptremap_access_watch access;
};

struct faults {
	struct checks c;
	pid_t pid; /* the target, which is stopped */
	char *base;
	union any_call *arg; /* a page of its own */
	void *room;	     /* what calls point to */
	bool kvm;
};

/* ---- the target ------------------------------------------------------------------------------ */

static void __attribute__((noreturn)) be_target(struct faults *f, int ready)
{
	static struct tiny_vm vm;
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(f->c.dev);
	if (mmap(f->base, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		 0) == MAP_FAILED)
		die("mmap");
	madvise(f->base, HUGE, MADV_NOHUGEPAGE);
	for (i = 0; i < SMALL; i++)
		fill_page(f->base + (size_t)i * PAGE, i);
	if (mmap(f->base + HUGE, LARGE * HUGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		die("mmap");
	madvise(f->base + HUGE, LARGE * HUGE, MADV_HUGEPAGE);
	for (i = 0; i < LARGE; i++)
		fill_huge(f->base + (1 + i) * HUGE, 100 + i);
	if (f->kvm) {
		tiny_make(&vm, f->base, HUGE);
		for (i = 0; i < SMALL; i++)
			tiny_read(&vm, 0, TINY_GPA + i * PAGE);
	}
	if (write(ready, "", 1) != 1)
		die("pipe");
	for (;;)
		pause();
}

static void start_target(struct faults *f)
{
	int fds[2];
	char c;

	if (pipe(fds))
		die("pipe");
	f->base = aligned_room(MEMORY);
	f->pid = fork();
	if (f->pid < 0)
		die("fork");
	if (!f->pid)
		be_target(f, fds[1]);
	close(fds[1]);
	if (read(fds[0], &c, 1) != 1)
		die("the target");
	close(fds[0]);
}

/* ---- its state, and ours --------------------------------------------------------------------- */

struct state {
	uint64_t small[SMALL], large[LARGE];
	int small_refs[SMALL], large_refs[LARGE];
	int listed, rules;
	unsigned int files;
	long mappings;
};

static unsigned int open_files(void)
{
	unsigned int n = 0;
	int fd;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static long mappings_of(pid_t pid)
{
	char path[64];
	FILE *f;
	long n = 0;
	int c;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "r");
	while (f && (c = getc(f)) != EOF)
		n += c == '\n';
	if (f)
		fclose(f);
	return n;
}

static int rules_there(const struct checks *c)
{
	struct ptremap_rules r = { .size = sizeof(r),
				   .op = PTREMAP_RULE_LIST,
				   .rule_size = sizeof(struct ptremap_rule) };
	int err = call(c, PTREMAP_RULE, &r);

	return err ? err : (int)r.nr;
}

static struct state state_of(const struct faults *f)
{
	struct state s;
	unsigned int i;

	memset(&s, 0, sizeof(s));
	drain_lru();
	for (i = 0; i < SMALL; i++) {
		struct ptremap_walk_entry e = walk(&f->c, f->pid, at(f->base) + i * PAGE);

		s.small[i] = e.entry[0] & ~NOTED;
		s.small_refs[i] = e.page.refcount;
	}
	for (i = 0; i < LARGE; i++) {
		struct ptremap_walk_entry e = walk(&f->c, f->pid, at(f->base) + (1 + i) * HUGE);

		s.large[i] = e.level == 2 ? e.entry[1] & ~NOTED : 0;
		s.large_refs[i] = e.page.refcount;
	}
	s.listed = list(&f->c, NULL, 0);
	s.rules = rules_there(&f->c);
	s.files = open_files();
	s.mappings = mappings_of(f->pid);
	return s;
}

/* What the kernel gives back a moment later is waited for. */
static bool is_as_before(const struct faults *f, const struct state *before)
{
	struct state now = state_of(f);
	int tries;

	for (tries = 0; tries < 50 && memcmp(&now, before, sizeof(now)); tries++) {
		usleep(10000);
		now = state_of(f);
	}
	return !memcmp(&now, before, sizeof(now));
}

/* ---- the calls ------------------------------------------------------------------------------- */

/* What ->more means is the fill function's matter. */
struct row {
	const char *name;
	unsigned long nr;
	void (*fill)(const struct faults *f, uint32_t more);
	void (*undo)(const struct faults *f);
	uint32_t more;
	bool kvm;
	bool always; /* ->undo has something to do when the call failed, too: ->fill made it */
};

static void fill_features(const struct faults *f, uint32_t more)
{
	(void)more;
	f->arg->features.size = sizeof(f->arg->features);
}

static void fill_walk(const struct faults *f, uint32_t more)
{
	struct ptremap_walk_entry *e = f->room;
	unsigned int i;

	for (i = 0; i < more; i++)
		e[i].va = at(f->base) + i * PAGE;
	f->arg->walk = (struct ptremap_walk){
		.size = sizeof(f->arg->walk), .pid = f->pid, .nr = more, .entries = at(e)
	};
}

static void fill_tables(const struct faults *f, uint32_t more)
{
	(void)more;
	f->arg->tables = (struct ptremap_tables){ .size = sizeof(f->arg->tables),
						  .pid = f->pid,
						  .start = at(f->base),
						  .last = at(f->base) + MEMORY - 1,
						  .buf = at(f->room),
						  .buf_len = PTREMAP_TABLES_MIN_BUF };
}

static void fill_phys(const struct faults *f, uint32_t more)
{
	f->arg->phys = (struct ptremap_phys){ .size = sizeof(f->arg->phys),
					      .flags = more,
					      .pa = at(f->base),
					      .len = 2 * PAGE,
					      .buf = at(f->room) };
	if (more & (PTREMAP_PHYS_VA | PTREMAP_PHYS_GPA))
		f->arg->phys.pid = f->pid;
	if (more & PTREMAP_PHYS_GPA) {
		f->arg->phys.fd = -1;
		f->arg->phys.pa = TINY_GPA;
	}
	if (!f->arg->phys.pid)
		f->arg->phys.pa = leaf(&f->c, f->pid, at(f->base)) & FRAME_MASK;
	if (!f->arg->phys.pid)
		f->arg->phys.len = PAGE;
	/* What is there already. */
	fill_page(f->room, 0);
	fill_page((char *)f->room + PAGE, 1);
}

/* ->more: the kind, and 0x100 for 2 MiB, 0x200 for many. */
static void fill_edit(const struct faults *f, uint32_t more)
{
	uint32_t what = more & 0xff, nr = more & 0x200 ? SMALL / 2 : 1, i;
	uint64_t size = more & 0x100 ? HUGE : PAGE;
	struct ptremap_item *items = f->room;

	for (i = 0; i < nr; i++) {
		items[i] = (struct ptremap_item){ .pid = f->pid,
						  .va = at(f->base) + 2 * i * size,
						  .what = what,
						  .level = more & 0x100 ? 2 : 1 };
		if (more & 0x100)
			items[i].va += HUGE;
		if (what == PTREMAP_PROTECT)
			items[i].clear = BIT_RW;
		if (what == PTREMAP_FRAME || what == PTREMAP_SWAP) {
			items[i].other_pid = f->pid;
			items[i].other_va = items[i].va + size;
		}
		if (what == PTREMAP_RAM)
			items[i].other_va = leaf(&f->c, f->pid, items[i].va + size) & FRAME_MASK;
	}
	f->arg->edit =
		(struct ptremap_edit){ .size = sizeof(f->arg->edit), .items = at(items), .nr = nr };
}

/* There is something to list, or to undo. */
static uint32_t make_one(const struct faults *f)
{
	struct ptremap_item i = { .pid = f->pid, .va = at(f->base), .what = PTREMAP_FRESH };
	uint32_t id;

	if (edit(&f->c, &i, &id))
		die("edit");
	return id;
}

static void fill_undo(const struct faults *f, uint32_t more)
{
	(void)more;
	f->arg->undo = (struct ptremap_undo){ .size = sizeof(f->arg->undo), .id = make_one(f) };
}

static void fill_list(const struct faults *f, uint32_t more)
{
	make_one(f);
	f->arg->list = (struct ptremap_list){ .size = sizeof(f->arg->list),
					      .records = at(f->room),
					      .nr = more,
					      .record_size = sizeof(struct ptremap_record) };
}

static void fill_map(const struct faults *f, uint32_t more)
{
	f->arg->map = (struct ptremap_map){ .size = sizeof(f->arg->map),
					    .pid = f->pid,
					    .len = 8 * PAGE,
					    .source = more,
					    .prot = PTREMAP_MAP_READ | PTREMAP_MAP_WRITE };
	if (more == PTREMAP_MAP_FRAMES) {
		f->arg->map.other_pid = f->pid;
		f->arg->map.from = at(f->base);
	}
}

static void fill_watch(const struct faults *f, uint32_t more)
{
	f->arg->watch = (struct ptremap_watch){ .size = sizeof(f->arg->watch), .flags = more };
}

static void fill_vm(const struct faults *f, uint32_t more)
{
	char *p = f->room;

	(void)more;
	f->arg->vm = (struct ptremap_vm){ .size = sizeof(f->arg->vm),
					  .pid = f->pid,
					  .fd = -1,
					  .slots = at(p),
					  .vcpus = at(p + PAGE),
					  .nr_slots = 8,
					  .nr_vcpus = TINY_VCPUS };
}

static void fill_ept(const struct faults *f, uint32_t more)
{
	struct ptremap_ept_item *i = f->room;

	*i = ept_item(more, TINY_GPA, 0, 1);
	if (more == PTREMAP_EPT_FRAME || more == PTREMAP_EPT_SWAP)
		i->other = TINY_GPA + PAGE;
	if (more == PTREMAP_EPT_PROTECT)
		i->clear = PTREMAP_EPT_WRITE;
	f->arg->ept = (struct ptremap_ept){
		.size = sizeof(f->arg->ept), .pid = f->pid, .fd = -1, .items = at(i), .nr = 1
	};
}

static void fill_rule(const struct faults *f, uint32_t more)
{
	struct ptremap_rule *r = f->room;

	*r = (struct ptremap_rule){ .pid = f->pid,
				    .fd = more == PTREMAP_ON_FAULT ? 0 : -1,
				    .on = more,
				    .act = PTREMAP_DO_TRACE,
				    .level = 1,
				    .page.reg = PTREMAP_REG_NONE,
				    .other.reg = PTREMAP_REG_NONE };
	if (more != PTREMAP_ON_HYPERCALL) {
		r->first = more == PTREMAP_ON_FAULT ? at(f->base) : TINY_GPA;
		r->last = r->first + HUGE - 1;
		r->access = PTREMAP_EPT_READ;
	}
	f->arg->rules = (struct ptremap_rules){ .size = sizeof(f->arg->rules),
						.op = PTREMAP_RULE_ADD,
						.rules = at(r),
						.nr = 1,
						.rule_size = sizeof(*r) };
}

static void fill_access(const struct faults *f, uint32_t more)
{
	struct ptremap_access_range *r = f->room;

	*r = (struct ptremap_access_range){ .gpa = TINY_GPA, .len = 4 * PAGE, .on = more };
	f->arg->access = (struct ptremap_access_watch){
		.size = sizeof(f->arg->access), .pid = f->pid, .vm_fd = -1, .ranges = at(r), .nr = 1
	};
}

static void undo_nothing(const struct faults *f)
{
	(void)f;
}

static void undo_edit(const struct faults *f)
{
	undo(&f->c, f->arg->edit.id);
}

static void undo_all(const struct faults *f)
{
	undo(&f->c, 0);
}

static void undo_map(const struct faults *f)
{
	undo(&f->c, f->arg->map.id);
}

static void undo_ept(const struct faults *f)
{
	undo(&f->c, f->arg->ept.id);
}

static void undo_watch(const struct faults *f)
{
	close(f->arg->watch.fd);
}

static void undo_access(const struct faults *f)
{
	close(f->arg->access.fd);
}

static void undo_rule(const struct faults *f)
{
	struct ptremap_rules r = { .size = sizeof(r), .op = PTREMAP_RULE_REMOVE };

	call(&f->c, PTREMAP_RULE, &r);
}

#define EDIT_ROW(name, more)                                                 \
	{                                                                    \
		name, PTREMAP_EDIT, fill_edit, undo_edit, more, false, false \
	}
#define GUEST_ROW(name, what)                                            \
	{                                                                \
		name, PTREMAP_EPT, fill_ept, undo_ept, what, true, false \
	}
#define PHYS_ROW(name, more, k)                                             \
	{                                                                   \
		name, PTREMAP_PHYS, fill_phys, undo_nothing, more, k, false \
	}

static const struct row ROWS[] = {
	{ "features", PTREMAP_FEATURES, fill_features, undo_nothing, 0, false, false },
	{ "walk", PTREMAP_WALK, fill_walk, undo_nothing, SMALL, false, false },
	{ "tables", PTREMAP_TABLES, fill_tables, undo_nothing, 0, false, false },
	PHYS_ROW("physical memory", 0, false),
	PHYS_ROW("memory read", PTREMAP_PHYS_VA, false),
	PHYS_ROW("memory written", PTREMAP_PHYS_VA | PTREMAP_PHYS_WRITE, false),
	EDIT_ROW("protect", PTREMAP_PROTECT),
	EDIT_ROW("frame", PTREMAP_FRAME),
	EDIT_ROW("swap", PTREMAP_SWAP),
	EDIT_ROW("fresh", PTREMAP_FRESH),
	EDIT_ROW("many fresh", 0x200 | PTREMAP_FRESH),
	EDIT_ROW("many swaps", 0x200 | PTREMAP_SWAP),
	EDIT_ROW("trap", PTREMAP_TRAP),
	EDIT_ROW("protect, 2 MiB", 0x100 | PTREMAP_PROTECT),
	EDIT_ROW("swap, 2 MiB", 0x100 | PTREMAP_SWAP),
	EDIT_ROW("fresh, 2 MiB", 0x100 | PTREMAP_FRESH),
	{ "list", PTREMAP_LIST, fill_list, undo_all, 16, false, true },
	{ "undo", PTREMAP_UNDO, fill_undo, undo_all, 0, false, true },
	{ "graft of frames", PTREMAP_MAP, fill_map, undo_map, PTREMAP_MAP_FRAMES, false, false },
	{ "graft of new pages", PTREMAP_MAP, fill_map, undo_map, PTREMAP_MAP_FRESH, false, false },
	{ "watch", PTREMAP_WATCH, fill_watch, undo_watch, PTREMAP_WATCH_ALL, false, false },
	{ "rule of faults", PTREMAP_RULE, fill_rule, undo_rule, PTREMAP_ON_FAULT, false, false },
	{ "VM", PTREMAP_VM, fill_vm, undo_nothing, 0, true, false },
	GUEST_ROW("guest's frame", PTREMAP_EPT_FRAME),
	GUEST_ROW("guest's swap", PTREMAP_EPT_SWAP),
	GUEST_ROW("guest's fresh", PTREMAP_EPT_FRESH),
	GUEST_ROW("guest's protect", PTREMAP_EPT_PROTECT),
	GUEST_ROW("guest's cache", PTREMAP_EPT_CACHE),
	{ "rule of hypercalls", PTREMAP_RULE, fill_rule, undo_rule, PTREMAP_ON_HYPERCALL, true,
	  false },
	{ "rule of violations", PTREMAP_RULE, fill_rule, undo_rule, PTREMAP_ON_VIOLATION, true,
	  false },
	{ "watch of accesses", PTREMAP_ACCESS, fill_access, undo_access, 7, true, false },
	PHYS_ROW("guest's memory written", PTREMAP_PHYS_GPA | PTREMAP_PHYS_WRITE, true),
};
#define NR_ROWS (sizeof(ROWS) / sizeof(*ROWS))

static void end_call(const struct faults *f, const struct row *r, int err)
{
	if (!err || r->always)
		r->undo(f);
}

static bool is_possible_row(const struct faults *f, const struct row *r)
{
	return (!r->kvm || f->kvm) &&
	       (r->nr != PTREMAP_EDIT || r->more != PTREMAP_TRAP || has_traps());
}

#endif
