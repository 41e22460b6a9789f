// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/pt_world.h"

const struct world_format world_formats[WORLD_NR_FORMATS] = {
	[WORLD_NONE] = { "none", ref_walk_none, PT_MODE_NONE, {}, 32 },
	[WORLD_32BIT] = { "32bit", ref_walk_32bit, PT_MODE_32BIT, {}, 32 },
	[WORLD_32BIT_PSE] = { "32bit+pse", ref_walk_32bit, PT_MODE_32BIT, { .pse = 1 }, 32 },
	[WORLD_PSE36] = { "pse36", ref_walk_32bit, PT_MODE_32BIT, { .pse = 1, .pse36 = 1 }, 32 },
	[WORLD_PAE] = { "pae", ref_walk_pae, PT_MODE_PAE, {}, 32 },
	[WORLD_4LEVEL] = { "4level", ref_walk_4level, PT_MODE_4LEVEL, {}, 48 },
	[WORLD_5LEVEL] = { "5level", ref_walk_5level, PT_MODE_5LEVEL, {}, 57 },
	[WORLD_NPT_PAE] = { "npt, pae", ref_walk_pae, PT_MODE_PAE, { .npt = 1 }, 32 },
	[WORLD_NPT4] = { "npt, 4level", ref_walk_4level, PT_MODE_4LEVEL, { .npt = 1 }, 48 },
	[WORLD_NPT5] = { "npt, 5level", ref_walk_5level, PT_MODE_5LEVEL, { .npt = 1 }, 57 },
	[WORLD_EPT4] = { "ept4", ref_walk_ept4, PT_MODE_EPT4, {}, 48 },
	[WORLD_EPT5] = { "ept5", ref_walk_ept5, PT_MODE_EPT5, {}, 57 },
};

unsigned int world_seed(void)
{
	const char *given = getenv("PTSCOPE_SEED");
	unsigned int seed =
		given ? (unsigned int)strtoul(given, NULL, 0) : (unsigned int)time(NULL);

	fprintf(stderr, "PTSCOPE_SEED=%u\n", seed);
	return seed;
}

/* xorshift64*: fast, and good enough in its upper bits. */
uint64_t world_random(struct world *w)
{
	w->random ^= w->random >> 12;
	w->random ^= w->random << 25;
	w->random ^= w->random >> 27;
	return w->random * UINT64_C(2685821657736338717);
}

/* A number below @n. */
static uint64_t below(struct world *w, uint64_t n)
{
	return (world_random(w) >> 32) % n;
}

static bool one_in(struct world *w, unsigned int n)
{
	return below(w, n) == 0;
}

static int read_pages(struct pt_mem *mem, uint64_t addr, void *buf, uint32_t len)
{
	struct world *w = pt_container_of(mem, struct world, mem);

	w->reads++;
	if (addr > w->machine.size || w->machine.size - addr < len)
		return -EFAULT;
	memcpy(buf, (uint8_t *)w->pages + addr, len);
	return 0;
}

static void random_features(struct world *w)
{
	struct pt_feat feat = w->format->feat;
	struct ref_machine *m = &w->machine;

	feat.maxphyaddr = (uint8_t)(32 + below(w, 21));
	feat.nx = one_in(w, 2);
	feat.page1g = one_in(w, 2);
	feat.enc_bit = (uint8_t)(one_in(w, 3) ? 32 + below(w, 20) : 0);
	feat.ept_exec_only = one_in(w, 2);
	feat.ept_mbec = one_in(w, 2);
	feat.ept_ad = one_in(w, 2);
	feat.ept_sss = one_in(w, 2);
	feat.amd = one_in(w, 2);
	feat.pdpte_a = one_in(w, 2);
	cr_assert_eq(pt_fmt_init(&w->fmt, w->format->mode, &feat), 0);
	m->maxphyaddr = feat.maxphyaddr;
	m->c_bit = feat.enc_bit;
	m->nxe = feat.nx;
	m->pse = feat.pse;
	m->pse36 = feat.pse36;
	m->gbpages = feat.page1g;
	m->ept_exec_only = feat.ept_exec_only;
	m->ept_mbec = feat.ept_mbec;
	m->nested = feat.npt;
	m->amd = feat.npt || feat.amd;
	m->pdpte_a = feat.pdpte_a;
}

/* Somewhere: mostly a page of the memory, or a large page anywhere below MAXPHYADDR. */
static uint64_t random_address(struct world *w, bool large)
{
	uint64_t anywhere = world_random(w) >> (64 - w->machine.maxphyaddr);

	if (large)
		return anywhere & -(UINT64_C(1) << (one_in(w, 2) ? 30 : 22));
	return (one_in(w, 8) ? anywhere & -UINT64_C(4096) : below(w, WORLD_PAGES + 1) * 4096);
}

