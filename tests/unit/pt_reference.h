/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page walks, one plain function per format, written from the manuals alone: Intel SDM vol. 3,
 * chapter 4 and 29.3, AMD APM vol. 2, chapter 5 and 15.25. It shares no code, no data and no name
 * with user/pt/, so that each can find the other's mistakes.
 */
#ifndef TESTS_UNIT_PT_REFERENCE_H
#define TESTS_UNIT_PT_REFERENCE_H

#include <stdint.h>

struct ref_machine {
	unsigned int maxphyaddr;
	unsigned int c_bit; /* position of AMD's memory encryption bit; 0: none */
	int nxe, pse, pse36, gbpages;
	int ept_exec_only, ept_mbec;
	int nested;  /* AMD's nested tables: the addresses are the guest's physical ones */
	int amd;     /* an AMD CPU */
	int pdpte_a; /* A is no reserved bit of a PDPTE of PAE */
	/* Physical memory from address 0 on, and how much of it there is. */
	const uint8_t *memory;
	uint64_t size;
};

enum ref_end {
	REF_PAGE,
	REF_NOT_PRESENT,
	REF_NONCANONICAL,
	REF_RESERVED,
	REF_EPT_ACCESS,
	REF_EPT_MEMTYPE,
	REF_NO_MEMORY,
};

struct ref_result {
	enum ref_end end;
	int level;	/* of the entry at which it ended; 1: 4 KiB entries; 0: there was none */
	int reads;	/* entries read, without the one that could not be */
	uint64_t pa;	/* REF_PAGE only */
	uint64_t span;	/* bytes of input addresses that the entry stands for */
	uint64_t where; /* address of the entry */
	uint64_t value; /* of the entry, if it could be read */
	/* Rights that all entries left over. */
	int read, write, exec, user, user_exec;
};

typedef struct ref_result (*ref_walker)(const struct ref_machine *m, uint64_t root, uint64_t addr);

struct ref_result ref_walk_none(const struct ref_machine *m, uint64_t root, uint64_t addr);
struct ref_result ref_walk_32bit(const struct ref_machine *m, uint64_t root, uint64_t addr);
struct ref_result ref_walk_pae(const struct ref_machine *m, uint64_t root, uint64_t addr);
struct ref_result ref_walk_4level(const struct ref_machine *m, uint64_t root, uint64_t addr);
struct ref_result ref_walk_5level(const struct ref_machine *m, uint64_t root, uint64_t addr);
struct ref_result ref_walk_ept4(const struct ref_machine *m, uint64_t root, uint64_t addr);
struct ref_result ref_walk_ept5(const struct ref_machine *m, uint64_t root, uint64_t addr);

#endif
