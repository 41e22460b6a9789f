/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The soak's controllers: each asks the module for random things, and may be killed at any moment.
 * What a call may do to pages by the way (a copy, a split) goes into a log, as what targets do.
 */
#ifndef TESTS_SOAK_CONTROL_H
#define TESTS_SOAK_CONTROL_H

#include "tests/system/soak_mirrors.h"
#include "tests/system/soak_rules.h"

/* ---- changes of processes -------------------------------------------------------------------- */

static bool random_item(struct control *c, struct ptremap_item *i, struct seen *one,
			struct seen *two)
{
	bool huge = !random_of(&c->state, 6);

	if (!see(c, false, one) || !see(c, false, two))
		return false;
	*i = (struct ptremap_item){
		.pid = one->pid,
		.va = at(one->base) + (huge ? huge_offset(c) : any_offset(c)),
		.what = PTREMAP_PROTECT + random_of(&c->state, last_kind()),
		.level = huge ? 2 : 1,
	};
	if (i->what == PTREMAP_FRAME || i->what == PTREMAP_SWAP) {
		i->other_pid = two->pid;
		i->other_va = at(two->base) + (huge ? huge_offset(c) : any_offset(c));
	}
	if (i->what == PTREMAP_PROTECT) {
		i->clear = random_of(&c->state, 2) ? BIT_RW : BIT_NX;
		i->set = random_of(&c->state, 2) ? BIT_PCD : 0;
	}
	return true;
}

static uint32_t random_flags(struct control *c)
{
	uint32_t dice = random_of(&c->state, 16);

	c->s->n.dry_runs += !dice;
	return !dice ? PTREMAP_EDIT_DRY_RUN : dice == 1 ? PTREMAP_EDIT_KEEP : 0;
}

static void do_edit(struct control *c)
{
	uint32_t nr = 1 + random_of(&c->state, ITEMS), i, id, flags = random_flags(c);
	struct log_entry *at_it[2 * ITEMS];
	struct ptremap_item items[ITEMS];
	struct seen one[ITEMS], two[ITEMS];
	int err;

	if (c->nr == IDS)
		return;
	for (i = 0; i < nr; i++) {
		if (!random_item(c, &items[i], &one[i], &two[i]))
			return;
	}
	for (i = 0; i < nr; i++) {
		at_it[2 * i] = begin_call(c, &one[i], items[i].va);
		at_it[2 * i + 1] = begin_call(c, &two[i], items[i].other_va ?: at(two[i].base));
	}
	err = edit_many(&c->c, items, nr, flags, &id);
	for (i = 0; i < 2 * nr; i++)
		log_end(at_it[i]);
	note(c, "edit", err);
	if (err || flags & PTREMAP_EDIT_DRY_RUN)
		return;
	c->s->n.edits++;
	c->s->n.items += nr;
	c->s->n.kept += flags & PTREMAP_EDIT_KEEP ? 1 : 0;
	for (i = 0; i < nr; i++)
		c->s->n.huge_items += items[i].level == 2;
	have(c, id);
}

/* A page of one that another is led to by its physical address. It may have been given up since. */
static void do_ram(struct control *c)
{
	struct log_entry *at_it[2];
	struct ptremap_item i;
	struct seen one, two;
	uint64_t from;
	uint32_t id;
	int err;

	if (c->nr == IDS || !see(c, false, &one) || !see(c, false, &two))
		return;
	from = at(two.base) + small_offset(c);
	i = (struct ptremap_item){ .pid = one.pid,
				   .va = at(one.base) + small_offset(c),
				   .other_va = ram_at(&c->c, two.pid, from),
				   .what = PTREMAP_RAM };
	if (!i.other_va)
		return;
	at_it[0] = begin_call(c, &one, i.va);
	at_it[1] = begin_call(c, &two, from);
	err = edit_many(&c->c, &i, 1, 0, &id);
	log_end(at_it[0]);
	log_end(at_it[1]);
	note(c, "edit of RAM", err);
	if (err)
		return;
	c->s->n.ram_items++;
	have(c, id);
}

static void undo_one(struct control *c)
{
	unsigned int i = random_of(&c->state, c->nr);
	int back = undo(&c->c, c->ids[i]);

	c->ids[i] = c->ids[--c->nr];
	note(c, "undo", back);
	c->s->n.undone += back >= 0;
}

static void do_undo(struct control *c)
{
	if (c->nr)
		undo_one(c);
}

