/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hypercall ABIs: which register has the number, what the numbers are called, and what the other
 * registers mean. They are data files, whose format ptrace-pf-abi(5) has.
 */
#ifndef ABI_ABI_H
#define ABI_ABI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What a hypercall record has, in its order. */
enum abi_reg {
	ABI_RAX,
	ABI_RBX,
	ABI_RCX,
	ABI_RDX,
	ABI_RSI,
	ABI_RDI,
	ABI_R8,
	ABI_R9,
	ABI_R10,
	ABI_R11,
	ABI_NR_REGS
};

enum abi_type {
	ABI_HEX,
	ABI_DEC,
	ABI_INT,    /* signed */
	ABI_GPA,    /* a guest-physical address */
	ABI_GVA,    /* a guest-virtual address */
	ABI_ENUM,   /* one value of a set */
	ABI_FLAGS,  /* bits of a set */
	ABI_STRING, /* memory up to a NUL */
	ABI_BYTES,  /* memory of a length */
};

#define ABI_MAX_ARGS	8
#define ABI_MAX_BYTES	256  /* of a buffer: what is read at most */
#define ABI_MAX_BUFFERS 2    /* of one call */
#define ABI_MAX_CALLS	4096 /* of one file */

struct abi_value {
	uint64_t value;
	const char *name;
};

/* Names of values, or of bits (masks). */
struct abi_set {
	const char *name;
	bool flags;
	struct abi_value *values;
	uint32_t nr;
};

struct abi_arg {
	const char *name;
	uint8_t type; /* enum abi_type */
	uint8_t reg;
	bool virt;	 /* STRING, BYTES: the register has a gva, not a gpa */
	bool len_is_reg; /* BYTES: the length is in register ->len */
	uint16_t len;	 /* BYTES: bytes, or a register; STRING: at most; up to ABI_MAX_BYTES */
	uint32_t set;	 /* ENUM, FLAGS: index of abi->sets */
};

struct abi_call {
	uint64_t number;
	const char *name;
	struct abi_arg args[ABI_MAX_ARGS];
	uint8_t nr_args;
	uint8_t learn; /* 1 + the argument, a string, that names the number which the call returns
			*/
};

/* What holds for guests in one mode. */
struct abi_mode {
	bool known;
	uint8_t number_reg, number_lo, number_hi; /* bits of the register that are the number */
	uint8_t return_reg;
	int32_t return_set;	/* index of abi->sets, or -1 */
	struct abi_call *calls; /* by number */
	uint32_t nr_calls;
	struct abi_call *other; /* for numbers that are not there, or NULL */
};

enum abi_width { ABI_32, ABI_64, ABI_NR_WIDTHS };

struct abi {
	const char *name;
	struct abi_mode mode[ABI_NR_WIDTHS];
	struct abi_set *sets;
	uint32_t nr_sets;
	char **texts; /* that the names above lie in */
	uint32_t nr_texts;
};

/*
 * Reads a file. @name is what it is called in the one line on stderr that comes before -EINVAL,
 * -EIO or -ENOMEM.
 */
int abi_read(struct abi **abi, FILE *in, const char *name);
void abi_free(struct abi *a);

/* "rax" and so on; ABI_NR_REGS: there is no such register. */
enum abi_reg abi_reg_of(const char *name);
const char *abi_reg_name(enum abi_reg reg);

/* The number of a call with registers @regs. */
uint64_t abi_number(const struct abi_mode *m, const uint64_t regs[ABI_NR_REGS]);
/* What is known of that call; NULL: nothing. */
const struct abi_call *abi_call(const struct abi_mode *m, uint64_t number);
/* The name of @value in @set, or NULL. */
const char *abi_value_name(const struct abi_set *set, uint64_t value);

#endif
