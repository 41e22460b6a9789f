// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "tests/guests/kvm/vmm.h"

#define CR4_PSE	 0x10u
#define CR4_PAE	 0x20u
#define CR4_LA57 0x1000u
#define EFER_LME 0x100u
#define EFER_LMA 0x400u
#define EFER_NXE 0x800u
#define LONG	 (EFER_LME | EFER_LMA | EFER_NXE)

#define L(n) (1u << (n))

const struct mode modes[] = {
	{ "real", 16, 0, 0, 0, 32, 0, 0, 0, 0 },
	{ "none", 32, 0, 0, 0, 32, 0, 0, 0, 0 },
	{ "32bit", 32, 2, 10, 4, 32, L(1), 1, 0, 0 },
	{ "pse", 32, 2, 10, 4, 32, L(1) | L(2), 2, CR4_PSE, 0 },
	{ "pae", 32, 3, 9, 8, 32, L(1) | L(2), 2, CR4_PAE, EFER_NXE },
	{ "4level", 64, 4, 9, 8, 48, L(1) | L(2) | L(3), 2, CR4_PAE, LONG },
	{ "5level", 64, 5, 9, 8, 57, L(1) | L(2) | L(3), 2, CR4_PAE | CR4_LA57, LONG },
	{ 0 },
};

const struct mode *mode_find(const char *name)
{
	const struct mode *m;

	for (m = modes; m->name; m++) {
		if (!strcmp(m->name, name))
			return m;
	}
	return NULL;
}

unsigned int level_shift(const struct mode *m, unsigned int level)
{
	return 12 + (level - 1) * m->index_bits;
}

/* First address of what one entry of @level translates, of the block that has @gva. */
static u64 block(const struct mode *m, u64 gva, unsigned int level)
{
	unsigned int shift = level_shift(m, level);

	return shift < 64 ? gva >> shift << shift : 0;
}

/* ... of a table of @level. A root translates all there is. */
static u64 table_gva(const struct mode *m, u64 gva, unsigned int level)
{
	return level == m->top ? 0 : block(m, gva, level + 1);
}

static const struct table *find_table(const struct tables *t, u64 gva, unsigned int level)
{
	u64 start = table_gva(t->mode, gva, level);
	size_t i;

	for (i = 0; i < t->nr_tables; i++) {
		if (t->table[i].level == level && t->table[i].gva == start)
			return &t->table[i];
	}
	return NULL;
}

static const struct leaf *find_leaf(const struct tables *t, u64 gva)
{
	size_t i;

	for (i = 0; i < t->nr_leaves; i++) {
		if (block(t->mode, gva, t->leaf[i].level) == t->leaf[i].gva)
			return &t->leaf[i];
	}
	return NULL;
}

static void *grow(void *array, size_t nr, size_t size)
{
	/* Powers of two, from 64. */
	if (nr && (nr < 64 || (nr & (nr - 1))))
		return array;
	array = realloc(array, (nr ? 2 * nr : 64) * size);
	if (!array)
		die("memory");
	return array;
}

/* Absent entries may hold anything but the lowest bit. */
static void clear_table(const struct vm *vm, u64 gpa)
{
	const struct tables *t = &vm->tables;
	u64 *entry = (u64 *)(void *)vm_hva(vm, gpa);
	u64 i, absent = t->mode->entry_size == 4 ? ~0x100000001ULL : ~1ULL;

	for (i = 0; i < PAGE / 8; i++)
		entry[i] = t->seed ? number(t->seed ^ gpa, i, 1) & absent : 0;
}

static const struct table *add_table(struct vm *vm, u64 gva, unsigned int level, u64 allows)
{
	struct tables *t = &vm->tables;
	struct table *table;

	t->table = grow(t->table, t->nr_tables, sizeof(*t->table));
	table = &t->table[t->nr_tables++];
	table->gva = table_gva(t->mode, gva, level);
	table->gpa = t->frame(vm);
	table->level = (u8)level;
	table->allows = allows;
	clear_table(vm, table->gpa);
	return table;
}