/* A new mapping somewhere in the target, of another's pages or of new ones. */
static void do_graft(struct control *c)
{
	struct ptremap_map m = { .size = sizeof(m), .prot = PTREMAP_MAP_READ, .len = PAGE };
	struct seen to, from;
	struct log_entry *e;
	int err;

	if (c->nr == IDS || !see(c, false, &to) || !see(c, false, &from))
		return;
	m.pid = to.pid;
	m.len *= 1 + random_of(&c->state, 4);
	m.source = PTREMAP_MAP_FRESH;
	if (random_of(&c->state, 2)) {
		m.source = PTREMAP_MAP_FRAMES;
		m.other_pid = from.pid;
		m.from = at(from.base) + small_offset(c);
	}
	e = begin_call(c, &from, m.from ?: at(from.base));
	err = call(&c->c, PTREMAP_MAP, &m);
	log_end(e);
	/* There is no free place yet in the midst of an exec. */
	if (err != -ENOMEM)
		note(c, "graft", err);
	if (err)
		return;
	c->s->n.grafts++;
	have(c, m.id);
}

/* ---- changes of guests ----------------------------------------------------------------------- */

static bool random_guest_item(struct control *c, struct ptremap_ept_item *g)
{
	struct seen from;

	if (!see(c, false, &from))
		return false;
	*g = (struct ptremap_ept_item){ .gpa = TINY_GPA + small_offset(c) };
	g->what = PTREMAP_EPT_PROTECT + random_of(&c->state, 5);
	if (g->what == PTREMAP_EPT_SWAP) {
		g->other = TINY_GPA + small_offset(c);
	} else if (g->what == PTREMAP_EPT_FRAME) {
		g->other_pid = from.pid;
		g->other_fd = PTREMAP_EPT_PROCESS;
		g->other = at(from.base) + small_offset(c);
	} else if (g->what == PTREMAP_EPT_PROTECT) {
		g->clear = random_of(&c->state, 2) ? 7 : PTREMAP_EPT_WRITE;
	} else if (g->what == PTREMAP_EPT_CACHE) {
		g->cache = PTREMAP_EPT_UC;
	}
	return true;
}

static void do_guest_edit(struct control *c)
{
	struct ptremap_ept_item g;
	struct log_entry *e;
	struct seen vm;
	uint32_t id;
	int err;

	if (c->nr == IDS || !see(c, true, &vm) || !random_guest_item(c, &g))
		return;
	e = log_begin(c->log, DEED_CALL, vm.pid, vm.base, HUGE);
	err = ept_many(&c->c, vm.pid, -1, &g, 1, 0, &id);
	log_end(e);
	note(c, "guest's edit", err);
	if (err)
		return;
	c->s->n.guest_items++;
	have(c, id);
}

static void end_access_watch(struct control *c)
{
	struct ptremap_access some[4];
	ssize_t got = read(c->access, some, sizeof(some));

	if (got < 0)
		note(c, "watch of accesses", -errno);
	c->s->n.accesses += got > 0 ? (uint32_t)got / sizeof(*some) : 0;
	close(c->access);
	c->access = -1;
}

/* Of all pages, or of one; read a little, and closed at some later time. */
static void do_access_watch(struct control *c)
{
	struct ptremap_access_range range = { .gpa = TINY_GPA, .len = HUGE, .on = 7 };
	struct ptremap_access_watch w = { .size = sizeof(w),
					  .flags = PTREMAP_ACCESS_NONBLOCK,
					  .vm_fd = -1,
					  .ranges = at(&range),
					  .nr = 1,
					  .room = 16 };
	struct seen vm;
	int err;

	if (c->access >= 0) {
		end_access_watch(c);
		return;
	}
	if (!see(c, true, &vm))
		return;
	w.pid = vm.pid;
	if (random_of(&c->state, 2)) {
		range.gpa += small_offset(c);
		range.len = PAGE;
	}
	err = call(&c->c, PTREMAP_ACCESS, &w);
	note(c, "watch of accesses", err);
	if (err)
		return;
	c->access = w.fd;
	c->s->n.access_watches++;
}

static void do_vm(struct control *c)
{
	struct ptremap_slot slots[4];
	struct ptremap_vcpu vcpus[TINY_VCPUS];
	struct ptremap_vm v = { .size = sizeof(v),
				.fd = -1,
				.slots = at(slots),
				.vcpus = at(vcpus),
				.nr_slots = 4,
				.nr_vcpus = TINY_VCPUS };
	struct seen vm;
	int err;

	if (!see(c, true, &vm))
		return;
	v.pid = vm.pid;
	err = call(&c->c, PTREMAP_VM, &v);
	note(c, "VM", err);
	c->s->n.vms += !err;
}

/* ---- looks ----------------------------------------------------------------------------------- */

static void do_walk(struct control *c)
{
	struct ptremap_walk w = { .size = sizeof(w), .nr = WALKS, .entries = at(c->walks) };
	struct seen t;
	unsigned int i;
	int err;

	if (!see(c, false, &t))
		return;
	w.pid = t.pid;
	for (i = 0; i < WALKS; i++)
		c->walks[i] = (struct ptremap_walk_entry){ .va = at(t.base) + any_offset(c) };
	err = call(&c->c, PTREMAP_WALK, &w);
	note(c, "walk", err);
	c->s->n.walks += err ? 0 : WALKS;
}

