// SPDX-License-Identifier: GPL-2.0
/* Split and join while others change the same tables: the CPU, which sets A and D, and programs. */
#include <pthread.h>

#include "pt_edit_formats.h"

/* Memory where something happens just before the @countdown-th exchange. */
struct meddler {
	struct pt_mem mem;
	struct edit_world *w;
	unsigned int countdown;
	pt_u64 addr, flip;
	pt_u64 next_addr, next_flip; /* before the exchange after that; 0: nothing */
};

static int meddler_read(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	struct meddler *m = pt_container_of(mem, struct meddler, mem);

	return pt_mem_read(&m->w->arena.mem, addr, buf, len);
}

static int meddler_cmpxchg(struct pt_mem *mem, pt_u64 addr, pt_u32 size, pt_u64 *old, pt_u64 new)
{
	struct meddler *m = pt_container_of(mem, struct meddler, mem);
	struct pt_mem *under = &m->w->arena.mem;
	pt_u64 entry;

	if (!--m->countdown && m->addr) {
		cr_assert_eq(pt_mem_entry(under, m->addr, 3, &entry), 0);
		cr_assert_eq(under->ops->cmpxchg(under, m->addr, 8, &entry, entry ^ m->flip), 0);
		m->addr = m->next_addr;
		m->flip = m->next_flip;
		m->countdown = 1;
	}
	return under->ops->cmpxchg(under, addr, size, old, new);
}

static const struct pt_mem_ops meddler_ops = { .read = meddler_read, .cmpxchg = meddler_cmpxchg };

/* A leaf that was read already changes before the large one goes in. */
Test(pt_large_race, join_puts_back_when_a_leaf_changes)
{
	struct edit_world w;
	struct pt_pos pos = edit_one_leaf(&w, edit_format_named("4level"), 0, 2), table, small;
	struct meddler m = { .mem.ops = &meddler_ops, .w = &w, .flip = PT_RW, .countdown = 1 };
	struct pt_edit edit;
	pt_u64 live, i;

	cr_assert_eq(pt_split(&w.space, &pos, &w.arena.alloc, &edit), 0);
	table = pos;
	small = edit_pos_at(&w, 0, 1);
	cr_assert_eq(pt_set(&w.space, &small, small.entry | PT_A | PT_D, &edit), 0);
	m.addr = edit_pos_at(&w, 9 * 4096, 1).addr;
	live = w.arena.live;
	w.space.mem = &m.mem;
	cr_assert_eq(pt_join(&w.space, &pos, &w.arena.alloc), -EAGAIN);
	w.space.mem = &w.arena.mem;
	cr_assert_eq(edit_pos_at(&w, 0, 2).entry, table.entry);
	cr_assert_eq(w.arena.live, live);
	for (i = 0; i < 512; i++) {
		/* The large leaf was dirty, so nobody knows which page was written to. */
		small = edit_pos_at(&w, i * 4096, 1);
		cr_assert_eq(!!(small.entry & PT_D), i != 9);
		cr_assert_eq(!!(small.entry & PT_RW), i != 9);
	}
	edit_world_done(&w, "put back");
}

/* It changes, and so does the large leaf before it can be taken out: the table is nobody's then. */
Test(pt_large_race, join_frees_what_cannot_be_put_back)
{
	struct edit_world w;
	struct pt_pos pos = edit_one_leaf(&w, edit_format_named("4level"), 0, 2);
	struct meddler m = { .mem.ops = &meddler_ops, .w = &w, .flip = PT_RW, .countdown = 1 };
	pt_u64 leaf = pos.entry, live = w.arena.live;
	struct pt_edit edit;

	cr_assert_eq(pt_split(&w.space, &pos, &w.arena.alloc, &edit), 0);
	m.addr = edit_pos_at(&w, 9 * 4096, 1).addr;
	m.next_addr = pos.addr;
	m.next_flip = PT_PCD;
	w.space.mem = &m.mem;
	cr_assert_eq(pt_join(&w.space, &pos, &w.arena.alloc), -EAGAIN);
	w.space.mem = &w.arena.mem;
	cr_assert_eq(pos.entry, leaf | PT_PCD);
	cr_assert_eq(edit_pos_at(&w, 0, 2).entry, leaf | PT_PCD);
	cr_assert_eq(w.arena.live, live);
	edit_world_done(&w, "replaced");
}

