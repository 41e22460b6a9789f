/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bytes as an address space. A header chooses format, features and root; what follows is the
 * memory: repeated over 16 KiB, so that a few entries are in every table, or as it is.
 */
#ifndef TESTS_FUZZ_PT_INPUT_H
#define TESTS_FUZZ_PT_INPUT_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/pt/pt_space.h"

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

struct pt_input_header {
	uint8_t mode, maxphyaddr, enc_bit;
	uint8_t feat; /* bits of struct pt_feat */
	uint8_t how;  /* FLAT, FOLD, WINDOW */
	uint8_t option;
	uint16_t root;
	uint64_t a, b; /* addresses */
};

#define PT_INPUT_FLAT	1 /* the memory ends with the input */
#define PT_INPUT_FOLD	2 /* tables lie in the first 16 KiB: address bits above are cleared */
#define PT_INPUT_WINDOW 4
#define PT_INPUT_MEMORY 16384

struct pt_input {
	struct pt_input_header header;
	struct pt_fmt fmt;
	struct pt_mem mem;
	struct pt_space space;
	uint64_t size;
	unsigned int reads;
	uint8_t memory[PT_INPUT_MEMORY] __attribute__((aligned(8)));
};

static inline int pt_input_read(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	struct pt_input *in = pt_container_of(mem, struct pt_input, mem);

	in->reads++;
	/* What pt_mem.h promises. */
	CHECK(len && len <= 4096 && !(len & (len - 1)) && addr % len == 0);
	if (addr > in->size || in->size - addr < len)
		return -EFAULT;
	memcpy(buf, in->memory + addr, len);
	return 0;
}

/* Clears address bits 14 to 31 of all entries: those of large pages lie higher. */
static inline void pt_input_fold(struct pt_input *in)
{
	uint64_t i, entry, clear = PT_BITS(31, 14);

	if (in->fmt.entry_shift == 2)
		clear |= clear << 32;
	for (i = 0; i + 8 <= in->size; i += 8) {
		memcpy(&entry, in->memory + i, 8);
		entry &= ~clear;
		memcpy(in->memory + i, &entry, 8);
	}
}

static inline int pt_input_format(struct pt_input *in)
{
	const struct pt_input_header *h = &in->header;
	struct pt_feat feat = {
		.maxphyaddr = (pt_u8)(32 + h->maxphyaddr % 21),
		.enc_bit = (pt_u8)(h->enc_bit % 4 ? 0 : 32 + h->enc_bit / 4 % 20),
		.nx = h->feat & 1,
		.page1g = h->feat >> 1 & 1,
		.pse = h->feat >> 2 & 1,
		.pse36 = h->feat >> 3 & 1,
		.npt = h->feat >> 4 & 1,
		.ept_exec_only = h->feat >> 5 & 1,
		.ept_mbec = h->feat >> 6 & 1,
		.ept_ad = h->feat >> 7 & 1,
	};

	return pt_fmt_init(&in->fmt, (enum pt_mode)(h->mode % (PT_MODE_EPT5 + 1)), &feat);
}

/* -1: too short, or no format of that kind. */
static inline int pt_input_init(struct pt_input *in, const uint8_t *data, size_t size)
{
	static const struct pt_mem_ops ops = { .read = pt_input_read };
	size_t i;

	if (size <= sizeof(in->header))
		return -1;
	memcpy(&in->header, data, sizeof(in->header));
	data += sizeof(in->header);
	size -= sizeof(in->header);
	if (pt_input_format(in))
		return -1;
	in->size =
		in->header.how & PT_INPUT_FLAT && size < PT_INPUT_MEMORY ? size : PT_INPUT_MEMORY;
	for (i = 0; i < in->size; i += size)
		memcpy(in->memory + i, data, size < in->size - i ? size : in->size - i);
	if (in->header.how & PT_INPUT_FOLD)
		pt_input_fold(in);
	in->reads = 0;
	in->mem = (struct pt_mem){ .ops = &ops };
	if (in->header.how & PT_INPUT_WINDOW) {
		in->mem.window = in->memory;
		in->mem.window_len = in->size;
	}
	in->space = (struct pt_space){ .fmt = &in->fmt,
				       .root = in->header.root % PT_INPUT_MEMORY,
				       .mem = &in->mem };
	return 0;
}

#endif
