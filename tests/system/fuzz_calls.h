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
	int err;

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
			a.len = mix(&w->c, a.width * choose(&w->c, 16));
		}
	}
	err = fuzz_issue(w, PTREMAP_PHYS, &a, sizeof(a));
	note_form(w, err || !a.done,
		  a.flags & PTREMAP_PHYS_GPA	? FORM_PHYS_GPA
		  : a.flags & PTREMAP_PHYS_MMIO ? FORM_PHYS_MMIO
						: FORM_PHYS_READ);
	return err;
}

/* Of an entry, that PROTECT may change; now and then others, too. */
static inline uint64_t any_bits(struct worker *w)
{
	static const uint64_t bits[] = { BIT_RW, BIT_PCD, BIT_NX, 0x60, 8, 0 };

	if (seldom(&w->c, 8))
		return mix(&w->c, PTREMAP_PROTECT_BITS & choose_bytes(&w->c, 8));
	return bits[choose(&w->c, sizeof(bits) / sizeof(*bits))];
}

/* 0: there is none, or it has no such number. */
static inline uint64_t leaf_now(const struct worker *w, int pid, uint64_t va)
{
	const struct checks c = { .dev = w->devs[0] };

	return leaf(&c, pid, va);
}

/* A page of a target's, or of anybody's. */
static inline uint64_t any_ram(struct worker *w)
{
	const struct checks c = { .dev = w->devs[0] };
	uint32_t i = choose(&w->c, FUZZ_TARGETS);
	uint64_t va = page_va(w, choose(&w->c, FUZZ_REGIONS));

	return choose(&w->c, 2) ? ram_at(&c, w->s->targets[i].pid, va) : any_pa(w) & ~0xfffull;
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
		i.other_va = i.what == PTREMAP_RAM ? any_ram(w) : w->s->timer;
	if (i.what == PTREMAP_PROTECT) {
		i.set = any_bits(w);
		i.clear = any_bits(w) & ~i.set;
		i.clear |= i.set || i.clear ? 0 : mix(&w->c, BIT_RW);
	}
	if (seldom(&w->c, 8)) {
		i.flags |= PTREMAP_ITEM_EXPECT;
		i.expected = mix(&w->c, leaf_now(w, i.pid, i.va));
	}
	i.flags |= dry_run && i.what == PTREMAP_RAM ? choose_flags(w, PTREMAP_ITEM_FORCE) : 0;
	return i;
}

/* That is in force. */
static inline void note_item(struct worker *w, const struct ptremap_item *i)
{
	if (i->what < PTREMAP_PROTECT || i->what > PTREMAP_MMIO)
		return;
	note_form(w, 0, FORM_EDIT + i->what - PTREMAP_PROTECT);
	note_form(w, i->level != 2, FORM_EDIT_2M);
	note_form(w, !(i->flags & PTREMAP_ITEM_EXPECT), FORM_EDIT_EXPECTED);
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
	for (i = 0; i < nr && a.id; i++)
		note_item(w, &items[i]);
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
	bool mmio = a.source == PTREMAP_MAP_MMIO;
	int err;

	a.pid = any_pid(w, &a.flags, PTREMAP_PIDFD);
	a.len = mix(&w->c, (uint64_t)(1 + choose(&w->c, seldom(&w->c, 4) ? 64 : 2)) * PAGE);
	a.va = choose(&w->c, 2) ? 0 : fuzz_va(FUZZ_REGIONS, 0) + choose(&w->c, 256) * PAGE;
	if (a.source == PTREMAP_MAP_FRAMES) {
		a.other_pid = any_pid(w, &a.flags, PTREMAP_OTHER_PIDFD);
		a.from = page_va(w, choose(&w->c, FUZZ_REGIONS));
	} else if (a.source != PTREMAP_MAP_FRESH) {
		a.from = mmio ? w->s->timer : any_ram(w);
	}
	a.prot = PTREMAP_MAP_READ | choose_flags(w, 7);
	a.cache = mix32(&w->c, mmio ? PTREMAP_CACHE_UC : PTREMAP_CACHE_WB);
	a.flags |= choose_flags(w, PTREMAP_MAP_KEEP | PTREMAP_MAP_DRY_RUN);
	a.flags |= a.va ? 0 : choose_flags(w, PTREMAP_MAP_LOW);
	err = fuzz_issue(w, PTREMAP_MAP, &a, sizeof(a));
	note_id(w, a.id);
	note_form(w, !a.id, FORM_MAP + a.source - PTREMAP_MAP_FRAMES);
	return err;
}

