/* SPDX-License-Identifier: GPL-2.0 */
/* Differences between kernels, each with the version that made it. */
#ifndef COMPAT_H
#define COMPAT_H

#include <linux/mm.h>
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

/* 6.6 renamed it, for shadow stacks (2f0584f3f4bd). */
static inline pte_t compat_pte_mkwrite(pte_t pte)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	return pte_mkwrite_novma(pte);
#else
	return pte_mkwrite(pte);
#endif
}

#endif
