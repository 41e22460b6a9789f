// SPDX-License-Identifier: GPL-2.0
#include "paging.h"

#define MAX_TABLES 128

const struct mode modes[] = {
	{ "none", .va_bits = 32 },
	{ "32bit", 2, 10, 2, 32, BIT(1), 0 },
	{ "pse", 2, 10, 2, 32, BIT(1) | BIT(2), CR4_PSE },
	{ "pae", 3, 9, 3, 32, BIT(1) | BIT(2), CR4_PAE },
	{ "4level", 4, 9, 3, 48, BIT(1) | BIT(2) | BIT(3), CR4_PAE },
	{ "5level", 5, 9, 3, 57, BIT(1) | BIT(2) | BIT(3), CR4_PAE | CR4_LA57 },
	{ .name = NULL },
};

static u8 pool[MAX_TABLES][PAGE] __attribute__((aligned(PAGE)));
static u32 used;

static bool same(const char *name, const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (name[i] != text[i])
			return false;
	}
	return !name[len];
}

const struct mode *mode_find(const char *name, size_t len)
{
	const struct mode *mode;

	for (mode = modes; mode->name; mode++) {
		if (same(mode->name, name, len))
			return mode;
	}
	return NULL;
}

u32 level_shift(const struct mode *mode, u32 level)
{
	return 12 + mode->index_bits * (level - 1);
}

u64 level_size(const struct mode *mode, u32 level)
{
	return BIT(level_shift(mode, level));
}

u64 entry_get(const struct mode *mode, u64 addr)
{
	if (mode->entry_shift == 2)
		return *(volatile u32 *)(uintptr_t)addr;
	return *(volatile u64 *)(uintptr_t)addr;
}

void entry_set(const struct mode *mode, u64 addr, u64 entry)
{
	if (mode->entry_shift == 2)
		*(volatile u32 *)(uintptr_t)addr = (u32)entry;
	else
		*(volatile u64 *)(uintptr_t)addr = entry;
}

u64 table_entry(const struct mode *mode, u32 level, u64 table)
{
	/* PAE's PDPTEs have neither. */
	if (mode->top == 3 && level == 3)
		return table | P;
	return table | P | RW | US;
}

u64 table_new(void)
{
	if (used == MAX_TABLES) {
		put_text("no tables left\n");
		quit(1);
	}
	return (uintptr_t)pool[used++];
}

u64 table_slot(const struct tables *t, u64 va, u32 level)
{
	const struct mode *mode = t->mode;
	u64 table = t->root, slot, entry, index;
	u32 l;

	va &= BIT(mode->va_bits) - 1;
	for (l = mode->top;; l--) {
		index = va >> level_shift(mode, l);
		if (l != mode->top)
			index &= BIT(mode->index_bits) - 1;
		slot = table + (index << mode->entry_shift);
		if (l == level)
			return slot;
		entry = entry_get(mode, slot);
		if (!(entry & P)) {
			entry = table_entry(mode, l, table_new());
			entry_set(mode, slot, entry);
		}
		table = entry & (BIT(52) - 1) & ~(u64)(PAGE - 1);
	}
}

void tables_init(struct tables *t, const struct mode *mode)
{
	u64 pa;

	t->mode = mode;
	t->root = table_new();
	for (pa = 0; pa < 2 << 20; pa += PAGE)
		entry_set(mode, table_slot(t, pa, 1), pa | P | RW);
	pa = (uintptr_t)user_page;
	entry_set(mode, table_slot(t, pa, 1), pa | P | US);
}
