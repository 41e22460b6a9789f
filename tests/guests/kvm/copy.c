// SPDX-License-Identifier: GPL-2.0
/* How fast the monitor copies its guest's memory, for others to be compared with. */
#include <inttypes.h>
#include <string.h>

#include "tests/guests/kvm/vmm.h"

#define COPY_GPA 0x40000000ULL
#define ROUNDS	 5u
#define PIECE	 MIB /* of memory that stays in the cache, as those have it who read in pieces */

static u64 copy_bytes(const struct vm *vm)
{
	return vm->o->n * MIB;
}

void copy_prepare(struct vm *vm)
{
	struct op *op = vcpu_ops(&vm->vcpus[0], 1);

	vm_slot(vm, SLOT_FIRST, COPY_GPA, copy_bytes(vm), 0, vm->o->backing);
	vm_map_self(vm, COPY_GPA, copy_bytes(vm));
	memset(vm_hva(vm, COPY_GPA), 'c', copy_bytes(vm));
	*op = (struct op){ .kind = OP_READ, .size = 4, .addr = COPY_GPA };
}

/* The best of some rounds. */
void copy_report(struct vm *vm)
{
	const char *from = vm_hva(vm, COPY_GPA);
	char *to = vm_memory(PIECE, BACKED_4K);
	u64 at, start, ns, best = ~0ULL;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		start = now_ns();
		for (at = 0; at < copy_bytes(vm); at += PIECE) {
			memcpy(to, from + at, PIECE);
			__asm__ volatile("" : : "r"(to) : "memory");
		}
		ns = now_ns() - start;
		best = ns < best ? ns : best;
	}
	printf("copy bytes=%" PRIu64 " ns=%" PRIu64 "\n", copy_bytes(vm), best);
}
