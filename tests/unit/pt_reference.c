// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <string.h>

#include "tests/unit/pt_reference.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)
#define GIB (KIB * MIB)

static bool bit(uint64_t value, unsigned int nr)
{
	return value >> nr & 1;
}

/* Bits @high down to @low of @value, shifted down. */
static uint64_t field(uint64_t value, unsigned int high, unsigned int low)
{
	return value << (63 - high) >> (63 - high + low);
}

static struct ref_result all_rights(void)
{
	return (struct ref_result){ .read = 1, .write = 1, .exec = 1, .user = 1, .user_exec = 1 };
}

static struct ref_result ended(struct ref_result r, enum ref_end end)
{
	r.end = end;
	return r;
}

static struct ref_result page(struct ref_result r, uint64_t frame, uint64_t addr)
{
	r.pa = frame + addr % r.span;
	return ended(r, REF_PAGE);
}

/* The entry at @where; false: no memory is there. */
static bool fetch(const struct ref_machine *m, struct ref_result *r, int level, uint64_t where,
		  size_t bytes)
{
	r->level = level;
	r->where = where;
	r->value = 0;
	if (where > m->size || m->size - where < bytes)
		return false;
	memcpy(&r->value, m->memory + where, bytes);
	r->reads++;
	return true;
}

struct ref_result ref_walk_none(const struct ref_machine *m, uint64_t root, uint64_t addr)
{
	struct ref_result r = all_rights();

	(void)m;
	(void)root;
	if (addr >= 4 * GIB)
		return ended(r, REF_NONCANONICAL);
	r.span = 4 * GIB;
	return page(r, 0, addr);
}

/* SDM 4.6.1: R/W and U/S of every entry count. There is no execute-disable. */
static void restrict_32bit(struct ref_result *r)
{
	if (!bit(r->value, 1))
		r->write = 0;
	if (!bit(r->value, 2))
		r->user = 0;
}

/* SDM 4.3, tables 4-3 to 4-6. */
struct ref_result ref_walk_32bit(const struct ref_machine *m, uint64_t root, uint64_t addr)
{
	struct ref_result r = all_rights();
	unsigned int width = m->maxphyaddr < 40 ? m->maxphyaddr : 40, i;
	uint64_t frame;

	if (addr >= 4 * GIB)
		return ended(r, REF_NONCANONICAL);
	if (!m->pse36)
		width = 32;

	r.span = 4 * MIB;
	if (!fetch(m, &r, 2, field(root, 31, 12) * 4096 + field(addr, 31, 22) * 4, 4))
		return ended(r, REF_NO_MEMORY);
	if (!bit(r.value, 0))
		return ended(r, REF_NOT_PRESENT);
	if (bit(r.value, 7) && m->pse) {
		/* Bits 13 up hold address bits 32 up to the width; the rest to 21 is reserved. */
		frame = field(r.value, 31, 22) * 4 * MIB;
		for (i = 13; i <= 21; i++) {
			if (!bit(r.value, i))
				continue;
			if (i - 13 + 32 >= width)
				return ended(r, REF_RESERVED);
			frame += UINT64_C(1) << (i - 13 + 32);
		}
		restrict_32bit(&r);
		return page(r, frame, addr);
	}
	restrict_32bit(&r);

	r.span = 4 * KIB;
	if (!fetch(m, &r, 1, field(r.value, 31, 12) * 4096 + field(addr, 21, 12) * 4, 4))
		return ended(r, REF_NO_MEMORY);
	if (!bit(r.value, 0))
		return ended(r, REF_NOT_PRESENT);
	restrict_32bit(&r);
	return page(r, field(r.value, 31, 12) * 4096, addr);
}

/* Is one of bits @high to @low set, the encryption bit (APM 7.10.2) left aside? */
static bool any_of(const struct ref_machine *m, uint64_t value, unsigned int high, unsigned int low)
{
	if (m->c_bit && bit(value, m->c_bit))
		value -= UINT64_C(1) << m->c_bit;
	return field(value, high, low) != 0;
}

/* The physical address in bits MAXPHYADDR-1 to 12 without the encryption bit. */
static uint64_t address(const struct ref_machine *m, uint64_t value)
{
	uint64_t result = field(value, m->maxphyaddr - 1, 12) << 12;

	if (m->c_bit && m->c_bit < m->maxphyaddr && bit(result, m->c_bit))
		result -= UINT64_C(1) << m->c_bit;
	return result;
}

static void restrict_64bit(struct ref_result *r)
{
	restrict_32bit(r);
	if (bit(r->value, 63))
		r->exec = r->user_exec = 0;
}

/* Reserved in each of PAE's PDEs and PTEs (SDM tables 4-9 to 4-11): 62 to MAXPHYADDR, and XD. */
static bool reserved_pae(const struct ref_machine *m, uint64_t value)
{
	return any_of(m, value, 62, m->maxphyaddr) || (bit(value, 63) && !m->nxe);
}

/* SDM 4.4. */
struct ref_result ref_walk_pae(const struct ref_machine *m, uint64_t root, uint64_t addr)
{
	struct ref_result r = all_rights();

