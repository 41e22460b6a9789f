// SPDX-License-Identifier: GPL-2.0
/* A walk for each access, as SDM vol. 3, 4.5 to 4.8 have it. */
#include "tests/guests/emulator/emulator.h"

static void *fail(struct emu *e, uint8_t why, uint64_t gpa, uint64_t error_code)
{
	e->fault.why = why;
	e->fault.gpa = gpa;
	e->fault.error_code = (uint32_t)error_code;
	return NULL;
}

static uint8_t why_of(const struct pt_check *check)
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

/* Only this vCPU uses these tables. */
static void mark(struct world *w, const struct pt_path *path, bool store)
{
	unsigned int level, size = 1u << w->fmt.entry_shift;
	uint64_t entry;

	for (level = path->top; level >= path->end.level && level; level--) {
		if (w->fmt.free_levels >> level & 1)
			continue;
		entry = path->at[level].entry | PT_A;
		if (store && level == path->end.level)
			entry |= PT_D;
		if (entry != path->at[level].entry)
			emu_write(w->ram + path->at[level].addr, size, entry);
	}
}

void *emu_translate(struct emu *e, uint64_t gva, bool store, bool *write)
{
	struct world *w = e->world;
	const struct pt_space space = { .fmt = &w->fmt, .root = emu_root(e), .mem = &w->arena.mem };
	const struct pt_cpu cpu = { .wp = 1 };
	unsigned int access = (store ? PT_ACC_WRITE : 0) | (emu_is_user(e) ? PT_ACC_USER : 0);
	struct pt_check check;
	struct pt_path path;

	e->fault = (struct emu_fault){ .gva = gva };
	e->fault.access = store ? PTREMAP_MAP_WRITE : PTREMAP_MAP_READ;
	pt_lookup(&space, gva, &path);
	pt_check_access(&w->fmt, &cpu, &path, access, &check);
	if (check.verdict != PT_ALLOWED)
		return fail(e, why_of(&check), 0, check.error_code);
	mark(w, &path, store);
	if (!world_is_ram(path.end.pa, store))
		return fail(e, PTREMAP_MIRROR_MMIO, path.end.pa, 0);
	if (write)
		*write = store;
	return w->ram + path.end.pa;
}

static bool load(struct emu *e, uint64_t gva, unsigned int size, uint64_t *value)
{
	const void *at = emu_translate(e, gva, false, NULL);

	if (at)
		*value = emu_read(at, size);
	return at;
}

static bool store(struct emu *e, uint64_t gva, unsigned int size, uint64_t value)
{
	void *at = emu_translate(e, gva, true, NULL);

	if (at)
		emu_write(at, size, value);
	return at;
}

static int start(struct emu *e)
{
	(void)e;
	return 0;
}

static void nothing(struct emu *e)
{
	(void)e;
}

static void no_invlpg(struct emu *e, uint64_t gva)
{
	(void)e;
	(void)gva;
}

const struct backend backend_walk = {
	.name = "walk",
	.start = start,
	.stop = nothing,
	.load = load,
	.store = store,
	.invlpg = no_invlpg,
	.flush = nothing,
	.change = nothing,
};
