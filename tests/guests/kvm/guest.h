/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the monitor (vmm.h) and the payload (guest.c) agree on. The payload does operations that lie
 * in its memory, one batch after the other: the monitor says what, the payload only does it, so
 * that all that a guest did is known outside.
 */
#ifndef GUESTS_KVM_GUEST_H
#define GUESTS_KVM_GUEST_H

#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* Guest-physical addresses, mapped to themselves in each mode. Below 64 KiB: what real mode needs
 * for its stack and its instructions. */
#define STACKS	     0x1000u /* one page for each vCPU */
#define SITES	     0x9000u /* hypercall instructions */
#define PAYLOAD	     0xa000u
#define PAYLOAD_SIZE 0x4000u
#define BATCHES	     0x10000u /* one for each vCPU */
#define LOW_SIZE     0x50000u

#define MAX_VCPUS 8

/* A site is the instruction and a return; the operation says which one it takes. */
#define SITE_SIZE 16u
#define NR_SITES  64u

/* Every write to this port ends a batch; its value is how many operations failed so far. */
#define PORT_BATCH 0x510u

enum op_kind {
	OP_HYPERCALL, /* ->addr: the site; rax must come back as ->value */
	OP_READ,      /* of ->addr; must be ->value, if ->check */
	OP_WRITE,     /* of ->value */
	OP_EXEC,      /* calls ->addr */
	OP_SELFMOD,   /* writes "mov $value, %eax; ret" to ->addr and calls it */
	OP_IN,	      /* from port ->addr; must be ->value, if ->check */
	OP_OUT,
};

/* In the order in which entry.S loads them. */
enum op_reg { RAX, RBX, RCX, RDX, RSI, RDI, R8, R9, R10, R11, NR_REGS };

struct op {
	u8 kind;
	u8 size; /* of an access: 1, 2, 4 or, as 64-bit code, 8 */
	u8 check;
	u8 failed; /* set by the payload: not what it had to be */
	u32 unused;
	u64 addr;
	u64 value;
	u64 result; /* set by the payload */
	u64 regs[NR_REGS];
	u64 more[2];
};

/* What to do when a batch has ended. */
enum then { THEN_NEXT, THEN_SPIN, THEN_HALT };

#define BATCH_OPS 255u

struct batch {
	u32 nr;
	u32 then;
	u32 failed; /* of all batches; kept by the payload */
	u32 rounds; /* counts while the payload spins */
	u8 unused[112];
	struct op ops[BATCH_OPS];
};

_Static_assert(sizeof(struct op) == 128, "the same for 16, 32 and 64 bits");
_Static_assert(sizeof(struct batch) == 0x8000, "a multiple of the page size");
_Static_assert(BATCHES + MAX_VCPUS * sizeof(struct batch) <= LOW_SIZE, "room for all");

#endif
