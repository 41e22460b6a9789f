// SPDX-License-Identifier: GPL-2.0
/*
 * Accesses of every kind through entries of every kind, and what the CPU did. All numbers are
 * hexadecimal. The lines:
 *
 *	test MODE MAXPHYADDR PAGE1G		first; PAGE1G: the CPU has 1 GiB pages
 *	cpu CR0 CR4 EFER PKRU PKRS		holds until the next
 *	walk VA CR3 ADDRESS ENTRY ...		tables on the way to VA, from the top; until the
 *next [us][rwxi][a-] RESULT			one access to that VA, see below end ACCESSES
 *last: how many accesses there were
 *
 * An access: u is made in ring 3, s in ring 0; read, write, execute, or i: the CPU reads a
 * descriptor of an LDT that lies there; a: with EFLAGS.AC. The address is VA and a few bytes, in
 * the same page. RESULT:
 *
 *	ok		it was made, and came to the page that it was meant for
 *	pf ERROR	page fault, with the address in CR2
 *	gp		general protection
 *	?? VECTOR ERROR CR2 VALUE	anything else
 *
 * Accessed and dirty bits are those of before the first access.
 */
#include "paging.h"

/* What tables of every level allow, and what is taken from them. */
#define ALLOW_ALL (P | RW | US)
#define PK_LO	  59

struct walk {
	const struct tables *tables;
	u64 va;
	u64 slot[TOP_LEVEL + 1], entry[TOP_LEVEL + 1];
	u32 leaf;
};

static const struct {
	u8 access;
	bool user, ac;
} accesses[] = {
	{ READ, true, false },
	{ WRITE, true, false },
	{ EXEC, true, false },
	{ READ, false, false },
	{ WRITE, false, false },
	{ EXEC, false, false },
	{ READ, false, true },
	{ WRITE, false, true },
	/* In ring 0 with AC, QEMU lets the CPU's own accesses pass SMAP. */
	{ IMPLICIT, true, false },
	{ IMPLICIT, true, true },
	{ IMPLICIT, false, false },
};

static u8 page[PAGE] __attribute__((aligned(PAGE)));
static u64 made;

static void set_cpu(const struct cpu_state *wanted)
{
	struct cpu_state now;
	u64 cr3;

	cpu_set(wanted);
	cpu_get(&now, &cr3);
	put_text("cpu");
	put_field(now.cr0);
	put_field(now.cr4);
	put_field(now.efer);
	put_field(wanted->pkru);
	put_field(wanted->pkrs);
	put_char('\n');
}

static void put_walk(u64 va, const struct walk *w)
{
	struct cpu_state state;
	u64 cr3;
	u32 l;

	cpu_get(&state, &cr3);
	put_text("walk");
	put_field(va);
	put_field(cr3);
	for (l = w ? w->tables->mode->top : 0; l && l >= w->leaf; l--) {
		put_field(w->slot[l]);
		put_field(w->entry[l]);
	}
	put_char('\n');
}

static void put_result(u64 address, enum access access)
{
	const bool right = access != READ || outcome.value == DATA_VALUE;

	if (outcome.vector == VECTOR_SUCCESS && right) {
		put_text(" ok\n");
	} else if (outcome.vector == VECTOR_PF && outcome.cr2 == address) {
		put_text(" pf");
		put_field(outcome.error);
		put_char('\n');
	} else if (outcome.vector == VECTOR_GP) {
		put_text(" gp\n");
	} else {
		put_text(" ??");
		put_field(outcome.vector);
		put_field(outcome.error);
		put_field(outcome.cr2);
		put_field(outcome.value);
		put_char('\n');
	}
}

/* Makes the accesses, or but those to an LDT. */
static void make_accesses(u64 va, bool ldt)
{
	u32 i;

	for (i = 0; i < sizeof(accesses) / sizeof(*accesses); i++) {
		const enum access access = accesses[i].access;

		if (access == IMPLICIT && !ldt)
			continue;
		cpu_access(va, access, accesses[i].user, accesses[i].ac);
		put_char(accesses[i].user ? 'u' : 's');
		put_char("rwxi"[access]);
		put_char(accesses[i].ac ? 'a' : '-');
		put_result(cpu_access_address(va, access), access);
		made++;
	}
}