/* Unmapping a part of a large leaf that the CPU writes to just when it is replaced. */
Test(pt_large_race, unmap_splits_what_becomes_dirty)
{
	struct edit_world w;
	struct pt_pos pos = edit_one_leaf(&w, edit_format_named("4level"), 0, 2);
	struct meddler m = { .mem.ops = &meddler_ops, .w = &w, .flip = PT_A | PT_D };

	m.countdown = 513; /* after the leaves of the table */
	m.addr = pos.addr;
	w.space.mem = &m.mem;
	cr_assert_eq(pt_unmap(&w.space, 0, 4095, &w.arena.alloc), 0);
	w.space.mem = &w.arena.mem;
	cr_assert_eq(edit_pos_at(&w, 0, 1).entry, 0);
	cr_assert_eq(edit_pos_at(&w, 4096, 1).entry & (PT_A | PT_D), PT_A | PT_D);
	edit_world_done(&w, "dirty");
}

/* The CPU sets D in a leaf that was read already: the large one has it. */
Test(pt_large_race, join_finds_late_dirty_bits)
{
	struct edit_world w;
	struct pt_pos pos = edit_one_leaf(&w, edit_format_named("4level"), 0, 2);
	struct meddler m = {
		.mem.ops = &meddler_ops, .w = &w, .flip = PT_A | PT_D, .countdown = 1
	};
	pt_u64 leaf = pos.entry;
	struct pt_edit edit;

	cr_assert_eq(pt_split(&w.space, &pos, &w.arena.alloc, &edit), 0);
	m.addr = edit_pos_at(&w, 9 * 4096, 1).addr;
	w.space.mem = &m.mem;
	cr_assert_eq(pt_join(&w.space, &pos, &w.arena.alloc), 0);
	w.space.mem = &w.arena.mem;
	cr_assert_eq(edit_pos_at(&w, 0, 2).entry, leaf | PT_A | PT_D);
	edit_world_done(&w, "late");
}

/* The entry of the table changes: by the CPU that is nothing, by others it is a reason to stop. */
Test(pt_large_race, join_compares_the_entry)
{
	struct edit_world w;
	struct pt_pos pos = edit_one_leaf(&w, edit_format_named("4level"), 0, 2);
	struct meddler m = { .mem.ops = &meddler_ops, .w = &w, .flip = PT_PCD, .countdown = 1 };
	struct pt_edit edit;
	pt_u64 live;

	cr_assert_eq(pt_split(&w.space, &pos, &w.arena.alloc, &edit), 0);
	live = w.arena.live;
	m.addr = pos.addr;
	w.space.mem = &m.mem;
	cr_assert_eq(pt_join(&w.space, &pos, &w.arena.alloc), -EAGAIN);
	cr_assert_eq(w.arena.live, live);
	cr_assert_eq(pos.entry, edit.new | PT_PCD);
	m.flip = PT_A;
	m.countdown = 1;
	cr_assert_eq(pt_join(&w.space, &pos, &w.arena.alloc), 0);
	w.space.mem = &w.arena.mem;
	edit_world_done(&w, "compare");
}

/*
 * A CPU that writes to pages while the leaf over them is split and joined all the time. It walks,
 * then sets A and D where the walk ended, as CPUs do that have upper entries cached; so a flush has
 * to wait until it is not in between.
 */
struct cpu {
	struct pt_mem mem;
	struct edit_world *w;
	pthread_mutex_t walking;
	pt_u64 seed, writes, made_dirty;
	bool stop;
};

static int cpu_mem_read(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	return pt_mem_read(&pt_container_of(mem, struct cpu, mem)->w->arena.mem, addr, buf, len);
}

static int cpu_mem_cmpxchg(struct pt_mem *mem, pt_u64 addr, pt_u32 size, pt_u64 *old, pt_u64 new)
{
	struct pt_mem *under = &pt_container_of(mem, struct cpu, mem)->w->arena.mem;

	return under->ops->cmpxchg(under, addr, size, old, new);
}

