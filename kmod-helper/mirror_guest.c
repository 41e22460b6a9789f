// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's memory, which is memory of a process, and walks through the guest's tables in it.
 *
 * It is reached page by page with get_user_pages(), which faults in what is missing: copying from
 * user addresses would take mmap_lock a second time. The process may be another one than that which
 * faults; its mmap_lock is only tried for, since two processes may mirror each other.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>

#include "compat.h"
#include "mirror.h"
#include "pt/pt_access.h"

const struct ptremap_mirror_range *mirror_range(const struct mirror *m, u64 gpa)
{
	u32 low = 0, high = m->nr_ranges, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (gpa < m->ranges[mid].gpa)
			high = mid;
		else if (gpa - m->ranges[mid].gpa >= m->ranges[mid].len)
			low = mid + 1;
		else
			return &m->ranges[mid];
	}
	return NULL;
}

u64 mirror_frame_index(const struct mirror *m, u64 gfn)
{
	const struct ptremap_mirror_range *r = m->ranges;
	u64 before = 0;

	for (; gfn >= (r->gpa + r->len) >> PAGE_SHIFT; r++)
		before += r->len >> PAGE_SHIFT;
	return before + gfn - (r->gpa >> PAGE_SHIFT);
}

int guest_lock(struct mirror *m)
{
	if (m->ram == m->map.mm)
		return 0;
	if (!mmget_not_zero(m->ram))
		return -ENXIO;
	if (mmap_read_trylock(m->ram))
		return 0;
	mmput_async(m->ram);
	return -EAGAIN;
}

/* The last reference must not be given up here, where another mmap_lock is held: _async. */
void guest_unlock(struct mirror *m)
{
	if (m->ram == m->map.mm)
		return;
	mmap_read_unlock(m->ram);
	mmput_async(m->ram);
}

int guest_page(struct mirror *m, const struct ptremap_mirror_range *range, u64 gpa,
	       unsigned int gup, struct page **page)
{
	long n = compat_get_page(m->ram, range->hva + (gpa - range->gpa), gup, page);

	return n == 1 ? 0 : n ? n : -EFAULT;
}

/* ---- the memory under the tables ----------------------------------------------------------------
 */

void guest_walk_init(struct guest_walk *w, struct mirror *m)
{
	w->mirror = m;
	w->nr_tables = 0;
}

void guest_walk_end(struct guest_walk *w)
{
	while (w->nr_tables)
		put_page(w->table[--w->nr_tables].page);
}

/* Without A and D flags to be set, what is only to be read is not copied for it. */
static int get_table(struct guest_walk *w, u64 gfn, struct page **page)
{
	const struct ptremap_mirror_range *range = mirror_range(w->mirror, gfn << PAGE_SHIFT);
	u32 gup = w->mirror->flags & PTREMAP_MIRROR_AD ? FOLL_WRITE : 0;
	u32 i;

	for (i = 0; i < w->nr_tables; i++) {
		*page = w->table[i].page;
		if (w->table[i].gfn == gfn)
			return 0;
	}
	if (!range || i == PT_MAX_LEVEL)
		return -ENXIO;
	w->err = guest_page(w->mirror, range, gfn << PAGE_SHIFT, gup, page);
	if (w->err)
		return w->err;
	w->table[i].gfn = gfn;
	w->table[i].page = *page;
	w->nr_tables++;
	return 0;
}

/* An entry of 4 or 8 bytes, in one access: CPUs of the guest may write to it. */
static int read_entry(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	struct guest_walk *w = container_of(mem, struct guest_walk, mem);
	struct page *page;
	void *at;
	int err = get_table(w, addr >> PAGE_SHIFT, &page);

	if (err) {
		w->lost = addr;
		return -EFAULT;
	}
	at = kmap_local_page(page);
	if (len == 4)
		*(u32 *)buf = READ_ONCE(*(u32 *)(at + offset_in_page(addr)));
	else
		*(u64 *)buf = READ_ONCE(*(u64 *)(at + offset_in_page(addr)));
	kunmap_local(at);
	return 0;
}

static int change_entry(struct guest_walk *w, u64 addr, u32 size, u64 old, u64 new)
{
	struct page *page;
	void *at;
	u64 seen;
	int err = get_table(w, addr >> PAGE_SHIFT, &page);

	if (err)
		return err;
	at = kmap_local_page(page) + offset_in_page(addr);
	seen = size == 4 ? cmpxchg((u32 *)at, (u32)old, (u32) new) : cmpxchg((u64 *)at, old, new);
	kunmap_local(at);
	if (seen != old)
		return -EAGAIN;
	set_page_dirty_lock(page);
	return 0;
}