/* A walk that allows everything, to @page, with a leaf of level @leaf. */
static void walk_init(struct walk *w, const struct tables *t, u32 leaf)
{
	const struct mode *mode = t->mode;
	const u64 pa = (uintptr_t)page, size = level_size(mode, leaf);
	u32 l;

	w->tables = t;
	w->leaf = leaf;
	w->va = pa & (size - 1);
	/* Another slot in each table; the upper half of it, but not for 2 MiB leaves. */
	for (l = leaf; l < mode->top; l++)
		w->va |= (u64)(l * 16 + leaf) << level_shift(mode, l);
	w->va |= BIT(mode->va_bits - 1) | BIT(mode->va_bits - 2);
	if (mode->va_bits > 32)
		w->va = leaf == 2 ? w->va | ~(BIT(mode->va_bits) - 1)
				  : w->va & ~BIT(mode->va_bits - 1);
	for (l = mode->top; l > leaf; l--) {
		w->slot[l] = table_slot(t, w->va, l);
		w->entry[l] = table_entry(mode, l, table_slot(t, w->va, l - 1) & ~(u64)(PAGE - 1));
	}
	w->slot[leaf] = table_slot(t, w->va, leaf);
	w->entry[leaf] = (pa & ~(size - 1)) | ALLOW_ALL | (leaf > 1 ? PS : 0);
}

/* Puts the walk into the tables and makes all accesses. */
static void walk_run(const struct walk *w)
{
	u32 l;

	for (l = w->leaf; l <= w->tables->mode->top; l++)
		entry_set(w->tables->mode, w->slot[l], w->entry[l]);
	cpu_flush();
	cpu_target(page, w->va);
	put_walk(w->va, w);
	make_accesses(w->va, true);
}

/* US, RW and NX taken from, or given to, the entry by the bits of @pick. */
static u64 restricted(const struct mode *mode, u64 entry, u32 pick)
{
	entry &= ~((pick & 1 ? US : 0) | (pick & 2 ? RW : 0));
	return entry | (pick & 4 && mode->entry_shift == 3 ? NX : 0);
}

/* Permissions of the leaf and of one table entry above it, in all combinations. */
static void run_permissions(struct walk *w)
{
	const struct mode *mode = w->tables->mode;
	const u32 picks = mode->entry_shift == 3 ? 8 : 4;
	const u64 leaf = w->entry[w->leaf];
	u32 upper, low, high;
	u64 kept;

	for (low = 0; low < picks; low++) {
		w->entry[w->leaf] = restricted(mode, leaf, low);
		walk_run(w);
		for (upper = w->leaf + 1; upper <= mode->top; upper++) {
			/* PAE's PDPTEs hold none. */
			if (mode->top == 3 && upper == 3)
				continue;
			kept = w->entry[upper];
			for (high = 1; high < picks; high++) {
				w->entry[upper] = restricted(mode, kept, high);
				walk_run(w);
			}
			w->entry[upper] = kept;
		}
	}
	w->entry[w->leaf] = leaf;
}

/* Each level not present, with all other bits as before, and with all of them set. */
static void run_absent(struct walk *w)
{
	u64 kept;
	u32 l;

	for (l = w->leaf; l <= w->tables->mode->top; l++) {
		kept = w->entry[l];
		w->entry[l] = kept & ~P;
		walk_run(w);
		w->entry[l] = ~P;
		if (w->tables->mode->entry_shift == 2)
			w->entry[l] &= ~0U;
		walk_run(w);
		w->entry[l] = kept;
	}
}

/* Would an entry of @level with bit @n changed lead to memory that nobody knows? */
static bool leads_astray(const struct walk *w, u32 level, u32 n)
{
	const struct mode *mode = w->tables->mode;
	const bool large = level == w->leaf && level > 1, wide = mode->entry_shift == 3;

	if (n == 0 || (n == 7 && large))
		return true;
	if (n == 7 && level == 2 && mode->leaves == (BIT(1) | BIT(2)) && !wide)
		return true;
	if (!large)
		return n >= 12 && n < (wide ? cpu_maxphyaddr() : 32);
	/* PSE-36 has address bits in bits 20:13. */
	if (!wide)
		return n >= 13 && n != 21;
	return n >= level_shift(mode, level) && n < cpu_maxphyaddr();
}

/* Each single bit of each entry, but those that are part of an address. */
static void run_bits(struct walk *w)
{
	const u32 bits = 8U << w->tables->mode->entry_shift;
	u32 l, n;

	for (l = w->leaf; l <= w->tables->mode->top; l++) {
		for (n = 0; n < bits; n++) {
			if (leads_astray(w, l, n))
				continue;
			w->entry[l] ^= BIT(n);
			walk_run(w);
			w->entry[l] ^= BIT(n);
		}
	}
}

