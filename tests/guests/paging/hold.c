// SPDX-License-Identifier: GPL-2.0
/*
 * A mapping of many kinds for others to look at: QEMU's monitor and the library list it.
 * Says, before "held":
 *
 *	hold MODE cr0 HEX cr3 HEX cr4 HEX efer HEX
 */
#include "paging.h"

#define M  (1024ULL * 1024)
#define GB (1024 * M)

/* Modes that a row is for. */
#define ALL  0x3f
#define PSE4 BIT(2) /* 4 MiB leaves */
#define PAE  BIT(3)
#define LONG (BIT(4) | BIT(5))
#define LA57 BIT(5)

/* What is done to the pages in the end. */
enum touch { LEAVE, LOAD, STORE };

struct row {
	u64 va, pa;
	u64 flags;
	int step; /* from one page's frame to the next one's, in pages of that size */
	u16 pages;
	u8 level, modes, touch;
};

static const struct row rows[] = {
	/* Small pages: every permission, contiguous, scattered, backwards, one frame. */
	{ 0x00800000, 0x00300000, RW | US, 1, 16, 1, ALL, STORE },
	{ 0x00810000, 0x00310000, US, 1, 4, 1, ALL, LOAD },
	{ 0x00814000, 0x00400000, RW, 3, 5, 1, ALL, STORE },
	{ 0x00819000, 0x00208000, RW | G, -1, 3, 1, ALL, LOAD },
	{ 0x00820000, 0x00500000, RW | US | PCD, 1, 2, 1, ALL, LEAVE },
	{ 0x00822000, 0x00502000, RW | US | PWT, 1, 2, 1, ALL, LEAVE },
	{ 0x00824000, 0x00504000, RW | US | PS, 1, 2, 1, ALL, LEAVE }, /* PAT here */
	{ 0x00826000, 0x00506000, RW | US | A, 1, 2, 1, ALL, LEAVE },
	{ 0x00828000, 0x00508000, RW | US | A | D, 1, 2, 1, ALL, LEAVE },
	{ 0x00830000, 0x00200000, 0, 0, 3, 1, ALL, LEAVE },
	{ 0x00840000, 0x00600000, RW | US | NX, 1, 4, 1, ALL, STORE },
	{ 0x00844000, 0x00604000, NX, 1, 2, 1, ALL, LOAD },
	/* More than a table, over the borders of tables, the ends of the address space. */
	{ 0x10000000, 0x00800000, RW, 1, 1100, 1, ALL, LEAVE },
	{ 0x7fffe000, 0x00700000, RW | US, 1, 4, 1, ALL, STORE },
	{ 0xbffff000, 0x00710000, US, 1, 2, 1, ALL, LOAD },
	{ 0xfffff000, 0x00720000, RW, 1, 1, 1, ALL, STORE },
	/* Large pages, in memory, above it and above 4 GiB. */
	{ 0x40000000, 16 * M, RW | US, 1, 2, 2, PSE4 | PAE | LONG, STORE },
	{ 0x40800000, 24 * M, US | PCD | PWT, 1, 1, 2, PSE4 | PAE | LONG, LEAVE },
	{ 0x40c00000, 28 * M, RW | G | PAT, 1, 1, 2, PSE4 | PAE | LONG, LEAVE },
	{ 0x41000000, 0x80000000, RW | US, 2, 3, 2, PSE4 | PAE | LONG, LEAVE },
	{ 0x50000000, 5 * GB, RW | US | NX, 3, 3, 2, PAE | LONG, LEAVE },
	{ 0x50800000, 8 * GB, RW | A | D, 1, 40, 1, PAE | LONG, LEAVE },
	/* Long mode: 1 GiB pages, both halves, the edges of the hole between them. */
	{ 0x0000008000000000, 0, US, 1, 2, 3, LONG, LOAD },
	{ 0x00000080c0000000, 64 * GB, RW | PCD, 1, 1, 3, LONG, LEAVE },
	{ 0x00005555aaaab000, 0x00730000, RW | US, 1, 3, 1, LONG, STORE },
	{ 0x00007ffffffff000, 0x00740000, RW | US, 1, 1, 1, LONG, STORE },
	{ 0xffff800000000000, 0x00750000, RW, 1, 2, 1, LONG, STORE },
	{ 0xffff888000000000, 0, RW | NX | G, 1, 16, 2, LONG, LOAD },
	{ 0xffffc90000000000, 0x00760000, RW | NX, 2, 9, 1, LONG, STORE },
	{ 0xffffffff80000000, 32 * M, RW | G, 1, 4, 2, LONG, STORE },
	{ 0xfffffffffffff000, 0x00780000, RW | NX, 1, 1, 1, LONG, STORE },
	/* Beyond four levels. */
	{ 0x0000800000000000, 0x00790000, RW | US, 1, 2, 1, LA57, STORE },
	{ 0x00fffffffffff000, 0x007a0000, US, 1, 1, 1, LA57, LOAD },
	{ 0xff00000000000000, 0x007b0000, RW, 1, 2, 1, LA57, STORE },
	{ 0xff11000000000000, 0, RW | G, 1, 2, 3, LA57, LOAD },
};

