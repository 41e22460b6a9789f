/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/*
 * The memory of a guest: addresses are translated by another space (its EPT or NPT, or the tables
 * of the process that holds it), page by page. With this under a guest's tables a walk is the
 * two-dimensional walk that the CPU makes: SDM vol. 3, 29.3.1; AMD APM vol. 2, 15.25.5.
 */
#ifndef PT_MEM_NESTED_H
#define PT_MEM_NESTED_H

#include "pt_space.h"

/*
 * Nested memories may lie on one another to any depth. One that is reached again from within its
 * own access (its tables lie in itself) answers -ELOOP instead of recursing for ever; that is
 * what ->busy is for, so two threads at once need a pt_mem_nested each.
 */
struct pt_mem_nested {
	struct pt_mem mem;
	const struct pt_space *under;
	bool busy;
};

/*
 * @under must outlive @nested; its root may change between two accesses. Accesses answer -EFAULT
 * where it leads nowhere: to learn why, pt_lookup() the same address in @under (of a guest's walk
 * that ended with PT_WHY_UNREADABLE: path.at[path.end.level].addr). They are those of the
 * hypervisor: permissions are for pt_check_access(). What was cached of the guest's translations
 * is the caller's to flush. -EINVAL: @under has a recursive slot, so its memory takes virtual
 * addresses and not those that it translates to.
 */
int pt_mem_nested_init(struct pt_mem_nested *nested, const struct pt_space *under);

#endif
