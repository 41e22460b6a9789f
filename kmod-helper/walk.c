// SPDX-License-Identifier: GPL-2.0
/*
 * Reading page tables: walks of single addresses and copies of whole tables.
 *
 * No lock of the target is taken, so that nobody waits for a reader; its mm is held, but a table
 * may be freed, and its page used for something else, at any moment: TLB flushes are sent only to
 * CPUs that run the target (arch/x86/mm/tlb.c). What was read of a table counts only if the entries
 * above it, read again afterwards, still lead there: then it was in place all the while. Interrupts
 * are off from the first to the last of these reads, so that they are close together. All go
 * through copy_from_kernel_nofault(): an address from a page that is no table any more is harmless.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "ptremap.h"

#define WALK_TRIES 16

static int read_entry(u64 pa, u64 *entry)
{
	return copy_from_kernel_nofault(entry, __va(pa), sizeof(*entry));
}

/* Down to @level, or to where the walk ends above it. Interrupts are off. */
static int walk_down(struct pt_walk *w, u64 root, u64 va, unsigned int level, u64 *entries)
{
	u64 entry;

	pt_walk_start(w, &ptremap_fmt, root, va);
	while (w->kind == PT_TABLE && w->level > level) {
		if (read_entry(w->entry_pa, &entry))
			return -EFAULT;
		if (entries)
			entries[w->level - 1] = entry;
		pt_walk_feed(w, &ptremap_fmt, entry);
	}
	return 0;
}

/* Twice the same: the upper entries of the second walk vouch for the lower ones of the first. */
int walk_stable(struct pt_walk *w, u64 root, struct ptremap_walk_entry *e)
{
	u64 again[PTREMAP_MAX_LEVELS];
	unsigned long irq;
	int err, i;

	for (i = 0; i < WALK_TRIES; i++) {
		memset(e->entry, 0, sizeof(e->entry));
		memset(again, 0, sizeof(again));
		local_irq_save(irq);
		err = walk_down(w, root, e->va, 0, again);
		if (!err)
			err = walk_down(w, root, e->va, 0, e->entry);
		local_irq_restore(irq);
		if (err || !memcmp(again, e->entry, sizeof(again)))
			return err;
	}
	return -EAGAIN;
}

/* The frame may be freed at any moment: what is said of it was true once. */
static void page_facts(struct ptremap_page *p, u64 pfn)
{
	struct page *page = pfn_to_online_page(pfn);

	p->pfn = pfn;
	if (!page)
		return;
	p->valid = 1;
	p->refcount = folio_ref_count(page_folio(page));
	p->node = page_to_nid(page);
}

static void walk_one(const struct target *t, struct ptremap_walk_entry *e)
{
	struct pt_walk w;

	memset(&e->page, 0, sizeof(e->page));
	e->top = ptremap_fmt.top;
	e->level = 0;
	e->status = walk_stable(&w, t->root, e);
	if (e->status)
		return;
	if (w.why == PT_WHY_NONCANONICAL) {
		e->status = -EDOM;
		return;
	}
	e->level = w.level;
	if (w.kind == PT_LEAF)
		page_facts(&e->page, w.pa >> PAGE_SHIFT);
}

#define WALK_BATCH 32

static int walk_batch(const struct target *t, struct ptremap_walk_entry __user *user,
		      unsigned int nr, struct ptremap_walk_entry *batch)
{
	unsigned int i;

	if (copy_from_user(batch, user, nr * sizeof(*batch)))
		return -EFAULT;
	for (i = 0; i < nr; i++) {
		if (batch[i].reserved[0] || batch[i].reserved[1])
			return -EINVAL;
		walk_one(t, &batch[i]);
	}
	return copy_to_user(user, batch, nr * sizeof(*batch)) ? -EFAULT : 0;
}

