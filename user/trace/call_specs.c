// SPDX-License-Identifier: GPL-2.0
#include "user/trace/call_specs.h"

#include <errno.h>

#include <bpf/bpf.h>

_Static_assert(FAULT_NR_REGS == ABI_NR_REGS, "registers by the same numbers");
_Static_assert(PTEV_MAX_BUFFERS == ABI_MAX_BUFFERS, "as many buffers");
_Static_assert(PTEV_BUFFER_BYTES == ABI_MAX_BYTES, "as long buffers");

struct call_spec call_spec(const struct abi_call *call)
{
	struct call_spec spec = { 0 };
	unsigned int i, n = 0;

	for (i = 0; i < call->nr_args && n < PTEV_MAX_BUFFERS; i++) {
		const struct abi_arg *arg = &call->args[i];

		if (arg->type != ABI_STRING && arg->type != ABI_BYTES)
			continue;
		spec.buffer[n++] = (struct buffer_spec){ .used = 1,
							 .reg = arg->reg,
							 .virt = arg->virt,
							 .string = arg->type == ABI_STRING,
							 .len_is_reg = arg->len_is_reg,
							 .len = arg->len };
	}
	return spec;
}

static bool has_buffers(const struct abi_call *call, bool virt)
{
	unsigned int i;

	for (i = 0; call && i < call->nr_args; i++)
		if ((call->args[i].type == ABI_STRING || call->args[i].type == ABI_BYTES) &&
		    (call->args[i].virt || !virt))
			return true;
	return false;
}

static bool mode_has_buffers(const struct abi_mode *m, bool virt)
{
	uint32_t i;

	for (i = 0; i < m->nr_calls; i++)
		if (has_buffers(&m->calls[i], virt))
			return true;
	return has_buffers(m->other, virt);
}

bool call_specs_any(const struct abi *abi, bool virt)
{
	return abi && (mode_has_buffers(&abi->mode[ABI_32], virt) ||
		       mode_has_buffers(&abi->mode[ABI_64], virt));
}

void call_specs_numbers(struct call_number numbers[2], const struct abi *abi)
{
	unsigned int wide;

	for (wide = 0; wide < 2; wide++) {
		const struct abi_mode *m = abi ? &abi->mode[wide ? ABI_64 : ABI_32] : NULL;

		numbers[wide] = (struct call_number){ 0 };
		if (!m || !mode_has_buffers(m, false))
			continue;
		numbers[wide] = (struct call_number){
			.used = 1,
			.reg = m->number_reg,
			.shift = m->number_lo,
			.bits = (__u8)(m->number_hi - m->number_lo + 1),
		};
	}
}

uint32_t call_specs_count(const struct abi *abi)
{
	if (!abi)
		return 1;
	return abi->mode[ABI_32].nr_calls + abi->mode[ABI_64].nr_calls + 2;
}

static int put(int map, const struct call_key *key, const struct abi_call *call)
{
	struct call_spec spec = call_spec(call);

	return bpf_map_update_elem(map, key, &spec, BPF_ANY) ? -errno : 0;
}

/* Those without buffers, too: they are not the others. */
static int fill_mode(int map, const struct abi_mode *m, unsigned int wide)
{
	struct call_key key = { .wide = wide };
	uint32_t i;
	int err = 0;

	if (!mode_has_buffers(m, false))
		return 0;
	for (i = 0; i < m->nr_calls && !err; i++) {
		key.number = m->calls[i].number;
		err = put(map, &key, &m->calls[i]);
	}
	if (err || !m->other)
		return err;
	key.number = 0;
	key.other = 1;
	return put(map, &key, m->other);
}

int call_specs_fill(int map, const struct abi *abi)
{
	int err;

	if (!abi)
		return 0;
	err = fill_mode(map, &abi->mode[ABI_32], 0);
	return err ? err : fill_mode(map, &abi->mode[ABI_64], 1);
}
