/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls of the device, with arguments of all kinds: fit for the processes that there are, or
 * wrong in some field, size or pointer.
 *
 * What may harm the machine by itself is left out: writes to physical addresses, forced kinds of
 * pages (but in dry runs), and what would lead a writer to memory that is to stay as it is.
 */
#ifndef TESTS_FUZZ_CALLS_H
#define TESTS_FUZZ_CALLS_H

#include "tests/system/fuzz_worker.h"

#define MIRROR_PAGES 16 /* of the guest that a mirror shows, in the caller's own memory */

static inline int fuzz_features(struct worker *w)
{
	struct ptremap_features f = { 0 };

	return fuzz_issue(w, PTREMAP_FEATURES, &f, sizeof(f));
}

static inline int fuzz_walk(struct worker *w)
{
	uint32_t nr = 1 + choose(&w->c, 64), i;
	struct ptremap_walk_entry *e = (void *)w->room;
	struct ptremap_walk a = { .nr = mix32(&w->c, nr), .entries = fuzz_pointer(w) };

	for (i = 0; i < nr; i++)
		e[i] = (struct ptremap_walk_entry){ .va = any_va(w) };
	a.pid = any_pid(w, &a.flags, PTREMAP_PIDFD);
	a.flags |= choose_flags(w, PTREMAP_WALK_USER_ROOT);
	return fuzz_issue(w, PTREMAP_WALK, &a, sizeof(a));
}

static inline int fuzz_tables(struct worker *w)
{
	struct ptremap_tables a = { .start = any_va(w), .buf = fuzz_pointer(w) };

	a.last = choose(&w->c, 2) ? a.start + (uint64_t)choose_bytes(&w->c, 4) : any_va(w);
	a.buf_len = mix(&w->c, FUZZ_ROOM);
	a.pid = any_pid(w, &a.flags, PTREMAP_PIDFD);
	a.flags |= choose_flags(w, PTREMAP_WALK_USER_ROOT);
	return fuzz_issue(w, PTREMAP_TABLES, &a, sizeof(a));
}

/* Memory of processes and guests is read and written, physical addresses are read. */
static inline int fuzz_phys(struct worker *w)
{
	struct ptremap_phys a = { .len = mix(&w->c, choose(&w->c, 20000)), .buf = fuzz_pointer(w) };

	switch (choose(&w->c, 4)) {
	case 0:
		a.flags =
			PTREMAP_PHYS_VA | PTREMAP_PHYS_WRITE | choose_flags(w, PTREMAP_PHYS_FORCE);
		a.pid = any_pid(w, &a.flags, PTREMAP_PIDFD);
		a.pa = fuzz_va(FUZZ_POKE, choose(&w->c, 16)) + choose(&w->c, 2 * PAGE);
		a.len %= 16 * PAGE;
		break;
	case 1:
		a.flags = PTREMAP_PHYS_VA | choose_flags(w, PTREMAP_PHYS_FORCE);
		a.pid = any_pid(w, &a.flags, PTREMAP_PIDFD);
		a.pa = any_va(w);
		break;
	case 2:
		a.flags =
			PTREMAP_PHYS_GPA | PTREMAP_PHYS_WRITE | choose_flags(w, PTREMAP_PHYS_CHECK);
		a.pid = vm_pid(w, &a.flags, PTREMAP_PIDFD);
		a.fd = (int)mix32(&w->c, ~0u);
		a.pa = any_gpa(w) + choose(&w->c, PAGE);
		break;
	default:
		a.pa = any_pa(w);
		if (a.pa == w->s->timer && choose(&w->c, 2)) {
			a.flags = PTREMAP_PHYS_MMIO;
			a.width = mix32(&w->c, 1u << choose(&w->c, 4));
		}
	}
	return fuzz_issue(w, PTREMAP_PHYS, &a, sizeof(a));
}

/* Of an entry, that PROTECT may change; now and then others, too. */
static inline uint64_t any_bits(struct worker *w)
{
	static const uint64_t bits[] = { BIT_RW, BIT_PCD, BIT_NX, 0x60, 8, 0 };

	if (seldom(&w->c, 8))
		return mix(&w->c, PTREMAP_PROTECT_BITS & choose_bytes(&w->c, 8));
	return bits[choose(&w->c, sizeof(bits) / sizeof(*bits))];
}

