// SPDX-License-Identifier: GPL-2.0
/* Random programs: accesses of all kinds, and changes of the tables that they go through. */
#include "tests/guests/emulator/emulator.h"

uint64_t random_next(struct random *r)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return r->state * 0x2545f4914f6cdd1dull;
}

static uint64_t below(struct random *r, uint64_t n)
{
	return (random_next(r) >> 11) % n;
}

/* A program that is being written. */
struct draft {
	const struct world *w;
	struct random *random;
	struct insn *next;
	unsigned int vcpu, context;
	bool tell;
};

static void add(struct draft *d, enum op op, uint64_t a, uint64_t b, uint64_t value)
{
	*d->next++ = (struct insn){ (uint8_t)op, (uint8_t)a, (uint8_t)b, value };
}

/* Where the entry of @level for @gva lies, as the guest sees it. Its tables stay where they are. */
static uint64_t entry_at(const struct draft *d, unsigned int root, uint64_t gva, unsigned int level)
{
	const struct pt_space space = {
		.fmt = &d->w->fmt,
		.root = d->w->root[d->vcpu][root],
		.mem = (struct pt_mem *)&d->w->arena.mem,
	};
	struct pt_path path;

	pt_lookup(&space, gva, &path);
	return path.at[level].addr - TABLES + AT_TABLES;
}

static uint64_t data_page(struct draft *d)
{
	return AT_DATA + below(d->random, DATA_PAGES) * PAGE;
}

static uint64_t some_address(struct draft *d, unsigned int size)
{
	static const uint64_t others[] = { AT_MMIO, AT_ROM, AT_NONE };
	uint64_t offset = below(d->random, PAGE / size) * size, kind = below(d->random, 16);

	if (kind < 11)
		return data_page(d) + offset;
	if (kind < 13)
		return AT_BIG + d->vcpu * 4 * MIB + below(d->random, 1024) * PAGE + offset;
	return others[kind - 13] + below(d->random, SOME_PAGES) * PAGE + offset;
}

static void an_access(struct draft *d)
{
	uint64_t b = below(d->random, 4), address = some_address(d, 1u << b);

	add(d, below(d->random, 2) ? OP_STORE : OP_LOAD, below(d->random, REGS), b, address);
	add(d, OP_MIX, below(d->random, REGS), below(d->random, REGS), 0);
}

/* What a leaf of 4 KiB may become. Bits 51 to 40 are reserved in entries of 8 bytes. */
static uint64_t some_entry(struct draft *d)
{
	uint64_t bits = random_next(d->random), frame = DATA + d->vcpu * DATA_PAGES * PAGE;
	uint64_t entry = PT_P;

	frame += below(d->random, DATA_PAGES) * PAGE;
	if (!(bits & 0x700))
		frame = bits & 0x800 ? MMIO : ROM;
	entry |= bits & (PT_A | PT_D);
	entry |= bits & 0x3000 ? PT_RW : 0;
	entry |= bits & 0xc000 ? PT_US : 0;
	if (!(bits & 0x70000))
		entry &= ~PT_P;
	if (d->w->fmt.entry_shift == 3)
		entry |= (bits & 0x700000 ? 0 : PT_BIT(51)) | (bits & 0x2000000 ? PT_NX : 0);
	return entry | frame;
}

static void an_edit(struct draft *d)
{
	uint64_t page = data_page(d);

	add(d, OP_SET, 0, 0, some_entry(d));
	add(d, OP_STORE, 0, d->w->fmt.entry_shift, entry_at(d, d->context / 2, page, 1));
	if (d->tell)
		add(d, OP_INVLPG, 0, 0, page);
}

/* The tables of the data pages change places between the roots. */
static void an_exchange(struct draft *d)
{
	uint64_t first = entry_at(d, 0, AT_DATA, 2), second = entry_at(d, 1, AT_DATA, 2);

	add(d, OP_LOAD, 0, d->w->fmt.entry_shift, first);
	add(d, OP_LOAD, 1, d->w->fmt.entry_shift, second);
	add(d, OP_STORE, 1, d->w->fmt.entry_shift, first);
	add(d, OP_STORE, 0, d->w->fmt.entry_shift, second);
	if (d->tell)
		add(d, OP_FLUSH, 0, 0, 0);
}

static void a_switch(struct draft *d)
{
	d->context = (unsigned int)below(d->random, CONTEXTS);
	add(d, OP_SWITCH, 0, 0, d->context);
}

void program_make(struct insn *program, unsigned int len, const struct world *w, unsigned int vcpu,
		  bool tell, struct random *r)
{
	struct draft d = { .w = w, .random = r, .next = program, .vcpu = vcpu, .tell = tell };
	uint64_t kind;

	while ((size_t)(d.next - program) < len) {
		kind = below(r, 64);
		if (kind == 0)
			an_exchange(&d);
		else if (kind < 4)
			an_edit(&d);
		else if (kind < 20)
			a_switch(&d);
		else
			an_access(&d);
	}
	add(&d, OP_HALT, 0, 0, 0);
}
