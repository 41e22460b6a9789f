// SPDX-License-Identifier: GPL-2.0
/* A guest: its memory, and page tables of any format. */
#include <errno.h>
#include <sys/mman.h>

#include "tests/guests/emulator/emulator.h"

#define MAXPHYADDR 40

static const struct mode {
	enum pt_mode pt;
	enum ptremap_mirror_mode mirror;
} modes[] = {
	{ PT_MODE_32BIT, PTREMAP_MIRROR_32BIT },
	{ PT_MODE_PAE, PTREMAP_MIRROR_PAE },
	{ PT_MODE_4LEVEL, PTREMAP_MIRROR_4LEVEL },
	{ PT_MODE_5LEVEL, PTREMAP_MIRROR_5LEVEL },
};

enum ptremap_mirror_mode world_mode(const struct world *w)
{
	unsigned int i;

	for (i = 0; modes[i].pt != w->fmt.mode; i++)
		;
	return modes[i].mirror;
}

void world_ranges(const struct world *w, struct ptremap_mirror_range ranges[WORLD_RANGES])
{
	ranges[0] = (struct ptremap_mirror_range){ .len = MMIO, .hva = (uintptr_t)w->ram };
	ranges[1] = (struct ptremap_mirror_range){
		.gpa = ROM,
		.len = ROM_LEN,
		.hva = (uintptr_t)w->ram + ROM,
		.flags = PTREMAP_MIRROR_RANGE_RO,
	};
}

bool world_is_ram(uint64_t pa, bool write)
{
	return pa < MMIO || (!write && pa >= ROM && pa < ROM + ROM_LEN);
}

static int map(struct world *w, uint64_t root, uint64_t gva, uint64_t gpa, uint64_t len,
	       unsigned int max_level)
{
	const struct pt_space space = { .fmt = &w->fmt, .root = root, .mem = &w->arena.mem };
	const struct pt_prot prot = {
		.perm = PT_PERM_R | PT_PERM_W | PT_PERM_U | PT_PERM_X | PT_PERM_XU,
		.max_level = (pt_u8)max_level,
	};

	return pt_map(&space, gva, gva + len - 1, gpa, &prot, &w->arena.alloc);
}

/* Data pages of a vCPU are its own, in another order in each of its roots. */
static int map_data(struct world *w, unsigned int vcpu, unsigned int r)
{
	uint64_t page, frame;
	int err = 0;

	for (page = 0; page < DATA_PAGES && !err; page++) {
		frame = (page * (r ? 29 : 1) + r) % DATA_PAGES + vcpu * DATA_PAGES;
		err = map(w, w->root[vcpu][r], AT_DATA + page * PAGE, DATA + frame * PAGE, PAGE, 1);
	}
	return err;
}

static int make_root(struct world *w, unsigned int vcpu, unsigned int r)
{
	struct pt_space space = { .fmt = &w->fmt, .mem = &w->arena.mem };
	uint64_t root;
	int err = pt_root_alloc(&space, &w->arena.alloc);

	if (err)
		return err;
	root = space.root;
	w->root[vcpu][r] = root;
	err = map(w, root, AT_TABLES, TABLES, TABLES_LEN, 1);
	if (!err)
		err = map_data(w, vcpu, r);
	if (!err)
		err = map(w, root, AT_BIG + vcpu * 4 * MIB, BIG + vcpu * 4 * MIB, 4 * MIB, 2);
	if (!err)
		err = map(w, root, AT_MMIO, MMIO, SOME_PAGES * PAGE, 1);
	return err ? err : map(w, root, AT_ROM, ROM, SOME_PAGES * PAGE, 1);
}

int world_init(struct world *w, enum pt_mode mode)
{
	const struct pt_feat feat = { .maxphyaddr = MAXPHYADDR, .nx = 1, .pse = 1 };
	uint64_t at = (uint64_t)(uintptr_t)mmap(NULL, RAM_LEN + 2 * MIB, PROT_NONE,
						MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i;
	int err;

	/* Huge pages, where the host has some, lie as the guest's do. */
	at = (at + 2 * MIB - 1) & ~(2 * MIB - 1);
	w->ram = mmap((void *)(uintptr_t)at, RAM_LEN, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (w->ram == MAP_FAILED)
		return -ENOMEM;
	madvise(w->ram + BIG, 8 * MIB, MADV_HUGEPAGE);
	for (i = 0; i < RAM_LEN / 8; i++)
		((uint64_t *)(void *)w->ram)[i] = i * 0x9e3779b97f4a7c15ull;
	if (pt_fmt_init(&w->fmt, mode, &feat))
		return -EINVAL;
	err = pt_arena_init(&w->arena, w->ram + TABLES, TABLES, TABLES_LEN, true);
	for (i = 0; i < VCPUS * ROOTS && !err; i++)
		err = make_root(w, i / ROOTS, i % ROOTS);
	return err;
}

void world_exit(struct world *w)
{
	munmap(w->ram, RAM_LEN);
}
