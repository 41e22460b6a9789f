/* SPDX-License-Identifier: GPL-2.0 */
/* A program on the tracepoint ptremap_rule, which says which rules are called. */
#ifndef TESTS_RULE_PROGRAM_H
#define TESTS_RULE_PROGRAM_H

#include <linux/bpf.h>

#include "tests/system/edits.h"

/* A descriptor, with which the program ends; < 0: it cannot be had (errno). */
static inline int attach_rule_program(const struct bpf_insn *insns, uint32_t nr)
{
	union bpf_attr load = { .prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE,
				.insn_cnt = nr,
				.insns = at((const void *)insns),
				.license = at("GPL") };
	union bpf_attr attach = { .raw_tracepoint.name = at("ptremap_rule") };
	int program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load)), link;

	attach.raw_tracepoint.prog_fd = (uint32_t)program;
	link = (int)syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &attach, sizeof(attach));
	if (program >= 0)
		close(program);
	return link;
}

#endif