static void cpu_mem_flush(struct pt_mem *mem, pt_u64 start, pt_u64 last)
{
	struct cpu *cpu = pt_container_of(mem, struct cpu, mem);

	(void)start;
	(void)last;
	pthread_mutex_lock(&cpu->walking);
	pthread_mutex_unlock(&cpu->walking);
}

static const struct pt_mem_ops cpu_mem_ops = {
	.read = cpu_mem_read,
	.cmpxchg = cpu_mem_cmpxchg,
	.flush = cpu_mem_flush,
};

/* Writes to a page: ->made_dirty counts the leaves that had no D before. */
static void cpu_write(struct cpu *cpu)
{
	struct pt_mem *mem = &cpu->w->arena.mem;
	struct pt_pos pos;
	pt_u64 seen;

	if (pt_get_leaf(&cpu->w->space, edit_random(&cpu->seed) % (2 << 20), &pos))
		return;
	seen = pos.entry;
	if (mem->ops->cmpxchg(mem, pos.addr, 8, &seen, seen | PT_A | PT_D))
		return;
	if (!(seen & PT_D))
		__atomic_fetch_add(&cpu->made_dirty, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&cpu->writes, 1, __ATOMIC_SEQ_CST);
}

static void *cpu_main(void *arg)
{
	struct cpu *cpu = arg;

	while (!__atomic_load_n(&cpu->stop, __ATOMIC_RELAXED)) {
		pthread_mutex_lock(&cpu->walking);
		cpu_write(cpu);
		pthread_mutex_unlock(&cpu->walking);
	}
	return NULL;
}

/* Splits and joins until the CPU has written something; what it wrote must be seen in the leaf. */
static void round_of_splits(struct cpu *cpu, struct pt_pos *pos)
{
	struct edit_world *w = cpu->w;
	pt_u64 before;
	struct pt_edit edit;
	int ret;

	do { /* clean: from now on each write that comes first makes it dirty */
		ret = pt_set(&w->space, pos, pos->entry & ~(PT_A | PT_D), &edit);
	} while (ret == -EAGAIN);
	cr_assert_eq(ret, 0);
	before = __atomic_load_n(&cpu->made_dirty, __ATOMIC_SEQ_CST);
	do {
		ret = pt_split(&w->space, pos, &w->arena.alloc, &edit);
	} while (ret == -EAGAIN);
	cr_assert_eq(ret, 0);
	ret = pt_join(&w->space, pos, &w->arena.alloc);
	cr_assert_eq(ret, 0, "%d, %#llx", ret, (unsigned long long)pos->entry);
	cr_assert_eq(pt_get_leaf(&w->space, 0, pos), 0);
	cr_assert_eq(pos->level, 2);
	if (__atomic_load_n(&cpu->made_dirty, __ATOMIC_SEQ_CST) != before) {
		cr_assert_eq(pt_get_leaf(&w->space, 0, pos), 0);
		cr_assert(pos->entry & PT_D);
	}
}

Test(pt_large_race, no_dirty_bit_is_lost)
{
	struct edit_world w;
	struct pt_pos pos = edit_one_leaf(&w, edit_format_named("4level"), 0, 2);
	struct cpu cpu = { .mem.ops = &cpu_mem_ops, .w = &w, .seed = edit_seed() };
	time_t end = time(NULL) + 10;
	pthread_t thread;
	unsigned int i;

	pthread_mutex_init(&cpu.walking, NULL);
	w.space.mem = &cpu.mem;
	cr_assert_eq(pthread_create(&thread, NULL, cpu_main, &cpu), 0);
	for (i = 0; i < 2000 || __atomic_load_n(&cpu.writes, __ATOMIC_RELAXED) < 2000; i++) {
		cr_assert(time(NULL) < end, "%llu writes", (unsigned long long)cpu.writes);
		round_of_splits(&cpu, &pos);
	}
	__atomic_store_n(&cpu.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	pthread_mutex_destroy(&cpu.walking);
	w.space.mem = &w.arena.mem;
	cr_assert_gt(cpu.made_dirty, 0);
	edit_world_done(&w, "cpu");
}
