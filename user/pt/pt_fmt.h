/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Page-table formats as data: what the stepper (pt_walk.h) needs to know about one paging mode.
 * Sources: Intel SDM vol. 3, 4.5 (4-level and 5-level paging) and AMD APM vol. 2, 5.3 and 5.4.
 */
#ifndef PT_FMT_H
#define PT_FMT_H

#include "pt_types.h"

/* Bits of an x86 long-mode entry. */
#define PT_P	 PT_BIT(0)
#define PT_RW	 PT_BIT(1)
#define PT_US	 PT_BIT(2)
#define PT_PWT	 PT_BIT(3)
#define PT_PCD	 PT_BIT(4)
#define PT_A	 PT_BIT(5)
#define PT_D	 PT_BIT(6)
#define PT_PS	 PT_BIT(7) /* PAT in a level 1 entry */
#define PT_G	 PT_BIT(8)
#define PT_NX	 PT_BIT(63)
#define PT_PA_LO 12
#define PT_PA_HI 51

#define PT_MAX_LEVEL 5

enum pt_mode { PT_MODE_4LEVEL, PT_MODE_5LEVEL };

/* What this CPU can do, beyond the mode itself. */
struct pt_feat {
	pt_u8 maxphyaddr; /* physical address width in bits, CPUID 80000008H:EAX[7:0]; 32..52 */
	pt_u8 nx;	  /* EFER.NXE: bit 63 means no-execute; otherwise it is reserved */
	pt_u8 page1g;	  /* CPUID 80000001H:EDX.Page1GB: a level 3 entry may be a leaf */
	pt_u8 enc_bit;	  /* position of the memory encryption (SME C) bit; 0: none */
};

/* Levels count from 1 (4 KiB entries); index 0 of the arrays is unused. */
struct pt_fmt {
	pt_u64 addr_mask;		     /* entry bits that hold the next physical address */
	pt_u64 rsvd_table[PT_MAX_LEVEL + 1]; /* must be 0 in a present table entry */
	pt_u64 rsvd_leaf[PT_MAX_LEVEL + 1];  /* must be 0 in a present leaf */
	pt_u8 top;			     /* level of the root table: 4 or 5 */
	pt_u8 leaf_levels;		     /* bit L: an entry of level L with PS set is a leaf */
	pt_u8 va_bits;			     /* width of a canonical address: 48 or 57 */
};

static __always_inline pt_u32 pt_level_shift(pt_u32 level)
{
	return 12 + 9 * (level - 1);
}

/* Bytes that one leaf of @level maps: 4 KiB, 2 MiB, 1 GiB. */
static __always_inline pt_u64 pt_level_size(pt_u32 level)
{
	return PT_BIT(pt_level_shift(level));
}

/* Index of @va in a table of @level, 0..511. */
static __always_inline pt_u32 pt_index(pt_u64 va, pt_u32 level)
{
	return (pt_u32)(va >> pt_level_shift(level)) & 511;
}

/*
 * Fills @fmt for long-mode paging (SDM vol. 3, tables 4-14 to 4-20). Returns 0, or -1 when
 * @feat is out of range; @fmt is then untouched.
 */
static inline int pt_fmt_init(struct pt_fmt *fmt, enum pt_mode mode, const struct pt_feat *feat)
{
	pt_u64 enc, high;
	pt_u32 level;

	if (feat->maxphyaddr < 32 || feat->maxphyaddr > 52)
		return -1;
	if (feat->enc_bit && (feat->enc_bit < 32 || feat->enc_bit > 62))
		return -1;
	enc = feat->enc_bit ? PT_BIT(feat->enc_bit) : 0;
	high = feat->maxphyaddr == 52 ? 0 : PT_BITS(PT_PA_HI, feat->maxphyaddr);
	fmt->top = mode == PT_MODE_5LEVEL ? 5 : 4;
	fmt->va_bits = mode == PT_MODE_5LEVEL ? 57 : 48;
	fmt->leaf_levels = (pt_u8)(1 << 2 | (feat->page1g ? 1 << 3 : 0));
	fmt->addr_mask = PT_BITS(PT_PA_HI, PT_PA_LO) & ~high & ~enc;
	if (!feat->nx)
		high |= PT_NX;
	high &= ~enc;
	for (level = 0; level <= PT_MAX_LEVEL; level++) {
		fmt->rsvd_table[level] = high;
		fmt->rsvd_leaf[level] = high;
		/* Address bits below the page size are reserved in a large leaf; bit 12 is PAT. */
		if (level == 2 || level == 3)
			fmt->rsvd_leaf[level] |= PT_BITS(pt_level_shift(level) - 1, 13);
		if (level > 3 || (level == 3 && !feat->page1g))
			fmt->rsvd_table[level] |= PT_PS;
	}
	return 0;
}

/* SDM vol. 1, 3.3.7.1: bits 63..va_bits-1 are all equal. */
static __always_inline int pt_canonical(const struct pt_fmt *fmt, pt_u64 va)
{
	pt_u32 unused = 64 - fmt->va_bits;

	return (pt_u64)((__INT64_TYPE__)(va << unused) >> unused) == va;
}

#endif
