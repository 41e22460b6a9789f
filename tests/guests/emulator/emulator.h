/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The core of an emulator, as an example for mirrors: a small load and store bytecode, which runs
 * over real x86 page tables, with three ways to reach the guest's memory: a walk for each access, a
 * software TLB in front of that, and a mirror.
 *
 *	core.c		the bytecode
 *	backend_walk.c	a walk for each access
 *	backend_tlb.c	a software TLB
 *	backend_mirror.c the CPU's own tables
 *	world.c		a guest: memory, tables of each format
 *	program.c	random programs
 *	main.c		all programs on all back ends, compared
 */
#ifndef EMULATOR_H
#define EMULATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "user/kernel/mirror.h"
#include "user/pt/ptw.h"

#define MIB  (1ull << 20)
#define PAGE 4096ull

/* ---- the guest's memory --------------------------------------------------------------------- */

#define TABLES	   (1 * MIB) /* physical addresses */
#define TABLES_LEN (2 * MIB)
#define DATA	   (4 * MIB)
#define BIG	   (8 * MIB)
#define MMIO	   (16 * MIB)
#define ROM	   (17 * MIB)
#define ROM_LEN	   MIB
#define RAM_LEN	   (18 * MIB)

#define AT_TABLES  0x10000000ull /* where each root has them: virtual addresses */
#define AT_DATA	   0x20000000ull
#define AT_BIG	   0x30000000ull
#define AT_MMIO	   0x38000000ull
#define AT_ROM	   0x38100000ull
#define AT_NONE	   0x39000000ull
#define WINDOW	   0x40000000ull /* they all lie below */
#define SOME_PAGES 4

#define VCPUS	   2
#define ROOTS	   2 /* of each vCPU */
#define DATA_PAGES 64
#define CONTEXTS   (2 * ROOTS) /* each root as a supervisor and as a user */

struct world {
	struct pt_fmt fmt;
	struct pt_cregs regs;
	uint8_t *ram; /* RAM_LEN bytes, from physical address 0 on, of which MMIO is none */
	struct pt_arena arena;
	uint64_t root[VCPUS][ROOTS];
};

/* Tables of @mode in new memory; the same in each world of a mode. */
int world_init(struct world *w, enum pt_mode mode);
void world_exit(struct world *w);
/* What the module has to know. */
enum ptremap_mirror_mode world_mode(const struct world *w);
#define WORLD_RANGES 2
void world_ranges(const struct world *w, struct ptremap_mirror_range ranges[WORLD_RANGES]);
bool world_is_ram(uint64_t pa, bool write);

/* ---- the bytecode --------------------------------------------------------------------------- */

enum op {
	OP_SET,	   /* a = value */
	OP_ADD,	   /* a += b + value */
	OP_MIX,	   /* a = a * odd constant + b, rotated */
	OP_LOAD,   /* a = [value], 1 << b bytes */
	OP_STORE,  /* [value] = a, 1 << b bytes */
	OP_INVLPG, /* of [value] */
	OP_FLUSH,  /* all translations */
	OP_SWITCH, /* to context value */
	OP_HALT,
};

struct insn {
	uint8_t op, a, b;
	uint64_t value;
};

#define REGS 8

/* Why an access was not made. */
struct emu_fault {
	uint64_t gva, gpa;
	uint32_t error_code;
	uint8_t why;	/* enum ptremap_mirror_why */
	uint8_t access; /* PTREMAP_MAP_READ or _WRITE */
};

struct emu;

/* Loads and stores of 1, 2, 4 or 8 bytes, aligned. False: emu->fault says why. */
struct backend {
	const char *name;
	int (*start)(struct emu *e);
	void (*stop)(struct emu *e);
	bool (*load)(struct emu *e, uint64_t gva, unsigned int size, uint64_t *value);
	bool (*store)(struct emu *e, uint64_t gva, unsigned int size, uint64_t value);
	void (*invlpg)(struct emu *e, uint64_t gva);
	void (*flush)(struct emu *e);
	void (*change)(struct emu *e); /* ->context is another one */
};
extern const struct backend backend_walk, backend_tlb, backend_mirror;

struct emu {
	struct world *world;
	const struct backend *backend;
	void *own; /* the back end's */
	uint32_t mirror_flags;
	unsigned int vcpu, context;
	uint64_t reg[REGS];
	struct emu_fault fault;
	uint64_t log;			     /* a hash of all faults and accesses to devices */
	uint64_t mmio;			     /* accesses to devices */
	uint64_t faults[16], switches, done; /* by ->why */
};

int emu_init(struct emu *e, struct world *w, unsigned int vcpu, const struct backend *backend,
	     uint32_t mirror_flags);
void emu_exit(struct emu *e);
void emu_run(struct emu *e, const struct insn *program);

static inline uint64_t emu_root(const struct emu *e)
{
	return e->world->root[e->vcpu][e->context / 2];
}

static inline bool emu_is_user(const struct emu *e)
{
	return e->context & 1;
}

/* ---- what back ends share: a walk ---------------------------------------------------------------
 */

/* The bytes at @gva, with A and D set; NULL: ->fault says why not. *@write: may be written to. */
void *emu_translate(struct emu *e, uint64_t gva, bool store, bool *write);
uint64_t emu_read(const void *at, unsigned int size);
void emu_write(void *at, unsigned int size, uint64_t value);

/* ---- programs -----------------------------------------------------------------------------------
 */

#define PROGRAM_MAX 8000

struct random {
	uint64_t state;
};
uint64_t random_next(struct random *r);
/*
 * A random program for @vcpu of worlds like @w, with at least @len instructions. @tell: the guest
 * tells of each change of its tables, as CPUs want it.
 */
void program_make(struct insn *program, unsigned int len, const struct world *w, unsigned int vcpu,
		  bool tell, struct random *r);

#endif
