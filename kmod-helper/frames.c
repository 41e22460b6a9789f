// SPDX-License-Identifier: GPL-2.0
/*
 * Frames of mappings. Each page has one reference, from frames_get() to frames_put(): it is neither
 * freed nor, since reclaim and migration count references, moved away. Device memory has none; the
 * kernel's own mapping of it reserves its cache type instead (arch/x86/mm/pat/memtype.c), which
 * vmf_insert_pfn() then looks up.
 */
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/memtype.h>
#include <asm/set_memory.h>

#include "frames.h"

/* ---- physical pages -------------------------------------------------------------------------- */

/* Pages that no process can have, as far as the kernel marks them. */
static int refuse_marked(struct page *page)
{
	if (PageHWPoison(page))
		return -EHWPOISON;
	if (PageReserved(page))
		return -ENOTUNIQ;
	if (PageTable(page))
		return -ELOOP;
	if (folio_test_slab(page_folio(page)))
		return -ENOTEMPTY;
	return 0;
}

/*
 * What is left must belong to a process or to a file. The others are the kernel's own: its upper
 * page tables, which it does not mark, its stacks, buffers of drivers.
 */
static int refuse_kernel(struct folio *folio)
{
	unsigned long mapping = (unsigned long)READ_ONCE(folio->mapping);

	if (!mapping || (mapping & PAGE_MAPPING_FLAGS) == PAGE_MAPPING_MOVABLE)
		return -EADDRINUSE;
	return 0;
}

/* Without being told: anonymous memory, unless KSM shares it, and that of tmpfs. */
static bool may_write(struct folio *folio)
{
	return folio_test_anon(folio) ? !folio_test_ksm(folio) : folio_test_swapbacked(folio);
}

/*
 * Takes a reference to the page at @pfn, *@held, and says what it is: 0, one that processes have,
 * or the error that uapi/ptremap.h has for its kind. The reference is taken first: until then the
 * page may become anything. There is none (NULL) to one that is free or broken, nor to a reserved
 * one: the kernel does not count those, and sets the count anew when it gives one up.
 */
static int take_physical(u64 pfn, struct page **held)
{
	struct page *page = pfn_to_online_page(pfn);
	struct folio *folio;
	int kind;

	*held = NULL;
	if (!page || !page_is_ram(pfn))
		return -ENODEV;
	kind = refuse_marked(page);
	if (kind == -EHWPOISON || kind == -ENOTUNIQ)
		return kind;
	folio = page_folio(page);
	if (!folio_try_get(folio))
		return kind ?: -ENODATA;
	kind = page_folio(page) == folio ? refuse_marked(page) ?: refuse_kernel(folio) : -ENODATA;
	if (kind == -EHWPOISON || kind == -ENOTUNIQ || kind == -ENODATA)
		folio_put(folio);
	else
		*held = page;
	return kind;
}

static int hold_physical(u64 pfn, bool write, struct held *h)
{
	struct page *page;
	int err = take_physical(pfn, &page);

	if (!err && write && !may_write(page_folio(page)))
		err = -EROFS;
	if (!err)
		*h = (struct held){ .page = page, .writable = write };
	else if (page)
		put_page(page);
	return err;
}

static const struct {
	int kind;
	u32 flag;
} forces[] = {
	{ -ENODATA, PTREMAP_ITEM_FORCE_FREE },	    { -ELOOP, PTREMAP_ITEM_FORCE_TABLE },
	{ -ENOTEMPTY, PTREMAP_ITEM_FORCE_SLAB },    { -ENOTUNIQ, PTREMAP_ITEM_FORCE_RESERVED },
	{ -EADDRINUSE, PTREMAP_ITEM_FORCE_KERNEL },
};

static bool is_forced(int kind, u32 force)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forces); i++)
		if (forces[i].kind == kind)
			return force & forces[i].flag;
	return false;
}

/*
 * The kernel finds the page behind an ordinary entry and uses it as one: it must be one that it can
 * count and map by itself (secretmem's are not in the direct map).
 */
static int hold_normal(struct page *page, struct held *h)
{
	u8 byte;

	if (PageHuge(page) || copy_from_kernel_nofault(&byte, page_address(page), 1))
		return -EOPNOTSUPP;
	*h = (struct held){
		.page = page,
		.writable =
			may_write(page_folio(page)) && (!PageAnon(page) || PageAnonExclusive(page)),
	};
	return 0;
}

int frames_hold_ram(u64 pa, u32 force, struct held *h, bool *forced)
{
	struct page *page;
	int kind = take_physical(PHYS_PFN(pa), &page), err = kind;

	*forced = kind && is_forced(kind, force);
	if (*forced) {
		*h = (struct held){ .page = page, .writable = true };
		return 0;
	}
	if (!kind)
		err = hold_normal(page, h);
	if (err && page)
		put_page(page);
	return err;
}

/* ---- fresh pages ----------------------------------------------------------------------------- */

