// SPDX-License-Identifier: GPL-2.0
/* Single entries: compared, stored, flushed, undone; and a CPU that sets A and D at the same time.
 */
#include <pthread.h>

#include "pt_edit_formats.h"

#define VA 0x40000000ULL
#define PA 0x80000000ULL

/* Memory that tells what was flushed. */
struct flushes {
	struct pt_mem mem;
	struct pt_mem *under;
	unsigned int count;
	pt_u64 start[8], last[8];
};

static int flushes_read(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	return pt_mem_read(pt_container_of(mem, struct flushes, mem)->under, addr, buf, len);
}

static int flushes_cmpxchg(struct pt_mem *mem, pt_u64 addr, pt_u32 size, pt_u64 *old, pt_u64 new)
{
	struct pt_mem *under = pt_container_of(mem, struct flushes, mem)->under;

	return under->ops->cmpxchg(under, addr, size, old, new);
}

static void flushes_flush(struct pt_mem *mem, pt_u64 start, pt_u64 last)
{
	struct flushes *f = pt_container_of(mem, struct flushes, mem);

	f->start[f->count % 8] = start;
	f->last[f->count++ % 8] = last;
}

static const struct pt_mem_ops flushes_ops = {
	.read = flushes_read,
	.cmpxchg = flushes_cmpxchg,
	.flush = flushes_flush,
};

static const struct pt_mem_ops read_only_ops = { .read = flushes_read };

/* One page of @name's format at VA, and where its entry is. */
static struct pt_pos one_page(struct edit_world *w, const char *name)
{
	struct pt_prot prot;
	struct pt_pos pos;

	edit_world_init(w, edit_format_named(name), 64 << 10);
	prot = edit_prot(&w->fmt);
	cr_assert_eq(pt_map(&w->space, VA, VA + 4095, PA, &prot, &w->arena.alloc), 0);
	cr_assert_eq(pt_get_leaf(&w->space, VA + 5, &pos), 0);
	return pos;
}

static pt_u64 entry_at(const struct edit_world *w, const struct pt_pos *pos)
{
	pt_u64 entry;

	cr_assert_eq(pt_mem_entry(w->space.mem, pos->addr, w->fmt.entry_shift, &entry), 0);
	return entry;
}

Test(pt_edit, pos_of_every_level)
{
	struct edit_world w;
	struct pt_path path;
	struct pt_pos leaf = one_page(&w, "5level"), pos;
	unsigned int level;

	cr_assert_eq(pt_lookup(&w.space, VA, &path), PT_LEAF);
	for (level = 1; level <= 5; level++) {
		pt_u64 size = PT_BIT(12 + 9 * (level - 1));

		cr_assert_eq(pt_pos_of_path(&pos, &w.space, &path, level), 0);
		cr_assert_eq(pos.level, level);
		cr_assert_eq(pos.start, VA & ~(size - 1));
		cr_assert_eq(pos.last, VA | (size - 1));
		cr_assert_eq(pos.entry, entry_at(&w, &pos));
	}
	cr_assert_eq(pt_pos_of_path(&pos, &w.space, &path, 0), -EINVAL);
	cr_assert_eq(pt_pos_of_path(&pos, &w.space, &path, 6), -EINVAL);
	cr_assert_eq(leaf.entry, path.at[1].entry);
	cr_assert_eq(pt_lookup(&w.space, VA + (2 << 20), &path), PT_HOLE);
	cr_assert_eq(pt_pos_of_path(&pos, &w.space, &path, 2), 0);
	cr_assert_eq(pt_pos_of_path(&pos, &w.space, &path, 1), -EINVAL, "it was not read");
	cr_assert_eq(pt_lookup(&w.space, PT_BIT(60), &path), PT_BAD);
	cr_assert_eq(pt_pos_of_path(&pos, &w.space, &path, 5), -EINVAL);
	edit_world_done(&w, "pos");
}

Test(pt_edit, get_leaf_tells_what_is_there)
{
	struct edit_world w;
	struct pt_pos pos = one_page(&w, "4level"), other;
	struct pt_edit edit;
	struct pt_path path;

	cr_assert_eq(pt_get_leaf(&w.space, VA + 4096, &other), -ENOENT);
	cr_assert_eq(pt_get_leaf(&w.space, PT_BIT(47), &other), -EINVAL);
	cr_assert_eq(pt_lookup(&w.space, VA, &path), PT_LEAF);
	cr_assert_eq(pt_pos_of_path(&pos, &w.space, &path, 2), 0);
	cr_assert_eq(pt_set(&w.space, &pos, PT_P | PT_BIT(40), &edit), 0);
	cr_assert_eq(pt_get_leaf(&w.space, VA, &other), -EFAULT);
	cr_assert_eq(pt_undo(&w.space, &edit), 0);
	cr_assert_eq(pt_get_leaf(&w.space, VA, &other), 0);
	edit_world_done(&w, "get_leaf");
}

