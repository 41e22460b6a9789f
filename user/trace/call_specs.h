/* SPDX-License-Identifier: GPL-2.0 */
/* An ABI as the BPF programs need it: which registers of which calls point to memory. */
#ifndef TRACE_CALL_SPECS_H
#define TRACE_CALL_SPECS_H

#include "bpf/config.h"
#include "user/abi/abi.h"

/* The buffers of @call, in the order of its arguments. */
struct call_spec call_spec(const struct abi_call *call);
/* Has a call of @abi any? With @virt: any at a guest-virtual address. NULL has none. */
bool call_specs_any(const struct abi *abi, bool virt);
/* Where the numbers of calls are that may have buffers; both unused if there are none. */
void call_specs_numbers(struct call_number numbers[2], const struct abi *abi);
/* Entries of the map `call_specs`, at least 1. */
uint32_t call_specs_count(const struct abi *abi);
/* Fills the map. 0 or -errno. */
int call_specs_fill(int map, const struct abi *abi);

#endif