/* Tables that forbid what their leaves allow; the entry of @level for @va loses @flags. */
static const struct {
	u64 va, flags;
	u8 level, modes;
} upper[] = {
	{ 0x7fffe000, RW, 2, ALL },	     { 0xbffff000, US, 2, ALL },
	{ 0x00005555aaaab000, RW, 4, LONG }, { 0x0000008000000000, US, 4, LONG },
	{ 0x0000800000000000, US, 5, LA57 },
};

static bool for_mode(u64 which, const struct mode *mode)
{
	return which >> (mode - modes) & 1;
}

static void map_row(const struct tables *t, const struct row *row)
{
	const u64 all = t->mode->entry_shift == 2 ? ~0U : ~(u64)0;
	u64 size = level_size(t->mode, row->level), pa = row->pa, va = row->va;
	u64 flags = (row->flags & all) | P | (row->level > 1 ? PS : 0);
	u32 i;

	for (i = 0; i < row->pages; i++, va += size) {
		entry_set(t->mode, table_slot(t, va, row->level), pa | flags);
		pa += size * (u64)(long)row->step;
	}
}

static void touch_row(const struct mode *mode, const struct row *row)
{
	u64 size = level_size(mode, row->level), va = row->va;
	volatile u8 *byte;
	u32 i;

	for (i = 0; i < row->pages; i += 2) {
		byte = (volatile u8 *)(uintptr_t)(va + size * i);
		if (row->touch == STORE)
			*byte = 1;
		else if (row->touch == LOAD)
			(void)*byte;
	}
}

static void restrict_tables(const struct tables *t)
{
	u64 slot;
	u32 i;

	for (i = 0; i < sizeof(upper) / sizeof(*upper); i++) {
		if (!for_mode(upper[i].modes, t->mode))
			continue;
		slot = table_slot(t, upper[i].va, upper[i].level);
		entry_set(t->mode, slot, entry_get(t->mode, slot) & ~upper[i].flags);
	}
}

static void say_held(const struct mode *mode)
{
	struct cpu_state state;
	u64 cr3;

	cpu_get(&state, &cr3);
	put_text("hold ");
	put_text(mode->name);
	put_text(" cr0");
	put_field(state.cr0);
	put_text(" cr3");
	put_field(cr3);
	put_text(" cr4");
	put_field(state.cr4);
	put_text(" efer");
	put_field(state.efer);
	put_text("\nheld\n");
}

void hold(const struct mode *mode)
{
	const struct cpu_state state = { .efer = EFER_NXE };
	struct tables t;
	u32 i;

	tables_init(&t, mode);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (for_mode(rows[i].modes, mode))
			map_row(&t, &rows[i]);
	}
	restrict_tables(&t);
	cpu_set(&state);
	cpu_paging(mode, t.root);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (for_mode(rows[i].modes, mode))
			touch_row(mode, &rows[i]);
	}
	say_held(mode);
	halt();
}