/* Items where nothing was read cannot be set by mistake. */
Test(pt_edit, pos_of_item)
{
	struct edit_world w;
	struct pt_pos leaf = one_page(&w, "4level"), pos;
	struct pt_item item = { .start = VA, .last = VA + 4095, .level = 1, .kind = PT_LEAF };
	struct pt_edit edit;

	item.addr = leaf.addr;
	item.entry = leaf.entry;
	pt_pos_of_item(&pos, &w.space, &item);
	cr_assert_eq(pos.addr, leaf.addr);
	cr_assert_eq(pos.entry, leaf.entry);
	item.start += 0x100; /* clipped to what was asked for */
	item.level = 2;
	pt_pos_of_item(&pos, &w.space, &item);
	cr_assert_eq(pos.start, VA);
	cr_assert_eq(pos.last, VA + (2 << 20) - 1);
	item.why = PT_WHY_NONCANONICAL;
	pt_pos_of_item(&pos, &w.space, &item);
	cr_assert_eq(pt_set(&w.space, &pos, 0, &edit), -EINVAL);
	item.why = PT_WHY_UNREADABLE;
	pt_pos_of_item(&pos, &w.space, &item);
	cr_assert_eq(pt_set(&w.space, &pos, 0, &edit), -EINVAL);
	item.why = PT_WHY_NONE;
	item.level = 0; /* paging is off */
	pt_pos_of_item(&pos, &w.space, &item);
	cr_assert_eq(pt_set(&w.space, &pos, 0, &edit), -EINVAL);
	edit_world_done(&w, "item");
}

Test(pt_edit, set_compares_and_undo_restores)
{
	unsigned int i;

	for (i = 0; i < NR_EDIT_FORMATS; i++) {
		struct edit_world w;
		struct pt_pos pos, stale;
		struct pt_edit edit, none;
		pt_u64 old, new, pa;

		if (edit_formats[i].grain != 4096)
			continue;
		pos = stale = one_page(&w, edit_formats[i].name);
		old = pos.entry;
		new = old + 0x1000;
		cr_assert_eq(pt_set(&w.space, &pos, new, &edit), 0);
		cr_assert_eq(pos.entry, new);
		cr_assert_eq(edit.pos.entry, old);
		cr_assert_eq(edit.new, new);
		cr_assert(!pt_translate(&w.space, VA, &pa) && pa == PA + 0x1000);
		cr_assert_eq(pt_set(&w.space, &stale, 0, &none), -EAGAIN);
		cr_assert_eq(stale.entry, new);
		cr_assert_eq(entry_at(&w, &pos), new);
		cr_assert_eq(pt_undo(&w.space, &edit), 0);
		cr_assert_eq(entry_at(&w, &pos), old);
		cr_assert_eq(pt_undo(&w.space, &edit), -ESTALE);
		edit_world_done(&w, edit_formats[i].name);
	}
}

Test(pt_edit, malformed_entries_are_refused)
{
	const struct {
		const char *format;
		pt_u64 entry;
		int ret;
	} cases[] = {
		{ "4level", PT_P | PT_BIT(50), -EINVAL },
		{ "4level", PT_BIT(50), 0 }, /* not present: anything goes */
		{ "4level old", PT_P | PT_NX, -EINVAL },
		{ "ept4", EPT_W, -EINVAL },
		{ "ept4", EPT_X, -EINVAL },
		{ "ept4 all", EPT_X, 0 },
		{ "ept4", EPT_R | 2 << 3, -EINVAL },
		{ "32bit", PT_BIT(32), -EINVAL },
		{ "pae", PT_P | PT_BIT(52), -EINVAL },
	};
	struct edit_world w;
	struct pt_edit edit;
	struct pt_pos pos;
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pt_u64 old;

		pos = one_page(&w, cases[i].format);
		old = pos.entry;
		cr_assert_eq(pt_set(&w.space, &pos, cases[i].entry, &edit), cases[i].ret, "%u", i);
		if (cases[i].ret)
			cr_assert_eq(entry_at(&w, &pos), old, "%u", i);
		pos.level = w.fmt.top + 1U;
		cr_assert_eq(pt_set(&w.space, &pos, 0, &edit), -EINVAL);
		pos.level = 0;
		cr_assert_eq(pt_set(&w.space, &pos, 0, &edit), -EINVAL);
		edit_world_done(&w, cases[i].format);
	}
}

