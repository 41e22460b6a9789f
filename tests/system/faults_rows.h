/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For the test of calls that fail half-way: each of them, so that it succeeds if nothing comes in
 * between.
 */
#ifndef TESTS_FAULTS_ROWS_H
#define TESTS_FAULTS_ROWS_H

#include "tests/system/faults.h"
#include "tests/system/rule_program.h"

enum row_flags {
	ROW_KVM = 1,
	ROW_MADE = 2,  /* ->fill made something that ->undo ends, whether the call fails or not */
	ROW_MUTE = 4,  /* it answers nothing but its status */
	ROW_OWN = 8,   /* a call of the mirror that ->fill made */
	ROW_OURS = 16, /* what it maps is in our own memory */
	/* Its end takes a kprobe away. Without memory for that the kernel warns, and keeps it. */
	ROW_PROBE = 32,
};

/* What ->more means is the fill function's matter. */
struct row {
	const char *name;
	unsigned long nr;
	void (*fill)(struct faults *f, uint32_t more);
	int (*run)(struct faults *f);  /* in place of call ->nr */
	int (*undo)(struct faults *f); /* NULL: it leaves nothing; < 0: to be tried once more */
	uint32_t more, flags;
};

static void fill_features(struct faults *f, uint32_t more)
{
	(void)more;
	f->arg->features.size = sizeof(f->arg->features);
}

static void fill_walk(struct faults *f, uint32_t more)
{
	struct ptremap_walk_entry *e = f->room;
	unsigned int i;

	for (i = 0; i < more; i++)
		e[i].va = at(f->base) + i * PAGE;
	f->arg->walk = (struct ptremap_walk){
		.size = sizeof(f->arg->walk), .pid = f->pid, .nr = more, .entries = at(e)
	};
}

static void fill_tables(struct faults *f, uint32_t more)
{
	(void)more;
	f->arg->tables = (struct ptremap_tables){ .size = sizeof(f->arg->tables),
						  .pid = f->pid,
						  .start = at(f->base),
						  .last = at(f->base) + MEMORY - 1,
						  .buf = at(f->room),
						  .buf_len = PTREMAP_TABLES_MIN_BUF };
}

/* What is written is there already. */
static void fill_phys(struct faults *f, uint32_t more)
{
	struct ptremap_phys *p = &f->arg->phys;

	*p = (struct ptremap_phys){ .size = sizeof(*p),
				    .flags = more,
				    .pa = leaf(&f->c, f->pid, at(f->base)) & FRAME_MASK,
				    .len = PAGE,
				    .buf = at(f->room) };
	if (more & PTREMAP_PHYS_MMIO) {
		p->pa = timer_pa();
		p->len = p->width = 4;
	}
	if (more & (PTREMAP_PHYS_VA | PTREMAP_PHYS_GPA)) {
		p->pid = f->pid;
		p->pa = more & PTREMAP_PHYS_VA ? at(f->base) : TINY_GPA;
		p->len = 2 * PAGE;
	}
	if (more & PTREMAP_PHYS_GPA)
		p->fd = -1;
	fill_page(f->room, 0);
	fill_page((char *)f->room + PAGE, 1);
}

/* In ->more, beside what is done. */
#define ROW_HUGE     0x100
#define ROW_MANY     0x200
#define ROW_REHEARSE 0x400
#define ROW_STICKY   0x800
#define ROW_WHAT     0xff

/* A process with a guest is refused what leads to memory by its address. */
static struct ptremap_item item_of(const struct faults *f, uint32_t what, uint64_t va,
				   uint64_t size)
{
	struct ptremap_item i = {
		.pid = f->pid, .va = va, .what = what, .level = size == HUGE ? 2 : 1
	};

	switch (what) {
	case PTREMAP_PROTECT:
		i.clear = BIT_RW;
		break;
	case PTREMAP_FRAME:
	case PTREMAP_SWAP:
		i.other_pid = f->pid;
		i.other_va = va + size;
		break;
	case PTREMAP_RAM:
		i.pid = f->plain;
		i.other_va = leaf(&f->c, f->plain, va + size) & FRAME_MASK;
		break;
	case PTREMAP_MMIO:
		i.pid = f->plain;
		i.other_va = timer_pa();
		break;
	}
	return i;
}