static int walk_all(const struct target *t, struct ptremap_walk *req)
{
	struct ptremap_walk_entry __user *user = u64_to_user_ptr(req->entries);
	struct ptremap_walk_entry *batch;
	unsigned int i, nr;
	int err = 0;

	batch = kmalloc_array(WALK_BATCH, sizeof(*batch), GFP_KERNEL);
	if (!batch)
		return -ENOMEM;
	for (i = 0; i < req->nr && !err; i += nr) {
		nr = min_t(unsigned int, req->nr - i, WALK_BATCH);
		err = walk_batch(t, user + i, nr, batch);
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	kfree(batch);
	return err;
}

int call_walk(void *arg, struct file *file)
{
	struct ptremap_walk *req = arg;
	struct target t;
	int err;

	if (req->flags & ~(PTREMAP_WALK_USER_ROOT | PTREMAP_PIDFD) || req->nr > PTREMAP_WALK_MAX)
		return -EINVAL;
	err = target_get(&t, req->pid, req->flags);
	if (err)
		return err;
	req->root = t.root;
	err = walk_all(&t, req);
	target_put(&t);
	return err;
}

/* ---- copies of tables ------------------------------------------------------------------------ */

struct dump {
	const struct target *target;
	struct ptremap_tables *req;
	u64 *copy[PTREMAP_MAX_LEVELS + 1]; /* one table per level */
};

static u64 dump_room(const struct dump *d)
{
	return d->req->buf_len - d->req->used;
}

static int dump_put(struct dump *d, const void *from, size_t len)
{
	if (copy_to_user(u64_to_user_ptr(d->req->buf + d->req->used), from, len))
		return -EFAULT;
	d->req->used += len;
	return 0;
}

/* Does the walk to @t->va still lead through the table at @t->pa? Interrupts are off. */
static bool in_place(const struct dump *d, const struct ptremap_table *t)
{
	struct pt_walk w;

	return !walk_down(&w, d->target->root, t->va, t->level, NULL) && w.kind == PT_TABLE &&
	       w.level == t->level && (w.entry_pa & PAGE_MASK) == t->pa;
}

/*
 * Copies the entries @t->first, @t->nr of the table of @t->level that translates @t->va, if it
 * is the one at @t->pa, before and after.
 */
static void copy_table(struct dump *d, struct ptremap_table *t)
{
	u64 *to = d->copy[t->level] + t->first;
	const u64 *from = (u64 *)__va(t->pa) + t->first;
	unsigned long irq;
	bool good;

	local_irq_save(irq);
	good = in_place(d, t) && !copy_from_kernel_nofault(to, from, t->nr * sizeof(*to)) &&
	       in_place(d, t);
	local_irq_restore(irq);
	if (!good) {
		t->lost = 1;
		t->nr = 0;
	}
}

static int dump_table(struct dump *d, unsigned int level, u64 pa, u64 start, u64 last);

/* Looks into each table that the copied one, which translates @start onwards, names. */
static int dump_children(struct dump *d, const struct ptremap_table *t, u64 start, u64 last)
{
	u64 step = pt_level_size(&ptremap_fmt, t->level);
	unsigned int i;
	u64 entry, end;
	u8 why;
	int err;

	for (i = 0; i < t->nr; i++, start = end + 1) {
		end = min(start | (step - 1), last);
		entry = d->copy[t->level][t->first + i];
		if (pt_entry_kind(&ptremap_fmt, t->level, entry, &why) != PT_TABLE)
			continue;
		err = dump_table(d, t->level - 1, entry & ptremap_fmt.addr_mask, start, end);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Hands out the table of @level at @pa as far as it translates [@start, @last], and those below.
 * Calls itself once per level. 1: the buffer is full. No lock and no reference is held but that
 * to the target's mm.
 */
static int dump_table(struct dump *d, unsigned int level, u64 pa, u64 start, u64 last)
{
	struct ptremap_table t = {
		.pa = pa,
		.va = start,
		.first = pt_index(&ptremap_fmt, start, level),
		.level = level,
	};
	int err;

	t.nr = pt_index(&ptremap_fmt, last, level) - t.first + 1;
	if (dump_room(d) < sizeof(t) + t.nr * sizeof(u64)) {
		d->req->next = start;
		return 1;
	}
	if (fatal_signal_pending(current))
		return -EINTR;
	cond_resched();
	copy_table(d, &t);
	err = dump_put(d, &t, sizeof(t));
	if (!err && t.nr)
		err = dump_put(d, d->copy[level] + t.first, t.nr * sizeof(u64));
	if (err || level == 1)
		return err;
	return dump_children(d, &t, start, last);
}

static void free_copies(struct dump *d)
{
	unsigned int level;

	for (level = 1; level <= ptremap_fmt.top; level++)
		free_page((unsigned long)d->copy[level]);
}

static int alloc_copies(struct dump *d)
{
	unsigned int level;

	for (level = 1; level <= ptremap_fmt.top; level++) {
		d->copy[level] = (u64 *)__get_free_page(GFP_KERNEL);
		if (!d->copy[level]) {
			free_copies(d);
			return -ENOMEM;
		}
	}
	return 0;
}

/* A process' half is what lies below the gap, the kernel's what lies above it. */
static int tables_check(const struct ptremap_tables *req)
{
	u64 half = PT_BIT(ptremap_fmt.va_bits - 1);

	if (req->flags & ~(PTREMAP_WALK_USER_ROOT | PTREMAP_PIDFD) || req->reserved ||
	    req->start > req->last || req->buf_len < PTREMAP_TABLES_MIN_BUF)
		return -EINVAL;
	if (!pt_canonical(&ptremap_fmt, req->start) || !pt_canonical(&ptremap_fmt, req->last) ||
	    (req->start < half) != (req->last < half))
		return -EDOM;
	return 0;
}

int call_tables(void *arg, struct file *file)
{
	struct ptremap_tables *req = arg;
	struct dump d = { .req = req };
	struct target t;
	int err = tables_check(req);

	if (err)
		return err;
	err = target_get(&t, req->pid, req->flags);
	if (err)
		return err;
	d.target = &t;
	req->root = t.root;
	req->used = req->next = 0;
	err = alloc_copies(&d);
	if (!err) {
		err = dump_table(&d, ptremap_fmt.top, t.root, req->start, req->last);
		free_copies(&d);
	}
	target_put(&t);
	return err < 0 ? err : 0;
}