	if (addr >= 4 * GIB)
		return ended(r, REF_NONCANONICAL);

	/* Table 4-8: a PDPTE has no rights, and bits 1, 2, 5 to 8 and MAXPHYADDR up reserved. */
	r.span = GIB;
	if (!fetch(m, &r, 3, field(root, 31, 5) * 32 + field(addr, 31, 30) * 8, 8))
		return ended(r, REF_NO_MEMORY);
	if (!bit(r.value, 0))
		return ended(r, REF_NOT_PRESENT);
	if (any_of(m, r.value, 2, 1) || (bit(r.value, 5) && !m->pdpte_a) ||
	    any_of(m, r.value, 8, 6) || any_of(m, r.value, 63, m->maxphyaddr))
		return ended(r, REF_RESERVED);

	r.span = 2 * MIB;
	if (!fetch(m, &r, 2, address(m, r.value) + field(addr, 29, 21) * 8, 8))
		return ended(r, REF_NO_MEMORY);
	if (!bit(r.value, 0))
		return ended(r, REF_NOT_PRESENT);
	if (reserved_pae(m, r.value) || (bit(r.value, 7) && any_of(m, r.value, 20, 13)))
		return ended(r, REF_RESERVED);
	restrict_64bit(&r);
	if (bit(r.value, 7))
		return page(r, address(m, r.value) / (2 * MIB) * (2 * MIB), addr);

	r.span = 4 * KIB;
	if (!fetch(m, &r, 1, address(m, r.value) + field(addr, 20, 12) * 8, 8))
		return ended(r, REF_NO_MEMORY);
	if (!bit(r.value, 0))
		return ended(r, REF_NOT_PRESENT);
	if (reserved_pae(m, r.value))
		return ended(r, REF_RESERVED);
	restrict_64bit(&r);
	return page(r, address(m, r.value), addr);
}

/* SDM 4.5, tables 4-14 to 4-20: 51 to MAXPHYADDR, and XD without EFER.NXE. 62 to 52 are free. */
static bool reserved_long(const struct ref_machine *m, uint64_t value)
{
	return (m->maxphyaddr < 52 && any_of(m, value, 51, m->maxphyaddr)) ||
	       (bit(value, 63) && !m->nxe);
}

/* The PML5E and the PML4E: PS is reserved; on AMD (APM 5.3.3 and 5.3.4) so is bit 8. */
static bool upper_entry(const struct ref_machine *m, struct ref_result *r, int level,
			uint64_t where)
{
	r->end = REF_PAGE;
	if (!fetch(m, r, level, where, 8))
		r->end = REF_NO_MEMORY;
	else if (!bit(r->value, 0))
		r->end = REF_NOT_PRESENT;
	else if (reserved_long(m, r->value) || bit(r->value, 7) || (m->amd && bit(r->value, 8)))
		r->end = REF_RESERVED;
	else
		restrict_64bit(r);
	return r->end == REF_PAGE;
}

/* From the PML4 table at @table on. */
static struct ref_result long_from_pml4(const struct ref_machine *m, struct ref_result r,
					uint64_t table, uint64_t addr)
{
	r.span = 512 * GIB;
	if (!upper_entry(m, &r, 4, table + field(addr, 47, 39) * 8))
		return r;

	r.span = GIB;
	if (!fetch(m, &r, 3, address(m, r.value) + field(addr, 38, 30) * 8, 8))
		return ended(r, REF_NO_MEMORY);
	if (!bit(r.value, 0))
		return ended(r, REF_NOT_PRESENT);
	if (reserved_long(m, r.value) ||
	    (bit(r.value, 7) && (!m->gbpages || any_of(m, r.value, 29, 13))))
		return ended(r, REF_RESERVED);
	restrict_64bit(&r);
	if (bit(r.value, 7))
		return page(r, address(m, r.value) / GIB * GIB, addr);

	r.span = 2 * MIB;
	if (!fetch(m, &r, 2, address(m, r.value) + field(addr, 29, 21) * 8, 8))
		return ended(r, REF_NO_MEMORY);
	if (!bit(r.value, 0))
		return ended(r, REF_NOT_PRESENT);
	if (reserved_long(m, r.value) || (bit(r.value, 7) && any_of(m, r.value, 20, 13)))
		return ended(r, REF_RESERVED);
	restrict_64bit(&r);
	if (bit(r.value, 7))
		return page(r, address(m, r.value) / (2 * MIB) * (2 * MIB), addr);

	r.span = 4 * KIB;
	if (!fetch(m, &r, 1, address(m, r.value) + field(addr, 20, 12) * 8, 8))
		return ended(r, REF_NO_MEMORY);
	if (!bit(r.value, 0))
		return ended(r, REF_NOT_PRESENT);
	if (reserved_long(m, r.value))
		return ended(r, REF_RESERVED);
	restrict_64bit(&r);
	return page(r, address(m, r.value), addr);
}

/* SDM vol. 1, 3.3.7.1; of a guest's physical address the upper bits are 0. */
static bool reachable(const struct ref_machine *m, uint64_t addr, unsigned int width)
{
	if (field(addr, 63, width) == 0)
		return m->nested || !bit(addr, width - 1);
	return !m->nested && bit(addr, width - 1) && field(addr, 63, width) == UINT64_MAX >> width;
}

