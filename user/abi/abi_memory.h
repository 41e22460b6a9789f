/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that the arguments of a call lead to, as text and as JSON. */
#ifndef ABI_ABI_MEMORY_H
#define ABI_ABI_MEMORY_H

#include "user/abi/abi_text.h"

/*
 * What there is from the begin of a buffer on, without a gap: its length. @to has room for
 * ABI_MAX_BYTES.
 */
size_t abi_memory_start(uint8_t *to, const struct abi_buffer *b);
/* A guest's text, which may be anything, in quotes: what may not be shown stands there as bytes. */
void abi_quoted(struct line *l, const uint8_t *bytes, size_t len);
/* As abi_call_line() has it. @b: NULL if it was not recorded. */
void abi_memory_text(struct line *l, const struct abi_arg *arg, const struct abi_buffer *b,
		     uint64_t address);
/* A member of the open object, called as the argument, as abi_call_json() has it. */
void abi_memory_json(struct json *j, const struct abi_arg *arg, const struct abi_buffer *b,
		     uint64_t address);

#endif
