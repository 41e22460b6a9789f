// SPDX-License-Identifier: GPL-2.0
/* A software TLB in front of the walk: direct-mapped, tagged with the context. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/guests/emulator/emulator.h"

#define ENTRIES 1024

struct entry {
	uint64_t page; /* number, and in its low bits context + 1; 0: none */
	uint8_t *at;
	bool write;
};

static uint64_t key(const struct emu *e, uint64_t gva)
{
	return (gva & ~(PAGE - 1)) | (e->context + 1);
}

static struct entry *slot(const struct emu *e, uint64_t gva, unsigned int context)
{
	return &((struct entry *)e->own)[(gva / PAGE ^ context * 97) % ENTRIES];
}

static void *find(struct emu *e, uint64_t gva, bool store)
{
	struct entry *t = slot(e, gva, e->context);
	bool write = false;
	uint8_t *at;

	if (__builtin_expect(t->page == key(e, gva) && (!store || t->write), 1))
		return t->at + (gva & (PAGE - 1));
	at = emu_translate(e, gva, store, &write);
	if (at)
		*t = (struct entry){ key(e, gva), at - (gva & (PAGE - 1)), write };
	return at;
}

static bool load(struct emu *e, uint64_t gva, unsigned int size, uint64_t *value)
{
	const void *at = find(e, gva, false);

	if (at)
		*value = emu_read(at, size);
	return at;
}

static bool store(struct emu *e, uint64_t gva, unsigned int size, uint64_t value)
{
	void *at = find(e, gva, true);

	if (at)
		emu_write(at, size, value);
	return at;
}

static void invlpg(struct emu *e, uint64_t gva)
{
	unsigned int context;

	for (context = 0; context < CONTEXTS; context++)
		slot(e, gva, context)->page = 0;
}

static void flush(struct emu *e)
{
	memset(e->own, 0, ENTRIES * sizeof(struct entry));
}

static int start(struct emu *e)
{
	e->own = calloc(ENTRIES, sizeof(struct entry));
	return e->own ? 0 : -ENOMEM;
}

static void stop(struct emu *e)
{
	free(e->own);
}

static void nothing(struct emu *e)
{
	(void)e;
}

const struct backend backend_tlb = {
	.name = "tlb",
	.start = start,
	.stop = stop,
	.load = load,
	.store = store,
	.invlpg = invlpg,
	.flush = flush,
	.change = nothing,
};
