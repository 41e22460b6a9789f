/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * Entries taken apart and put together: every defined bit of every format and level, by name.
 * What is defined is a table of fields (pt_entry_fields()); decode, encode, text and JSON are
 * loops over it. SDM vol. 3, tables 4-4 to 4-20 and 29-1 to 29-7; AMD APM vol. 2, 5.2 to 5.4.
 */
#ifndef PT_ENTRY_H
#define PT_ENTRY_H

#include "pt_os.h"
#include "pt_walk.h"

/*
 * What a field means. A field's value is right-aligned, but those of PT_FIELD_ADDR and
 * PT_FIELD_ADDR_HI are physical addresses, to be ORed.
 */
enum pt_field_id {
	PT_FIELD_P,
	PT_FIELD_RW,
	PT_FIELD_US,
	PT_FIELD_PWT,
	PT_FIELD_PCD,
	PT_FIELD_A,
	PT_FIELD_D,
	PT_FIELD_PS,
	PT_FIELD_PAT,
	PT_FIELD_G,
	PT_FIELD_PK,
	PT_FIELD_NX,
	PT_FIELD_ADDR,	  /* several fields where the encryption bit lies between its bits */
	PT_FIELD_ADDR_HI, /* PSE-36: bits 32 and up of the address, at bits 13 and up */
	PT_FIELD_EPT_R,
	PT_FIELD_EPT_W,
	PT_FIELD_EPT_X,
	PT_FIELD_EPT_XU,
	PT_FIELD_EPT_MEMTYPE,
	PT_FIELD_EPT_IPAT,
	PT_FIELD_EPT_VGP,
	PT_FIELD_EPT_PW,
	PT_FIELD_EPT_SSS,
	PT_FIELD_EPT_SPP,
	PT_FIELD_EPT_SVE,
	PT_FIELD_SW,   /* ignored by the CPU, free for software: several fields of that name */
	PT_FIELD_RSVD, /* must be 0 in a present entry: several fields */
	PT_FIELD_ENC,  /* the memory encryption bit */
	PT_FIELD_LOST, /* bits of an entry that is not present: nothing to the CPU */
	PT_NR_FIELD_IDS,
};

struct pt_field {
	pt_u8 id;     /* enum pt_field_id */
	pt_u8 lo, hi; /* bits, both included */
};

#define PT_MAX_FIELDS 32

/*
 * The fields of an @entry of @level as @fmt's CPU sees it (a leaf, a table entry or one that is
 * not present; a bad entry as the leaf or table entry that it would be): they are disjoint,
 * ordered by ->lo, and cover all bits of the entry (32 in 32-bit tables, otherwise 64). Returns
 * how many; at most PT_MAX_FIELDS. @level is 1..fmt->top.
 *
 * What a switch beyond @fmt makes the CPU ignore has its name all the same: PK (CR4.PKE and PKS),
 * G (CR4.PGE), VGP, PW, SPP and SVE (controls of VMX).
 */
unsigned int pt_entry_fields(const struct pt_fmt *fmt, unsigned int level, pt_u64 entry,
			     struct pt_field *fields);

/* "P", "RW", "US", ... "memtype", "sw", "rsvd": the manual's names. "?" for no field. */
const char *pt_field_name(enum pt_field_id id);

/*
 * The value of a field of @entry: its bits shifted down, for PT_FIELD_ADDR left in place, for
 * PT_FIELD_ADDR_HI where they belong in the address.
 */
pt_u64 pt_field_get(const struct pt_field *field, pt_u64 entry);
/* *@entry with the field's bits replaced. 0; -EINVAL: @value does not fit, *@entry is as it was. */
int pt_field_set(const struct pt_field *field, pt_u64 *entry, pt_u64 value);

/* An entry in no format's own bits; what a format or an entry does not have is 0. */
struct pt_entry {
	pt_u8 kind;  /* enum pt_kind */
	pt_u8 why;   /* enum pt_why; not looked at by pt_encode() */
	pt_u8 level; /* 1..5 */
	/* EPT: r, w, x, xu. x86: r = P, w = RW, us = US, x = not NX (1 where there is no NX). */
	pt_u8 r, w, x, xu, us;
	pt_u8 a, d;				/* EPT: with ->ept_ad only */
	pt_u8 g, pwt, pcd, pat;			/* x86; pat is the PAT bit of a leaf */
	pt_u8 memtype, ipat, sss, vgp, pw, spp; /* leaves of EPT */
	pt_u8 sve; /* EPT: suppress #VE, of leaves and of entries that are not present */
	pt_u8 pkey;
	pt_u8 enc;    /* the encryption bit */
	pt_u64 addr;  /* of the page or the next table; PSE-36 bits in their place */
	pt_u64 other; /* bits that none of the above says, where they are: software's, reserved, PS
			 of a bad entry, and what there is in one that is not present */
};

/*
 * Takes @entry of @level (1..fmt->top) apart. Nothing is lost, whatever the bits: pt_encode() of
 * the result gives @entry again. (A 32-bit entry has no bits 32 to 63: they are not looked at.)
 */
void pt_decode(const struct pt_fmt *fmt, unsigned int level, pt_u64 entry, struct pt_entry *out);

/*
 * Puts an entry together: the one that pt_decode() takes apart into *@e. -EINVAL: there is none,
 * that is, a value does not fit its field, or this format, level and kind have no bit for it (an
 * address beyond MAXPHYADDR or not aligned to the page size, NX without EFER.NXE, a leaf at a
 * level that has none, a bit in ->other that has a member of its own), or @e->kind is not what the
 * bits say. *@entry is then as it was. A bad entry that says so is encoded, too.
 */
PT_MUST_CHECK int pt_encode(const struct pt_fmt *fmt, const struct pt_entry *e, pt_u64 *entry);

/* "PML5E", "PML4E", "PDPTE", "PDE", "PTE", as the manuals call an entry of @level; else "?". */
const char *pt_level_name(const struct pt_fmt *fmt, unsigned int level);

/* "not present", "reserved bit set", ...: of enum pt_why; "" for PT_WHY_NONE. */
const char *pt_why_name(enum pt_why why);

/* "UC", "WC", "WT", "WP", "WB"; of PAT entries also "UC-" (7); "?" for others. SDM, table 12-10. */
const char *pt_memtype_name(unsigned int memtype);

/*
 * PAT index 0..7 of an x86 leaf: PAT, PCD and PWT; of a table entry PCD and PWT; of an EPT entry,
 * which has none of them, 0. SDM vol. 3, 4.9.2.
 */
unsigned int pt_pat_index(const struct pt_fmt *fmt, unsigned int level, pt_u64 entry);

#endif
