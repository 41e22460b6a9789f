// SPDX-License-Identifier: GPL-2.0
#include "user/kernel/vma_rule.h"

#include "user/pt/pt_linux.h"

/* An entry and all that is known of it. */
struct rule {
	const struct proc_vma *vma;
	const struct pt_fmt *fmt;
	const struct page_info *page;
	struct pt_linux linux_says;
	uint64_t entry;
};

/* What an entry is made with: PAGE_NONE, PAGE_READONLY (and _COPY), PAGE_SHARED, each with _EXEC */
#define NONE 0
#define R    PT_PERM_R
#define RW   (PT_PERM_R | PT_PERM_W)
#define RX   (PT_PERM_R | PT_PERM_X)
#define RWX  (PT_PERM_R | PT_PERM_W | PT_PERM_X)

/*
 * protection_map[], by VM_READ (1), VM_WRITE (2), VM_EXEC (4), VM_SHARED (8). A private page that
 * is to be written becomes writable later, once it is the process' own copy.
 */
static const uint8_t protection_map[16] = {
	NONE, R, R, R, RX, RX, RX, RX, NONE, R, RW, RW, RX, RX, RWX, RWX,
};

static bool has(const struct rule *r, enum proc_vma_flag flag)
{
	return r->vma->flags & VMA_BIT(flag);
}

static unsigned int wanted(const struct rule *r)
{
	return protection_map[r->vma->flags & 15];
}

static bool page_has(const struct rule *r, unsigned int bit)
{
	return r->page->has_flags && r->page->flags >> bit & 1;
}

/*
 * A private page that may be written is the process' own. (That it is not KSM's either cannot be
 * told: 6.12 calls all anonymous pages KSM's in /proc/kpageflags.)
 */
static bool is_own_copy(const struct rule *r)
{
	return !r->page->has_flags || page_has(r, KPF_BIT_NOPAGE) || page_has(r, KPF_BIT_ANON);
}

static bool is_odd_special(const struct rule *r)
{
	return r->linux_says.special && r->page->has_flags && !has(r, VMA_PFNMAP) &&
	       !has(r, VMA_MIXEDMAP) && !page_has(r, KPF_BIT_ZERO_PAGE);
}

static bool may_write(const struct rule *r)
{
	return has(r, VMA_SHARED) ? wanted(r) & PT_PERM_W : has(r, VMA_WRITE);
}

static unsigned int pkey_of(uint64_t entry)
{
	return (unsigned int)((entry & PT_PK) >> 59);
}

/* What a present entry may not be, or NULL. */
static const char *forbidden(const struct rule *r)
{
	unsigned int want = wanted(r);
	bool exec = !(r->entry & PT_NX);

	if (want == NONE)
		return "present, though the mapping allows no access";
	if (!(r->entry & PT_US))
		return "the supervisor's, though it is a process' page";
	if (r->fmt->feat.nx && exec && !(want & PT_PERM_X))
		return "executable, though the mapping is not";
	if (r->fmt->feat.nx && !exec && (want & PT_PERM_X))
		return "not executable, though the mapping is";
	if (r->vma->pkey >= 0 && (unsigned int)r->vma->pkey != pkey_of(r->entry))
		return "the protection key is not the mapping's";
	if ((r->entry & PT_RW) && !may_write(r))
		return "writable, though the mapping is not";
	if ((r->entry & PT_RW) && has(r, VMA_SHADOW_STACK))
		return "writable, though it is a shadow stack";
	if ((r->entry & PT_RW) && !has(r, VMA_SHARED) && !is_own_copy(r))
		return "writable, though the page is not the process' own copy";
	if (is_odd_special(r))
		return "special, though the mapping has ordinary pages";
	return NULL;
}

/* Why an entry of a mapping that may be written is not writable, which is always legal. */
static const char *read_only_because(const struct rule *r)
{
	if (has(r, VMA_SHADOW_STACK))
		return "a shadow stack is not writable by ordinary writes";
	if (r->linux_says.uffd_wp)
		return "read-only until userfaultfd lets a write through";
	if (has(r, VMA_SHARED))
		return "read-only until the next write, which shall be noticed (dirty tracking)";
	if (page_has(r, KPF_BIT_ZERO_PAGE))
		return "read-only until the next write (the zero page)";
	return "read-only until the next write (copy on write)";
}

static struct vma_verdict present(const struct rule *r)
{
	const char *wrong = forbidden(r);

	if (wrong)
		return (struct vma_verdict){ .why = wrong };
	if (has(r, VMA_WRITE) && !(r->entry & PT_RW))
		return (struct vma_verdict){ .legal = true, .why = read_only_because(r) };
	return (struct vma_verdict){ .legal = true };
}

/* Nothing that an entry without P could allow, so nothing can be wrong with it. */
static struct vma_verdict not_present(const struct rule *r)
{
	struct vma_verdict v = { .legal = true };

	switch (r->linux_says.kind) {
	case PT_LINUX_NONE:
		v.why = wanted(r) == NONE ? "no entry, and none is made"
					  : "no entry until the first access";
		break;
	case PT_LINUX_PROTNONE:
		if (wanted(r) != NONE)
			v.why = "no access until the next fault, which shall be noticed (NUMA)";
		break;
	default:
		v.why = "not present until the next fault";
	}
	return v;
}

struct vma_verdict vma_rule(const struct proc_vma *vma, const struct pt_fmt *fmt,
			    unsigned int level, uint64_t entry, const struct page_info *page,
			    unsigned int version)
{
	struct rule r = { .vma = vma, .fmt = fmt, .page = page, .entry = entry };
	pt_u8 why;

	pt_linux_decode(fmt, level, entry, version, &r.linux_says);
	switch (pt_entry_kind(fmt, level, entry, &why)) {
	case PT_HOLE:
		return not_present(&r);
	case PT_LEAF:
		return present(&r);
	default:
		return (struct vma_verdict){ .why = "the CPU refuses the entry" };
	}
}
