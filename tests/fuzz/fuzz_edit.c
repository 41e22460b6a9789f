// SPDX-License-Identifier: GPL-2.0
/*
 * Any sequence of edits of any tables. What fails changes nothing, what is undone is as it was,
 * what is mapped is found there, no table is lost or freed twice, and work ends. The first bytes
 * choose the format and whether the tables below the root are the library's own from the start, or
 * bytes of the input that refer to each other in any way; the rest are operations.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/pt/pt_arena.h"
#include "user/pt/pt_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

/*
 * Tables of the input's bytes come first, then the pool that new ones come from. No large page that
 * these bytes or the operations can name covers them: entries of the pool's tables lead to the pool
 * only if the library has put them there.
 */
#define BASE	  0x40110000ULL
#define PAGES	  0x80000000ULL
#define NR_BYTES  4
#define NR_POOL	  28
#define NR_TABLES (NR_BYTES + NR_POOL)
#define SIZE	  (NR_TABLES * 4096)

/* An operation reads less, whatever the tables: each entry is cleared once, after one table. */
#define MAX_READS (SIZE / 4 * 1100)

#define NR_EDITS 8

struct op {
	uint8_t kind, level, perm, flags;
	uint32_t where;
	uint64_t value;
};

struct world {
	struct pt_fmt fmt;
	struct pt_space space;
	struct pt_mem mem;
	struct pt_alloc alloc;
	struct pt_arena memory, pool;
	uint64_t reads;
	unsigned int countdown; /* tables until one fails; 0: none does */
	unsigned int nr_edits;
	struct pt_edit edits[NR_EDITS];
	uint8_t live[NR_TABLES]; /* in use: not the pool's free pages */
	uint8_t live_before[NR_TABLES];
	uint8_t before[SIZE];
	uint8_t bytes[SIZE] __attribute__((aligned(4096)));
};

static int world_read(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	struct world *w = pt_container_of(mem, struct world, mem);

	CHECK(++w->reads < MAX_READS);
	return pt_mem_read(&w->memory.mem, addr, buf, len);
}

static int world_cmpxchg(struct pt_mem *mem, pt_u64 addr, pt_u32 size, pt_u64 *old, pt_u64 new)
{
	struct world *w = pt_container_of(mem, struct world, mem);

	CHECK(addr - BASE >= SIZE || w->live[(addr - BASE) / 4096]);
	return w->memory.mem.ops->cmpxchg(&w->memory.mem, addr, size, old, new);
}

static const struct pt_mem_ops world_ops = { .read = world_read, .cmpxchg = world_cmpxchg };

static int world_alloc(struct pt_alloc *alloc, pt_u32 bytes, pt_u64 *addr)
{
	struct world *w = pt_container_of(alloc, struct world, alloc);
	int err;

	if (w->countdown && !--w->countdown)
		return -ENOMEM;
	err = w->pool.alloc.alloc(&w->pool.alloc, bytes, addr);
	if (!err)
		w->live[(*addr - BASE) / 4096] = 1;
	return err;
}

/* The tables of the input's bytes are nobody's to free. */
static void world_free(struct pt_alloc *alloc, pt_u32 bytes, pt_u64 addr)
{
	struct world *w = pt_container_of(alloc, struct world, alloc);

	if (addr - w->pool.base >= w->pool.size)
		return;
	CHECK(addr % 4096 == 0 && w->live[(addr - BASE) / 4096]);
	w->live[(addr - BASE) / 4096] = 0;
	w->pool.alloc.free(&w->pool.alloc, bytes, addr);
}

/* An entry that leads to a table of the input's bytes or, with PS, to a page that is large. */
static uint64_t fold(const struct world *w, uint64_t entry)
{
	uint64_t addr = entry & w->fmt.addr_mask, flags = entry & ~w->fmt.addr_mask;

	if (w->fmt.entry_shift == 2)
		flags &= UINT32_MAX;
	if (entry & PT_PS)
		return flags | PAGES | (addr & (w->fmt.pse36_mask | PT_PAT_LARGE)) |
		       (addr & w->fmt.addr_mask & ~(PT_BIT(32) - 1));
	return flags | (BASE + addr % (NR_BYTES * 4096));
}

static void fill(struct world *w, const uint8_t *data, size_t size)
{
	size_t i, width = 1U << w->fmt.entry_shift;
	uint64_t entry = 0;

	for (i = 0; size >= width && i < NR_BYTES * 4096; i += width) {
		memcpy(&entry, data + i % (size - size % width), width);
		entry = entry ? fold(w, entry) : 0;
		memcpy(w->bytes + i, &entry, width);
	}
}