Test(pt_edit, each_store_is_flushed_once)
{
	struct edit_world w;
	struct pt_pos pos = one_page(&w, "4level"), stale = pos;
	struct flushes f = { .mem.ops = &flushes_ops, .under = &w.arena.mem };
	struct pt_edit edit;

	w.space.mem = &f.mem;
	cr_assert_eq(pt_set(&w.space, &pos, pos.entry & ~PT_RW, &edit), 0);
	cr_assert_eq(f.count, 1);
	cr_assert_eq(f.start[0], VA);
	cr_assert_eq(f.last[0], VA + 4095);
	cr_assert_eq(pt_set(&w.space, &stale, 0, &edit), -EAGAIN);
	cr_assert_eq(f.count, 1, "nothing was stored");
	cr_assert_eq(pt_undo(&w.space, &edit), 0);
	cr_assert_eq(f.count, 2);
	f.mem.ops = &read_only_ops;
	cr_assert_eq(pt_set(&w.space, &pos, 0, &edit), -EROFS);
	w.space.mem = &w.arena.mem;
	edit_world_done(&w, "flush");
}

/* With a recursive slot an entry also decides where tables are seen. */
Test(pt_edit, the_recursive_view_is_flushed)
{
	struct edit_world w;
	struct pt_pos pos;
	struct flushes f = { .mem.ops = &flushes_ops };
	struct pt_edit edit;
	struct pt_path path;

	one_page(&w, "4level");
	f.under = &w.arena.mem;
	w.space.mem = &f.mem;
	cr_assert_eq(pt_lookup(&w.space, VA, &path), PT_LEAF);
	cr_assert_eq(pt_pos_of_path(&pos, &w.space, &path, 2), 0);
	w.space.recursive = 511; /* slot 510 */
	cr_assert_eq(pt_set(&w.space, &pos, pos.entry | PT_PWT, &edit), 0);
	cr_assert_eq(f.count, 2);
	cr_assert_eq(f.start[1], 0xffffff0000000000 + (VA >> 12 << 3));
	cr_assert_eq(f.last[1], f.start[1] + 4095);
	w.space.recursive = 0;
	w.space.mem = &w.arena.mem;
	edit_world_done(&w, "recursive");
}

/* What the CPU did to the new entry stays if it is the same page, and only then. */
Test(pt_edit, undo_keeps_what_the_cpu_set)
{
	struct edit_world w;
	struct pt_pos pos = one_page(&w, "4level"), cpu;
	struct pt_edit edit, by_cpu;
	pt_u64 old = pos.entry;

	cr_assert_eq(pt_set(&w.space, &pos, old & ~PT_RW, &edit), 0);
	cpu = pos;
	cr_assert_eq(pt_set(&w.space, &cpu, pos.entry | PT_A | PT_D, &by_cpu), 0);
	cr_assert_eq(pt_undo(&w.space, &edit), 0);
	cr_assert_eq(entry_at(&w, &pos), old | PT_A | PT_D);

	pos.entry = old | PT_A | PT_D;
	cr_assert_eq(pt_set(&w.space, &pos, (old & ~PT_A) + 0x1000, &edit), 0);
	cpu = pos;
	cr_assert_eq(pt_set(&w.space, &cpu, pos.entry | PT_A, &by_cpu), 0);
	cr_assert_eq(pt_undo(&w.space, &edit), 0, "another page was accessed");
	cr_assert_eq(entry_at(&w, &pos), old | PT_A | PT_D);

	pos.entry = old | PT_A | PT_D;
	cr_assert_eq(pt_set(&w.space, &pos, old | PT_A, &edit), 0);
	cpu = pos;
	cr_assert_eq(pt_set(&w.space, &cpu, old, &by_cpu), 0);
	cr_assert_eq(pt_undo(&w.space, &edit), -ESTALE, "a CPU clears nothing");
	cr_assert_eq(entry_at(&w, &pos), old);
	edit_world_done(&w, "undo");
}

/* Without A and D flags the CPU sets nothing, so a change of these bits is somebody else's. */
Test(pt_edit, ept_without_ad)
{
	struct edit_world w;
	struct pt_pos pos = one_page(&w, "ept4"), cpu;
	struct pt_edit edit, other;

	cr_assert_eq(pt_set(&w.space, &pos, pos.entry & ~EPT_W, &edit), 0);
	cpu = pos;
	cr_assert_eq(pt_set(&w.space, &cpu, pos.entry | EPT_D, &other), 0);
	cr_assert_eq(pt_undo(&w.space, &edit), -ESTALE);
	edit_world_done(&w, "ept");
}

/* ---- a CPU beside --------------------------------------------------------------------------- */

#define PAGES 64

