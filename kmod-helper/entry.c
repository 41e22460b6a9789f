// SPDX-License-Identifier: GPL-2.0
/*
 * Entries. W and D are changed with the kernel's own functions: on CPUs with shadow stacks, an
 * entry with D and without W means something else, which these avoid.
 */
#include "compat.h"
#include "entry.h"

#define KERNEL_WAY (_PAGE_RW | _PAGE_DIRTY)

/* In those of level 2, bit 12 is that of PAT, and no part of the frame's number. */
unsigned long entry_pfn(pte_t pte, unsigned int level)
{
	return level == 2 ? pmd_pfn(__pmd(pte_val(pte))) : pte_pfn(pte);
}

static pteval_t flags_of(pte_t pte, unsigned int level)
{
	return level == 2 ? pmd_flags(__pmd(pte_val(pte))) : pte_flags(pte);
}

static pte_t make(unsigned long pfn, pteval_t flags, unsigned int level)
{
	return level == 2 ? __pte(pmd_val(pfn_pmd(pfn, __pgprot(flags))))
			  : pfn_pte(pfn, __pgprot(flags));
}

pte_t entry_protect(pte_t pte, u64 set, u64 clear)
{
	if (clear & _PAGE_RW)
		pte = pte_wrprotect(pte);
	if (clear & _PAGE_DIRTY)
		pte = pte_mkclean(pte);
	pte = __pte((pte_val(pte) & ~(clear & ~(u64)KERNEL_WAY)) | (set & ~(u64)KERNEL_WAY));
	if (set & _PAGE_DIRTY)
		pte = pte_mkdirty(pte);
	return set & _PAGE_RW ? compat_pte_mkwrite(pte) : pte;
}

/* As pte_modify() with PAGE_NONE does, whose masks modules cannot name. The frame's bits come out
 * inverted (arch/x86/include/asm/pgtable-invert.h). */
pte_t entry_trap(pte_t pte, unsigned int level)
{
	const pteval_t drop =
		_PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_GLOBAL | _PAGE_NX | _PAGE_PKEY_MASK;

	pte = pte_wrprotect(pte);
	return make(entry_pfn(pte, level), (flags_of(pte, level) & ~drop) | _PAGE_PROTNONE, level);
}

/* The zero page's entries are special, those of other pages are not (vm_normal_page()). */
pte_t entry_frame(pte_t pte, unsigned int level, struct page *page, bool writable)
{
	unsigned long pfn = page_to_pfn(page);

	pte = make(pfn, flags_of(pte, level) & ~(pteval_t)_PAGE_SPECIAL, level);
	if (is_zero_pfn(pfn))
		pte = pte_mkspecial(pte);
	pte = pte_mkclean(pte);
	return writable ? compat_pte_mkwrite(pte) : pte_wrprotect(pte);
}

#ifndef CONFIG_ARCH_HAS_PTE_DEVMAP
#error "CONFIG_ARCH_HAS_PTE_DEVMAP is needed, for vm_normal_page() to know entries without a page"
#endif

pte_t entry_foreign(unsigned long pfn, pgprot_t prot, bool writable)
{
	pte_t pte = pte_mkclean(pte_mkdevmap(pfn_pte(pfn, prot)));
	return writable ? compat_pte_mkwrite(pte) : pte_wrprotect(pte);
}

pte_t entry_carry(pte_t old, pte_t now)
{
	if (pte_young(now))
		old = pte_mkyoung(old);
	if (pte_dirty(now))
		old = pte_mkdirty(old);
	if (pte_soft_dirty(now))
		old = pte_mksoft_dirty(old);
	if (pte_uffd_wp(old) && !pte_uffd_wp(now))
		old = pte_clear_uffd_wp(old);
	return old;
}