static bool make_format(struct world *w, const uint8_t *data)
{
	struct pt_feat feat = {
		.maxphyaddr = (pt_u8)(32 + data[1] % 21),
		.nx = data[2] & 1,
		.page1g = data[2] >> 1 & 1,
		.pse = data[2] >> 2 & 1,
		.pse36 = data[2] >> 3 & 1,
		.ept_exec_only = data[2] >> 4 & 1,
		.ept_ad = data[2] >> 5 & 1,
		.ept_mbec = data[2] >> 6 & 1,
	};
	unsigned int mode = data[0] % 7;

	feat.npt = data[2] >> 7 && mode < PT_MODE_EPT4;
	return mode != PT_MODE_NONE && !pt_fmt_init(&w->fmt, (enum pt_mode)mode, &feat);
}

static void world_init(struct world *w)
{
	CHECK(!pt_arena_init(&w->memory, w->bytes, BASE, SIZE, false));
	CHECK(!pt_arena_init(&w->pool, w->bytes + NR_BYTES * 4096, BASE + NR_BYTES * 4096,
			     NR_POOL * 4096, true));
	w->mem.ops = &world_ops;
	w->alloc = (struct pt_alloc){ world_alloc, world_free };
	w->space = (struct pt_space){ .fmt = &w->fmt, .root = BASE, .mem = &w->mem };
	memset(w->live, 0, sizeof(w->live));
	memset(w->live, 1, NR_BYTES);
	w->nr_edits = w->countdown = 0;
	w->reads = 0;
}

/* ---- before and after ----------------------------------------------------------------------- */

static void remember(struct world *w)
{
	memcpy(w->before, w->bytes, SIZE);
	memcpy(w->live_before, w->live, sizeof(w->live));
}

/* All that was in use is as it was, and nothing else is in use. */
static void check_unchanged(const struct world *w)
{
	unsigned int i;

	CHECK(!memcmp(w->live, w->live_before, sizeof(w->live)));
	for (i = 0; i < NR_TABLES; i++)
		CHECK(!w->live[i] || !memcmp(w->before + i * 4096, w->bytes + i * 4096, 4096));
}

/* Addresses that differ in a few bits of each level's index. */
static pt_u64 place(const struct world *w, uint32_t where)
{
	const struct pt_fmt *fmt = &w->fmt;
	unsigned int level, unused = 64 - fmt->va_bits;
	pt_u64 ia = 0;

	for (level = fmt->top; level > 1; level--, where >>= 3)
		ia |= (pt_u64)((where & 4 ? ~0U << 2 : 0) | (where & 3))
			      << pt_level_shift(fmt, level) &
		      (pt_level_size(fmt, level) << pt_index_bits(fmt, level)) - 1;
	ia |= (pt_u64)where << 12 & (pt_level_size(fmt, 2) - 1);
	if (fmt->va_signed)
		return (pt_u64)((int64_t)(ia << unused) >> unused);
	return ia;
}

/* ---- operations ----------------------------------------------------------------------------- */

static bool find(const struct world *w, const struct op *op, struct pt_pos *pos)
{
	struct pt_path path;

	pt_lookup(&w->space, place(w, op->where), &path);
	return !pt_pos_of_path(pos, &w->space, &path, op->level % 6);
}

static void do_set(struct world *w, const struct op *op)
{
	uint64_t new = op->flags & 1 ? 0 : fold(w, op->value), now = 0;
	struct pt_edit *edit = &w->edits[w->nr_edits];
	struct pt_pos pos, stale;
	int ret;

	if (w->nr_edits == NR_EDITS || !find(w, op, &pos))
		return;
	stale = pos;
	stale.entry ^= 2;
	ret = pt_set(&w->space, &stale, new, edit);
	CHECK(ret == -EINVAL || (ret == -EAGAIN && stale.entry == pos.entry));
	check_unchanged(w);
	ret = pt_set(&w->space, &pos, new, edit);
	CHECK(ret == 0 || ret == -EINVAL);
	if (ret) {
		check_unchanged(w);
		return;
	}
	CHECK(!pt_mem_entry(&w->mem, pos.addr, w->fmt.entry_shift, &now) && now == new);
	if (op->flags & 2) {
		CHECK(!pt_undo(&w->space, edit));
		check_unchanged(w);
		return;
	}
	w->nr_edits++;
}

static void do_undo(struct world *w)
{
	const struct pt_edit *edit;
	uint64_t now = 0;

	if (!w->nr_edits)
		return;
	edit = &w->edits[--w->nr_edits];
	CHECK(!pt_undo(&w->space, edit));
	CHECK(!pt_mem_entry(&w->mem, edit->pos.addr, w->fmt.entry_shift, &now));
	CHECK(now == edit->pos.entry);
}