struct ref_result ref_walk_4level(const struct ref_machine *m, uint64_t root, uint64_t addr)
{
	if (!reachable(m, addr, 48))
		return ended(all_rights(), REF_NONCANONICAL);
	return long_from_pml4(m, all_rights(), address(m, root), addr);
}

struct ref_result ref_walk_5level(const struct ref_machine *m, uint64_t root, uint64_t addr)
{
	struct ref_result r = all_rights();

	if (!reachable(m, addr, 57))
		return ended(r, REF_NONCANONICAL);
	r.span = 256 * 1024 * GIB;
	if (!upper_entry(m, &r, 5, address(m, root) + field(addr, 56, 48) * 8))
		return r;
	return long_from_pml4(m, r, address(m, r.value), addr);
}

/* SDM 29.3.2: the bits that make an EPT entry present. */
static bool present_ept(const struct ref_machine *m, uint64_t value)
{
	return bit(value, 0) || bit(value, 1) || bit(value, 2) || (m->ept_mbec && bit(value, 10));
}

/* SDM 29.3.3.1: write without read; execute without read where the CPU cannot do that. */
static bool bad_access_ept(const struct ref_machine *m, uint64_t value)
{
	if (bit(value, 0))
		return false;
	if (bit(value, 1))
		return true;
	return !m->ept_exec_only && (bit(value, 2) || (m->ept_mbec && bit(value, 10)));
}

/*
 * One EPT entry; @huge: it maps a page if its bit 7 is set (level 1: always, and bit 7 is free).
 * REF_PAGE in ->end: it is well-formed; the caller knows whether it is a table.
 */
static bool entry_ept(const struct ref_machine *m, struct ref_result *r, int level, uint64_t where,
		      bool huge)
{
	bool leaf;

	r->end = REF_NO_MEMORY;
	if (!fetch(m, r, level, where, 8))
		return false;
	r->end = REF_NOT_PRESENT;
	if (!present_ept(m, r->value))
		return false;
	leaf = level == 1 || (huge && bit(r->value, 7));
	r->end = REF_RESERVED;
	if (m->maxphyaddr < 52 && any_of(m, r->value, 51, m->maxphyaddr))
		return false;
	/* Tables 29-1 to 29-7: a table entry's bits 6 to 3, 7 where no page may be. */
	if (!leaf && (any_of(m, r->value, 6, 3) || bit(r->value, 7)))
		return false;
	if (leaf && level == 2 && any_of(m, r->value, 20, 12))
		return false;
	if (leaf && level == 3 && any_of(m, r->value, 29, 12))
		return false;
	r->end = REF_EPT_ACCESS;
	if (bad_access_ept(m, r->value))
		return false;
	r->end = REF_EPT_MEMTYPE;
	switch (field(r->value, 5, 3)) {
	case 2:
	case 3:
	case 7:
		if (leaf)
			return false;
	}
	r->end = REF_PAGE;
	r->read &= bit(r->value, 0);
	r->write &= bit(r->value, 1);
	r->exec &= bit(r->value, 2);
	r->user_exec &= bit(r->value, m->ept_mbec ? 10 : 2);
	return true;
}

/* From the EPT PML4 table at @table on. SDM 29.3.2. */
static struct ref_result ept_from_pml4(const struct ref_machine *m, struct ref_result r,
				       uint64_t table, uint64_t addr)
{
	r.span = 512 * GIB;
	if (!entry_ept(m, &r, 4, table + field(addr, 47, 39) * 8, false))
		return r;
	r.span = GIB;
	if (!entry_ept(m, &r, 3, address(m, r.value) + field(addr, 38, 30) * 8, m->gbpages))
		return r;
	if (bit(r.value, 7))
		return page(r, address(m, r.value) / GIB * GIB, addr);
	r.span = 2 * MIB;
	if (!entry_ept(m, &r, 2, address(m, r.value) + field(addr, 29, 21) * 8, true))
		return r;
	if (bit(r.value, 7))
		return page(r, address(m, r.value) / (2 * MIB) * (2 * MIB), addr);
	r.span = 4 * KIB;
	if (!entry_ept(m, &r, 1, address(m, r.value) + field(addr, 20, 12) * 8, false))
		return r;
	return page(r, address(m, r.value), addr);
}

struct ref_result ref_walk_ept4(const struct ref_machine *m, uint64_t root, uint64_t addr)
{
	if (field(addr, 63, 48))
		return ended(all_rights(), REF_NONCANONICAL);
	return ept_from_pml4(m, all_rights(), address(m, root), addr);
}

struct ref_result ref_walk_ept5(const struct ref_machine *m, uint64_t root, uint64_t addr)
{
	struct ref_result r = all_rights();

	if (field(addr, 63, 57))
		return ended(r, REF_NONCANONICAL);
	r.span = 256 * 1024 * GIB;
	if (!entry_ept(m, &r, 5, address(m, root) + field(addr, 56, 48) * 8, false))
		return r;
	return ept_from_pml4(m, r, address(m, r.value), addr);
}