/* What an edit of that region may lead to: fuzz_memory.h. */
static inline struct ptremap_item any_item(struct worker *w, bool dry_run)
{
	uint32_t region = choose(&w->c, FUZZ_REGIONS);
	struct ptremap_item i = { .what = mix32(&w->c, 1 + choose(&w->c, 7)) };
	bool swap = i.what == PTREMAP_SWAP;

	i.pid = any_pid(w, &i.flags, PTREMAP_PIDFD);
	i.va = page_va(w, region);
	i.level = region == FUZZ_HUGE || region == FUZZ_GUEST ? choose(&w->c, 3) : 0;
	if (i.level == 2)
		i.va &= ~(HUGE_PAGE - 1);
	if (i.what == PTREMAP_FRAME || swap) {
		i.other_pid = any_pid(w, &i.flags, PTREMAP_OTHER_PIDFD);
		i.other_va = page_va(w, choose(&w->c, swap ? FUZZ_CLEAN : FUZZ_REGIONS));
		if (i.level == 2)
			i.other_va = fuzz_va(FUZZ_HUGE, 512 * choose(&w->c, 4));
	}
	if (i.what >= PTREMAP_FRAME && i.what <= PTREMAP_MMIO && i.what != PTREMAP_FRESH &&
	    i.what != PTREMAP_TRAP && region >= FUZZ_CLEAN)
		i.va = page_va(w, FUZZ_OWN);
	if (i.what == PTREMAP_RAM || i.what == PTREMAP_MMIO)
		i.other_va = i.what == PTREMAP_RAM ? any_pa(w) & ~0xfffull : w->s->timer;
	if (i.what == PTREMAP_PROTECT) {
		i.set = any_bits(w);
		i.clear = any_bits(w) & ~i.set;
	}
	i.flags |= seldom(&w->c, 8) ? PTREMAP_ITEM_EXPECT : 0;
	i.flags |= dry_run ? choose_flags(w, PTREMAP_ITEM_FORCE) : 0;
	return i;
}

static inline int fuzz_edit(struct worker *w)
{
	struct ptremap_item *items = (void *)w->room;
	uint32_t nr = 1 + choose(&w->c, seldom(&w->c, 32) ? 512 : 1 + choose(&w->c, 5)), i;
	struct ptremap_edit a = { .nr = mix32(&w->c, nr), .items = fuzz_pointer(w) };
	int err;

	a.flags = choose_flags(w, PTREMAP_EDIT_DRY_RUN | PTREMAP_EDIT_KEEP);
	for (i = 0; i < nr; i++)
		items[i] = any_item(w, a.flags & PTREMAP_EDIT_DRY_RUN);
	memset(items + nr, 0, sizeof(*items));
	a.nr = a.nr > nr + 1 && a.nr <= PTREMAP_EDIT_MAX ? nr + 1 : a.nr;
	err = fuzz_issue(w, PTREMAP_EDIT, &a, sizeof(a));
	note_id(w, a.id);
	return err;
}

static inline int fuzz_list(struct worker *w)
{
	struct ptremap_list a = { .records = fuzz_pointer(w),
				  .nr = mix32(&w->c, 512),
				  .record_size = mix32(&w->c, sizeof(struct ptremap_record)) };

	return fuzz_issue(w, PTREMAP_LIST, &a, sizeof(a));
}

static inline int fuzz_undo(struct worker *w)
{
	struct ptremap_undo a = { .id = mix32(&w->c, w->ids[choose(&w->c, FUZZ_IDS)]) };

	return fuzz_issue(w, PTREMAP_UNDO, &a, sizeof(a));
}

static inline int fuzz_map_call(struct worker *w)
{
	struct ptremap_map a = { .source = mix32(&w->c, 1 + choose(&w->c, 4)) };
	int err;

	a.pid = any_pid(w, &a.flags, PTREMAP_PIDFD);
	a.len = mix(&w->c, (uint64_t)(1 + choose(&w->c, 64)) * PAGE);
	a.va = choose(&w->c, 2) ? 0 : fuzz_va(FUZZ_REGIONS, 0) + choose(&w->c, 256) * PAGE;
	if (a.source == PTREMAP_MAP_FRAMES) {
		a.other_pid = any_pid(w, &a.flags, PTREMAP_OTHER_PIDFD);
		a.from = page_va(w, choose(&w->c, FUZZ_REGIONS));
	} else if (a.source != PTREMAP_MAP_FRESH) {
		a.from = a.source == PTREMAP_MAP_MMIO ? w->s->timer : any_pa(w) & ~0xfffull;
	}
	a.prot = PTREMAP_MAP_READ | choose_flags(w, 7);
	a.cache = choose(&w->c, 4);
	a.flags |= choose_flags(w, PTREMAP_MAP_KEEP | PTREMAP_MAP_DRY_RUN);
	a.flags |= a.va ? 0 : choose_flags(w, PTREMAP_MAP_LOW);
	err = fuzz_issue(w, PTREMAP_MAP, &a, sizeof(a));
	note_id(w, a.id);
	return err;
}

