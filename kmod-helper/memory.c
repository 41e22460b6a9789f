// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a process by its addresses: through the frames that its tables lead to, whatever the
 * entries allow, so that PROT_NONE pages can be read. Nothing is faulted in.
 *
 * A frame that an entry was seen to lead to may be freed and be another's by the time that it is
 * accessed. So a reference is taken first, and the tables are walked again: if the entry is still
 * the same, the frame is the process' own, and stays so until the reference is given back (as
 * gup_fast_pte_range() in mm/gup.c has it).
 *
 * A write must not be lost when the kernel takes the page for clean. Pages that are not written
 * back to a file are marked dirty. Of others the entry has to be writable and dirty afterwards,
 * too: the kernel write-protects it before it writes the page back, and takes its D over. Then it
 * is done again.
 */
#include <linux/backing-dev.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "ptremap.h"

#define TRIES 16
#define NOTED (u64)(_PAGE_ACCESSED | _PAGE_DIRTY)

/* Where an entry leads to. */
struct place {
	u64 entry;
	u64 pa;
	bool writable;
};

/* PROT_NONE entries are not present to the CPU; the kernel keeps the frame in them, inverted. */
static int place_of_hole(struct place *p, const struct ptremap_walk_entry *e)
{
	pte_t pte = __pte(p->entry);
	pmd_t pmd = __pmd(p->entry);

	if (e->level == 1 && pte_protnone(pte))
		p->pa = (u64)pte_pfn(pte) << PAGE_SHIFT | offset_in_page(e->va);
	else if (e->level == 2 && pmd_protnone(pmd))
		p->pa = (u64)pmd_pfn(pmd) << PAGE_SHIFT | (e->va & ~PMD_MASK);
	else
		return -ENXIO;
	p->writable = p->entry & _PAGE_RW;
	return 0;
}

static int find_place(const struct target *t, u64 va, struct place *p)
{
	struct ptremap_walk_entry e = { .va = va };
	struct pt_walk w;
	int err = walk_stable(&w, t->root, &e);

	if (err)
		return err;
	e.level = w.level;
	p->entry = w.entry;
	if (w.kind == PT_HOLE)
		return place_of_hole(p, &e);
	if (w.kind != PT_LEAF)
		return -ENXIO;
	p->pa = w.pa;
	p->writable = w.perm & PT_PERM_W;
	return 0;
}

/* With a reference to its folio, which is not split as long as that is held. NULL: try again. */
static struct page *get_frame(u64 pa)
{
	struct page *page = pfn_to_page(pa >> PAGE_SHIFT);
	struct folio *folio = page_folio(page);

	if (!folio_try_get(folio))
		return NULL;
	if (page_folio(page) == folio)
		return page;
	folio_put(folio);
	return NULL;
}

/* A process' own memory, or a file's; not the zero page, nor the kernel's. */
static bool has_owner(struct page *page)
{
	struct folio *folio = page_folio(page);

	return folio_test_anon(folio) || folio_mapping(folio);
}

/* The folio is locked, so that its file stays, which a reference to a page does not see to. */
static bool is_written_back(struct page *page)
{
	struct folio *folio = page_folio(page);
	struct address_space *mapping;
	bool is;

	if (folio_test_anon(folio))
		return false;
	folio_lock(folio);
	mapping = folio_mapping(folio);
	is = mapping && mapping_can_writeback(mapping);
	folio_unlock(folio);
	return is;
}

/* After a write to @page, which there is a reference to. -EAGAIN: it may be lost. */
static int note_write(struct page *page, const struct target *t, u64 va, const struct place *before)
{
	struct place now;

	if (!is_written_back(page)) {
		if (has_owner(page))
			set_page_dirty_lock(page);
		return 0;
	}
	/* Where the process may not write, the file does not get to know: that was forced. */
	if (!before->writable)
		return 0;
	if (find_place(t, va, &now) || now.pa != before->pa || !now.writable)
		return -EAGAIN;
	return now.entry & _PAGE_DIRTY ? 0 : -EAGAIN;
}

static int access_frame(const struct target *t, const struct ptremap_phys *req, u64 va, void *buf,
			size_t len, const struct place *p)
{
	bool write = req->flags & PTREMAP_PHYS_WRITE;
	struct place now;
	struct page *page = get_frame(p->pa);
	int err;

	if (!page)
		return -EAGAIN;
	err = find_place(t, va, &now);
	if (!err && (now.entry ^ p->entry) & ~NOTED)
		err = -EAGAIN;
	if (!err && write && !p->writable && !has_owner(page))
		err = -EROFS;
	if (!err)
		err = phys_ram(p->pa, buf, len, write);
	if (!err && write)
		err = note_write(page, t, va, p);
	put_page(page);
	return err;
}

static int try_access(const struct target *t, const struct ptremap_phys *req, u64 va, void *buf,
		      size_t len)
{
	struct place p;
	int err = find_place(t, va, &p);

	if (err)
		return err;
	if (!phys_is_ram(p.pa))
		return -ENODEV;
	if (req->flags & PTREMAP_PHYS_WRITE && !p.writable && !(req->flags & PTREMAP_PHYS_FORCE))
		return -EROFS;
	return access_frame(t, req, va, buf, len, &p);
}

int memory_piece(const struct target *t, const struct ptremap_phys *req, u64 va, void __user *user,
		 size_t len, void *bounce)
{
	bool write = req->flags & PTREMAP_PHYS_WRITE;
	int i, err = -EAGAIN;

	if (write && copy_from_user(bounce, user, len))
		return -EFAULT;
	for (i = 0; i < TRIES && err == -EAGAIN; i++)
		err = try_access(t, req, va, bounce, len);
	if (err || write)
		return err;
	return copy_to_user(user, bounce, len) ? -EFAULT : 0;
}
