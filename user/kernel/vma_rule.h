/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Does an entry allow what its mapping calls for? arch/x86/mm/pgprot.c (protection_map), mm/mmap.c
 * (vm_get_page_prot(), vma_wants_writenotify()), mm/memory.c. An entry may always allow less, since
 * the kernel's fault handler adds what is missing, but for execution: it never may allow more.
 */
#ifndef KERNEL_VMA_RULE_H
#define KERNEL_VMA_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "user/kernel/page_info.h"
#include "user/kernel/proc_vma.h"
#include "user/pt/pt_walk.h"

struct vma_verdict {
	bool legal;
	const char *why; /* what differs, or what there is to know of it; NULL: nothing */
};

/*
 * Judges the last @entry of a walk, of @level, by the flags of its mapping; upper entries of a
 * process' half restrict nothing, but that with page-table isolation the kernel's own copy of the
 * top table has NX there. @page: of the page it leads to; it may be without flags. @version: as for
 * pt_linux_decode().
 */
struct vma_verdict vma_rule(const struct proc_vma *vma, const struct pt_fmt *fmt,
			    unsigned int level, uint64_t entry, const struct page_info *page,
			    unsigned int version);

#endif
