/* SPDX-License-Identifier: GPL-2.0 */
/* What calls rules, for programs that test the module alone. */
#ifndef TESTS_CALL_RULES_H
#define TESTS_CALL_RULES_H

#include <stddef.h>

#include "tests/system/rule_program.h"

#define CALL_LOAD(size, to, from, offset)                                               \
	{                                                                               \
		.code = BPF_LDX | BPF_MEM | (size), .dst_reg = (to), .src_reg = (from), \
		.off = (offset)                                                         \
	}
#define CALL_JUMP(op, source, a, b, value, over)                                                  \
	{                                                                                         \
		.code = BPF_JMP | (op) | (source), .dst_reg = (a), .src_reg = (b), .off = (over), \
		.imm = (value)                                                                    \
	}
#define CALL_CONSTANT(to, value)                                                         \
	{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = (to), .imm = (int32_t)(value) }, \
	{                                                                                \
		.imm = (int32_t)((value) >> 32)                                          \
	}

/*
 * A program that calls each rule which may be called: all of guests, and of processes those for
 * faults at [@first, @end), as it is the program that compares addresses. Its link; < 0: see
 * attach_rule_program().
 */
static inline int call_rules(uint64_t first, uint64_t end)
{
	const struct bpf_insn insns[] = {
		CALL_LOAD(BPF_DW, 2, 1, 0),
		CALL_LOAD(BPF_DW, 3, 2, offsetof(struct ptremap_hit, asked)),
		CALL_LOAD(BPF_W, 4, 2, offsetof(struct ptremap_hit, on)),
		CALL_JUMP(BPF_JNE, BPF_K, 4, 0, PTREMAP_ON_FAULT, 7),
		CALL_LOAD(BPF_DW, 4, 2, offsetof(struct ptremap_hit, addr)),
		CALL_CONSTANT(5, first),
		CALL_JUMP(BPF_JLT, BPF_X, 4, 5, 0, 4),
		CALL_CONSTANT(5, end),
		CALL_JUMP(BPF_JGE, BPF_X, 4, 5, 0, 1),
		{ .code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 2, .src_reg = 3 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return attach_rule_program(insns, sizeof(insns) / sizeof(*insns));
}

#endif
