// SPDX-License-Identifier: GPL-2.0
/*
 * The payload: does the operations of its batches. Built three times, as 16, 32 and 64-bit code;
 * all segments are flat, in real mode, too. No exception is handled: one that was not meant ends
 * the guest by a triple fault, and the monitor says so.
 */
#include <stddef.h>

#include "guest.h"

/* entry.S has these as numbers. */
_Static_assert(offsetof(struct op, addr) == 8, "OP_ADDR");
_Static_assert(offsetof(struct op, result) == 24, "OP_RESULT");
_Static_assert(offsetof(struct op, regs) == 32, "OP_REGS");

/* Called by entry.S; never returns. */
void guest_main(struct batch *batch) __attribute__((noreturn));
/* Loads all registers of @op, calls the site, stores rax. */
void guest_hypercall(struct op *op);

static void do_read(struct op *op)
{
	const volatile void *at = (const volatile void *)(uintptr_t)op->addr;

	switch (op->size) {
	case 1:
		op->result = *(const volatile u8 *)at;
		break;
	case 2:
		op->result = *(const volatile u16 *)at;
		break;
	case 4:
		op->result = *(const volatile u32 *)at;
		break;
#if GUEST_BITS == 64
	case 8:
		op->result = *(const volatile u64 *)at;
		break;
#endif
	}
}

static void do_write(const struct op *op)
{
	volatile void *at = (volatile void *)(uintptr_t)op->addr;

	switch (op->size) {
	case 1:
		*(volatile u8 *)at = (u8)op->value;
		break;
	case 2:
		*(volatile u16 *)at = (u16)op->value;
		break;
	case 4:
		*(volatile u32 *)at = (u32)op->value;
		break;
#if GUEST_BITS == 64
	case 8:
		*(volatile u64 *)at = op->value;
		break;
#endif
	}
}

static void do_in(struct op *op)
{
	u16 port = (u16)op->addr;
	u32 value = 0;

	if (op->size == 1)
		__asm__ volatile("inb %w1, %b0" : "+a"(value) : "d"(port));
	else if (op->size == 2)
		__asm__ volatile("inw %w1, %w0" : "+a"(value) : "d"(port));
	else
		__asm__ volatile("inl %w1, %0" : "+a"(value) : "d"(port));
	op->result = value;
}

static void out(u16 port, u8 size, u32 value)
{
	if (size == 1)
		__asm__ volatile("outb %b0, %w1" : : "a"(value), "d"(port) : "memory");
	else if (size == 2)
		__asm__ volatile("outw %w0, %w1" : : "a"(value), "d"(port) : "memory");
	else
		__asm__ volatile("outl %0, %w1" : : "a"(value), "d"(port) : "memory");
}

static u32 call(u64 addr)
{
	return ((u32(*)(void))(uintptr_t)addr)();
}

/* b8 imm: mov $imm, %eax; c3: ret. In 16-bit code both need a prefix to mean 32 bits. */
static void do_selfmod(struct op *op)
{
	volatile u8 *at = (volatile u8 *)(uintptr_t)op->addr;
	u32 i, value = (u32)op->value;

	if (GUEST_BITS == 16)
		*at++ = 0x66;
	*at++ = 0xb8;
	for (i = 0; i < 4; i++, value >>= 8)
		*at++ = (u8)value;
	if (GUEST_BITS == 16)
		*at++ = 0x66;
	*at = 0xc3;
	op->result = call(op->addr);
}

static void do_op(struct op *op)
{
	switch (op->kind) {
	case OP_HYPERCALL:
		guest_hypercall(op);
		break;
	case OP_READ:
		do_read(op);
		break;
	case OP_WRITE:
		do_write(op);
		break;
	case OP_EXEC:
		op->result = call(op->addr);
		break;
	case OP_SELFMOD:
		do_selfmod(op);
		break;
	case OP_IN:
		do_in(op);
		break;
	case OP_OUT:
		out((u16)op->addr, op->size, (u32)op->value);
		break;
	}
	op->failed = op->check && op->result != op->value;
}

static void rest(struct batch *batch)
{
	if (batch->then == THEN_HALT)
		__asm__ volatile("hlt");
	else
		__asm__ volatile("pause");
	batch->rounds++;
}

void guest_main(struct batch *batch)
{
	u32 i;

	for (;;) {
		for (i = 0; i < batch->nr; i++) {
			do_op(&batch->ops[i]);
			batch->failed += batch->ops[i].failed;
		}
		out(PORT_BATCH, 4, batch->failed);
		while (*(volatile u32 *)&batch->then != THEN_NEXT)
			rest(batch);
	}
}
