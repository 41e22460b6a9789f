/* SPDX-License-Identifier: GPL-2.0 */
/* A hypercall in the words of its ABI. */
#ifndef ABI_ABI_TEXT_H
#define ABI_ABI_TEXT_H

#include "user/abi/abi.h"
#include "user/base/json.h"
#include "user/base/line.h"

#define ABI_MAX_PARTS 2 /* of a buffer: within its first page, and behind it */

/* What lies in one page: it was read, or not at all. */
struct abi_part {
	uint64_t address;
	uint16_t wanted; /* bytes; 0: there is no such part */
	uint16_t len;	 /* that are there: all, none, or those of a string up to its NUL */
	const uint8_t *bytes;
	const char *why; /* none are there, in words; NULL: it was read */
};

/* Memory that an argument leads to, as far as it could be read when the call was made. */
struct abi_buffer {
	bool recorded;	 /* otherwise nothing is known but its address */
	uint32_t length; /* bytes that the call means; of more than ABI_MAX_BYTES the first ones */
	struct abi_part part[ABI_MAX_PARTS];
};

/* One call. */
struct abi_seen {
	const uint64_t *regs; /* [ABI_NR_REGS], as the guest had set them */
	uint32_t unknown;     /* bit per register: it was not recorded */
	enum abi_width width;
	bool has_result;
	uint64_t result;
	const struct abi_buffer *buffers; /* of its STRING and BYTES arguments, in their order;
					   * there are none beyond ->nr_buffers */
	unsigned int nr_buffers;
	const char *learned; /* what a call named its number before; or NULL */
};

/*
 * "get_function(name="set_time") = 0x5", "unknown(rbx=0x1) = ENOSYS". Memory is text where all of
 * it can be printed, and else bytes: 01 02 03; "..." stands for what is longer, and for what could
 * not be read <48 bytes at 0x2000: why>. Of memory that was not recorded there is the address, and
 * of a register "?".
 */
void abi_call_line(struct line *l, const struct abi *a, const struct abi_seen *seen);
/* Only what the call is: "get_function", "unknown#0x4d". */
void abi_call_name(struct line *l, const struct abi *a, const struct abi_seen *seen);
/* Does @a say anything about such a call, and is the register there that has its number? */
bool abi_tells(const struct abi *a, const struct abi_seen *seen);

/*
 * Members of the open object: "abi", "number", "call" (or null), "args":{"name": value,...},
 * "result" (or null), "result_name" (or null). Addresses and hex values are strings; flags are
 * {"value","names":[...]}; memory is {"address","length","bytes":"hex" of what is there from its
 * begin on,"text" (of strings),"parts":[{"address","wanted","bytes","missing"}]}, and all but the
 * address null if it was not recorded. A register that was not recorded is null.
 */
void abi_call_json(struct json *j, const struct abi *a, const struct abi_seen *seen);

/*
 * The name that this call gives a number, with the number in *@number: NULL if it gives none. The
 * text lies in @buf.
 */
const char *abi_learns(const struct abi *a, const struct abi_seen *seen, uint64_t *number,
		       char buf[ABI_MAX_BYTES + 1]);

#endif