/* The kernel's own mapping of the page gets the same type; two at a time would be undefined. */
static int set_cache(struct page *page, u32 cache)
{
	switch (cache) {
	case PTREMAP_CACHE_UC:
		return set_pages_array_uc(&page, 1);
	case PTREMAP_CACHE_WC:
		return set_pages_array_wc(&page, 1);
	default:
		return 0;
	}
}

static int hold_zeroed(u32 cache, struct held *h)
{
	int err = hold_fresh(h, 1);

	if (err)
		return err;
	err = set_cache(h->page, cache);
	if (err)
		hold_release(h, false);
	return err;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static int hold_one(const struct ptremap_map *req, struct mm_struct *other, unsigned long i,
		    struct held *h)
{
	u64 from = req->from + i * PAGE_SIZE;

	switch (req->source) {
	case PTREMAP_MAP_FRAMES:
		return hold_page(other, from, HOLD_LEND, h);
	case PTREMAP_MAP_PHYS:
		return hold_physical(PHYS_PFN(from), req->prot & PTREMAP_MAP_WRITE, h);
	default:
		return hold_zeroed(req->cache, h);
	}
}

static int hold_all(struct frames *f, const struct ptremap_map *req, struct mm_struct *other)
{
	unsigned long nr = req->len >> PAGE_SHIFT;
	int err;

	/* What others have is not to be pushed out for it. */
	if (req->source == PTREMAP_MAP_FRESH && nr > max(si_mem_available(), 0L))
		return -ENOMEM;
	f->held = kvcalloc(nr, sizeof(*f->held), GFP_KERNEL_ACCOUNT);
	if (!f->held)
		return -ENOMEM;
	while (f->nr < nr) {
		err = hold_one(req, other, f->nr, &f->held[f->nr]);
		if (err)
			return err;
		f->nr++;
		if (f->write && !f->held[f->nr - 1].writable)
			return -EROFS;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static int map_mmio(struct frames *f, const struct ptremap_map *req)
{
	u64 pa;

	for (pa = req->from; pa < req->from + req->len; pa += PAGE_SIZE)
		if (page_is_ram(PHYS_PFN(pa)) ||
		    region_intersects(pa, PAGE_SIZE, IORESOURCE_MEM, IORES_DESC_NONE) ==
			    REGION_DISJOINT)
			return -ENODEV;
	f->mmio = req->cache == PTREMAP_CACHE_WC ? ioremap_wc(req->from, req->len)
						 : ioremap(req->from, req->len);
	if (!f->mmio)
		return -EMEDIUMTYPE;
	f->pfn = PHYS_PFN(req->from);
	f->nr = req->len >> PAGE_SHIFT;
	return 0;
}

/*
 * Memory that others have mapped is cached there, and device memory must not be: only fresh pages
 * can have any type.
 */
static bool cache_fits(const struct ptremap_map *req)
{
	if (req->cache == PTREMAP_CACHE_WC && !pat_enabled())
		return false;
	if (req->source == PTREMAP_MAP_MMIO)
		return req->cache != PTREMAP_CACHE_WB;
	return req->source == PTREMAP_MAP_FRESH || req->cache == PTREMAP_CACHE_WB;
}

int frames_get(struct frames *f, const struct ptremap_map *req, struct mm_struct *other)
{
	int err;

	*f = (struct frames){
		.source = req->source,
		.cache = req->cache,
		.write = req->prot & PTREMAP_MAP_WRITE,
	};
	if (!cache_fits(req))
		return -EMEDIUMTYPE;
	err = req->source == PTREMAP_MAP_MMIO ? map_mmio(f, req) : hold_all(f, req, other);
	if (err)
		frames_put(f);
	return err;
}

unsigned long frames_pfn(const struct frames *f, unsigned long i)
{
	return f->held ? page_to_pfn(f->held[i].page) : f->pfn + i;
}

pgprot_t frames_pgprot(const struct frames *f, pgprot_t prot)
{
	if (f->source == PTREMAP_MAP_MMIO)
		prot = pgprot_decrypted(prot);
	switch (f->cache) {
	case PTREMAP_CACHE_UC:
		return pgprot_noncached(prot);
	case PTREMAP_CACHE_WC:
		return pgprot_writecombine(prot);
	default:
		return prot;
	}
}

/* A page that cannot be made cached again is not for others. Logs may be read by all: no frame. */
static void put_one(const struct frames *f, struct held *h)
{
	if (f->cache == PTREMAP_CACHE_WB || !set_pages_array_wb(&h->page, 1))
		hold_release(h, f->write);
	else
		pr_warn("ptremap: a page stays uncached, and is lost\n");
}

void frames_put(struct frames *f)
{
	unsigned long i;

	for (i = 0; f->held && i < f->nr; i++) {
		put_one(f, &f->held[i]);
		cond_resched();
	}
	kvfree(f->held);
	if (f->mmio)
		iounmap(f->mmio);
	f->held = NULL;
	f->mmio = NULL;
	f->nr = 0;
}
