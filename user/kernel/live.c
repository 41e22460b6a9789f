// SPDX-License-Identifier: GPL-2.0
#include "user/kernel/live.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "user/kernel/helper.h"
#include "user/kernel/kinfo.h"
#include "user/space/tables.h"

#define LOAD_TRIES 16
#define MAX_SPANS  32
#define MAX_TABLES (1U << 22) /* 16 GiB of copies; tables that loop end there, too */
#define TABLE_SIZE 4096

struct live {
	pid_t pid;
	uint32_t flags;
	int fd; /* or -errno */
	struct tables *tables;
	struct pt_fmt fmt;
	struct pt_space space;
};

struct span {
	uint64_t start, last;
};

/* Addresses to load, or to load again. */
struct spans {
	struct span at[MAX_SPANS];
	unsigned int nr;
};

struct load {
	struct live *live;
	struct spans lost;
};

/* ---- opening ---------------------------------------------------------------------------- */

static int init_space(struct live *l)
{
	struct ptremap_features f;
	struct pt_feat feat;
	int err = ptremap_features(l->fd, &f);

	if (err)
		return err;
	kinfo_cpu_features(&feat);
	if (f.enc_mask)
		feat.enc_bit = (pt_u8)__builtin_ctzll(f.enc_mask);
	if (pt_fmt_init(&l->fmt, f.levels == 5 ? PT_MODE_5LEVEL : PT_MODE_4LEVEL, &feat))
		return -EPROTO;
	l->fmt.addr_mask &= f.physical_mask;
	l->fmt.root_mask &= f.physical_mask;
	l->space = (struct pt_space){ .fmt = &l->fmt, .mem = tables_mem(l->tables) };
	return 0;
}

static bool exists(pid_t pid)
{
	return !pid || !kill(pid, 0) || errno != ESRCH;
}

int live_open(struct live **live, pid_t pid, uint32_t flags)
{
	struct live *l;
	int err;

	if (!exists(pid))
		return -ESRCH;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->pid = pid;
	l->flags = flags;
	l->tables = tables_new();
	if (!l->tables) {
		free(l);
		return -ENOMEM;
	}
	l->fd = ptremap_open();
	err = l->fd < 0 ? 0 : init_space(l);
	if (err) {
		close(l->fd);
		l->fd = err;
	}
	*live = l;
	return 0;
}

void live_close(struct live *l)
{
	if (!l)
		return;
	if (l->fd >= 0)
		close(l->fd);
	tables_free(l->tables);
	free(l);
}

int live_error(const struct live *l)
{
	return l->fd < 0 ? l->fd : 0;
}

pid_t live_pid(const struct live *l)
{
	return l->pid;
}

int live_fd(const struct live *l)
{
	return l->fd;
}

const struct pt_space *live_space(const struct live *l)
{
	return &l->space;
}

/* ---- the halves ------------------------------------------------------------------------- */

static uint64_t user_last(const struct live *l)
{
	return PT_BIT(l->fmt.va_bits - 1) - 1;
}

void live_half(const struct live *l, uint64_t *start, uint64_t *last)
{
	*start = l->pid ? 0 : ~user_last(l);
	*last = l->pid ? user_last(l) : UINT64_MAX;
}

static uint64_t min_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* ---- copies ----------------------------------------------------------------------------- */

static void spans_add(struct spans *s, uint64_t start, uint64_t last)
{
	struct span *end;

	if (s->nr < MAX_SPANS) {
		s->at[s->nr++] = (struct span){ start, last };
		return;
	}
	end = &s->at[s->nr - 1];
	end->start = min_of(end->start, start);
	end->last = max_of(end->last, last);
}

static int put_table(void *ctx, const struct ptremap_table *t, const uint64_t *entries)
{
	struct load *load = ctx;
	struct live *l = load->live;

	if (!t->level || t->level > l->fmt.top)
		return -EPROTO;
	if (t->lost) {
		spans_add(&load->lost, t->va,
			  t->level == l->fmt.top
				  ? UINT64_MAX
				  : t->va | (pt_level_size(&l->fmt, t->level + 1U) - 1));
		return 0;
	}
	if (tables_count(l->tables) >= MAX_TABLES)
		return -E2BIG;
	return tables_put(l->tables, t->pa, t->first, t->nr, entries);
}

/* All of it lies in one half. */
static int load_half(struct live *l, uint64_t start, uint64_t last)
{
	struct load load = { .live = l };
	struct spans todo = { .at = { { start, last } }, .nr = 1 };
	unsigned int i, tries;
	int err = 0;

	for (tries = 0; tries < LOAD_TRIES && todo.nr; tries++) {
		load.lost.nr = 0;
		for (i = 0; i < todo.nr && !err; i++)
			err = ptremap_tables(l->fd, l->pid, l->flags, todo.at[i].start,
					     min_of(todo.at[i].last, last), &l->space.root,
					     put_table, &load);
		if (err)
			return err;
		todo = load.lost;
	}
	return todo.nr ? -EAGAIN : 0;
}

int live_load(struct live *l, uint64_t start, uint64_t last)
{
	uint64_t end = user_last(l);
	int err = 0;

	if (live_error(l))
		return live_error(l);
	if (start <= end && !l->pid)
		return -EDOM;
	if (start <= end)
		err = load_half(l, start, min_of(last, end));
	if (!err && last >= ~end)
		err = load_half(l, max_of(start, ~end), last);
	return err;
}

static int put_walk(struct live *l, const struct ptremap_walk_entry *e)
{
	struct pt_walk w;
	uint64_t entry;
	int err;

	pt_walk_start(&w, &l->fmt, l->space.root, e->va);
	while (w.kind == PT_TABLE && w.level >= e->level) {
		entry = e->entry[w.level - 1];
		err = tables_put(l->tables, w.entry_pa & ~(uint64_t)(TABLE_SIZE - 1),
				 (unsigned int)(w.entry_pa % TABLE_SIZE / sizeof(entry)), 1,
				 &entry);
		if (err)
			return err;
		pt_walk_feed(&w, &l->fmt, entry);
	}
	return 0;
}

int live_walk(struct live *l, uint64_t va, struct ptremap_page *page)
{
	struct ptremap_walk_entry e = { .va = va };
	int err = live_error(l);

	*page = (struct ptremap_page){ 0 };
	if (!err && !l->pid && va <= user_last(l))
		err = -EDOM;
	if (!err)
		err = ptremap_walk(l->fd, l->pid, l->flags, &e, 1, &l->space.root);
	if (err)
		return err;
	if (e.status == -EDOM) /* not canonical: no entry was read, and none is needed */
		return 0;
	if (e.status)
		return e.status;
	*page = e.page;
	return put_walk(l, &e);
}

int live_save(const struct live *l, FILE *out)
{
	struct pt_cregs regs = { .cr0 = PT_CR0_PG | PT_CR0_WP,
				 .cr3 = l->space.root,
				 .cr4 = PT_CR4_PAE | (l->fmt.top == 5 ? PT_CR4_LA57 : 0),
				 .efer = PT_EFER_LMA | PT_EFER_NXE };

	return tables_save(l->tables, &regs, out);
}
