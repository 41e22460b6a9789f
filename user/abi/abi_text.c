// SPDX-License-Identifier: GPL-2.0
#include "user/abi/abi_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "user/abi/abi_memory.h"

static const struct abi_mode *mode_of(const struct abi *a, const struct abi_seen *seen)
{
	return &a->mode[seen->width];
}

/* What a register holds for code of that width. */
static uint64_t value_of(const struct abi_seen *seen, unsigned int reg)
{
	return seen->width == ABI_32 ? (uint32_t)seen->regs[reg] : seen->regs[reg];
}

static int64_t signed_of(const struct abi_seen *seen, unsigned int reg)
{
	return seen->width == ABI_32 ? (int32_t)seen->regs[reg] : (int64_t)seen->regs[reg];
}

static bool is_unknown(const struct abi_seen *seen, unsigned int reg)
{
	return seen->unknown >> reg & 1;
}

static bool is_memory(const struct abi_arg *arg)
{
	return arg->type == ABI_STRING || arg->type == ABI_BYTES;
}

/* The buffer of argument @n; NULL: it was not recorded. */
static const struct abi_buffer *buffer_of(const struct abi_call *call, const struct abi_seen *seen,
					  unsigned int n)
{
	unsigned int i, at = 0;

	for (i = 0; i < n; i++)
		at += is_memory(&call->args[i]);
	return at < seen->nr_buffers && seen->buffers[at].recorded ? &seen->buffers[at] : NULL;
}

/* ---- text ------------------------------------------------------------------------------- */