static void fill_edit(struct faults *f, uint32_t more)
{
	uint64_t size = more & ROW_HUGE ? HUGE : PAGE,
		 va = at(f->base) + (more & ROW_HUGE ? HUGE : 0);
	uint32_t nr = more & ROW_MANY ? SMALL / 2 : 1, i;
	struct ptremap_item *items = f->room;

	for (i = 0; i < nr; i++)
		items[i] = item_of(f, more & ROW_WHAT, va + 2 * i * size, size);
	f->arg->edit =
		(struct ptremap_edit){ .size = sizeof(f->arg->edit), .items = at(items), .nr = nr };
}

/* There is something to list, or to undo. */
static uint32_t make_one(struct faults *f)
{
	struct ptremap_item i = { .pid = f->pid, .va = at(f->base), .what = PTREMAP_FRESH };
	uint32_t id;

	if (edit(&f->c, &i, &id))
		die("edit");
	return id;
}

static void fill_undo(struct faults *f, uint32_t more)
{
	(void)more;
	f->arg->undo = (struct ptremap_undo){ .size = sizeof(f->arg->undo), .id = make_one(f) };
}

static void fill_list(struct faults *f, uint32_t more)
{
	make_one(f);
	f->arg->list = (struct ptremap_list){ .size = sizeof(f->arg->list),
					      .records = at(f->room),
					      .nr = more,
					      .record_size = sizeof(struct ptremap_record) };
}

static void fill_map(struct faults *f, uint32_t more)
{
	f->arg->map = (struct ptremap_map){ .size = sizeof(f->arg->map),
					    .pid = f->pid,
					    .len = 8 * PAGE,
					    .source = more,
					    .prot = PTREMAP_MAP_READ | PTREMAP_MAP_WRITE };
	switch (more) {
	case PTREMAP_MAP_FRAMES:
		f->arg->map.other_pid = f->pid;
		f->arg->map.from = at(f->base);
		break;
	case PTREMAP_MAP_PHYS:
		f->arg->map.len = PAGE;
		f->arg->map.from = leaf(&f->c, f->plain, at(f->base)) & FRAME_MASK;
		break;
	case PTREMAP_MAP_MMIO:
		f->arg->map.len = PAGE;
		f->arg->map.from = timer_pa();
		f->arg->map.cache = PTREMAP_CACHE_UC;
		break;
	}
}

static void fill_own_map(struct faults *f, uint32_t more)
{
	fill_map(f, more);
	f->arg->map.pid = getpid();
}

static void fill_watch(struct faults *f, uint32_t more)
{
	f->arg->watch = (struct ptremap_watch){ .size = sizeof(f->arg->watch), .flags = more };
}

static void fill_vm(struct faults *f, uint32_t more)
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

static void fill_ept(struct faults *f, uint32_t more)
{
	uint64_t size = more & ROW_HUGE ? HUGE : PAGE;
	uint64_t gpa = TINY_GPA + (more & ROW_HUGE ? HUGE : 0);
	struct ptremap_ept_item *i = f->room;

	*i = ept_item(more & ROW_WHAT, gpa, 0, more & ROW_HUGE ? 2 : 1);
	if (i->what == PTREMAP_EPT_FRAME || i->what == PTREMAP_EPT_SWAP)
		i->other = gpa + size;
	if (i->what == PTREMAP_EPT_PROTECT)
		i->clear = PTREMAP_EPT_WRITE;
	f->arg->ept = (struct ptremap_ept){
		.size = sizeof(f->arg->ept),
		.flags = (more & ROW_REHEARSE ? PTREMAP_EPT_REHEARSE : 0) |
			 (more & ROW_STICKY ? PTREMAP_EPT_STICKY : 0),
		.pid = f->pid,
		.fd = -1,
		.items = at(i),
		.nr = 1,
	};
}

static void fill_rule(struct faults *f, uint32_t more)
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

static void fill_access(struct faults *f, uint32_t more)
{
	struct ptremap_access_range *r = f->room;

	*r = (struct ptremap_access_range){ .gpa = TINY_GPA, .len = 4 * PAGE, .on = more };
	f->arg->access = (struct ptremap_access_watch){
		.size = sizeof(f->arg->access), .pid = f->pid, .vm_fd = -1, .ranges = at(r), .nr = 1
	};
}