static const struct pt_mem_ops table_ops = { .read = read_entry };

/* ---- walks -------------------------------------------------------------------------------------
 */

/* SDM vol. 3, 4.8: A of each entry on the way, D of the leaf. PAE's PDPTEs have neither. */
static int mark_entries(struct guest_walk *w, bool write)
{
	const struct pt_fmt *fmt = &w->mirror->fmt;
	u64 old, new;
	int level, err;

	for (level = fmt->top; level >= w->path.end.level && level; level--) {
		old = w->path.at[level].entry;
		new = old | PT_A | (write && level == w->path.end.level ? PT_D : 0);
		if (fmt->free_levels >> level & 1 || new == old)
			continue;
		err = change_entry(w, w->path.at[level].addr, 1 << fmt->entry_shift, old, new);
		if (err)
			return err;
		w->path.at[level].entry = new;
	}
	return 0;
}

static u8 why_ended(const struct guest_walk *w, const struct pt_check *check)
{
	switch (check->rule) {
	case PT_RULE_PRESENT:
		return PTREMAP_MIRROR_NOT_PRESENT;
	case PT_RULE_RESERVED:
		return PTREMAP_MIRROR_RESERVED;
	case PT_RULE_CANONICAL:
		return PTREMAP_MIRROR_CANONICAL;
	default:
		return PTREMAP_MIRROR_PERMISSION;
	}
}

static unsigned int pt_access_of(u32 access, u32 cpu)
{
	return (access == PTREMAP_MAP_WRITE  ? PT_ACC_WRITE
		: access == PTREMAP_MAP_EXEC ? PT_ACC_EXEC
					     : 0) |
	       (cpu & PTREMAP_MIRROR_USER ? PT_ACC_USER : 0);
}

static bool allowed(struct guest_walk *w, u32 cpu, u32 access, struct pt_check *check)
{
	const struct pt_cpu regs = {
		.wp = !!(cpu & PTREMAP_MIRROR_WP),
		.smep = !!(cpu & PTREMAP_MIRROR_SMEP),
		.smap = !!(cpu & PTREMAP_MIRROR_SMAP),
	};

	pt_check_access(&w->mirror->fmt, &regs, &w->path, pt_access_of(access, cpu), check);
	return check->verdict == PT_ALLOWED;
}

/* Without paging there is nothing that could be marked. */
static bool leaf_dirty(const struct guest_walk *w)
{
	u32 level = w->path.end.level;

	return !(w->mirror->flags & PTREMAP_MIRROR_AD) || !level || w->path.at[level].entry & PT_D;
}

static void find_rights(struct guest_walk *w, u32 cpu)
{
	struct pt_check check;
	u32 right;

	w->rights = 0;
	for (right = PTREMAP_MAP_READ; right <= PTREMAP_MAP_EXEC; right <<= 1) {
		if (allowed(w, cpu, right, &check))
			w->rights |= right;
	}
	w->dirty = leaf_dirty(w);
}

int guest_walk_to(struct guest_walk *w, const struct mirror_root *root, u64 gva, u32 access,
		  bool mark)
{
	const struct pt_space space = {
		.fmt = &w->mirror->fmt,
		.root = root->cr3,
		.mem = &w->mem,
	};
	struct pt_check check;
	int err;

	w->mem = (struct pt_mem){ .ops = &table_ops };
	w->why = 0;
	w->err = 0;
	w->error_code = 0;
	pt_lookup(&space, gva, &w->path);
	if (w->path.end.why == PT_WHY_UNREADABLE) {
		w->why = PTREMAP_MIRROR_TABLE;
		return 0;
	}
	if (!allowed(w, root->cpu, access, &check)) {
		w->why = why_ended(w, &check);
		w->error_code = check.error_code;
		return 0;
	}
	if (mark && w->mirror->flags & PTREMAP_MIRROR_AD) {
		err = mark_entries(w, access == PTREMAP_MAP_WRITE);
		if (err == -EAGAIN)
			return err;
		if (err) {
			w->why = PTREMAP_MIRROR_TABLE;
			return 0;
		}
	}
	find_rights(w, root->cpu);
	return 0;
}