/* Key @key in the leaf, and others above it, where they are ignored. */
static void run_key(struct walk *w, u64 key)
{
	const struct walk kept = *w;
	u32 pick, l;

	for (l = w->leaf + 1; l <= w->tables->mode->top; l++)
		w->entry[l] |= (key ^ 15) << PK_LO;
	for (pick = 0; pick < 4; pick++) {
		w->entry[w->leaf] = restricted(w->tables->mode, kept.entry[w->leaf], pick);
		w->entry[w->leaf] |= key << PK_LO;
		walk_run(w);
	}
	*w = kept;
}

/* Walks to leaves of every size that there is. */
struct walks {
	struct walk at[3];
	u32 count;
};

static void walks_init(struct walks *walks, const struct tables *t)
{
	u32 leaf;

	walks->count = 0;
	for (leaf = 1; leaf <= 3; leaf++) {
		if (t->mode->leaves >> leaf & 1 && (leaf < 3 || cpu_has_1g()))
			walk_init(&walks->at[walks->count++], t, leaf);
	}
}

static struct cpu_state state_of(u32 pick)
{
	return (struct cpu_state){
		.cr0 = pick & 1 ? CR0_WP : 0,
		.cr4 = (pick & 2 ? CR4_SMEP : 0) | (pick & 4 ? CR4_SMAP : 0) |
		       (pick & 16 ? CR4_PKE : 0) | (pick & 32 ? CR4_PKS : 0),
		.efer = pick & 8 ? EFER_NXE : 0,
	};
}

static void each_state(struct walks *walks)
{
	struct cpu_state state;
	u32 pick, i;

	for (pick = 0; pick < 16; pick++) {
		state = state_of(pick);
		set_cpu(&state);
		for (i = 0; i < walks->count; i++) {
			run_permissions(&walks->at[i]);
			run_absent(&walks->at[i]);
			/* Nothing, NXE alone, all but NXE, all. */
			if (pick == 0 || pick == 7 || pick == 8 || pick == 15)
				run_bits(&walks->at[i]);
		}
	}
}

/* Keys: @rights for one key; those of all others are 3, but key 0's, which the payload has. */
static u32 key_rights(u32 key, u32 rights)
{
	return (0xfffffffcU & ~(3U << 2 * key)) | rights << 2 * key;
}

static void each_key(struct walks *walks)
{
	/* WP, SMAP, PKE and PKS. */
	const u32 varied = 1 | 4 | 16 | 32;
	struct cpu_state state;
	u32 pick, rights, key, i;

	for (pick = 0; pick < 64; pick++) {
		if (pick & ~varied || (pick & 32 && !cpu_has_pks()))
			continue;
		state = state_of(pick);
		for (rights = 0; rights < 16; rights++) {
			key = rights % 3 ? 5 : 10;
			state.pkru = key_rights(key, rights & 3);
			state.pkrs = key_rights(key, rights >> 2);
			set_cpu(&state);
			for (i = 0; i < walks->count; i++)
				run_key(&walks->at[i], key);
		}
	}
}

/* The ends of the hole between the halves, from outside. */
static void each_edge(const struct mode *mode)
{
	const u64 low = BIT(mode->va_bits - 1),
		  edges[] = { low, low << 1, ~low & ~(u64)(PAGE - 1), 1ULL << 63 };
	const struct cpu_state state = { .efer = EFER_NXE };
	u32 i;

	set_cpu(&state);
	for (i = 0; i < sizeof(edges) / sizeof(*edges); i++) {
		put_walk(edges[i], NULL);
		make_accesses(edges[i], false);
	}
}

static void run_unpaged(void)
{
	struct cpu_state state;
	u32 pick;

	cpu_target(page, (uintptr_t)page);
	for (pick = 0; pick < 16; pick++) {
		state = state_of(pick);
		set_cpu(&state);
		put_walk((uintptr_t)page, NULL);
		make_accesses((uintptr_t)page, true);
	}
}

void matrix(const struct mode *mode)
{
	struct walks walks;
	struct tables t;

	put_text("test ");
	put_text(mode->name);
	put_field(cpu_maxphyaddr());
	put_field(cpu_has_1g());
	put_char('\n');
	if (mode->top) {
		tables_init(&t, mode);
		cpu_paging(mode, t.root);
		walks_init(&walks, &t);
		each_state(&walks);
	} else {
		run_unpaged();
	}
	if (mode->top > 3) {
		each_key(&walks);
		each_edge(mode);
	}
	put_text("end");
	put_field(made);
	put_char('\n');
	quit(0);
}
