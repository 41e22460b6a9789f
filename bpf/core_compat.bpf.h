/* SPDX-License-Identifier: GPL-2.0 */
/* Every difference between kernels that the BPF programs must bridge, with its origin. */
#ifndef PTSCOPE_CORE_COMPAT_BPF_H
#define PTSCOPE_CORE_COMPAT_BPF_H

#include <bpf/bpf_core_read.h>

/* mm_struct.owner is there with CONFIG_MEMCG only (include/linux/mm_types.h). */
static __always_inline __u32 compat_mm_owner_tgid(struct mm_struct *mm, __u32 otherwise)
{
	struct task_struct *owner;

	if (!bpf_core_field_exists(mm->owner))
		return otherwise;
	owner = BPF_CORE_READ(mm, owner);
	return owner ? BPF_CORE_READ(owner, tgid) : otherwise;
}

#endif
