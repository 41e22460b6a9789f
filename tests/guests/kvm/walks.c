// SPDX-License-Identifier: GPL-2.0
/*
 * Guest tables made at random: frames all over several slots, pages of all sizes, entries that are
 * absent and yet not zero. What a walk must give comes from the monitor's own lists (modes.c);
 * the CPU is asked by the guest, which reads what is mapped, and KVM by KVM_TRANSLATE.
 */
#include <cpuid.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "tests/guests/kvm/vmm.h"

/* Behind SLOT_TABLES: tables above 4 GiB, and three slots of data. */
enum { SLOT_HIGH_TABLES = SLOT_FIRST, SLOT_DATA, NR_DATA = 3, SLOT_END = SLOT_DATA + NR_DATA };

static const struct data {
	u64 gpa, size;
	u32 flags;
	enum backing backing;
} data[NR_DATA] = {
	{ 1 * GIB, 4 * MIB, 0, BACKED_4K },
	{ 2 * GIB - 4 * MIB, 4 * MIB, KVM_MEM_READONLY, BACKED_4K },
	/* At a multiple of 1 GiB, too. */
	{ 6 * GIB, 8 * MIB, 0, BACKED_THP },
};

#define HIGH_TABLES_GPA	 (4 * GIB + 128 * MIB)
#define HIGH_TABLES_SIZE (4 * MIB)
#define LOW_FRAMES	 (TABLES_SIZE / PAGE)
#define ALL_FRAMES	 (LOW_FRAMES + HIGH_TABLES_SIZE / PAGE)
#define NO_SLOT_GPA	 (3 * GIB)

struct walks {
	bool frame_used[ALL_FRAMES];
	/* The pages with a pattern; others of the slots have not been touched by anybody. */
	bool filled[NR_DATA][8 * MIB / PAGE];
};

/* Bits of a leaf that no walk depends on: PWT, PCD, A, D, G and three for software. */
#define LEAF_BITS 0xf78u

/* Frames above 4 GiB are for entries of 8 bytes. CR3 of PAE has 32 bits: its root is low. */
static u64 random_frame(struct vm *vm)
{
	bool *used = vm->walks->frame_used;
	bool high = vm->o->mode->entry_size == 8 && vm->tables.nr_tables > 1;
	u64 nr = high ? ALL_FRAMES : LOW_FRAMES;
	u64 i = number(vm->o->seed, vm->frames++, 8) % nr, tries;

	for (tries = 0; used[i] && tries < nr; tries++)
		i = (i + 1) % nr;
	if (used[i])
		usage_error("too many pages for the frames that there are");
	used[i] = true;
	return i < LOW_FRAMES ? TABLES_GPA + i * PAGE : HIGH_TABLES_GPA + (i - LOW_FRAMES) * PAGE;
}

void walks_tables(struct vm *vm)
{
	const struct options *o = vm->o;
	unsigned int i;

	if (!o->mode->top)
		usage_error("mode %s has no tables", o->mode->name);
	if (o->cpl)
		usage_error("walks run at CPL 0");
	vm->walks = calloc(1, sizeof(*vm->walks));
	if (!vm->walks)
		die("memory");
	vm_slot(vm, SLOT_HIGH_TABLES, HIGH_TABLES_GPA, HIGH_TABLES_SIZE, 0, BACKED_4K);
	for (i = 0; i < NR_DATA; i++)
		vm_slot(vm, SLOT_DATA + i, data[i].gpa, data[i].size, data[i].flags,
			data[i].backing);
	tables_init(vm, random_frame, 0);
}

/* An address that the mode has, in either half. */
static u64 any_gva(const struct mode *m, u64 value)
{
	if (m->bits == 32)
		return (u32)value;
	return (u64)((int64_t)(value << (64 - m->va_bits)) >> (64 - m->va_bits));
}

/* Half of them lie near another one, so that tables are shared. */
static u64 pick_gva(const struct vm *vm, u64 i)
{
	const struct tables *t = &vm->tables;
	u64 seed = vm->o->seed, near;

	if (number(seed, i, 0) % 2)
		return any_gva(t->mode, number(seed, i, 1));
	near = t->leaf[number(seed, i, 2) % t->nr_leaves].gva;
	return near ^ (number(seed, i, 3) >> (64 - level_shift(t->mode, 2)) & -(u64)PAGE) ^
	       (number(seed, i, 4) % 8) << level_shift(t->mode, 2);
}

static bool cpu_has_1g(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid(0x80000001, &a, &b, &c, &d) && d & 1u << 26;
}

static unsigned int pick_level(const struct mode *m, u64 value)
{
	unsigned int level = value % 16 == 0 ? 3 : value % 4 == 0 ? 2 : 1;

	if (level == 3 && !cpu_has_1g())
		level = 2;
	while (!(m->leaves & 1u << level))
		level--;
	return level;
}

/* A frame for a leaf: nearly always in a slot. 4-byte entries reach above 4 GiB by 4 MiB only. */
static u64 pick_gpa(const struct vm *vm, u64 i, unsigned int level)
{
	const struct mode *m = vm->o->mode;
	bool low = m->entry_size == 4 && level == 1;
	const struct data *d = &data[number(vm->o->seed, i, 5) % (low ? NR_DATA - 1 : NR_DATA)];
	u64 page = 1ULL << level_shift(m, level);

	if (number(vm->o->seed, i, 6) % 16 == 0)
		return (NO_SLOT_GPA + number(vm->o->seed, i, 7) % (GIB / 2)) & -page;
	return (d->gpa + number(vm->o->seed, i, 7) % d->size) & -page;
}