static void add_rule(struct faults *f, uint32_t on)
{
	fill_rule(f, on);
	if (call(&f->c, PTREMAP_RULE, f->arg))
		die("rule");
}

static void fill_rules(struct faults *f, uint32_t more)
{
	add_rule(f, PTREMAP_ON_FAULT);
	f->arg->rules = (struct ptremap_rules){ .size = sizeof(f->arg->rules), .op = more };
	if (more != PTREMAP_RULE_LIST)
		return;
	f->arg->rules.rules = at(f->room);
	f->arg->rules.nr = 1;
	f->arg->rules.rule_size = sizeof(struct ptremap_rule);
}

/* Calls all rules that may be called. It ends with this process. */
static void begin_to_call_rules(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 2, .src_reg = 1 },
		{ .code = BPF_LDX | BPF_MEM | BPF_DW,
		  .dst_reg = 3,
		  .src_reg = 2,
		  .off = offsetof(struct ptremap_hit, asked) },
		{ .code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 2, .src_reg = 3 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	if (attach_rule_program(insns, sizeof(insns) / sizeof(*insns)) < 0)
		die("a program that calls rules");
}

/* The page is there when it faults, so that what may fail is the rule's. */
static void fill_acting(struct faults *f, uint32_t more)
{
	struct ptremap_rule *r = f->room;

	fill_rule(f, PTREMAP_ON_FAULT);
	r->pid = getpid();
	r->act = more;
	r->page.reg = PTREMAP_REG_PAGE;
	r->first = at(f->own);
	r->last = r->first + PAGE - 1;
	if (call(&f->c, PTREMAP_RULE, f->arg) || madvise(f->own, PAGE, MADV_DONTNEED))
		die("rule");
}

/* 0, or why it could not act. */
static int run_acting(struct faults *f)
{
	struct ptremap_rule r = { .id = 0 };
	struct ptremap_rules l = { .size = sizeof(l),
				   .op = PTREMAP_RULE_LIST,
				   .rules = at(&r),
				   .nr = 1,
				   .rule_size = sizeof(r) };
	int err;

	(void)*(volatile char *)f->own;
	err = call(&f->c, PTREMAP_RULE, &l);
	if (err || r.failed)
		return err ? err : r.error;
	return r.done ? 0 : -ENODATA;
}

/* The target's small pages, in a window of ours; no paging. */
static void fill_mirror(struct faults *f, uint32_t more)
{
	struct ptremap_mirror_range *r = f->room;

	*r = (struct ptremap_mirror_range){ .len = SMALL * PAGE, .hva = at(f->base) };
	f->arg->mirror = (struct ptremap_mirror){ .size = sizeof(f->arg->mirror),
						  .flags = more,
						  .ram_pid = f->pid,
						  .len = SMALL * PAGE,
						  .ranges = at(r),
						  .nr_ranges = 1,
						  .mode = PTREMAP_MIRROR_NONE,
						  .maxphyaddr = 40,
						  .cpu = PTREMAP_MIRROR_WP };
}

static void make_mirror(struct faults *f)
{
	fill_mirror(f, 0);
	if (call(&f->c, PTREMAP_MIRROR, f->arg))
		die("mirror");
	f->made = f->arg->mirror;
	memset(f->arg, 0, sizeof(*f->arg));
}

static void fill_mirrors(struct faults *f, uint32_t more)
{
	struct ptremap_mirror_info *infos = f->room;

	make_mirror(f);
	f->arg->mirrors = (struct ptremap_mirror_list){ .size = sizeof(f->arg->mirrors),
							.mirrors = at(infos),
							.ranges = at(infos + more),
							.nr = more,
							.nr_ranges = more,
							.info_size = sizeof(*infos) };
}

static void fill_change(struct faults *f, uint32_t more)
{
	make_mirror(f);
	f->arg->change =
		(struct ptremap_mirror_switch){ .size = sizeof(f->arg->change), .tag = more };
}

static void fill_invalidate(struct faults *f, uint32_t more)
{
	make_mirror(f);
	f->arg->invalidate = (struct ptremap_mirror_invalidate){ .size = sizeof(f->arg->invalidate),
								 .flags = more };
}

