/* SPDX-License-Identifier: GPL-2.0 */
/* What becomes of entries, of level 1 or 2: functions of their bits alone. */
#ifndef ENTRY_H
#define ENTRY_H

#include <linux/mm.h>

/* The first frame that a present one leads to. */
unsigned long entry_pfn(pte_t pte, unsigned int level);
/* Bits @clear cleared, then bits @set set. */
pte_t entry_protect(pte_t pte, u64 set, u64 clear);
/* The next access faults, and the kernel then takes it for a NUMA hint (do_numa_page()). */
pte_t entry_trap(pte_t pte, unsigned int level);
/* Leads to @page instead, in a clean mapping. */
pte_t entry_frame(pte_t pte, unsigned int level, struct page *page, bool writable);
/* A clean one that leads to no page, for the kernel: vm_normal_page() gives NULL for it. */
pte_t entry_foreign(unsigned long pfn, pgprot_t prot, bool writable);
/* @old, with what was noted of the same frame in @now meanwhile: it is not lost with the edit. */
pte_t entry_carry(pte_t old, pte_t now);

#endif