/* Sets A and D in leaves, as a CPU that writes to pages does, and counts. */
struct cpu {
	struct edit_world *w;
	pt_u64 seed, writes;
	bool stop;
	unsigned int made_dirty[2 * PAGES]; /* how often PA + n pages got D */
};

static pt_u64 d_bit(const struct edit_world *w)
{
	return w->fmt.ept ? EPT_D : PT_D;
}

static void *cpu_writes(void *arg)
{
	struct cpu *cpu = arg;
	pt_u64 d = d_bit(cpu->w), ad = cpu->w->fmt.ept ? EPT_A | EPT_D : PT_A | PT_D, seen;
	struct pt_mem *mem = cpu->w->space.mem;
	struct pt_pos pos;

	while (!__atomic_load_n(&cpu->stop, __ATOMIC_RELAXED)) {
		pt_u64 page = edit_random(&cpu->seed) % PAGES;

		/* R/W is at the same place in EPT. */
		if (pt_get_leaf(&cpu->w->space, VA + page * 4096, &pos) || !(pos.entry & PT_RW))
			continue;
		seen = pos.entry;
		if (mem->ops->cmpxchg(mem, pos.addr, 1U << cpu->w->fmt.entry_shift, &seen,
				      seen | ad))
			continue;
		page = (seen & cpu->w->fmt.addr_mask) / 4096 - PA / 4096;
		cpu->made_dirty[page] += !(seen & d);
		__atomic_fetch_add(&cpu->writes, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* An edit and its undo: the same page, now read-only or with another software bit; another page. */
static void edit_and_undo(struct edit_world *w, pt_u64 *seed, pt_u64 page)
{
	struct pt_edit edit;
	struct pt_pos pos;
	pt_u64 new;
	int ret;

	cr_assert_eq(pt_get_leaf(&w->space, VA + page * 4096, &pos), 0);
	do {
		const pt_u64 ways[] = { pos.entry ^ PT_RW, pos.entry ^ PT_BIT(11),
					pos.entry + PAGES * 4096 };

		new = ways[edit_random(seed) % 3];
		ret = pt_set(&w->space, &pos, new, &edit);
	} while (ret == -EAGAIN);
	cr_assert_eq(ret, 0);
	cr_assert_eq(pt_undo(&w->space, &edit), 0);
}

/* Takes D away for good. Returns 1 if it was set. */
static unsigned int clean(struct edit_world *w, pt_u64 page)
{
	struct pt_edit edit;
	struct pt_pos pos;
	int ret;

	cr_assert_eq(pt_get_leaf(&w->space, VA + page * 4096, &pos), 0);
	do {
		ret = pt_set(&w->space, &pos, pos.entry & ~d_bit(w), &edit);
	} while (ret == -EAGAIN);
	cr_assert_eq(ret, 0);
	return !!(edit.pos.entry & d_bit(w));
}

/* Each time that a page became dirty it is found dirty once. */
static void edits_beside_cpu(const char *format, pt_u64 seed)
{
	struct edit_world w;
	struct cpu cpu = { .w = &w, .seed = seed ^ 0x5555 };
	unsigned int i, found[PAGES] = { 0 }, page, total = 0;
	time_t end = time(NULL) + 10;
	struct pt_prot prot;
	pthread_t thread;

	edit_world_init(&w, edit_format_named(format), 64 << 10);
	prot = edit_prot(&w.fmt);
	cr_assert_eq(pt_map(&w.space, VA, VA + PAGES * 4096 - 1, PA, &prot, &w.arena.alloc), 0);
	cr_assert_eq(pthread_create(&thread, NULL, cpu_writes, &cpu), 0);
	for (i = 0; i < 50000 || __atomic_load_n(&cpu.writes, __ATOMIC_RELAXED) < 10000; i++) {
		cr_assert(i % 4096 || time(NULL) < end);
		page = (unsigned int)(edit_random(&seed) % PAGES);
		edit_and_undo(&w, &seed, page);
		if (i % 4 == 0)
			found[page] += clean(&w, page);
	}
	__atomic_store_n(&cpu.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	for (i = 0; i < PAGES; i++) {
		found[i] += clean(&w, i);
		cr_assert_eq(found[i], cpu.made_dirty[i], "%s: page %u: %u, %u", format, i,
			     found[i], cpu.made_dirty[i]);
		total += found[i];
	}
	cr_assert_gt(total, 0);
	edit_world_done(&w, format);
}

Test(pt_edit, no_dirty_bit_is_lost)
{
	pt_u64 seed = edit_seed();

	edits_beside_cpu("4level", seed);
	edits_beside_cpu("pse", seed);
	edits_beside_cpu("ept5", seed);
}
