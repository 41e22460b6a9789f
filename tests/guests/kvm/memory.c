// SPDX-License-Identifier: GPL-2.0
/* Memory that the guest touches for the first time, may not write, or runs what it wrote. */
#include <inttypes.h>
#include <string.h>

#include "tests/guests/kvm/vmm.h"

#define TOUCH_GPA    0x40000000ULL
#define TOUCH_GVA    0x10000000ULL /* of the same, if it is to be another address */
#define READONLY_GPA 0x50000000ULL
#define SELFMOD_GPA  0x60000000ULL

/* Offset of an access in its page: a multiple of 8. */
static u64 offset(u64 seed, u64 i)
{
	return number(seed, i, 1) % (PAGE / 8) * 8;
}

static enum op_kind pick_access(const struct options *o, u64 i)
{
	char access = o->access[number(o->seed, i, 0) % strlen(o->access)];

	return access == 'r' ? OP_READ : access == 'w' ? OP_WRITE : OP_EXEC;
}

/* A place of each number below @nr: with @in_order its own, otherwise a shuffle (Fisher-Yates). */
static void order(u32 *place, u64 nr, const struct options *o)
{
	u64 i, j;
	u32 other;

	for (i = 0; i < nr; i++)
		place[i] = (u32)i;
	for (i = nr; !o->in_order && i-- > 1;) {
		j = number(o->seed, i, 2) % (i + 1);
		other = place[i];
		place[i] = place[j];
		place[j] = other;
	}
}

/* What the guest adds to a gpa to have its gva: both wrap. */
static u64 touch_shift(const struct options *o)
{
	return o->apart ? TOUCH_GVA - TOUCH_GPA : 0;
}

static void fill_touch(struct vm *vm, struct op *op, u64 i, u64 page)
{
	const struct options *o = vm->o;
	u64 gpa = TOUCH_GPA + page * PAGE + offset(o->seed, i);

	op->kind = (u8)pick_access(o, i);
	op->size = 4;
	op->addr = gpa + touch_shift(o);
	op->value = number(o->seed, i, 3);
	/* A return for the guest to run: the monitor has the page then, KVM has not. */
	if (op->kind == OP_EXEC)
		memcpy(vm_hva(vm, gpa), "\xc3", 1);
}

/* With pages of 4 KiB. */
static void map_apart(struct vm *vm, u64 size)
{
	u64 at;

	if (!vm->o->mode->top)
		usage_error("mode %s has no addresses apart", vm->o->mode->name);
	for (at = 0; at < size; at += PAGE)
		tables_map(vm, TOUCH_GVA + at, TOUCH_GPA + at, 1,
			   ENTRY_RW | (vm->o->cpl == 3 ? ENTRY_US : 0));
}

/* Pages that nobody has touched: each is touched once. */
void touch_prepare(struct vm *vm)
{
	const struct options *o = vm->o;
	u64 i, size = o->n * PAGE;
	struct op *ops = vcpu_ops(&vm->vcpus[0], o->n);
	u32 *place;

	if (strchr(o->access, 'x') && o->mode->bits == 16)
		usage_error("16-bit code cannot run what lies above 64 KiB: --access rw");
	if (o->backing != BACKED_4K)
		size = (size + 2 * MIB - 1) & -(2 * MIB);
	vm_slot(vm, SLOT_FIRST, TOUCH_GPA, size, 0, o->backing);
	if (o->apart)
		map_apart(vm, size);
	else
		vm_map_self(vm, TOUCH_GPA, size);
	place = (u32 *)vm_memory(o->n * sizeof(*place), BACKED_4K);
	order(place, o->n, o);
	for (i = 0; i < o->n; i++)
		fill_touch(vm, &ops[i], i, place[i]);
}

void touch_report(struct vm *vm)
{
	const struct vcpu *c = &vm->vcpus[0];
	u64 i;

	for (i = 0; i < c->nr; i++) {
		u64 gpa = c->ops[i].addr - touch_shift(vm->o);
		const u32 *at = (const u32 *)vm_hva(vm, gpa);

		if (c->ops[i].kind == OP_WRITE)
			vm->failed += *at != (u32)c->ops[i].value;
		if (!vm->o->quiet)
			report_page(vm, i, &c->ops[i], gpa);
	}
}

/* Says what came, and drops it, as a ROM does. */
static void on_write_to_rom(struct vcpu *c, struct access *a)
{
	if (!a->write || a->addr < READONLY_GPA)
		c->vm->failed++;
	printf("readonly gpa=0x%" PRIx64 " size=%u value=0x%" PRIx64 "\n", a->addr, a->size,
	       a->value);
}

/* Each write is followed by a read of the same place, which must be as it was. */
void readonly_prepare(struct vm *vm)
{
	const struct options *o = vm->o;
	struct op *ops = vcpu_ops(&vm->vcpus[0], 2 * o->n);
	u64 i, gpa, pages = o->n < 64 ? o->n : 64;

	vm_slot(vm, SLOT_FIRST, READONLY_GPA, pages * PAGE, KVM_MEM_READONLY, BACKED_4K);
	vm_map_self(vm, READONLY_GPA, pages * PAGE);
	vm->on_access = on_write_to_rom;
	for (i = 0; i < o->n; i++, ops += 2) {
		gpa = READONLY_GPA + i % pages * PAGE + offset(o->seed, i);
		ops[0] = (struct op){ .kind = OP_WRITE,
				      .size = 4,
				      .addr = gpa,
				      .value = number(o->seed, i, 3) & ~0u };
		ops[1] = (struct op){ .kind = OP_READ, .size = 4, .check = 1, .addr = gpa };
		ops[1].value = (u32)pattern(o->seed, gpa);
		memcpy(vm_hva(vm, gpa), &ops[1].value, 4);
	}
}

void readonly_report(struct vm *vm)
{
	vm->failed += vm->vcpus[0].mmio_exits != vm->o->n;
}

void selfmod_prepare(struct vm *vm)
{
	const struct options *o = vm->o;
	struct op *ops = vcpu_ops(&vm->vcpus[0], o->n);
	u64 i, gpa = SELFMOD_GPA, pages = o->n < 64 ? o->n : 64;
	bool real = o->mode->bits == 16;

	/* 16-bit code runs nothing above 64 KiB: what it writes lies behind the payload. */
	if (real)
		gpa = PAYLOAD + PAYLOAD_SIZE;
	else
		vm_slot(vm, SLOT_FIRST, gpa, pages * PAGE, 0, o->backing);
	if (!real)
		vm_map_self(vm, gpa, pages * PAGE);
	for (i = 0; i < o->n; i++) {
		ops[i] = (struct op){ .kind = OP_SELFMOD, .check = 1 };
		ops[i].addr = gpa + (real ? i % 2 : i % pages) * PAGE + offset(o->seed, i) % 4080;
		ops[i].value = (u32)number(o->seed, i, 3);
	}
}

void selfmod_report(struct vm *vm)
{
	const struct vcpu *c = &vm->vcpus[0];
	u64 i;

	for (i = 0; !vm->o->quiet && i < c->nr; i++)
		printf("selfmod i=%" PRIu64 " gpa=0x%" PRIx64 " returned=0x%" PRIx64 "\n", i,
		       c->ops[i].addr, c->ops[i].result);
}
