/* SPDX-License-Identifier: GPL-2.0 */
/* The two stacks of a fault's record as perf's call chain, and back. */
#ifndef RECORD_CHAIN_H
#define RECORD_CHAIN_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/events.h"
#include "user/record/sample.h"

/* Frames that a chain can have: both stacks and the two words in front of them. */
#define CHAIN_MAX (2 * PTEV_MAX_STACK + 2)

/*
 * Writes the chain of a fault, its number of words first, and returns how many words that are, the
 * number included. What is not of the program is left out: frames above the faulting instruction
 * (exception entry and tracer), zeros at the end of a user stack without frame pointers.
 * Without stacks the chain is empty.
 */
size_t chain_pack(const struct ptev_fault *f, uint64_t *out);
/*
 * The words behind a struct ptev_fault with PTEV_F_STACKS, at most PTEV_MAX_STACK frames of each
 * kind; @out is aligned and has room for 1 + 2 * PTEV_MAX_STACK. Returns their bytes.
 */
size_t chain_unpack(const struct rec_sample *s, uint64_t *out);

#endif