static inline int fuzz_watch(struct worker *w)
{
	struct ptremap_watch a = { .nr = mix32(&w->c, choose(&w->c, 64)), .fd = -1 };
	int err;

	a.flags = PTREMAP_WATCH_NONBLOCK | choose_flags(w, PTREMAP_WATCH_ALL);
	a.record_size = mix32(&w->c, sizeof(struct ptremap_record));
	err = fuzz_issue(w, PTREMAP_WATCH, &a, sizeof(a));
	note_fd(w, err, a.fd);
	return err;
}

static inline int fuzz_vm(struct worker *w)
{
	struct ptremap_vm a = { .fd = (int)mix32(&w->c, ~0u), .slots = fuzz_pointer(w) };

	a.pid = vm_pid(w, &a.flags, 0);
	a.flags = choose_flags(w, PTREMAP_VM_NO_VCPUS | PTREMAP_VM_ROOTS);
	a.vcpus = fuzz_pointer(w);
	a.nr_slots = choose(&w->c, 8);
	a.nr_vcpus = choose(&w->c, 8);
	return fuzz_issue(w, PTREMAP_VM, &a, sizeof(a));
}

static inline struct ptremap_ept_item any_ept_item(struct worker *w, uint32_t first, uint32_t nr)
{
	struct ptremap_ept_item i = { .what = mix32(&w->c, first + choose(&w->c, nr)) };

	i.gpa = any_gpa(w);
	i.level = seldom(&w->c, 3) ? mix32(&w->c, 2) : 0;
	i.flags = choose_flags(w, PTREMAP_EPT_ITEM_SPLIT);
	if (i.what == PTREMAP_EPT_FRAME || i.what == PTREMAP_EPT_SWAP) {
		i.other = any_gpa(w);
		if (choose(&w->c, 2)) {
			i.other_pid = w->s->targets[FUZZ_HAS_VM].pid;
			i.other_fd = choose(&w->c, 2) ? PTREMAP_EPT_PROCESS : PTREMAP_EPT_ONLY_VM;
			i.other = i.other_fd == PTREMAP_EPT_PROCESS ? page_va(w, FUZZ_GUEST)
								    : i.other;
		}
	} else if (i.what == PTREMAP_EPT_PROTECT) {
		i.set = mix32(&w->c, choose(&w->c, 8));
		i.clear = mix32(&w->c, choose(&w->c, 8));
	} else if (i.what == PTREMAP_EPT_CACHE) {
		i.cache = mix32(&w->c, choose(&w->c, 7));
	}
	return i;
}

static inline int fuzz_ept(struct worker *w)
{
	bool frames = choose(&w->c, 2);
	struct ptremap_ept_item *items = (void *)w->room;
	uint32_t nr = 1 + choose(&w->c, 6), i;
	struct ptremap_ept a = { .nr = nr, .fd = (int)mix32(&w->c, ~0u), .items = fuzz_pointer(w) };
	int err;

	for (i = 0; i < nr; i++)
		items[i] = frames ? any_ept_item(w, PTREMAP_EPT_FRAME, 3)
				  : any_ept_item(w, PTREMAP_EPT_PROTECT, 2);
	a.pid = vm_pid(w, &a.flags, PTREMAP_PIDFD);
	a.flags |= choose_flags(w, PTREMAP_EPT_DRY_RUN | PTREMAP_EPT_KEEP);
	a.flags |= frames ? 0 : choose_flags(w, PTREMAP_EPT_STICKY);
	err = fuzz_issue(w, PTREMAP_EPT, &a, sizeof(a));
	note_id(w, a.id);
	return err;
}

/* A rule may name pages of guests, or of a process: of those only clean ones, or they get zeros. */
static inline struct ptremap_rule any_rule(struct worker *w)
{
	struct ptremap_rule r = { .on = mix32(&w->c, 1 + choose(&w->c, 3)), .fd = -1 };
	bool fault = r.on == PTREMAP_ON_FAULT;

	r.pid = fault ? any_pid(w, &r.flags, PTREMAP_PIDFD) : vm_pid(w, &r.flags, PTREMAP_PIDFD);
	r.fd = fault ? 0 : -1;
	r.act = mix32(&w->c, 1 + choose(&w->c, 5));
	r.level = mix32(&w->c, 1 + seldom(&w->c, 4));
	if (r.on != PTREMAP_ON_HYPERCALL) {
		r.first = fault ? FUZZ_BASE : 0;
		r.last = fault ? fuzz_va(FUZZ_POKE, 0) - 1 : mix(&w->c, ~0ull);
		r.access = mix32(&w->c, 1 + choose(&w->c, 7));
	}
	r.per_second = choose(&w->c, 100);
	if (r.act != PTREMAP_DO_TRACE)
		r.page = (struct ptremap_operand){ .reg = mix32(&w->c, PTREMAP_REG_PAGE) };
	if (r.act == PTREMAP_DO_SWAP || r.act == PTREMAP_DO_MAP)
		r.other = (struct ptremap_operand){ .reg = PTREMAP_REG_PAGE, .add = PAGE };
	else
		r.other.reg = PTREMAP_REG_NONE;
	if (r.act == PTREMAP_DO_TRACE)
		r.page.reg = PTREMAP_REG_NONE;
	if (r.act == PTREMAP_DO_PROTECT)
		r.clear = choose(&w->c, 2) ? PTREMAP_EPT_WRITE : 0;
	r.flags |= choose_flags(w, PTREMAP_RULE_KEEP | PTREMAP_RULE_ONCE);
	return r;
}