static void map_one(struct vm *vm, u64 i)
{
	const struct mode *m = vm->o->mode;
	u64 bits = number(vm->o->seed, i, 9);
	unsigned int level = pick_level(m, number(vm->o->seed, i, 10));
	u64 gva = pick_gva(vm, i) & -(1ULL << level_shift(m, level));
	u64 keep = LEAF_BITS | ENTRY_RW | ENTRY_US | (m->efer ? ENTRY_NX : 0);

	tables_map(vm, gva, pick_gpa(vm, i, level), level, bits & keep);
}

/* Whether the page of @gpa has a pattern; NULL: it is not data. */
static bool *filled(struct vm *vm, u64 gpa)
{
	int slot = vm_slot_of(vm, gpa);

	if (slot < SLOT_DATA || slot >= SLOT_END)
		return NULL;
	return &vm->walks->filled[slot - SLOT_DATA][(gpa - vm->slots[slot].gpa) / PAGE];
}

static void fill_page(struct vm *vm, u64 gpa)
{
	u64 *at, i;

	gpa &= -(u64)PAGE;
	at = (u64 *)(void *)vm_hva(vm, gpa);
	for (i = 0; i < PAGE / 8; i++)
		at[i] = pattern(vm->o->seed, gpa + 8 * i);
	*filled(vm, gpa) = true;
}

/* In @leaf, mostly where memory is: slots lie at the beginning of the largest pages. */
static u64 gva_in(const struct vm *vm, const struct leaf *leaf, u64 value)
{
	u64 size = 1ULL << level_shift(vm->o->mode, leaf->level);

	return leaf->gva + (value >> 3) % (value % 4 && size > 8 * MIB ? 4 * MIB : size);
}

/* The guest reads a page of each leaf that has memory, but for some. */
static void fill_ops(struct vm *vm)
{
	const struct tables *t = &vm->tables;
	struct op *ops = vcpu_ops(&vm->vcpus[0], t->nr_leaves);
	size_t i, nr = 0;

	for (i = 0; i < t->nr_leaves; i++) {
		u64 gva = gva_in(vm, &t->leaf[i], number(vm->o->seed, i, 11)) & ~7ULL;
		u64 gpa = leaf_gpa(t->mode, &t->leaf[i], gva);

		if (!filled(vm, gpa) || number(vm->o->seed, i, 12) % 8 == 0)
			continue;
		fill_page(vm, gpa);
		ops[nr++] = (struct op){ .kind = OP_READ,
					 .size = 4,
					 .check = 1,
					 .addr = gva,
					 .value = (u32)pattern(vm->o->seed, gpa) };
	}
	vm->vcpus[0].nr = nr;
}

void walks_prepare(struct vm *vm)
{
	u64 i;

	vm->tables.seed = vm->o->seed | 1;
	for (i = 0; i < vm->o->n; i++)
		map_one(vm, i);
	fill_ops(vm);
	printf("tables nr=%zu leaves=%zu\n", vm->tables.nr_tables, vm->tables.nr_leaves);
}

/* Half lie in leaves, a quarter near one, the others anywhere. */
static u64 question(const struct vm *vm, u64 i)
{
	const struct tables *t = &vm->tables;
	u64 seed = number(vm->o->seed, i, 13);
	const struct leaf *leaf = &t->leaf[number(seed, 0, 0) % t->nr_leaves];

	switch (number(seed, 0, 1) % 4) {
	case 0:
		return any_gva(t->mode, number(seed, 0, 2));
	case 1:
		return any_gva(t->mode,
			       leaf->gva ^ (number(seed, 0, 2) >> number(seed, 0, 3) % 64));
	default:
		return gva_in(vm, leaf, number(seed, 0, 2));
	}
}

static void print_memory(struct vm *vm, u64 gpa)
{
	const char *hva = vm_hva(vm, gpa);
	bool *pattern_here = filled(vm, gpa);

	if (!hva) {
		printf(" slot=none\n");
		return;
	}
	printf(" slot=%d hva=%p pfn=0x%" PRIx64, vm_slot_of(vm, gpa), hva, pfn_of(hva));
	if (pattern_here && *pattern_here)
		printf(" word=0x%" PRIx64, pattern(vm->o->seed, gpa & ~7ULL));
	putchar('\n');
}

/* KVM's own walk of the same tables. */
static bool kvm_agrees(const struct vm *vm, u64 gva, const struct leaf *leaf)
{
	struct kvm_translation t = { .linear_address = gva };

	if (ioctl(vm->vcpus[0].fd, KVM_TRANSLATE, &t))
		die("KVM_TRANSLATE");
	if (!leaf)
		return !t.valid;
	return t.valid && t.physical_address == leaf_gpa(vm->o->mode, leaf, gva);
}

static void print_walk(struct vm *vm, u64 i, u64 gva)
{
	unsigned int hole;
	const struct leaf *leaf = tables_find(&vm->tables, gva, &hole);
	u64 gpa;

	vm->failed += !kvm_agrees(vm, gva, leaf);
	if (vm->o->quiet)
		return;
	printf("walk i=%" PRIu64 " gva=0x%" PRIx64, i, gva);
	if (!leaf) {
		printf(" hole=%u\n", hole);
		return;
	}
	gpa = leaf_gpa(vm->o->mode, leaf, gva);
	printf(" gpa=0x%" PRIx64 " level=%u rw=%d us=%d nx=%d", gpa, leaf->level,
	       !!(leaf->allows & ENTRY_RW), !!(leaf->allows & ENTRY_US),
	       !!(leaf->allows & ENTRY_NX));
	print_memory(vm, gpa);
}

void walks_report(struct vm *vm)
{
	u64 i;

	for (i = 0; i < vm->o->gvas; i++)
		print_walk(vm, i, question(vm, i));
	printf("translated gvas=%" PRIu64 " kvm_differs=%" PRIu64 "\n", vm->o->gvas, vm->failed);
}