static void do_tables(struct control *c)
{
	struct ptremap_tables t = { .size = sizeof(t),
				    .buf = at(c->buffer),
				    .buf_len = TABLES_ROOM };
	struct seen s;
	int err;

	if (!see(c, false, &s))
		return;
	t.pid = s.pid;
	t.start = at(s.base);
	t.last = t.start + MEMORY - 1;
	err = call(&c->c, PTREMAP_TABLES, &t);
	note(c, "tables", err);
	c->s->n.tables += !err;
}

static void do_read(struct control *c)
{
	struct ptremap_phys p = {
		.size = sizeof(p), .flags = PTREMAP_PHYS_VA, .len = READ, .buf = at(c->buffer)
	};
	struct seen t;
	int err;

	if (!see(c, false, &t))
		return;
	p.pid = t.pid;
	p.pa = at(t.base) + any_offset(c);
	err = call(&c->c, PTREMAP_PHYS, &p);
	note(c, "read", err);
	c->s->n.reads += p.done > 0;
}

/* As if a guest's memory were to be written. */
static void do_check(struct control *c)
{
	struct ptremap_phys p = { .size = sizeof(p),
				  .flags = PTREMAP_PHYS_GPA | PTREMAP_PHYS_WRITE |
					   PTREMAP_PHYS_CHECK,
				  .len = READ,
				  .buf = at(c->buffer),
				  .fd = -1 };
	struct log_entry *e;
	struct seen vm;
	int err;

	if (!see(c, true, &vm))
		return;
	p.pid = vm.pid;
	p.pa = TINY_GPA + small_offset(c);
	e = log_begin(c->log, DEED_CALL, vm.pid, vm.base, HUGE);
	err = call(&c->c, PTREMAP_PHYS, &p);
	log_end(e);
	note(c, "check of a guest's memory", err);
	c->s->n.checks += p.done > 0;
}

static void do_list(struct control *c)
{
	struct ptremap_record r[32];

	note(c, "list", list(&c->c, r, 32));
	c->s->n.lists++;
}

static void do_watch(struct control *c)
{
	struct ptremap_watch w = { .size = sizeof(w),
				   .flags = PTREMAP_WATCH_NONBLOCK,
				   .nr = 16,
				   .record_size = sizeof(struct ptremap_record) };
	struct ptremap_event some[4];
	int err;

	if (c->watch >= 0) {
		if (read(c->watch, some, sizeof(some)) < 0)
			note(c, "watch", -errno);
		close(c->watch);
		c->watch = -1;
		return;
	}
	w.flags |= random_of(&c->state, 2) ? PTREMAP_WATCH_ALL : 0;
	err = call(&c->c, PTREMAP_WATCH, &w);
	note(c, "watch", err);
	if (err)
		return;
	c->watch = w.fd;
	c->s->n.watches++;
}

/* ---- one controller -------------------------------------------------------------------------- */

typedef void (*control_fn)(struct control *c);

static const control_fn CONTROLS[] = {
	do_edit, do_edit, do_edit,   do_edit, do_edit,	 do_edit,   do_undo,   do_undo,
	do_walk, do_walk, do_tables, do_read, do_read,	 do_graft,  do_list,   do_watch,
	do_ram,	 do_ram,  do_rule,   do_rule, do_mirror, do_mirror, do_mirror, do_mirror,
};
static const control_fn VM_CONTROLS[] = {
	do_guest_edit, do_guest_edit, do_guest_edit, do_access_watch, do_vm, do_check,
};

static void ask_for_something(struct control *c)
{
	const uint32_t nr = sizeof(CONTROLS) / sizeof(*CONTROLS);
	const uint32_t all = nr + sizeof(VM_CONTROLS) / sizeof(*VM_CONTROLS);
	uint32_t i = random_of(&c->state, c->s->kvm ? all : nr);

	if (i < nr)
		CONTROLS[i](c);
	else
		VM_CONTROLS[i - nr](c);
	if (c->nr == IDS)
		undo_one(c);
}

/* Does not return. Its last transactions are undone as its files are closed. */
static void __attribute__((noreturn)) be_controller(struct soak *s, unsigned int who, uint32_t seed)
{
	static struct control c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	c.s = s;
	c.log = &s->controller_logs[who];
	c.state = seed;
	c.watch = c.access = c.mirror = -1;
	expect_signals();
	c.c.dev = open_device();
	while (s->phase == PHASE_RUN) {
		ask_for_something(&c);
		rest(&c.state, s->rest_us);
	}
	_exit(0);
}

#endif
