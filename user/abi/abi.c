// SPDX-License-Identifier: GPL-2.0
#include "user/abi/abi.h"

#include <stdlib.h>
#include <string.h>

static const char *const reg_names[ABI_NR_REGS] = {
	[ABI_RAX] = "rax", [ABI_RBX] = "rbx", [ABI_RCX] = "rcx", [ABI_RDX] = "rdx",
	[ABI_RSI] = "rsi", [ABI_RDI] = "rdi", [ABI_R8] = "r8",	 [ABI_R9] = "r9",
	[ABI_R10] = "r10", [ABI_R11] = "r11",
};

enum abi_reg abi_reg_of(const char *name)
{
	unsigned int i;

	for (i = 0; i < ABI_NR_REGS; i++)
		if (!strcmp(name, reg_names[i]))
			break;
	return (enum abi_reg)i;
}

const char *abi_reg_name(enum abi_reg reg)
{
	return reg_names[reg];
}

uint64_t abi_number(const struct abi_mode *m, const uint64_t regs[ABI_NR_REGS])
{
	unsigned int bits = m->number_hi - m->number_lo + 1U;
	uint64_t number = regs[m->number_reg] >> m->number_lo;

	return bits == 64 ? number : number & ((1ULL << bits) - 1);
}

static int compare(const void *key, const void *call)
{
	const uint64_t *number = key;
	const struct abi_call *c = call;

	return *number < c->number ? -1 : *number > c->number;
}

const struct abi_call *abi_call(const struct abi_mode *m, uint64_t number)
{
	const struct abi_call *call = NULL;

	if (m->nr_calls)
		call = bsearch(&number, m->calls, m->nr_calls, sizeof(*m->calls), compare);
	return call ? call : m->other;
}

const char *abi_value_name(const struct abi_set *set, uint64_t value)
{
	uint32_t i;

	for (i = 0; i < set->nr; i++)
		if (set->values[i].value == value)
			return set->values[i].name;
	return NULL;
}

void abi_free(struct abi *a)
{
	unsigned int i;

	if (!a)
		return;
	for (i = 0; i < ABI_NR_WIDTHS; i++) {
		free(a->mode[i].calls);
		free(a->mode[i].other);
	}
	for (i = 0; i < a->nr_sets; i++)
		free(a->sets[i].values);
	free(a->sets);
	for (i = 0; i < a->nr_texts; i++)
		free(a->texts[i]);
	free(a->texts);
	free(a);
}