static inline int fuzz_watch(struct worker *w)
{
	struct ptremap_watch a = { .nr = mix32(&w->c, choose(&w->c, 64)), .fd = -1 };
	int err;

	a.flags = PTREMAP_WATCH_NONBLOCK | choose_flags(w, PTREMAP_WATCH_ALL);
	a.record_size = mix32(&w->c, sizeof(struct ptremap_record));
	err = fuzz_issue(w, PTREMAP_WATCH, &a, sizeof(a));
	note_fd(w, err, a.fd, FORM_WATCH_READ);
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
	/* What AMD's machines can, and one that they cannot. */
	static const uint32_t accesses[] = { PTREMAP_EPT_WRITE, PTREMAP_EPT_EXEC, 7, 5 };
	static const uint32_t caches[] = { PTREMAP_EPT_UC, PTREMAP_EPT_WC, PTREMAP_EPT_WT,
					   PTREMAP_EPT_WP, PTREMAP_EPT_WB };
	struct ptremap_ept_item i = { .what = mix32(&w->c, first + choose(&w->c, nr)) };

	i.gpa = any_gpa(w);
	i.level = seldom(&w->c, 3) ? mix32(&w->c, 2) : 0;
	i.flags = seldom(&w->c, 16) ? PTREMAP_EPT_ITEM_EXPECT : 0;
	if (first == PTREMAP_EPT_PROTECT)
		i.flags |= choose_flags(w, PTREMAP_EPT_ITEM_SPLIT);
	if (i.what == PTREMAP_EPT_FRAME || i.what == PTREMAP_EPT_SWAP) {
		i.other = any_gpa(w);
		if (choose(&w->c, 2)) {
			i.other_pid = target_pid(w, FUZZ_HAS_VM, &i.flags, PTREMAP_OTHER_PIDFD);
			i.other_fd = choose(&w->c, 2) ? PTREMAP_EPT_PROCESS : PTREMAP_EPT_ONLY_VM;
			i.other = i.other_fd == PTREMAP_EPT_PROCESS ? page_va(w, FUZZ_GUEST)
								    : i.other;
		}
	} else if (i.what == PTREMAP_EPT_PROTECT) {
		i.clear = mix32(&w->c, accesses[choose(&w->c, 4)]);
		i.set = mix32(&w->c, accesses[choose(&w->c, 4)] & ~i.clear);
	} else if (i.what == PTREMAP_EPT_CACHE) {
		i.cache = mix32(&w->c, caches[choose(&w->c, 5)]);
	}
	return i;
}

static inline void note_ept_item(struct worker *w, uint32_t flags, uint32_t what)
{
	if (flags & PTREMAP_EPT_DRY_RUN)
		return;
	if (flags & PTREMAP_EPT_REHEARSE)
		note_form(w, 0, FORM_EPT_REHEARSED);
	else if (what >= PTREMAP_EPT_PROTECT && what <= PTREMAP_EPT_FRESH)
		note_form(w, 0, FORM_EPT + what - PTREMAP_EPT_PROTECT);
	note_form(w, !(flags & PTREMAP_EPT_STICKY), FORM_EPT_STICKY);
}

static inline int fuzz_ept(struct worker *w)
{
	bool frames = choose(&w->c, 2);
	struct ptremap_ept_item *items = (void *)w->room;
	uint32_t nr = 1 + choose(&w->c, 1 + choose(&w->c, 6)), i;
	struct ptremap_ept a = { .nr = nr, .fd = (int)mix32(&w->c, ~0u), .items = fuzz_pointer(w) };
	int err;

	for (i = 0; i < nr; i++)
		items[i] = frames ? any_ept_item(w, PTREMAP_EPT_FRAME, 3)
				  : any_ept_item(w, PTREMAP_EPT_PROTECT, 2);
	a.pid = vm_pid(w, &a.flags, PTREMAP_PIDFD);
	a.flags |= choose_flags(w, PTREMAP_EPT_DRY_RUN | PTREMAP_EPT_KEEP);
	if (frames && seldom(&w->c, 4))
		a.flags |= PTREMAP_EPT_REHEARSE;
	a.flags |= frames ? 0 : choose_flags(w, PTREMAP_EPT_STICKY);
	err = fuzz_issue(w, PTREMAP_EPT, &a, sizeof(a));
	note_id(w, a.id);
	for (i = 0; i < nr && !err; i++)
		note_ept_item(w, a.flags, items[i].what);
	return err;
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
	note_fd(w, err, a.fd, FORM_ACCESS_READ);
	return err;
}

#endif
