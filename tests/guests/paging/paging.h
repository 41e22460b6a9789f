/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A bare-metal guest that asks the CPU what its page tables mean. It shares no code with the
 * library, which is measured against it. A multiboot loader starts it (qemu -kernel) with one
 * word:
 *
 *	test=MODE	makes accesses of every kind and reports what the CPU did (matrix.c)
 *	hold=MODE	maps many kinds of pages, says "held" and halts for ever (hold.c)
 *
 * MODE is none, 32bit, pse, pae (paging-32.elf), 4level or 5level (paging-64.elf). Everything that
 * it has to say goes to port 0xe9 (-debugcon); port 0xf4 (isa-debug-exit) ends a test.
 */
#ifndef PAGING_H
#define PAGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define BIT(n) ((u64)1 << (n))
#define PAGE   4096U

/* Bits of an entry. */
#define P   BIT(0)
#define RW  BIT(1)
#define US  BIT(2)
#define PWT BIT(3)
#define PCD BIT(4)
#define A   BIT(5)
#define D   BIT(6)
#define PS  BIT(7)
#define G   BIT(8)
#define PAT BIT(12) /* of a large leaf */
#define NX  BIT(63)

/* Levels count from 1 (4 KiB pages). */
#define TOP_LEVEL 5

struct mode {
	const char *name;
	u8 top;		/* level of the root table; 0: paging is off */
	u8 index_bits;	/* of an index below the top */
	u8 entry_shift; /* an entry has 1 << entry_shift bytes */
	u8 va_bits;
	u8 leaves; /* bit L: level L has leaves */
	u64 cr4;   /* what selects it, beyond CR0.PG and EFER.LME */
};

/* ---- console.c: the debug console ---- */
void put_char(char c);
void put_text(const char *text);
void put_hex(u64 value);
/* " 1f" */
void put_field(u64 value);
void quit(u8 status) __attribute__((noreturn));
void halt(void) __attribute__((noreturn));

/* ---- cpu.c ---- */
#define CR0_WP	  BIT(16)
#define CR0_PG	  BIT(31)
#define CR4_PSE	  BIT(4)
#define CR4_PAE	  BIT(5)
#define CR4_PGE	  BIT(7)
#define CR4_LA57  BIT(12)
#define CR4_SMEP  BIT(20)
#define CR4_SMAP  BIT(21)
#define CR4_PKE	  BIT(22)
#define CR4_PKS	  BIT(24)
#define EFER_NXE  BIT(11)
#define EFLAGS_AC BIT(18)

struct cpu_state {
	u64 cr0, cr4, efer; /* of CR0 WP, of CR4 the bits above, of EFER NXE count */
	u32 pkru, pkrs;
};

enum access { READ, WRITE, EXEC, IMPLICIT, NR_ACCESSES };

/* Where in the page that is accessed what lies. */
#define DATA_AT	   0
#define LDT_AT	   8 /* the descriptor that an IMPLICIT access reads */
#define WRITTEN_AT 16
#define CODE_AT	   32
#define DATA_VALUE 0xa5

#define VECTOR_GP      13
#define VECTOR_PF      14
#define VECTOR_SUCCESS 0x30

/* What the CPU did: in the order of boot.S. */
struct outcome {
	unsigned long vector, error, cr2, value;
};
extern struct outcome outcome;

/* Segments, exceptions, and the page with what ring 3 runs. */
void cpu_init(void);
extern u8 user_page[PAGE];

/* Turns paging on with @root as CR3. In long mode it is on, and changes tables. */
void cpu_paging(const struct mode *mode, u64 root);
void cpu_flush(void);
/* Sets WP, SMEP, SMAP, PKE, PKS, NXE and the key registers; the rest stays. */
void cpu_set(const struct cpu_state *state);
void cpu_get(struct cpu_state *state, u64 *cr3);
bool cpu_has_pks(void);
bool cpu_has_1g(void);
u32 cpu_maxphyaddr(void);

/* The page at @va is LDT and target: fills @page, which it is mapped to. */
void cpu_target(u8 *page, u64 va);
/* Address that @access to the target at @va is made to. */
u64 cpu_access_address(u64 va, enum access access);
/* Makes the access; the answer is ->outcome. */
void cpu_access(u64 va, enum access access, bool user, bool ac);

/* ---- tables.c ---- */
extern const struct mode modes[];
const struct mode *mode_find(const char *name, size_t len);

struct tables {
	const struct mode *mode;
	u64 root;
};

u32 level_shift(const struct mode *mode, u32 level);
u64 level_size(const struct mode *mode, u32 level);
u64 entry_get(const struct mode *mode, u64 addr);
void entry_set(const struct mode *mode, u64 addr, u64 entry);
/* A table entry of @level that forbids nothing. */
u64 table_entry(const struct mode *mode, u32 level, u64 table);
/* An empty table. */
u64 table_new(void);
/* Address of the entry of @level for @va, with the tables above it made. */
u64 table_slot(const struct tables *t, u64 va, u32 level);
/* A root that maps the payload to itself, for ring 0, but the user page for both. */
void tables_init(struct tables *t, const struct mode *mode);

/* ---- matrix.c, hold.c ---- */
void matrix(const struct mode *mode) __attribute__((noreturn));
void hold(const struct mode *mode) __attribute__((noreturn));

#endif
