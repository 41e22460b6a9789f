/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mirrors of the soak's controllers: of a target's memory as if that were a guest without paging,
 * in windows of their own, which they read and write to as targets do; or of another target's.
 */
#ifndef TESTS_SOAK_MIRRORS_H
#define TESTS_SOAK_MIRRORS_H

#include <setjmp.h>

#include "kmod-helper/uapi/ptremap_mirror.h"
#include "tests/system/soak_ask.h"

#define WINDOW_VA 0x200000000000ull /* in a target: far from where it maps and unmaps */

static sigjmp_buf no_access;
static volatile sig_atomic_t accessing;

/* What comes from anywhere else comes again, and ends the process. */
static void on_signal(int number)
{
	if (accessing)
		siglongjmp(no_access, 1);
	signal(number, SIG_DFL);
}

static void expect_signals(void)
{
	const struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_NODEFER };

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
}

static void access_window(struct control *c)
{
	uint64_t offset = any_offset(c);
	bool writes = random_of(&c->state, 2);
	uint64_t *p = (void *)(uintptr_t)(c->window + offset + 8);
	struct log_entry *e;

	if (!c->window)
		return;
	e = begin_call(c, &c->shown, at(c->shown.base) + offset);
	accessing = 1;
	if (!sigsetjmp(no_access, 0)) {
		if (writes)
			__atomic_fetch_or(p, 0, __ATOMIC_SEQ_CST);
		else
			(void)*(volatile uint64_t *)p;
		c->s->n.mirrored++;
	}
	accessing = 0;
	log_end(e);
}

static void invalidate(struct control *c)
{
	struct ptremap_mirror_invalidate i = { .size = sizeof(i),
					       .flags = PTREMAP_MIRROR_ALL_TAGS,
					       .gva = any_offset(c),
					       .len = random_of(&c->state, 2) ? PAGE : 0 };

	note(c, "invalidation", ioctl(c->mirror, PTREMAP_MIRROR_INVALIDATE, &i) ? -errno : 0);
}

static void switch_root(struct control *c)
{
	struct ptremap_mirror_switch s = { .size = sizeof(s),
					   .root = random_of(&c->state, 2) * PAGE,
					   .tag = random_of(&c->state, PTREMAP_MIRROR_TAGS) };

	s.flags = random_of(&c->state, 2) ? PTREMAP_MIRROR_FORGET : 0;
	note(c, "switch", ioctl(c->mirror, PTREMAP_MIRROR_SWITCH, &s) ? -errno : 0);
}

static void list_mirrors(struct control *c)
{
	struct ptremap_mirror_info infos[CONTROLLERS];
	struct ptremap_mirror_range ranges[CONTROLLERS];
	struct ptremap_mirror_list l = { .size = sizeof(l),
					 .mirrors = at(infos),
					 .ranges = at(ranges),
					 .nr = CONTROLLERS,
					 .nr_ranges = CONTROLLERS,
					 .info_size = sizeof(*infos) };

	note(c, "list of mirrors", call(&c->c, PTREMAP_MIRROR_LIST, &l));
}

static void end_mirror(struct control *c)
{
	close(c->mirror);
	c->mirror = -1;
}

static void make_mirror(struct control *c)
{
	struct ptremap_mirror_range range = { .len = MEMORY };
	struct ptremap_mirror m = { .size = sizeof(m),
				    .len = MEMORY,
				    .ranges = at(&range),
				    .nr_ranges = 1,
				    .maxphyaddr = 40 };
	struct seen in;
	int err;

	if (!see(c, false, &c->shown) || !see(c, false, &in))
		return;
	m.ram_pid = c->shown.pid;
	range.hva = at(c->shown.base);
	m.flags = random_of(&c->state, 4) ? 0 : PTREMAP_MIRROR_RDONLY;
	m.flags |= random_of(&c->state, 2) ? PTREMAP_MIRROR_SYNC : 0;
	if (!random_of(&c->state, 4)) {
		m.pid = in.pid;
		m.va = WINDOW_VA;
	}
	err = call(&c->c, PTREMAP_MIRROR, &m);
	/* There is no free place yet in the midst of an exec. */
	if (err != -ENOMEM)
		note(c, "mirror", err);
	if (err)
		return;
	c->mirror = m.fd;
	c->window = m.pid ? 0 : m.va;
	c->s->n.mirrors++;
}

typedef void (*mirror_fn)(struct control *c);

static const mirror_fn MIRRORS[] = {
	access_window, access_window, access_window, access_window,
	invalidate,    switch_root,   list_mirrors,  end_mirror,
};

static void do_mirror(struct control *c)
{
	if (c->mirror < 0)
		make_mirror(c);
	else
		MIRRORS[random_of(&c->state, sizeof(MIRRORS) / sizeof(*MIRRORS))](c);
}

#endif
