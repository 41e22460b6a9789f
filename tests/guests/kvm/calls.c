// SPDX-License-Identifier: GPL-2.0
/* Hypercalls with known registers. */
#include <signal.h>
#include <unistd.h>

#include "tests/guests/kvm/vmm.h"

/* Linux: Documentation/virt/kvm/x86/hypercalls.rst, include/uapi/linux/kvm_para.h */
#define POLL_IRQ  1u
#define ENOSYS_64 ((u64)-1000)
#define EPERM_64  ((u64)-1)

/*
 * Numbers that change nothing: KVM answers 1 (VAPIC_POLL_IRQ) with 0 and does not know the others;
 * 12 (MAP_GPA_RANGE) has to be allowed first.
 */
static const u64 numbers[] = { 0, 1, 2, 3, 4, 6, 7, 8, 12, 13, 1000, 0xffffffff };

u64 call_answer(const struct options *o, u64 nr)
{
	u64 ret = o->cpl ? EPERM_64 : nr == POLL_IRQ ? 0 : ENOSYS_64;

	return o->mode->bits == 64 ? ret : (u32)ret;
}

static void fill_call(struct op *op, const struct options *o, u64 seed, u64 i)
{
	unsigned int r;

	op->kind = OP_HYPERCALL;
	op->check = 1;
	op->addr = vm_site(number(seed, i, 10));
	for (r = 0; r < NR_REGS; r++)
		op->regs[r] = number(seed, i, r);
	op->regs[RAX] = numbers[number(seed, i, RAX) % LENGTH(numbers)];
	for (r = R8; o->mode->bits != 64 && r < NR_REGS; r++)
		op->regs[r] = 0;
	op->value = call_answer(o, op->regs[RAX]);
}

void calls_prepare(struct vm *vm)
{
	const struct options *o = vm->o;
	unsigned int v;
	u64 i;

	for (v = 0; v < o->vcpus; v++) {
		vcpu_ops(&vm->vcpus[v], o->n);
		for (i = 0; i < o->n; i++)
			fill_call(&vm->vcpus[v].ops[i], o, number(o->seed, v, 15), i);
	}
}

void calls_report(struct vm *vm)
{
	unsigned int v;
	u64 i;

	for (v = 0; v < vm->o->vcpus; v++) {
		for (i = 0; !vm->o->quiet && i < vm->vcpus[v].nr; i++)
			report_call(&vm->vcpus[v], i, &vm->vcpus[v].ops[i]);
	}
}

void die_prepare(struct vm *vm)
{
	unsigned int v;

	calls_prepare(vm);
	for (v = 0; v < vm->o->vcpus; v++)
		vm->vcpus[v].repeat = true;
}

void die_meanwhile(struct vm *vm)
{
	printf("dies pid=%d\n", getpid());
	fflush(stdout);
	usleep((useconds_t)vm->o->n * 1000);
	kill(getpid(), SIGKILL);
}
