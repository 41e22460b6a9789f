/* SPDX-License-Identifier: GPL-2.0 */
/* Tables of two dimensions, made by hand in a host memory that counts, with arrays of the truth. */
#ifndef TESTS_NESTED_TABLES_H
#define TESTS_NESTED_TABLES_H

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#include "user/pt/pt_mem_nested.h"

#define PAGE	    4096ULL
#define HOST_PAGES  6144
#define GUEST_PAGES 4096
#define TABLE_PAGES 512 /* guest-physical ones, for the guest's tables */
#define NOWHERE	    UINT64_MAX

/* One dimension: tables, and what they say as an array where addresses are small enough. */
struct dim {
	struct pt_fmt fmt;
	struct pt_space space;
	const struct dim *under;     /* translates the addresses of these tables; NULL: host */
	uint32_t next_table;	     /* page number */
	uint32_t frame[GUEST_PAGES]; /* page -> page; 0: hole */
	uint8_t level[GUEST_PAGES];  /* of the leaf */
};

/* Of one test: Criterion runs each in a process of its own. */
static uint8_t host[HOST_PAGES * PAGE];
static uint64_t reads;
static struct dim ept, guest;
static struct pt_mem_nested nested;

static inline int host_read(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	(void)mem;
	reads++;
	if (addr >= sizeof(host) || len > sizeof(host) - addr)
		return -EFAULT;
	memcpy(buf, host + addr, len);
	return 0;
}

static inline int host_cmpxchg(struct pt_mem *mem, pt_u64 addr, pt_u32 size, pt_u64 *old,
			       pt_u64 new)
{
	uint64_t now = 0;

	(void)mem;
	memcpy(&now, host + addr, size);
	if (now != *old) {
		*old = now;
		return -EAGAIN;
	}
	memcpy(host + addr, &new, size);
	return 0;
}

static const struct pt_mem_ops host_ops = { .read = host_read, .cmpxchg = host_cmpxchg };
static struct pt_mem host_mem = { .ops = &host_ops };

/* Where @addr of @d's input lies in the end, by the arrays; NOWHERE: in a hole. */
static inline uint64_t flat(const struct dim *d, uint64_t addr)
{
	for (; d; d = d->under) {
		if (addr / PAGE >= GUEST_PAGES || !d->frame[addr / PAGE])
			return NOWHERE;
		addr = d->frame[addr / PAGE] * PAGE + addr % PAGE;
	}
	return addr;
}

static inline uint8_t *entry_at(const struct dim *d, uint64_t table, uint64_t ia,
				unsigned int level)
{
	unsigned int wide = d->fmt.mode != PT_MODE_32BIT, bits = wide ? 9 : 10;
	uint64_t index = ia >> (12 + bits * (level - 1)) & ((1U << bits) - 1);

	if (d->fmt.mode == PT_MODE_PAE && level == 3)
		index &= 3;
	return host + flat(d->under, table) + (index << (wide ? 3 : 2));
}

static inline uint64_t entry_bits(const struct dim *d, unsigned int level, bool leaf)
{
	uint64_t large = leaf && level > 1 ? PT_PS : 0;

	if (d->fmt.mode >= PT_MODE_EPT4)
		return 7 | large | (leaf ? 6 << 3 : 0);
	if (d->fmt.mode == PT_MODE_PAE && level == 3)
		return PT_P;
	return PT_P | PT_RW | PT_US | large;
}

/* Maps one page of @level, with the tables above it. */
static inline void map(struct dim *d, uint64_t ia, uint64_t pa, unsigned int level)
{
	size_t size = d->fmt.mode == PT_MODE_32BIT ? 4 : 8;
	uint64_t table = d->space.root, entry;
	unsigned int l;
	uint8_t *at;

	for (l = d->fmt.top; l > level; l--) {
		entry = 0;
		at = entry_at(d, table, ia, l);
		memcpy(&entry, at, size);
		if (!entry) {
			entry = d->next_table++ * PAGE | entry_bits(d, l, false);
			memcpy(at, &entry, size);
		}
		table = entry & PT_BITS(51, 12);
	}
	entry = pa | entry_bits(d, level, true);
	memcpy(entry_at(d, table, ia, level), &entry, size);
}

static inline void map_frame(struct dim *d, uint32_t page, uint32_t frame)
{
	map(d, page * PAGE, frame * PAGE, 1);
	d->frame[page] = frame;
	d->level[page] = 1;
}

static inline void dim_init(struct dim *d, enum pt_mode mode, bool npt, const struct dim *under,
			    struct pt_mem *mem, uint32_t first_table)
{
	struct pt_feat feat = { .maxphyaddr = 46, .nx = 1, .page1g = 1, .pse = 1, .npt = npt };

	memset(d, 0, sizeof(*d));
	cr_assert_eq(pt_fmt_init(&d->fmt, mode, &feat), 0);
	d->under = under;
	d->next_table = first_table + 1;
	d->space = (struct pt_space){ &d->fmt, first_table * PAGE, mem, 0 };
}

/*
 * Guest-physical memory of 16 MiB: scattered pages, but for the second 2 MiB, which are one leaf.
 * Above the guest's tables every eighth page is a hole.
 */
static inline void build_ept(enum pt_mode mode, bool npt)
{
	uint32_t i;

	memset(host, 0, sizeof(host));
	dim_init(&ept, mode, npt, NULL, &host_mem, 1);
	for (i = 0; i < GUEST_PAGES; i++) {
		if (i / 512 == 1) {
			ept.frame[i] = 1024 + i % 512;
			ept.level[i] = 2;
		} else if (i < TABLE_PAGES || i % 8) {
			map_frame(&ept, i, 2048 + i * 1237 % 4096);
		}
	}
	map(&ept, 512 * PAGE, 1024 * PAGE, 2);
	cr_assert_lt(ept.next_table, 1024);
	cr_assert_eq(pt_mem_nested_init(&nested, &ept.space), 0);
}

#endif