static void put_int(struct line *l, int64_t value)
{
	if (value < 0)
		line_char(l, '-');
	line_dec(l, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

static void put_hex(struct line *l, uint64_t value)
{
	line_str(l, "0x");
	line_hex(l, value);
}

static void put_flags(struct line *l, const struct abi_set *set, uint64_t value)
{
	bool first = true;
	uint32_t i;

	for (i = 0; i < set->nr; i++) {
		uint64_t mask = set->values[i].value;

		if (!mask || (value & mask) != mask)
			continue;
		line_str(l, first ? "" : "|");
		line_text(l, set->values[i].name);
		value &= ~mask;
		first = false;
	}
	if (!value && !first)
		return;
	line_str(l, first ? "" : "|");
	put_hex(l, value);
}

static void put_arg(struct line *l, const struct abi *a, const struct abi_call *call,
		    const struct abi_seen *seen, unsigned int n)
{
	const struct abi_arg *arg = &call->args[n];
	uint64_t value = value_of(seen, arg->reg);
	const char *name;

	line_text(l, arg->name);
	line_char(l, '=');
	if (is_unknown(seen, arg->reg)) {
		line_char(l, '?');
		return;
	}
	switch (arg->type) {
	case ABI_DEC:
		line_dec(l, value);
		break;
	case ABI_INT:
		put_int(l, signed_of(seen, arg->reg));
		break;
	case ABI_FLAGS:
		put_flags(l, &a->sets[arg->set], value);
		break;
	case ABI_STRING:
	case ABI_BYTES:
		abi_memory_text(l, arg, buffer_of(call, seen, n), value);
		break;
	case ABI_ENUM:
		name = abi_value_name(&a->sets[arg->set], value);
		if (name) {
			line_text(l, name);
			break;
		}
		/* fall through */
	default:
		put_hex(l, value);
	}
}

/* Sets of results have negative numbers, as they are in 64 bits. */
static const char *result_name(const struct abi *a, const struct abi_seen *seen)
{
	const struct abi_mode *m = mode_of(a, seen);
	uint64_t value =
		seen->width == ABI_32 ? (uint64_t)(int64_t)(int32_t)seen->result : seen->result;

	return m->return_set < 0 ? NULL : abi_value_name(&a->sets[m->return_set], value);
}

static void put_result(struct line *l, const struct abi *a, const struct abi_seen *seen)
{
	const char *name = result_name(a, seen);

	line_str(l, " = ");
	if (name)
		line_text(l, name);
	else
		put_hex(l, seen->result);
}

/* The guest has made it up: only a word cannot be taken for what stands around it. */
static void put_learned(struct line *l, const char *name)
{
	static const char of_words[] = "abcdefghijklmnopqrstuvwxyz"
				       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/-";
	size_t len = strlen(name);

	if (strspn(name, of_words) == len)
		line_bytes(l, name, len);
	else
		abi_quoted(l, (const uint8_t *)name, len);
}

/* Behind names that are not this number's alone there is the number. */
static void put_number(struct line *l, const struct abi_mode *m, const struct abi_call *call,
		       const struct abi_seen *seen, uint64_t number)
{
	if (seen->learned)
		put_learned(l, seen->learned);
	else if (call)
		line_text(l, call->name);
	if (!call || call == m->other || seen->learned) {
		line_char(l, '#');
		put_hex(l, number);
	}
}

bool abi_tells(const struct abi *a, const struct abi_seen *seen)
{
	const struct abi_mode *m = mode_of(a, seen);

	return m->known && !is_unknown(seen, m->number_reg);
}

void abi_call_name(struct line *l, const struct abi *a, const struct abi_seen *seen)
{
	const struct abi_mode *m = mode_of(a, seen);
	uint64_t number = abi_number(m, seen->regs);

	put_number(l, m, m->known ? abi_call(m, number) : NULL, seen, number);
}

void abi_call_line(struct line *l, const struct abi *a, const struct abi_seen *seen)
{
	const struct abi_mode *m = mode_of(a, seen);
	uint64_t number = abi_number(m, seen->regs);
	const struct abi_call *call = m->known ? abi_call(m, number) : NULL;
	unsigned int i;

	put_number(l, m, call, seen, number);
	line_char(l, '(');
	for (i = 0; call && i < call->nr_args; i++) {
		line_str(l, i ? ", " : "");
		put_arg(l, a, call, seen, i);
	}
	line_char(l, ')');
	if (seen->has_result)
		put_result(l, a, seen);
}

/* ---- JSON ------------------------------------------------------------------------------- */

static void flags_json(struct json *j, const char *key, const struct abi_set *set, uint64_t value)
{
	uint32_t i;

	json_object(j, key);
	json_hex(j, "value", value);
	json_array(j, "names");
	for (i = 0; i < set->nr; i++)
		if (set->values[i].value && (value & set->values[i].value) == set->values[i].value)
			json_str(j, NULL, set->values[i].name);
	json_end_array(j);
	json_end_object(j);
}

static void arg_json(struct json *j, const struct abi *a, const struct abi_call *call,
		     const struct abi_seen *seen, unsigned int n)
{
	const struct abi_arg *arg = &call->args[n];
	uint64_t value = value_of(seen, arg->reg);
	const char *name;

	if (is_unknown(seen, arg->reg)) {
		json_null(j, arg->name);
		return;
	}
	switch (arg->type) {
	case ABI_DEC:
		json_u64(j, arg->name, value);
		break;
	case ABI_INT:
		json_double(j, arg->name, (double)signed_of(seen, arg->reg));
		break;
	case ABI_FLAGS:
		flags_json(j, arg->name, &a->sets[arg->set], value);
		break;
	case ABI_STRING:
	case ABI_BYTES:
		abi_memory_json(j, arg, buffer_of(call, seen, n), value);
		break;
	case ABI_ENUM:
		name = abi_value_name(&a->sets[arg->set], value);
		if (name) {
			json_str(j, arg->name, name);
			break;
		}
		/* fall through */
	default:
		json_hex(j, arg->name, value);
	}
}

void abi_call_json(struct json *j, const struct abi *a, const struct abi_seen *seen)
{
	const struct abi_mode *m = mode_of(a, seen);
	uint64_t number = abi_number(m, seen->regs);
	const struct abi_call *call = m->known ? abi_call(m, number) : NULL;
	unsigned int i;

	json_str(j, "abi", a->name);
	json_hex(j, "number", number);
	json_str(j, "call", seen->learned ? seen->learned : call ? call->name : NULL);
	json_object(j, "args");
	for (i = 0; call && i < call->nr_args; i++)
		arg_json(j, a, call, seen, i);
	json_end_object(j);
	if (seen->has_result)
		json_hex(j, "result", seen->result);
	else
		json_null(j, "result");
	json_str(j, "result_name", seen->has_result ? result_name(a, seen) : NULL);
}

/* ---- names that calls give -------------------------------------------------------------- */

const char *abi_learns(const struct abi *a, const struct abi_seen *seen, uint64_t *number,
		       char buf[ABI_MAX_BYTES + 1])
{
	const struct abi_mode *m = mode_of(a, seen);
	const struct abi_call *call;
	const struct abi_buffer *b;
	size_t len;

	call = m->known ? abi_call(m, abi_number(m, seen->regs)) : NULL;
	if (!call || !call->learn || !seen->has_result)
		return NULL;
	b = buffer_of(call, seen, call->learn - 1U);
	if (!b)
		return NULL;
	len = abi_memory_start((uint8_t *)buf, b);
	if (!len || !buf[0] || !memchr(buf, 0, len))
		return NULL;
	*number = seen->width == ABI_32 ? (uint32_t)seen->result : seen->result;
	return buf;
}
