// SPDX-License-Identifier: GPL-2.0
/*
 * Calls with pointers, as two interfaces have them. KVM answers all of them with -KVM_ENOSYS: they
 * are there to be looked at.
 *
 * bitvisor: rax 0 and the address of a name in rbx ask for a number; rax is that number later.
 * capsule: rdi is a reason, rsi an address, rdx a length.
 */
#include <inttypes.h>
#include <string.h>

#include "tests/guests/kvm/vmm.h"

#define BUFFERS_GPA 0x40000000ULL
#define BUFFERS_GVA 0x20000000ULL
#define CAPSULE	    0x43505343u /* the number that the capsule's calls have */
#define LAST_NUMBER 3u

/* Where a buffer is: the pages of BUFFERS_GPA that its two pages are, -1: absent. */
static const struct buffer {
	const char *name;
	u32 offset, len; /* of the first page; with the NUL that ends it */
	int page[2];
	bool physical; /* the call has its gpa; for capsule only */
} buffers[] = {
	{ "whole", 0x128, 40, { 1, -1 }, false },
	{ "scattered", 0xff0, 64, { 7, 3 }, false },
	{ "absent", 0xff0, 64, { 9, -1 }, false },
	{ "physical", 0x200, 100, { 11, -1 }, true },
};
#define NR_VIRTUAL 3u
#define NR_PAGES   12u

static u64 buffer_gva(const struct buffer *b)
{
	return BUFFERS_GVA + (u64)(b - buffers) * 16 * PAGE + b->offset;
}

static u64 page_gpa(int page)
{
	return BUFFERS_GPA + (u64)page * PAGE;
}

static u64 buffer_address(const struct buffer *b)
{
	return b->physical ? page_gpa(b->page[0]) + b->offset : buffer_gva(b);
}

/* Byte @i of the buffer; NULL where its page is absent. */
static char *byte_of(const struct vm *vm, const struct buffer *b, u32 i)
{
	u32 at = b->offset + i;
	int page = b->page[at / PAGE];

	return page < 0 ? NULL : vm_hva(vm, page_gpa(page)) + at % PAGE;
}

/* Letters, and a NUL behind them, which an absent page takes along. */
static void fill_buffer(const struct vm *vm, const struct buffer *b)
{
	char *byte;
	u32 i;

	for (i = 0; i < b->len; i++) {
		byte = byte_of(vm, b, i);
		if (byte)
			*byte = i + 1 == b->len
					? 0
					: (char)('a' + number(vm->o->seed,
							      (u64)(b - buffers) << 32 | i, 0) %
							       26);
	}
}

static void map_buffer(struct vm *vm, const struct buffer *b)
{
	u64 gva = buffer_gva(b) & -(u64)PAGE;
	u64 bits = ENTRY_RW | (vm->o->cpl == 3 ? ENTRY_US : 0);
	unsigned int i;

	for (i = 0; i < 2 && !b->physical; i++) {
		if (b->page[i] >= 0)
			tables_map(vm, gva + i * PAGE, page_gpa(b->page[i]), 1, bits);
	}
	fill_buffer(vm, b);
}

static struct op *prepare(struct vm *vm)
{
	const struct options *o = vm->o;
	struct op *ops = vcpu_ops(&vm->vcpus[0], o->n);
	unsigned int r;
	u64 i;

	if (!o->mode->top)
		usage_error("mode %s has no pages that could be absent", o->mode->name);
	vm_slot(vm, SLOT_FIRST, BUFFERS_GPA, NR_PAGES * PAGE, 0, BACKED_4K);
	for (i = 0; i < LENGTH(buffers); i++)
		map_buffer(vm, &buffers[i]);
	for (i = 0; i < o->n; i++) {
		ops[i].kind = OP_HYPERCALL;
		ops[i].addr = vm_site(i);
		for (r = 0; r < NR_REGS && (r < R8 || o->mode->bits == 64); r++)
			ops[i].regs[r] = number(o->seed, i, r);
	}
	return ops;
}

/* The name that call @i asks for; NULL: it is a call by number. */
static const struct buffer *bitvisor_buffer(u64 i)
{
	return i % 2 ? NULL : &buffers[i / 2 % NR_VIRTUAL];
}

static const struct buffer *capsule_buffer(u64 i)
{
	return &buffers[i % LENGTH(buffers)];
}

void bitvisor_prepare(struct vm *vm)
{
	struct op *op = prepare(vm);
	u64 i;

	for (i = 0; i < vm->o->n; i++, op++) {
		const struct buffer *b = bitvisor_buffer(i);

		op->regs[RAX] = b ? 0 : 1 + i / 2 % LAST_NUMBER;
		if (b)
			op->regs[RBX] = buffer_address(b);
	}
}

void capsule_prepare(struct vm *vm)
{
	struct op *op = prepare(vm);
	u64 i;

	for (i = 0; i < vm->o->n; i++, op++) {
		const struct buffer *b = capsule_buffer(i);

		op->regs[RAX] = CAPSULE;
		op->regs[RDI] = i;
		op->regs[RSI] = buffer_address(b);
		op->regs[RDX] = b->len;
	}
}

static void print_buffer(const struct vm *vm, u64 i, const struct buffer *b)
{
	char *byte;
	u32 at;

	printf("buffer i=%" PRIu64 " name=%s space=%s addr=0x%" PRIx64 " len=%u gpa=0x%" PRIx64, i,
	       b->name, b->physical ? "gpa" : "gva", buffer_address(b), b->len,
	       page_gpa(b->page[0]) + b->offset);
	if (b->offset + b->len > PAGE && b->page[1] >= 0)
		printf(",0x%" PRIx64, page_gpa(b->page[1]));
	printf(" text=");
	for (at = 0; at + 1 < b->len && (byte = byte_of(vm, b, at)); at++)
		putchar(*byte);
	printf("%s\n", at + 1 < b->len ? " absent" : "");
}

static void report(const struct vm *vm, const struct buffer *(*buffer_of)(u64 i))
{
	const struct vcpu *c = &vm->vcpus[0];
	u64 i;

	for (i = 0; i < c->nr; i++) {
		const struct buffer *b = buffer_of(i);

		if (b)
			print_buffer(vm, i, b);
		report_call(c, i, &c->ops[i]);
	}
}

void bitvisor_report(struct vm *vm)
{
	report(vm, bitvisor_buffer);
}

void capsule_report(struct vm *vm)
{
	report(vm, capsule_buffer);
}
