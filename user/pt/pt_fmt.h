/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Page-table formats as data: what the stepper (pt_walk.h) needs to know about one paging mode.
 * Sources: Intel SDM vol. 3, 4.3 (32-bit), 4.4 (PAE), 4.5 (4-level and 5-level), 29.3 (EPT); AMD
 * APM vol. 2, 5.2 to 5.4 and 15.25 (nested paging, which uses the formats of the host's mode).
 */
#ifndef PT_FMT_H
#define PT_FMT_H

#include "pt_types.h"

/* Bits of an x86 entry; 32-bit entries have the low 32 of them. */
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

/* PAT of a leaf above level 1 (bit 7 is PS there), and of a level 1 entry. */
#define PT_PAT_LARGE PT_BIT(12)
#define PT_PAT_4K    PT_BIT(7)
#define PT_PK	     PT_BITS(62, 59)

/* Bits of an EPT entry. */
#define EPT_R	    PT_BIT(0)
#define EPT_W	    PT_BIT(1)
#define EPT_X	    PT_BIT(2) /* with mode-based execute control: for supervisor-mode addresses */
#define EPT_MEMTYPE PT_BITS(5, 3)
#define EPT_IPAT    PT_BIT(6)
#define EPT_PS	    PT_BIT(7)
#define EPT_A	    PT_BIT(8)
#define EPT_D	    PT_BIT(9)
#define EPT_XU	    PT_BIT(10) /* mode-based execute control: for user-mode addresses */
#define EPT_VGP	    PT_BIT(57) /* verify guest paging */
#define EPT_PW	    PT_BIT(58) /* paging-write access */
#define EPT_SSS	    PT_BIT(60) /* supervisor shadow stack */
#define EPT_SPP	    PT_BIT(61) /* sub-page write permissions */
#define EPT_SVE	    PT_BIT(63) /* suppress #VE */

#define PT_MAX_LEVEL 5

enum pt_mode {
	PT_MODE_NONE, /* CR0.PG clear: addresses are physical, 32 bits wide */
	PT_MODE_32BIT,
	PT_MODE_PAE,
	PT_MODE_4LEVEL,
	PT_MODE_5LEVEL,
	PT_MODE_EPT4,
	PT_MODE_EPT5,
};

/* What this CPU can do, and what is switched on, beyond the mode itself. Each but the two widths
 * is 0 or 1; those that mean nothing to a mode are ignored by it. */
struct pt_feat {
	pt_u8 maxphyaddr; /* physical address width in bits, CPUID 80000008H:EAX[7:0]; 32..52 */
	pt_u8 nx;	  /* EFER.NXE: bit 63 means no-execute; otherwise it is reserved */
	pt_u8 page1g;	  /* CPUID 80000001H:EDX.Page1GB, for EPT IA32_VMX_EPT_VPID_CAP[17] */
	pt_u8 enc_bit;	  /* position of the memory encryption (SME C) bit; 0: none */
	pt_u8 pse;	  /* CR4.PSE: 4 MiB leaves in 32-bit tables */
	pt_u8 pse36;	  /* CPUID 1:EDX.PSE-36: they reach physical addresses of 40 bits */
	pt_u8 amd;     /* an AMD CPU: bit 8 of PML4Es and PML5Es is reserved (APM vol. 2, 5.3.3) */
	pt_u8 npt;     /* the table is AMD's nested one: its input is a gpa, not sign-extended */
	pt_u8 pdpte_a; /* PAE: A in PDPTEs is set by the machine, as QEMU does, not reserved */
	pt_u8 ept_exec_only; /* IA32_VMX_EPT_VPID_CAP[0]: X without R is no misconfiguration */
	pt_u8 ept_ad;	     /* EPTP[6]: accessed and dirty flags */
	pt_u8 ept_mbec;	     /* mode-based execute control: EPT_XU counts */
	pt_u8 ept_sss;	     /* EPTP[7]: supervisor shadow-stack control */
};

/*
 * Levels count from 1 (4 KiB entries); index 0 of the arrays is unused. Entries of 32-bit tables
 * are zero-extended. Filled by pt_fmt_init() and constant from then on.
 */
struct pt_fmt {
	pt_u64 addr_mask;		     /* entry bits that hold the next physical address */
	pt_u64 root_mask;		     /* bits of CR3, EPTP or nCR3 that hold the root's */
	pt_u64 present;			     /* an entry with none of these bits is not present */
	pt_u64 pse36_mask;		     /* bits of a 4 MiB leaf that hold pa bits 32 and up */
	pt_u64 rsvd_table[PT_MAX_LEVEL + 1]; /* must be 0 in a present table entry */
	pt_u64 rsvd_leaf[PT_MAX_LEVEL + 1];  /* must be 0 in a present leaf */
	/*
	 * What nearly all entries look like, in one comparison: an entry of level L with
	 * (entry & plain_mask[L]) == plain[L] is a well-formed table entry, of level 1 a leaf, that
	 * restricts access as pt_entry_perm() says. Others may be well-formed, too.
	 */
	pt_u64 plain_mask[PT_MAX_LEVEL + 1];
	pt_u64 plain[PT_MAX_LEVEL + 1];
	pt_u64 va_bias;	   /* an address can be walked if none of the bits ->va_high ... */
	pt_u64 va_high;	   /* ... is set in its sum with this */
	pt_u16 bad_access; /* EPT: bit N: the access bits N (pt_ept_access()) are misconfigured */
	pt_u8 bad_memtype; /* EPT leaves: bit N: memory type N is misconfigured */
	pt_u8 mode;	   /* enum pt_mode */
	pt_u8 ept;	   /* entries are EPT entries */
	pt_u8 top;	   /* level of the root table, 2..5; 0 without paging */
	pt_u8 leaf_levels; /* bit L: an entry of level L with PS set is a leaf */
	pt_u8 free_levels; /* bit L: entries of level L do not restrict access (PAE's PDPTEs) */
	pt_u8 va_bits;	   /* width of an input address */
	pt_u8 va_signed;   /* input addresses are sign-extended ("canonical"), else zero-extended */
	pt_u8 index_bits;  /* of an index, below the top level */
	pt_u8 entry_shift; /* an entry has 1 << entry_shift bytes: 2 or 3 */
	struct pt_feat feat;
};

static __always_inline pt_u32 pt_level_shift(const struct pt_fmt *fmt, pt_u32 level)
{
	return 12 + fmt->index_bits * (level - 1);
}

/* Bytes that one leaf of @level maps: 4 KiB, 2 MiB (32-bit: 4 MiB), 1 GiB. */
static __always_inline pt_u64 pt_level_size(const struct pt_fmt *fmt, pt_u32 level)
{
	return PT_BIT(pt_level_shift(fmt, level));
}

/* Bits of an index into a table of @level: 9, in 32-bit tables 10, of PAE's root 2. */
static __always_inline pt_u32 pt_index_bits(const struct pt_fmt *fmt, pt_u32 level)
{
	return level == fmt->top ? fmt->va_bits - pt_level_shift(fmt, level) : fmt->index_bits;
}

/* Index of @ia in a table of @level. */
static __always_inline pt_u32 pt_index(const struct pt_fmt *fmt, pt_u64 ia, pt_u32 level)
{
	return (pt_u32)(ia >> pt_level_shift(fmt, level) & (PT_BIT(pt_index_bits(fmt, level)) - 1));
}

/* Entries, and bytes, of a table of @level. */
static __always_inline pt_u32 pt_table_entries(const struct pt_fmt *fmt, pt_u32 level)
{
	return (pt_u32)PT_BIT(pt_index_bits(fmt, level));
}

static __always_inline pt_u32 pt_table_bytes(const struct pt_fmt *fmt, pt_u32 level)
{
	return pt_table_entries(fmt, level) << fmt->entry_shift;
}

/* R, W and X as bits 0..2, XU as bit 3: the index into ->bad_access. */
static __always_inline pt_u32 pt_ept_access(pt_u64 entry)
{
	return (pt_u32)(entry & 7) | (pt_u32)(entry >> 7 & 8);
}

/* SDM vol. 3, tables 4-5 and 4-6: a 4 MiB leaf may hold address bits 32..39 in its bits 13..20. */
static inline void pt_fmt_init_32bit(struct pt_fmt *fmt)
{
	pt_u32 width = fmt->feat.maxphyaddr < 40 ? fmt->feat.maxphyaddr : 40;

	fmt->top = 2;
	fmt->index_bits = 10;
	fmt->entry_shift = 2;
	fmt->va_bits = 32;
	fmt->addr_mask = PT_BITS(31, 12);
	fmt->root_mask = PT_BITS(31, 12);
	if (!fmt->feat.pse)
		return;
	fmt->leaf_levels = 1 << 2;
	if (fmt->feat.pse36 && width > 32)
		fmt->pse36_mask = PT_BITS(width - 20, 13);
	fmt->rsvd_leaf[2] = PT_BITS(21, 13) & ~fmt->pse36_mask;
}

/* SDM vol. 3, tables 4-8 to 4-11 (PAE) and 4-14 to 4-20 (4-level and 5-level paging). */
static inline void pt_fmt_init_long(struct pt_fmt *fmt, pt_u64 high)
{
	pt_u32 level;

	if (!fmt->feat.nx)
		high |= PT_NX;
	for (level = 1; level <= fmt->top; level++) {
		fmt->rsvd_table[level] = high;
		fmt->rsvd_leaf[level] = high;
		/* Address bits below the page size are reserved in a large leaf; bit 12 is PAT. */
		if (level == 2 || level == 3)
			fmt->rsvd_leaf[level] |= PT_BITS(pt_level_shift(fmt, level) - 1, 13);
		if (level > 1 && !(fmt->leaf_levels >> level & 1))
			fmt->rsvd_table[level] |= PT_PS;
		/* AMD, and so all of NPT, reserves bit 8 of PML4Es and PML5Es: APM 5.3.3, 5.3.4. */
		if (level > 3 && (fmt->feat.amd || fmt->feat.npt))
			fmt->rsvd_table[level] |= PT_G;
	}
	if (fmt->mode != PT_MODE_PAE)
		return;
	fmt->rsvd_table[3] |= PT_BITS(8, 5) | PT_BITS(2, 1) | PT_NX;
	if (fmt->feat.pdpte_a)
		fmt->rsvd_table[3] &= ~PT_A;
	fmt->free_levels = 1 << 3;
	fmt->root_mask = PT_BITS(31, 5);
}

/* SDM vol. 3, 29.3.2 and tables 29-1 to 29-7; misconfigurations: 29.3.3.1. */
static inline void pt_fmt_init_ept(struct pt_fmt *fmt, pt_u64 high)
{
	pt_u32 level;

	fmt->ept = 1;
	fmt->present = EPT_R | EPT_W | EPT_X | (fmt->feat.ept_mbec ? EPT_XU : 0);
	fmt->bad_access = 0x4444; /* W without R */
	if (!fmt->feat.ept_exec_only)
		fmt->bad_access |= 0x1010 | (fmt->feat.ept_mbec ? 0x0100 : 0);
	fmt->bad_memtype = 1 << 2 | 1 << 3 | 1 << 7;
	for (level = 1; level <= fmt->top; level++) {
		fmt->rsvd_table[level] = high | PT_BITS(6, 3);
		fmt->rsvd_leaf[level] = high;
		if (level == 2 || level == 3)
			fmt->rsvd_leaf[level] |= PT_BITS(pt_level_shift(fmt, level) - 1, 12);
		if (level > 1 && !(fmt->leaf_levels >> level & 1))
			fmt->rsvd_table[level] |= EPT_PS;
	}
}

/* The modes with entries of 8 bytes. */
static inline void pt_fmt_init_64bit(struct pt_fmt *fmt)
{
	const struct pt_feat *feat = &fmt->feat;
	pt_u64 enc = feat->enc_bit ? PT_BIT(feat->enc_bit) : 0;
	pt_u64 high = (feat->maxphyaddr == 52 ? 0 : PT_BITS(PT_PA_HI, feat->maxphyaddr)) & ~enc;

	fmt->addr_mask = PT_BITS(PT_PA_HI, PT_PA_LO) & ~high & ~enc;
	fmt->root_mask = fmt->addr_mask;
	fmt->leaf_levels = 1 << 2;
	if (fmt->mode == PT_MODE_PAE) {
		fmt->top = 3;
		/* Bits 62..52 hold nothing here, unlike those of 4-level paging. */
		pt_fmt_init_long(fmt, (high | PT_BITS(62, 52)) & ~enc);
		return;
	}
	if (feat->page1g)
		fmt->leaf_levels |= 1 << 3;
	fmt->top = fmt->mode == PT_MODE_5LEVEL || fmt->mode == PT_MODE_EPT5 ? 5 : 4;
	fmt->va_bits = fmt->top == 5 ? 57 : 48;
	if (fmt->mode >= PT_MODE_EPT4) {
		pt_fmt_init_ept(fmt, high);
		return;
	}
	fmt->va_signed = !feat->npt;
	pt_fmt_init_long(fmt, high);
}

/* What follows from the rest. */
static inline void pt_fmt_init_plain(struct pt_fmt *fmt)
{
	pt_u32 level;

	fmt->va_high = ~(PT_BIT(fmt->va_bits) - 1);
	fmt->va_bias = fmt->va_signed ? PT_BIT(fmt->va_bits - 1) : 0;
	/* Bit 0 is P or, in EPT, R; with R no access bits are misconfigured. */
	for (level = 0; level <= PT_MAX_LEVEL; level++) {
		fmt->plain[level] = PT_P;
		if (level < 2 || level > fmt->top || fmt->free_levels >> level & 1)
			continue;
		fmt->plain_mask[level] = PT_P | fmt->rsvd_table[level];
		if (fmt->leaf_levels >> level & 1)
			fmt->plain_mask[level] |= PT_PS;
	}
	fmt->plain_mask[1] = PT_P | fmt->rsvd_leaf[1];
	if (fmt->ept) {
		fmt->plain_mask[1] |= EPT_MEMTYPE;
		fmt->plain[1] |= 6 << 3; /* write-back */
	}
}

/*
 * Fills @fmt for @mode. Returns 0, or -1 when a width of @feat is out of range, or when the mode
 * and ->npt contradict each other; @fmt is then not to be used.
 */
static inline int pt_fmt_init(struct pt_fmt *fmt, enum pt_mode mode, const struct pt_feat *feat)
{
	if (feat->maxphyaddr < 32 || feat->maxphyaddr > 52)
		return -1;
	if (feat->enc_bit && (feat->enc_bit < 32 || feat->enc_bit > PT_PA_HI))
		return -1;
	if (mode > PT_MODE_EPT5 || (feat->npt && mode >= PT_MODE_EPT4))
		return -1;
	__builtin_memset(fmt, 0, sizeof(*fmt));
	fmt->mode = (pt_u8)mode;
	fmt->feat = *feat;
	fmt->present = PT_P;
	fmt->index_bits = 9;
	fmt->entry_shift = 3;
	fmt->va_bits = 32;
	if (mode == PT_MODE_32BIT)
		pt_fmt_init_32bit(fmt);
	else if (mode != PT_MODE_NONE)
		pt_fmt_init_64bit(fmt);
	pt_fmt_init_plain(fmt);
	return 0;
}

/*
 * Can @ia be walked? SDM vol. 1, 3.3.7.1: bits 63..va_bits-1 of a linear address are all equal.
 * Those of a guest-physical address and of a 32-bit one above va_bits are 0.
 */
static __always_inline int pt_canonical(const struct pt_fmt *fmt, pt_u64 ia)
{
	return !((ia + fmt->va_bias) & fmt->va_high);
}

#endif
