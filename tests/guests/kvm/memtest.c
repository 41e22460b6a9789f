// SPDX-License-Identifier: GPL-2.0
/*
 * VMCALL_MEM_TEST: a guest writes to two pages, calls with their addresses, and looks what is in
 * which. Whoever answers the call may exchange what is behind them. Each vCPU has pages of its own.
 */
#include <inttypes.h>
#include <string.h>

#include "tests/guests/kvm/vmm.h"

#define MEMTEST_GPA	0x40000000ULL
#define VMCALL_MEM_TEST 0x4d454d54u
#define PAIRS		8u /* of pages, for each vCPU */
#define MAX_OPS		14u

/* Of 4 KiB, or of 2 MiB where the memory has such. */
static u64 page_bytes(const struct vm *vm)
{
	return vm->o->backing == BACKED_4K ? PAGE : 2 * MIB;
}

/* Where page 1 or 2 of round @i is. */
static u64 page_gpa(const struct vcpu *c, u64 i, unsigned int page)
{
	u64 pair = c->index * PAIRS + i % PAIRS;

	return MEMTEST_GPA + (2 * pair + page - 1) * page_bytes(c->vm);
}

/* The first word of the page, or the last. */
static u64 word_gpa(const struct vcpu *c, u64 i, unsigned int page, unsigned int last)
{
	return page_gpa(c, i, page) + (last ? page_bytes(c->vm) - 8 : 0);
}

static u64 word(const struct vcpu *c, u64 i, unsigned int page, unsigned int last)
{
	return number(c->vm->o->seed + c->index, i, 2 * page + last);
}

/* Four accesses: both words of both pages. */
static struct op *put_accesses(const struct vcpu *c, u64 i, struct op *op, enum op_kind kind)
{
	unsigned int k;

	for (k = 0; k < 4; k++, op++)
		*op = (struct op){ .kind = (u8)kind,
				   .size = 8,
				   .addr = word_gpa(c, i, k / 2 + 1, k % 2),
				   .value = word(c, i, k / 2 + 1, k % 2) };
	return op;
}

static struct op *put_call(const struct vcpu *c, u64 i, struct op *op)
{
	*op = (struct op){ .kind = OP_HYPERCALL, .addr = vm_site(i) };
	op->regs[RAX] = VMCALL_MEM_TEST;
	op->regs[RBX] = i;
	op->regs[RSI] = page_gpa(c, i, 1);
	op->regs[RDX] = page_gpa(c, i, 2);
	return op + 1;
}

static bool is_half(const struct vm *vm)
{
	return !strcmp(vm->o->scenario, "memtest-half");
}

static unsigned int ops_of_round(const struct vm *vm)
{
	return is_half(vm) ? 9 : MAX_OPS;
}

/* Writes, call, reads; and unless it is half of it, the same call and reads once more. */
static void put_round(const struct vcpu *c, u64 i, struct op *op)
{
	op = put_accesses(c, i, op, OP_WRITE);
	op = put_call(c, i, op);
	op = put_accesses(c, i, op, OP_READ);
	if (is_half(c->vm))
		return;
	op = put_call(c, i, op);
	put_accesses(c, i, op, OP_READ);
}

void memtest_prepare(struct vm *vm)
{
	const struct options *o = vm->o;
	u64 i, size = o->vcpus * PAIRS * 2 * page_bytes(vm);
	unsigned int v;
	struct op *ops;

	if (o->mode->bits != 64)
		usage_error("the words of memtest are of 64 bits");
	vm_slot(vm, SLOT_FIRST, MEMTEST_GPA, size, 0, o->backing);
	vm_map_self(vm, MEMTEST_GPA, size);
	for (v = 0; v < o->vcpus; v++) {
		ops = vcpu_ops(&vm->vcpus[v], o->n * ops_of_round(vm));
		vm->vcpus[v].vm = vm;
		vm->vcpus[v].index = v;
		for (i = 0; i < o->n; i++)
			put_round(&vm->vcpus[v], i, ops + i * ops_of_round(vm));
	}
}

/* What four words say of the pages: @swapped, that of the other one. */
static bool are(const struct vcpu *c, u64 i, const u64 *words, bool swapped)
{
	unsigned int k;

	for (k = 0; k < 4; k++)
		if (words[k] != word(c, i, swapped ? 2 - k / 2 : k / 2 + 1, k % 2))
			return false;
	return true;
}

static const char *verdict(const struct vcpu *c, u64 i, const u64 *words)
{
	if (are(c, i, words, false))
		return "same";
	if (are(c, i, words, true))
		return "swapped";
	c->vm->failed++;
	return "wrong";
}

static const char *guest_says(const struct vcpu *c, u64 i, const struct op *reads)
{
	u64 words[4];
	unsigned int k;

	for (k = 0; k < 4; k++)
		words[k] = reads[k].result;
	return verdict(c, i, words);
}

static void report_round(const struct vcpu *c, u64 i)
{
	const struct op *op = c->ops + i * ops_of_round(c->vm);

	printf("memtest vcpu=%u i=%" PRIu64 " gpa=0x%" PRIx64 ",0x%" PRIx64 " ret=0x%" PRIx64
	       " after=%s",
	       c->index, i, op[4].regs[RSI], op[4].regs[RDX], op[4].result,
	       guest_says(c, i, op + 5));
	if (!is_half(c->vm))
		printf(" ret=0x%" PRIx64 " then=%s", op[9].result, guest_says(c, i, op + 10));
	putchar('\n');
}

/* The monitor's own view, now: of the last round that each pair had. */
static void report_monitor(const struct vcpu *c, u64 i)
{
	u64 words[4];
	unsigned int k;

	for (k = 0; k < 4; k++)
		memcpy(&words[k], vm_hva(c->vm, word_gpa(c, i, k / 2 + 1, k % 2)), 8);
	printf("monitor vcpu=%u i=%" PRIu64 " now=%s\n", c->index, i, verdict(c, i, words));
}

void memtest_report(struct vm *vm)
{
	u64 i, n = vm->o->n;
	unsigned int v;

	for (v = 0; v < vm->o->vcpus; v++) {
		for (i = 0; !vm->o->quiet && i < n; i++)
			report_round(&vm->vcpus[v], i);
		for (i = n < PAIRS ? 0 : n - PAIRS; i < n; i++)
			report_monitor(&vm->vcpus[v], i);
	}
}