static void fill_window(struct faults *f, uint32_t more)
{
	(void)more;
	make_mirror(f);
}

/* By the kernel, which is told that it failed, and not by a signal. Page 0 begins with a 0. */
static int read_page(uint64_t va)
{
	return prctl(PR_SET_NAME, (char *)(uintptr_t)va) ? -errno : 0;
}

static int run_window(struct faults *f)
{
	return read_page(f->made.va);
}

static int undo_edit(struct faults *f)
{
	return undo(&f->c, f->arg->edit.id);
}

static int undo_all(struct faults *f)
{
	return undo(&f->c, 0);
}

static int undo_map(struct faults *f)
{
	return undo(&f->c, f->arg->map.id);
}

static int undo_ept(struct faults *f)
{
	return undo(&f->c, f->arg->ept.id);
}

static int undo_watch(struct faults *f)
{
	return close(f->arg->watch.fd);
}

static int undo_access(struct faults *f)
{
	return close(f->arg->access.fd);
}

static int undo_mirror(struct faults *f)
{
	return close(f->arg->mirror.fd);
}

static int undo_made(struct faults *f)
{
	return close(f->made.fd);
}

static int undo_rules(struct faults *f)
{
	struct ptremap_rules r = { .size = sizeof(r), .op = PTREMAP_RULE_REMOVE };

	return call(&f->c, PTREMAP_RULE, &r);
}

#define ROW(name, call, fill, undo, more, flags)                           \
	{                                                                  \
		name, PTREMAP_##call, fill_##fill, NULL, undo, more, flags \
	}
#define EDIT(name, more)	ROW(name, EDIT, edit, undo_edit, more, 0)
#define GUEST(name, more)	ROW(name, EPT, ept, undo_ept, more, ROW_KVM)
#define PHYS(name, more, flags) ROW(name, PHYS, phys, NULL, more, flags)
#define GRAFT(name, source)	ROW(name, MAP, map, undo_map, source, 0)

