/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel knows beside a walk: of the page it leads to, and of the mapping it is made in.
 */
#ifndef KERNEL_FACTS_H
#define KERNEL_FACTS_H

#include "kmod-helper/uapi/ptremap.h"
#include "user/kernel/vma_rule.h"
#include "user/pt/pt_space.h"

struct facts {
	bool has_frame; /* the walk leads to a page: ->frame.pfn, and ->page */
	bool not_ram;	/* it has no struct page: a device's memory, or RAM kept from the kernel */
	struct ptremap_page frame;
	struct page_info page;
	int vma_error; /* of ->vma: 0; -ENOENT: no mapping there; -EDOM: not a process' address */
	struct proc_vma vma;
	bool has_verdict;
	struct vma_verdict verdict;
};

/*
 * Of the walk @path in @space, the tables of process @pid (0: the kernel's half), whose page the
 * helper module has described as @frame. @version: as for pt_linux_decode().
 */
void facts_of_walk(struct facts *f, pid_t pid, const struct pt_space *space,
		   const struct pt_path *path, const struct ptremap_page *frame,
		   unsigned int version);

/* Of frame @pfn (0: none) at @va of @pid, without a walk. */
void facts_of_frame(struct facts *f, pid_t pid, uint64_t va, uint64_t pfn);

#endif
