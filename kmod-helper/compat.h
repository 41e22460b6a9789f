/* SPDX-License-Identifier: GPL-2.0 */
/* Differences between kernels, each with the version that made it. */
#ifndef COMPAT_H
#define COMPAT_H

#include <linux/ftrace.h>
#include <linux/mm.h>
#include <linux/sched/coredump.h>
#include <linux/version.h>

/* 6.5 dropped the array of VMAs (ca5e863233e8). */
static inline long compat_get_page(struct mm_struct *mm, unsigned long va, unsigned int flags,
				   struct page **page)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	return get_user_pages_remote(mm, va, 1, flags, page, NULL);
#else
	return get_user_pages_remote(mm, va, 1, flags, page, NULL, NULL);
#endif
}

static inline long compat_pin_page(struct mm_struct *mm, unsigned long va, unsigned int flags,
				   struct page **page)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	return pin_user_pages_remote(mm, va, 1, flags, page, NULL);
#else
	return pin_user_pages_remote(mm, va, 1, flags, page, NULL, NULL);
#endif
}

/* 6.3 made them const, for the VMA's lock (bc292ab00f6c). */
static inline void compat_vma_flags(struct vm_area_struct *vma, unsigned long set,
				    unsigned long clear)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
#endif
}

/* 6.3 brought it: prctl(PR_SET_MDWE) (b507808ebce2). */
static inline bool compat_denies_write_exec(const struct mm_struct *mm)
{
#ifdef MMF_HAS_MDWE
	return test_bit(MMF_HAS_MDWE, &mm->flags);
#else
	return false;
#endif
}

/* 6.6 renamed it, for shadow stacks (2f0584f3f4bd). */
static inline pte_t compat_pte_mkwrite(pte_t pte)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	return pte_mkwrite_novma(pte);
#else
	return pte_mkwrite(pte);
#endif
}

/*
 * An entry of 2 MiB that leads to no page, as far as the kernel sees. 6.12 brought a bit for it;
 * before, get_user_pages() left entries of devices alone that have no page.
 */
static inline pmd_t compat_pmd_special(pmd_t pmd)
{
#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
	return pmd_mkspecial(pmd);
#else
	return pmd_mkdevmap(pmd);
#endif
}

/* 6.8 made it depend on the VM (eed52e434bc3). */
#ifdef KVM_MAX_NR_ADDRESS_SPACES
#define compat_nr_spaces(kvm) kvm_arch_nr_memslot_as_ids(kvm)
#else
#define compat_nr_spaces(kvm) KVM_ADDRESS_SPACE_NUM
#endif

/* 6.2 renamed it, with all that reads and sets registers (0ef86097f127). */
static inline void compat_set_ip(struct ftrace_regs *fregs, unsigned long ip)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	ftrace_regs_set_instruction_pointer(fregs, ip);
#else
	ftrace_instruction_pointer_set(fregs, ip);
#endif
}

/* 6.11 brought it (66155de93bcf). Before, only the vCPUs know of encrypted registers. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#define compat_is_encrypted(kvm) ((kvm)->arch.has_protected_state)
#else
#define compat_is_encrypted(kvm) false
#endif

/* 6.6 brought them (54007f818206). */
#ifdef VM_SHADOW_STACK
#define COMPAT_SHADOW_STACK VM_SHADOW_STACK
#else
#define COMPAT_SHADOW_STACK 0
#endif

#endif