static const struct row ROWS[] = {
	ROW("features", FEATURES, features, NULL, 0, 0),
	ROW("walk", WALK, walk, NULL, SMALL, 0),
	ROW("tables", TABLES, tables, NULL, 0, 0),
	PHYS("physical memory", 0, 0),
	PHYS("physical memory written", PTREMAP_PHYS_WRITE, 0),
	PHYS("device memory read", PTREMAP_PHYS_MMIO, 0),
	PHYS("memory read", PTREMAP_PHYS_VA, 0),
	PHYS("memory written", PTREMAP_PHYS_VA | PTREMAP_PHYS_WRITE, 0),
	EDIT("protect", PTREMAP_PROTECT),
	EDIT("frame", PTREMAP_FRAME),
	EDIT("swap", PTREMAP_SWAP),
	EDIT("fresh", PTREMAP_FRESH),
	EDIT("many fresh", ROW_MANY | PTREMAP_FRESH),
	EDIT("many swaps", ROW_MANY | PTREMAP_SWAP),
	EDIT("trap", PTREMAP_TRAP),
	EDIT("page by address", PTREMAP_RAM),
	EDIT("device memory", PTREMAP_MMIO),
	EDIT("protect, 2 MiB", ROW_HUGE | PTREMAP_PROTECT),
	EDIT("frame, 2 MiB", ROW_HUGE | PTREMAP_FRAME),
	EDIT("swap, 2 MiB", ROW_HUGE | PTREMAP_SWAP),
	EDIT("fresh, 2 MiB", ROW_HUGE | PTREMAP_FRESH),
	ROW("list", LIST, list, undo_all, 16, ROW_MADE),
	ROW("undo", UNDO, undo, undo_all, 0, ROW_MADE),
	GRAFT("graft of frames", PTREMAP_MAP_FRAMES),
	GRAFT("graft of new pages", PTREMAP_MAP_FRESH),
	GRAFT("graft of RAM", PTREMAP_MAP_PHYS),
	GRAFT("graft of device memory", PTREMAP_MAP_MMIO),
	ROW("graft for ourselves", MAP, own_map, undo_map, PTREMAP_MAP_FRAMES, ROW_OURS),
	ROW("watch", WATCH, watch, undo_watch, PTREMAP_WATCH_ALL, 0),
	ROW("rule of faults", RULE, rule, undo_rules, PTREMAP_ON_FAULT, 0),
	ROW("list of rules", RULE, rules, undo_rules, PTREMAP_RULE_LIST, ROW_MADE),
	ROW("removal of rules", RULE, rules, undo_rules, PTREMAP_RULE_REMOVE, ROW_MADE),
	{ "rule that acts", 0, fill_acting, run_acting, undo_rules, PTREMAP_DO_FRESH,
	  ROW_MADE | ROW_MUTE },
	ROW("mirror", MIRROR, mirror, undo_mirror, 0, ROW_OURS),
	ROW("mirror in step", MIRROR, mirror, undo_mirror,
	    PTREMAP_MIRROR_SYNC | PTREMAP_MIRROR_EXEC, ROW_OURS),
	ROW("list of mirrors", MIRROR_LIST, mirrors, undo_made, 2, ROW_MADE),
	ROW("mirror switched", MIRROR_SWITCH, change, undo_made, 1, ROW_MADE | ROW_MUTE | ROW_OWN),
	ROW("mirror told to forget", MIRROR_INVALIDATE, invalidate, undo_made,
	    PTREMAP_MIRROR_ALL_TAGS, ROW_MADE | ROW_MUTE | ROW_OWN),
	{ "access by a mirror", 0, fill_window, run_window, undo_made, 0, ROW_MADE | ROW_MUTE },
	ROW("VM", VM, vm, NULL, 0, ROW_KVM),
	GUEST("guest's frame", PTREMAP_EPT_FRAME),
	GUEST("guest's swap", PTREMAP_EPT_SWAP),
	GUEST("guest's swap, rehearsed", ROW_REHEARSE | PTREMAP_EPT_SWAP),
	GUEST("guest's swap, 2 MiB", ROW_HUGE | PTREMAP_EPT_SWAP),
	GUEST("guest's fresh", PTREMAP_EPT_FRESH),
	GUEST("guest's protect", PTREMAP_EPT_PROTECT),
	GUEST("guest's protect, sticky", ROW_STICKY | PTREMAP_EPT_PROTECT),
	GUEST("guest's cache", PTREMAP_EPT_CACHE),
	ROW("rule of hypercalls", RULE, rule, undo_rules, PTREMAP_ON_HYPERCALL,
	    ROW_KVM | ROW_PROBE),
	ROW("rule of violations", RULE, rule, undo_rules, PTREMAP_ON_VIOLATION,
	    ROW_KVM | ROW_PROBE),
	ROW("watch of accesses", ACCESS, access, undo_access, 7, ROW_KVM),
	PHYS("guest's memory written", PTREMAP_PHYS_GPA | PTREMAP_PHYS_WRITE, ROW_KVM),
	PHYS("guest's memory made ready",
	     PTREMAP_PHYS_GPA | PTREMAP_PHYS_WRITE | PTREMAP_PHYS_CHECK, ROW_KVM),
};
#define NR_ROWS (sizeof(ROWS) / sizeof(*ROWS))

static void begin_row(struct faults *f, const struct row *r)
{
	memset(f->arg, 0, PAGE);
	r->fill(f, r->more);
}

static int run_row(struct faults *f, const struct row *r)
{
	if (r->run)
		return r->run(f);
	return ioctl(r->flags & ROW_OWN ? f->made.fd : f->c.dev, r->nr, f->arg) ? -errno : 0;
}

static int do_row(struct faults *f, const struct row *r)
{
	begin_row(f, r);
	return run_row(f, r);
}

/* After a call that gave @err. */
static int end_row(struct faults *f, const struct row *r, int err)
{
	return r->undo && (!err || r->flags & ROW_MADE) ? r->undo(f) : 0;
}

static bool is_possible_row(const struct faults *f, const struct row *r)
{
	if (r->nr == PTREMAP_EDIT && r->more == PTREMAP_TRAP)
		return has_traps();
	if ((r->nr == PTREMAP_EDIT && r->more == PTREMAP_MMIO) ||
	    (r->nr == PTREMAP_MAP && r->more == PTREMAP_MAP_MMIO) ||
	    (r->nr == PTREMAP_PHYS && r->more == PTREMAP_PHYS_MMIO))
		return timer_pa();
	return f->kvm || !(r->flags & ROW_KVM);
}

#endif
