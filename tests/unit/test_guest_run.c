// SPDX-License-Identifier: GPL-2.0
/* Ranges of a guest's addresses as runs: against each byte's own translation. */
#include "tests/unit/pt_edit_formats.h"
#include "tests/unit/random.h"
#include "user/space/guest_run.h"

#define MIB  (1ULL << 20)
#define HVA  0x7f0000000000ULL
#define SIZE (4 * MIB)

/* Two that go on in host-virtual memory, a hole, one elsewhere; another one for SMM. */
static const struct ptremap_slot slots[] = {
	{ .gpa = 0, .len = MIB, .hva = HVA },
	{ .gpa = MIB, .len = MIB, .hva = HVA + MIB, .id = 1 },
	{ .gpa = 3 * MIB, .len = 4 * MIB, .hva = HVA + 64 * MIB, .id = 2 },
	{ .gpa = 2 * MIB, .len = MIB, .hva = 0, .id = 3, .space = 1 },
};

static const struct guest_map physical = { .slots = slots,
					   .nr_slots = sizeof(slots) / sizeof(slots[0]) };

static void check_run(const struct guest_map *map, uint64_t at, uint64_t len,
		      enum guest_run_kind kind, uint64_t want_len, uint64_t hva)
{
	struct guest_run run;

	guest_run_at(map, at, len, &run);
	cr_assert_eq(run.kind, kind, "at %#llx: kind %d", (unsigned long long)at, run.kind);
	cr_assert_eq(run.len, want_len, "at %#llx: %#llx", (unsigned long long)at,
		     (unsigned long long)run.len);
	cr_assert_eq(run.hva, hva, "at %#llx: hva %#llx", (unsigned long long)at,
		     (unsigned long long)run.hva);
}

Test(guest_run, physical)
{
	check_run(&physical, 5, 3 * MIB, GUEST_RUN_MEMORY, 2 * MIB - 5, HVA + 5);
	check_run(&physical, 5, 10, GUEST_RUN_MEMORY, 10, HVA + 5);
	check_run(&physical, 2 * MIB, 4 * MIB, GUEST_RUN_SLOT, MIB, 0);
	check_run(&physical, 2 * MIB + 7, 9, GUEST_RUN_SLOT, 9, 0);
	check_run(&physical, 3 * MIB, 64 * MIB, GUEST_RUN_MEMORY, 4 * MIB, HVA + 64 * MIB);
	check_run(&physical, 7 * MIB, UINT64_MAX - 7 * MIB, GUEST_RUN_SLOT, UINT64_MAX - 7 * MIB,
		  0);
	check_run(&physical, UINT64_MAX, 1, GUEST_RUN_SLOT, 1, 0);
}

/* What the tables of @w say of @at, up to the end of the page; the slots follow. */
static enum guest_run_kind expect(struct edit_world *w, uint64_t at, uint64_t *hva)
{
	struct pt_path path;
	uint64_t gpa;
	size_t i;

	*hva = 0;
	if (pt_lookup(&w->space, at, &path) != PT_LEAF)
		return path.end.why == PT_WHY_UNREADABLE ? GUEST_RUN_TABLE : GUEST_RUN_HOLE;
	gpa = path.end.pa;
	for (i = 0; i < 3; i++) {
		if (gpa >= slots[i].gpa && gpa < slots[i].gpa + slots[i].len) {
			*hva = slots[i].hva + gpa - slots[i].gpa;
			return GUEST_RUN_MEMORY;
		}
	}
	return GUEST_RUN_SLOT;
}

/* Pages of SIZE are led to frames at random, mostly in order, some of them to none. */
static void scatter(struct edit_world *w)
{
	struct pt_prot prot = edit_prot(&w->fmt);
	uint64_t at, gpa = 0;

	for (at = 0; at < SIZE; at += 4096, gpa += 4096) {
		if (random64() % 4 == 0)
			gpa = random64() % (8 * MIB) / 4096 * 4096;
		if (random64() % 8)
			cr_assert_eq(pt_map(&w->space, at, at + 4095, gpa, &prot, &w->arena.alloc),
				     0);
	}
}

/* Each page of the run is what the tables say, and behind it something else comes. */
static void check_pages(const struct guest_map *map, struct edit_world *w, uint64_t at)
{
	struct guest_run run;
	enum guest_run_kind kind;
	uint64_t len = SIZE - at, i, hva;

	guest_run_at(map, at, len, &run);
	cr_assert(run.len && run.len <= len);
	for (i = 0; i < run.len; i += 4096 - (at + i) % 4096) {
		kind = expect(w, at + i, &hva);
		cr_assert_eq(kind, run.kind, "at %#llx", (unsigned long long)(at + i));
		cr_assert(kind != GUEST_RUN_MEMORY || hva == run.hva + i);
	}
	if (run.len < len && run.kind == GUEST_RUN_MEMORY)
		cr_assert(expect(w, at + run.len, &hva) != run.kind || hva != run.hva + run.len);
}

static void check_format(const char *format)
{
	struct guest_map map = physical;
	struct edit_world w;
	unsigned int i;

	edit_world_init(&w, edit_format_named(format), MIB);
	map.space = &w.space;
	scatter(&w);
	for (i = 0; i < 2000; i++)
		check_pages(&map, &w, random64() % SIZE);
	free(w.buffer);
}

Test(guest_run, scattered)
{
	static const char *const formats[] = { "32bit", "pae", "4level", "5level" };
	size_t i;

	random_seed("guest_run");
	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		check_format(formats[i]);
}

/* A root that is in no memory: the entry's own place, as far as one entry of it reaches. */
Test(guest_run, unreadable_table)
{
	struct guest_map map = physical;
	struct guest_run run;
	struct edit_world w;

	edit_world_init(&w, edit_format_named("4level"), MIB);
	map.space = &w.space;
	w.space.root = 3 * MIB;
	guest_run_at(&map, (1ULL << 39) + 4096, 1ULL << 40, &run);
	cr_assert_eq(run.kind, GUEST_RUN_TABLE);
	cr_assert_eq(run.gpa, 3 * MIB + 8);
	cr_assert_eq(run.hva, HVA + 64 * MIB + 8);
	cr_assert_eq(run.len, (1ULL << 39) - 4096);
	w.space.root = 2 * MIB;
	guest_run_at(&map, 0, 1, &run);
	cr_assert_eq(run.kind, GUEST_RUN_TABLE);
	cr_assert_null(run.slot);
	cr_assert_eq(run.len, 1);
	free(w.buffer);
}

/* Addresses that are not canonical have no table; those behind them have. */
Test(guest_run, not_canonical)
{
	struct guest_map map = physical;
	struct guest_run run;
	struct edit_world w;

	edit_world_init(&w, edit_format_named("4level"), MIB);
	map.space = &w.space;
	guest_run_at(&map, 0xffff7ffffffff000, 1ULL << 40, &run);
	cr_assert_eq(run.kind, GUEST_RUN_HOLE);
	cr_assert_eq(run.end.why, PT_WHY_NONCANONICAL);
	cr_assert_eq(run.len, 4096);
	guest_run_at(&map, 0xffff800000000000, 1ULL << 40, &run);
	cr_assert_eq(run.end.why, PT_WHY_NOT_PRESENT);
	cr_assert_eq(run.len, 1ULL << 39);
	free(w.buffer);
}