static inline int fuzz_rule(struct worker *w)
{
	struct ptremap_rule *rules = (void *)w->room;
	struct ptremap_rules a = { .op = mix32(&w->c, 1 + choose(&w->c, 3)) };
	uint32_t nr = 1 + choose(&w->c, 3), i;

	for (i = 0; i < nr; i++)
		rules[i] = any_rule(w);
	a.rules = a.op == PTREMAP_RULE_REMOVE ? 0 : fuzz_pointer(w);
	a.nr = a.op == PTREMAP_RULE_REMOVE ? 0 : nr;
	a.rule_size = a.op == PTREMAP_RULE_REMOVE ? 0 : mix32(&w->c, sizeof(struct ptremap_rule));
	a.id = a.op == PTREMAP_RULE_REMOVE ? choose(&w->c, 64) : 0;
	return fuzz_issue(w, PTREMAP_RULE, &a, sizeof(a));
}

static inline int fuzz_access(struct worker *w)
{
	struct ptremap_access_range *r = (void *)w->room;
	uint32_t nr = 1 + choose(&w->c, 4), i;
	struct ptremap_access_watch a = { .vm_fd = (int)mix32(&w->c, ~0u), .fd = -1 };
	int err;

	for (i = 0; i < nr; i++)
		r[i] = (struct ptremap_access_range){
			.gpa = any_gpa(w),
			.len = mix(&w->c, (uint64_t)(1 + choose(&w->c, 600)) * PAGE),
			.on = mix32(&w->c, 1 + choose(&w->c, 7)),
		};
	a.pid = vm_pid(w, &a.flags, PTREMAP_PIDFD);
	a.flags |= PTREMAP_ACCESS_NONBLOCK;
	a.ranges = fuzz_pointer(w);
	a.nr = nr;
	a.room = mix32(&w->c, choose(&w->c, 256));
	err = fuzz_issue(w, PTREMAP_ACCESS, &a, sizeof(a));
	note_fd(w, err, a.fd);
	return err;
}

/* The guest of a mirror is in the caller's memory, w->guest: its tables are what the bytes there
 * happen to be. */
static inline int fuzz_mirror(struct worker *w)
{
	struct ptremap_mirror_range *r = (void *)w->room;
	struct ptremap_mirror a = { .va = choose(&w->c, 2) ? 0 : mix(&w->c, FUZZ_BASE * 2),
				    .fd = -1 };
	int err;

	r[0] = (struct ptremap_mirror_range){ .gpa = mix(&w->c, 0),
					      .len = mix(&w->c, MIRROR_PAGES / 2 * PAGE),
					      .hva = mix(&w->c, at(w->guest)) };
	r[1] = (struct ptremap_mirror_range){ .gpa = MIRROR_PAGES / 2 * PAGE,
					      .len = MIRROR_PAGES / 2 * PAGE,
					      .hva = at(w->guest) + MIRROR_PAGES / 2 * PAGE,
					      .flags = choose(&w->c, 2) };
	a.len = mix(&w->c, (uint64_t)(1 + choose(&w->c, 2048)) * PAGE);
	a.gva = choose(&w->c, 2) ? 0 : mix(&w->c, choose_bytes(&w->c, 2) * PAGE);
	a.ranges = fuzz_pointer(w);
	a.nr_ranges = mix32(&w->c, 2);
	a.mode = mix32(&w->c, choose(&w->c, 5));
	a.features = choose_flags(w, 63);
	a.maxphyaddr = mix32(&w->c, 40);
	a.root = mix(&w->c, choose(&w->c, 4) * PAGE);
	a.cpu = choose_flags(w, 15);
	a.tag = choose(&w->c, 17);
	a.flags = choose_flags(w, PTREMAP_MIRROR_EXEC | PTREMAP_MIRROR_AD | PTREMAP_MIRROR_SYNC |
					  PTREMAP_MIRROR_RDONLY);
	err = fuzz_issue(w, PTREMAP_MIRROR, &a, sizeof(a));
	note_fd(w, err, a.fd);
	if (!err)
		w->window = a.va, w->window_len = a.len;
	return err;
}

#endif