static void write_entry(const struct vm *vm, const struct table *table, u64 gva, u64 entry)
{
	const struct mode *m = vm->tables.mode;
	u64 index = gva >> level_shift(m, table->level) & ((1u << m->index_bits) - 1);

	memcpy(vm_hva(vm, table->gpa) + index * m->entry_size, &entry, m->entry_size);
}

/* What two entries allow together: writes and users by both, execution unless one forbids it. */
static u64 both_allow(u64 above, u64 entry)
{
	return (above & entry & (ENTRY_RW | ENTRY_US)) | ((above | entry) & ENTRY_NX);
}

/* Bits of an entry that leads to a table. The three lowest are all that a PDPTE of PAE has. */
static u64 upper_bits(const struct tables *t, unsigned int level)
{
	bool pdpte = t->mode->top == 3 && level == 3;
	u64 bits = ENTRY_P | (pdpte ? 0 : ENTRY_RW | ENTRY_US);
	u64 chance = t->seed ? number(t->seed, t->nr_tables, 0) % 16 : 0;

	if (pdpte)
		return bits;
	if (chance == 1)
		bits &= ~(u64)ENTRY_RW;
	if (chance == 2)
		bits &= ~(u64)ENTRY_US;
	if (chance == 3 && t->mode->efer)
		bits |= ENTRY_NX;
	return bits;
}

/* The table of @level for @gva, with those above made. */
static const struct table *get_table(struct vm *vm, u64 gva, unsigned int level)
{
	struct tables *t = &vm->tables;
	const struct table *table = find_table(t, gva, level);
	u64 bits, allows = ENTRY_RW | ENTRY_US, above;
	unsigned int l;

	for (l = t->mode->top; l > level && !table; l--) {
		if (find_table(t, gva, l - 1))
			continue;
		bits = upper_bits(t, l);
		above = find_table(t, gva, l)->allows;
		allows = t->mode->top == 3 && l == 3 ? above : both_allow(above, bits);
		add_table(vm, gva, l - 1, allows);
		write_entry(vm, find_table(t, gva, l), gva, find_table(t, gva, l - 1)->gpa | bits);
	}
	return find_table(t, gva, level);
}

/* Is a leaf or a table where a leaf of @level would be? */
static bool taken(const struct tables *t, u64 gva, unsigned int level)
{
	return find_leaf(t, gva) || (level > 1 && find_table(t, gva, level - 1));
}

/* PSE-36: a 4 MiB leaf has the address bits from 32 on in its bits 13 to 20. */
static u64 leaf_entry(const struct mode *m, u64 gpa, unsigned int level, u64 bits)
{
	if (m->entry_size == 4)
		gpa = (u32)gpa | gpa >> 32 << 13;
	return gpa | bits | ENTRY_P | (level > 1 ? ENTRY_PS : 0);
}

void tables_init(struct vm *vm, frame_fn frame, u64 seed)
{
	struct tables *t = &vm->tables;

	t->mode = vm->o->mode;
	t->frame = frame;
	t->seed = seed;
	if (t->mode->top)
		add_table(vm, 0, t->mode->top, ENTRY_RW | ENTRY_US);
}

bool tables_map(struct vm *vm, u64 gva, u64 gpa, unsigned int level, u64 bits)
{
	struct tables *t = &vm->tables;
	const struct table *table;
	struct leaf *leaf;

	if (taken(t, gva, level))
		return false;
	table = get_table(vm, gva, level);
	t->leaf = grow(t->leaf, t->nr_leaves, sizeof(*t->leaf));
	leaf = &t->leaf[t->nr_leaves++];
	leaf->gva = gva;
	leaf->gpa = gpa;
	leaf->level = (u8)level;
	leaf->allows = both_allow(table->allows, bits);
	write_entry(vm, table, gva, leaf_entry(t->mode, gpa, level, bits));
	return true;
}

const struct leaf *tables_find(const struct tables *t, u64 gva, unsigned int *hole)
{
	const struct leaf *leaf = find_leaf(t, gva);
	unsigned int level = 1;

	while (!leaf && !find_table(t, gva, level))
		level++;
	*hole = level;
	return leaf;
}

u64 leaf_gpa(const struct mode *m, const struct leaf *leaf, u64 gva)
{
	return leaf->gpa + (gva - block(m, gva, leaf->level));
}