static void do_map(struct world *w, const struct op *op)
{
	struct pt_prot prot = {
		.perm = op->perm & PT_PERM_ALL,
		.memtype = w->fmt.ept ? 6 : op->perm >> 5,
		.ad = op->flags & 1,
		.max_level = op->level & 3,
	};
	pt_u64 start = place(w, op->where);
	pt_u64 size = ((op->value & 0x7f) + 1) << (op->flags & 2 ? 21 : 12);
	pt_u64 pa = (PAGES | (op->value >> 8 & PT_BITS(30, 12))), found = 0, middle = size / 2;

	if (op->flags & 4) /* for large leaves */
		pa = (pa & ~PT_BITS(21, 12)) | (start & PT_BITS(21, 12));
	if (pt_map(&w->space, start, start + size - 1, pa, &prot, &w->alloc)) {
		check_unchanged(w);
		return;
	}
	CHECK(!pt_translate(&w->space, start, &found) && found == pa);
	CHECK(!pt_translate(&w->space, start + middle, &found) && found == pa + middle);
	CHECK(!pt_translate(&w->space, start + size - 1, &found) && found == pa + size - 1);
}

static void do_unmap(struct world *w, const struct op *op)
{
	pt_u64 start = place(w, op->where), pa;
	pt_u64 size = ((op->value & 0xffff) + 1) << (op->flags & 2 ? 21 : 12);

	if (pt_unmap(&w->space, start, start + size - 1, &w->alloc))
		return;
	CHECK(pt_translate(&w->space, start, &pa));
	CHECK(pt_translate(&w->space, start + size / 2, &pa));
	CHECK(pt_translate(&w->space, start + size - 1, &pa));
}

static void do_split(struct world *w, const struct op *op)
{
	pt_u64 ia = place(w, op->where), leaf, before = 0, after = 0;
	struct pt_edit edit;
	struct pt_pos pos;

	if (!find(w, op, &pos))
		return;
	leaf = pos.entry;
	if (pt_translate(&w->space, ia, &before) || pt_split(&w->space, &pos, &w->alloc, &edit)) {
		check_unchanged(w);
		return;
	}
	CHECK(!pt_translate(&w->space, ia, &after) && after == before);
	if (op->flags & 1) {
		CHECK(!pt_join(&w->space, &pos, &w->alloc) && pos.entry == leaf);
		check_unchanged(w);
	}
}

static void do_join(struct world *w, const struct op *op)
{
	pt_u64 ia = place(w, op->where), before = 0, after = 0;
	struct pt_pos pos;
	int was;

	if (!find(w, op, &pos))
		return;
	was = pt_translate(&w->space, ia, &before);
	if (pt_join(&w->space, &pos, &w->alloc)) {
		check_unchanged(w);
		return;
	}
	CHECK(!was && !pt_translate(&w->space, ia, &after) && after == before);
}

static void run(struct world *w, const struct op *op, bool own)
{
	w->reads = 0;
	w->countdown = op->flags >> 4;
	remember(w);
	if (op->kind % 8 < 2) {
		/* In own tables edits would lose what lies below them. */
		if (own)
			return;
		if (op->kind % 8 == 0)
			do_set(w, op);
		else
			do_undo(w);
		return;
	}
	/* An edit must not bring a table back that these operations have freed. */
	w->nr_edits = 0;
	switch (op->kind % 8) {
	case 2:
	case 3:
		do_map(w, op);
		break;
	case 4:
		do_unmap(w, op);
		break;
	case 5:
	case 6:
		do_split(w, op);
		break;
	default:
		do_join(w, op);
	}
	CHECK(!w->pool.bad_frees);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct op op;
	size_t bytes;
	bool own, end;
	int ret;

	if (size < 4 || !make_format(&w, data))
		return 0;
	own = data[3] & 1;
	end = own || data[0] / 7 % 8 == 0; /* it is slow where tables refer to each other */
	bytes = own ? 0 : (size_t)data[3] / 2 * 8;
	data += 4;
	size -= 4;
	if (bytes > size)
		bytes = size;
	memset(w.bytes, 0, SIZE);
	world_init(&w);
	fill(&w, data, bytes);
	if (own)
		CHECK(!pt_root_alloc(&w.space, &w.alloc));
	for (data += bytes, size -= bytes; size >= sizeof(op);
	     data += sizeof(op), size -= sizeof(op)) {
		memcpy(&op, data, sizeof(op));
		run(&w, &op, own);
	}
	if (!end)
		return 0;
	w.countdown = 0;
	w.reads = 0;
	ret = pt_root_free(&w.space, &w.alloc);
	CHECK(!w.pool.bad_frees && !w.space.root == !ret);
	/* Tables of its own can always be freed; a large leaf is never split for that. */
	CHECK(!own || (!ret && !w.pool.live));
	return 0;
}
