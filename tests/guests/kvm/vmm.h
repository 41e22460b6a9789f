/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small monitor over /dev/kvm, whose guests are instruments: all that they do is decided here,
 * from a seed, and printed, one line "what key=value ..." each. It shares no code with the tools
 * that are measured with it. `kvm_guest --help` has the scenarios and the lines.
 */
#ifndef GUESTS_KVM_VMM_H
#define GUESTS_KVM_VMM_H

#include <linux/kvm.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "tests/guests/kvm/guest.h"

#define PAGE	  4096u
#define MIB	  (1ULL << 20)
#define GIB	  (1ULL << 30)
#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* Says what does not work, with errno, and ends the program with status 1. */
void die(const char *what) __attribute__((noreturn));
/* Wrong usage: one line, status 2. */
void usage_error(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* ---- numbers.c: every random number is one of these, so that others can compute it, too ---- */

/*
 * Number @k of thing @i: the finalizer of splitmix64 on seed + (16 * i + k + 1) * golden ratio,
 * where the golden ratio is 0x9e3779b97f4a7c15. @k < 16.
 */
u64 number(u64 seed, u64 i, unsigned int k);
/* What the 8 bytes at guest-physical @gpa (a multiple of 8) are filled with. */
u64 pattern(u64 seed, u64 gpa);

/* ---- modes.c: modes of the CPU as data, and guest tables made for them ---- */

enum { ENTRY_P = 1, ENTRY_RW = 2, ENTRY_US = 4, ENTRY_PS = 0x80 };
#define ENTRY_NX (1ULL << 63)

struct mode {
	const char *name;
	u8 bits; /* of the code: 16, 32 or 64 */
	u8 top;	 /* level of the root table; 0: paging is off */
	u8 index_bits, entry_size, va_bits;
	u8 leaves; /* bit L: level L has leaves; level 1 has 4 KiB pages */
	u8 level;  /* of the leaves, unless told otherwise */
	u64 cr4, efer;
};

extern const struct mode modes[];
const struct mode *mode_find(const char *name);
unsigned int level_shift(const struct mode *m, unsigned int level);

/* What the tables are, in the monitor's own words: nothing here was read from an entry. */
struct table {
	u64 gva; /* first address that it translates */
	u64 gpa;
	u8 level;
	u64 allows; /* ENTRY_RW | ENTRY_US | ENTRY_NX of all entries above */
};

struct leaf {
	u64 gva, gpa;
	u8 level;
	u64 allows; /* the same, its own included */
};

struct vm;
/* A free frame for a table. */
typedef u64 (*frame_fn)(struct vm *vm);

struct tables {
	const struct mode *mode;
	frame_fn frame;
	/* Of what upper entries allow, and of what absent ones hold. 0: they allow all, and are 0.
	 */
	u64 seed;
	struct table *table;
	struct leaf *leaf;
	size_t nr_tables, nr_leaves;
};

void tables_init(struct vm *vm, frame_fn frame, u64 seed);
/*
 * Maps one page of @level; @bits are those of its entry beside the address. False: there is
 * something at @gva already.
 */
bool tables_map(struct vm *vm, u64 gva, u64 gpa, unsigned int level, u64 bits);
/* The leaf at @gva, or NULL and the level of the entry that is absent. */
const struct leaf *tables_find(const struct tables *t, u64 gva, unsigned int *hole);
/* Guest-physical address that @leaf gives @gva. */
u64 leaf_gpa(const struct mode *m, const struct leaf *leaf, u64 gva);

/* ---- vm.c ---- */

#define MAX_SLOTS 16

enum backing { BACKED_4K, BACKED_THP, BACKED_HUGETLB };

struct slot {
	u64 gpa, size;
	char *hva;
	u32 flags;
	bool exists;
};

struct vcpu {
	struct vm *vm;
	unsigned int index;
	int fd;
	struct kvm_run *run;
	struct batch *batch;
	pthread_t thread;
	sem_t named;
	struct op *ops;
	size_t nr, next; /* of ops; next: the first that is not in a batch yet */
	size_t given;	 /* in the batch that runs */
	bool repeat;	 /* from the first again, until the VM stops */
	bool rests;	 /* between two runs: as the monitor was told */
	u64 io_exits, mmio_exits, batches;
};

/* An access that the guest made to what is the monitor's. */
struct access {
	bool mmio, write;
	u64 addr;
	unsigned int size;
	u64 value; /* of a read: to be set */
};

struct options {
	const char *scenario;
	u64 n;
	u64 seed;
	const struct mode *mode;
	unsigned int cpl, level, vcpus;
	enum backing backing;
	const char *access; /* of "rwx" */
	bool in_order, apart, wait, nasty, quiet;
	enum then hold;
	u64 gvas; /* of walks */
};

struct vm {
	const struct options *o;
	int kvm, fd;
	bool amd;
	struct slot slots[MAX_SLOTS];
	struct vcpu vcpus[MAX_VCPUS];
	unsigned int nr_vcpus; /* that there are by now */
	bool one_by_one;       /* only the first one is there from the start: vm_add_vcpu() */
	struct tables tables;
	struct walks *walks; /* of that scenario */
	u64 frames;	     /* given away so far, by frame_in_order() */
	void (*on_access)(struct vcpu *c, struct access *a);
	_Atomic bool stop;
	u64 failed; /* checks of the monitor's own */
};

/* Slots that each VM has; the scenarios' begin behind. */
enum { SLOT_LOW, SLOT_TABLES, SLOT_FIRST };
#define TABLES_GPA  (16 * MIB)
#define TABLES_SIZE (16 * MIB)

void vm_create(struct vm *vm, const struct options *o);
/* Backs @size bytes at @gpa with new memory and prints a line. */
void vm_slot(struct vm *vm, unsigned int id, u64 gpa, u64 size, u32 flags, enum backing backing);
/* Tells KVM what ->slots[id] is now. */
void vm_slot_set(struct vm *vm, unsigned int id);
/* A slot's memory, aligned to 2 MiB. */
char *vm_memory(u64 size, enum backing backing);
/* Where the monitor has @gpa; NULL where no slot is. */
char *vm_hva(const struct vm *vm, u64 gpa);
/* The slot of @gpa, or -1. */
int vm_slot_of(const struct vm *vm, u64 gpa);
u64 frame_in_order(struct vm *vm);
/* Maps [gpa, gpa + size) to itself with leaves of the level that was chosen; nothing without
 * paging. */
void vm_map_self(struct vm *vm, u64 gpa, u64 size);
/* Payload, sites and the vCPUs with their registers: after the tables. */
void vm_start_vcpus(struct vm *vm);
/* One more, as it is made: with a thread that does its ->ops. */
void vm_add_vcpu(struct vm *vm);
/* Address of site @i. */
u64 vm_site(u64 i);

/* ---- run.c ---- */

/* Room for @nr operations, zeroed. */
struct op *vcpu_ops(struct vcpu *c, size_t nr);
/* Runs all operations of all vCPUs, in threads. */
void vm_run(struct vm *vm);
/* The same in two steps; between them the guest runs. */
void vm_run_start(struct vm *vm);
/* The thread of vCPU @index alone. */
void vcpu_run_start(struct vm *vm, unsigned int index);
void vm_run_end(struct vm *vm);
/* Makes endless vCPUs come to an end. */
void vm_stop(struct vm *vm);
/* "ready", and waits for a line on stdin or its end. */
void wait_for_word(const char *what);
/* The guest spins or halts until then. */
void vm_hold(struct vm *vm);

/* ---- report.c ---- */

/* Physical frame of the page at @hva (/proc/self/pagemap); 0: none. */
u64 pfn_of(const void *hva);
u64 now_ns(void);
/* "page ...": what the guest touched, at guest-physical @gpa. */
void report_page(const struct vm *vm, u64 i, const struct op *op, u64 gpa);
void report_call(const struct vcpu *c, u64 i, const struct op *op);
/* The first lines, and the last ones: registers, exits, and KVM's own counters of the VM and of
 * each vCPU (KVM_GET_STATS_FD) that are not 0. Returns the exit status. */
void report_start(const struct vm *vm);
int report_end(struct vm *vm);

/* ---- scenarios ---- */

struct scenario {
	const char *name, *help;
	u64 n; /* default */
	/* Root of the tables; NULL: frames in order. */
	void (*tables)(struct vm *vm);
	/* More slots and mappings, operations. */
	void (*prepare)(struct vm *vm);
	/* While the guest runs; NULL: nothing. */
	void (*meanwhile)(struct vm *vm);
	/* When it has ended. */
	void (*report)(struct vm *vm);
};

/* calls.c */
/* What kvm_emulate_hypercall() answers in a VM without Hyper-V and Xen. */
u64 call_answer(const struct options *o, u64 nr);
void calls_prepare(struct vm *vm);
void calls_report(struct vm *vm);
void die_prepare(struct vm *vm);
void die_meanwhile(struct vm *vm);

/* buffers.c */
void bitvisor_prepare(struct vm *vm);
void bitvisor_report(struct vm *vm);
void capsule_prepare(struct vm *vm);
void capsule_report(struct vm *vm);

/* memory.c */
void touch_prepare(struct vm *vm);
void touch_report(struct vm *vm);
void readonly_prepare(struct vm *vm);
void readonly_report(struct vm *vm);
void selfmod_prepare(struct vm *vm);
void selfmod_report(struct vm *vm);

/* devices.c */
void mmio_prepare(struct vm *vm);
void pio_prepare(struct vm *vm);

/* walks.c */
/* Instead of the tables that others have; its slots come first. */
void walks_tables(struct vm *vm);
void walks_prepare(struct vm *vm);
void walks_report(struct vm *vm);

/* changes.c */
void slots_prepare(struct vm *vm);
void slots_meanwhile(struct vm *vm);
void dirty_prepare(struct vm *vm);
void dirty_report(struct vm *vm);

/* copy.c */
void copy_prepare(struct vm *vm);
void copy_report(struct vm *vm);

/* memtest.c */
void memtest_prepare(struct vm *vm);
void memtest_report(struct vm *vm);

/* writes.c */
void writes_prepare(struct vm *vm);
void writes_report(struct vm *vm);

/* moves.c */
void moves_prepare(struct vm *vm);
void moves_meanwhile(struct vm *vm);

#endif
