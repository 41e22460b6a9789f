// SPDX-License-Identifier: GPL-2.0
/* The bytecode. */
#include <string.h>

#include "tests/guests/emulator/emulator.h"

#define ODD 0x9e3779b97f4a7c15ull

int emu_init(struct emu *e, struct world *w, unsigned int vcpu, const struct backend *backend,
	     uint32_t mirror_flags)
{
	*e = (struct emu){
		.world = w,
		.backend = backend,
		.vcpu = vcpu,
		.mirror_flags = mirror_flags,
	};
	return backend->start(e);
}

void emu_exit(struct emu *e)
{
	e->backend->stop(e);
}

uint64_t emu_read(const void *at, unsigned int size)
{
	uint64_t value = 0;

	memcpy(&value, at, size);
	return value;
}

void emu_write(void *at, unsigned int size, uint64_t value)
{
	memcpy(at, &value, size);
}

static void note(struct emu *e, uint64_t what)
{
	e->log = (e->log ^ what) * ODD;
	e->log ^= e->log >> 29;
}

/* A device: what it says depends on where, and on how often one has asked. */
static uint64_t device(struct emu *e, uint64_t value)
{
	note(e, e->fault.gpa);
	note(e, value);
	return (e->fault.gpa + e->mmio++) * ODD;
}

/* An operating system would be entered here; this one notes it, and goes on. */
static void trap(struct emu *e)
{
	note(e, e->fault.gva);
	note(e,
	     (uint64_t)e->fault.why << 40 | (uint64_t)e->fault.access << 32 | e->fault.error_code);
}

static void load(struct emu *e, const struct insn *i)
{
	unsigned int size = 1u << i->b;

	if (e->backend->load(e, i->value, size, &e->reg[i->a]))
		return;
	e->faults[e->fault.why]++;
	if (e->fault.why == PTREMAP_MIRROR_MMIO)
		e->reg[i->a] = device(e, 0);
	else
		trap(e);
}

static void store(struct emu *e, const struct insn *i)
{
	unsigned int size = 1u << i->b;

	if (e->backend->store(e, i->value, size, e->reg[i->a]))
		return;
	e->faults[e->fault.why]++;
	if (e->fault.why == PTREMAP_MIRROR_MMIO)
		device(e, e->reg[i->a]);
	else
		trap(e);
}

static void change(struct emu *e, unsigned int context)
{
	e->context = context;
	e->switches++;
	e->backend->change(e);
}

static void step(struct emu *e, const struct insn *i)
{
	uint64_t *a = &e->reg[i->a % REGS], b = e->reg[i->b % REGS];

	switch (i->op) {
	case OP_SET:
		*a = i->value;
		break;
	case OP_ADD:
		*a += b + i->value;
		break;
	case OP_MIX:
		*a = *a * ODD + b;
		*a = *a << 31 | *a >> 33;
		break;
	case OP_LOAD:
		load(e, i);
		break;
	case OP_STORE:
		store(e, i);
		break;
	case OP_INVLPG:
		e->backend->invlpg(e, i->value);
		break;
	case OP_FLUSH:
		e->backend->flush(e);
		break;
	case OP_SWITCH:
		change(e, (unsigned int)i->value % CONTEXTS);
		break;
	default:
		break;
	}
}

void emu_run(struct emu *e, const struct insn *program)
{
	for (; program->op != OP_HALT; program++) {
		step(e, program);
		e->done++;
	}
}
