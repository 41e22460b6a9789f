// SPDX-License-Identifier: GPL-2.0
/*
 * Accesses to what no memory slot has, and to ports. The monitor answers a read with a number that
 * the guest knows, and knows what the guest writes.
 */
#include <inttypes.h>

#include "tests/guests/kvm/vmm.h"

#define MMIO_GPA  0x70000000ULL
#define MMIO_SIZE 0x10000ULL
#define PORTS	  0x600u
#define NR_PORTS  0x100u

static u64 cut(u64 value, unsigned int size)
{
	return size == 8 ? value : value & ((1ULL << 8 * size) - 1);
}

/* Each access is the next of the operations, and there is no other. */
static void on_access(struct vcpu *c, struct access *a)
{
	u64 i = a->mmio ? c->mmio_exits - 1 : c->io_exits - c->batches;
	const struct op *op = &c->ops[i < c->nr ? i : 0];
	bool write = op->kind == OP_WRITE || op->kind == OP_OUT;

	if (i >= c->nr || a->addr != op->addr || a->size != op->size || a->write != write ||
	    (a->write && a->value != op->value))
		c->vm->failed++;
	if (!a->write)
		a->value = op->value;
	if (!c->vm->o->quiet)
		printf("%s i=%" PRIu64 " %s=0x%" PRIx64 " access=%s size=%u value=0x%" PRIx64 "\n",
		       a->mmio ? "mmio" : "pio", i, a->mmio ? "gpa" : "port", a->addr,
		       a->write ? "write" : "read", a->size, a->value);
}

static void fill(struct op *op, const struct options *o, u64 i, unsigned int sizes)
{
	bool write = number(o->seed, i, 0) & 1;

	op->kind = write ? OP_WRITE : OP_READ;
	op->size = (u8)(1u << number(o->seed, i, 1) % sizes);
	op->check = !write;
	op->value = cut(number(o->seed, i, 3), op->size);
}

void mmio_prepare(struct vm *vm)
{
	const struct options *o = vm->o;
	struct op *ops = vcpu_ops(&vm->vcpus[0], o->n);
	u64 i;

	vm_map_self(vm, MMIO_GPA, MMIO_SIZE);
	vm->on_access = on_access;
	for (i = 0; i < o->n; i++) {
		fill(&ops[i], o, i, o->mode->bits == 64 ? 4 : 3);
		ops[i].addr = MMIO_GPA + number(o->seed, i, 2) % (MMIO_SIZE / 8) * 8;
	}
}

void pio_prepare(struct vm *vm)
{
	const struct options *o = vm->o;
	struct op *ops = vcpu_ops(&vm->vcpus[0], o->n);
	u64 i;

	vm->on_access = on_access;
	for (i = 0; i < o->n; i++) {
		fill(&ops[i], o, i, 3);
		ops[i].kind = ops[i].kind == OP_WRITE ? OP_OUT : OP_IN;
		ops[i].addr = PORTS + number(o->seed, i, 2) % (NR_PORTS / 4) * 4;
	}
}