/* Bits beside the address: plausible ones. */
static uint64_t random_bits(struct world *w, bool large)
{
	static const uint8_t access[] = { 1, 3, 4, 5, 7, 7, 7, 7 };
	uint64_t bits;

	if (w->format->mode >= PT_MODE_EPT4) {
		bits = access[below(w, 8)] | below(w, 16) << 8;
		return large ? bits | 0x80 | (one_in(w, 2) ? 6 : below(w, 8)) << 3 : bits;
	}
	bits = 1 | (below(w, 64) << 1) | below(w, 8) << 9;
	/* PAE's PDPTEs reserve most of these bits. */
	if (w->format->mode == PT_MODE_PAE && one_in(w, 2))
		bits &= 0xe19;
	bits |= large ? 0x80 : 0;
	return bits | (w->machine.nxe && one_in(w, 6) ? UINT64_C(1) << 63 : 0);
}

static uint64_t random_entry(struct world *w)
{
	bool large = one_in(w, 5);
	uint64_t entry = random_address(w, large) | random_bits(w, large);

	if (w->machine.c_bit && one_in(w, 2))
		entry |= UINT64_C(1) << w->machine.c_bit;
	switch (below(w, 32)) {
	case 0:
		return 0;
	case 1:
		return world_random(w);
	case 2:
	case 3:
		return entry ^ UINT64_C(1) << below(w, 64);
	case 4:
		return entry & ~UINT64_C(7);
	default:
		return entry;
	}
}

static void random_tables(struct world *w)
{
	unsigned int page, i;

	for (page = 0; page < WORLD_PAGES; page++) {
		for (i = 0; i < 512; i++) {
			w->pages[page][i] = random_entry(w);
			/* Two entries of four bytes. Bits 13 to 21 of large ones are PSE-36's. */
			if (w->format->mode == PT_MODE_32BIT)
				w->pages[page][i] = (uint32_t)w->pages[page][i] |
						    random_entry(w) << 32 |
						    (one_in(w, 4) ? below(w, 512) << 13 : 0);
		}
	}
}

void world_refresh(struct world *w)
{
	/* A third of the memories end early, in the middle of a page or of an entry. */
	uint64_t missing = one_in(w, 3) ? below(w, 3 * 4096) : 0;

	random_features(w);
	random_tables(w);
	w->machine.size = sizeof(w->pages) - missing;
	w->mem.window_len = one_in(w, 2) ? w->machine.size : 0;
	w->mem.window = w->mem.window_len ? (const uint8_t *)w->pages : NULL;
	w->space.root = below(w, 8) * 4096 | below(w, 4096) | (one_in(w, 16) ? world_random(w) : 0);
}

void world_init(struct world *w, unsigned int format, unsigned int seed)
{
	static const struct pt_mem_ops ops = { .read = read_pages };

	memset(w, 0, sizeof(*w));
	w->format = &world_formats[format];
	w->seed = seed;
	w->random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) + format;
	w->mem.ops = &ops;
	w->machine.memory = (const uint8_t *)w->pages;
	w->space.fmt = &w->fmt;
	w->space.mem = &w->mem;
	world_refresh(w);
}

uint64_t world_address(struct world *w)
{
	unsigned int unused = 64 - w->format->width;
	uint64_t addr = world_random(w);

	if (one_in(w, 64))
		return addr;
	addr >>= unused;
	if (!w->machine.nested && w->format->mode >= PT_MODE_4LEVEL &&
	    w->format->mode <= PT_MODE_5LEVEL)
		addr = (uint64_t)((int64_t)(addr << unused) >> unused);
	return addr;
}

struct ref_result world_reference(const struct world *w, uint64_t addr)
{
	return w->format->walk(&w->machine, w->space.root, addr);
}

bool world_agrees(const struct ref_result *r, enum pt_kind kind, enum pt_why why, uint8_t perm)
{
	static const struct {
		uint8_t kind, why;
	} ends[] = {
		[REF_PAGE] = { PT_LEAF, PT_WHY_NONE },
		[REF_NOT_PRESENT] = { PT_HOLE, PT_WHY_NOT_PRESENT },
		[REF_NONCANONICAL] = { PT_BAD, PT_WHY_NONCANONICAL },
		[REF_RESERVED] = { PT_BAD, PT_WHY_RESERVED },
		[REF_EPT_ACCESS] = { PT_BAD, PT_WHY_EPT_ACCESS },
		[REF_EPT_MEMTYPE] = { PT_BAD, PT_WHY_EPT_MEMTYPE },
		[REF_NO_MEMORY] = { PT_BAD, PT_WHY_UNREADABLE },
	};
	unsigned int rights = (r->read ? PT_PERM_R : 0) | (r->write ? PT_PERM_W : 0) |
			      (r->exec ? PT_PERM_X : 0) | (r->user ? PT_PERM_U : 0) |
			      (r->user_exec ? PT_PERM_XU : 0);

	return ends[r->end].kind == kind && ends[r->end].why == why && rights == perm;
}
