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
 * What a process or a file owns is read from its frame straight into the caller's memory, as much
 * at once as one leaf maps. Anything else may be what the kernel does not let copy_to_user() have
 * (edits lead to any frame), or be absent from the direct map: it goes by way of a page of our own.
 *
 * A write must not be lost when the kernel takes the page for clean. Pages that are not written
 * back to a file are marked dirty. Of others the entry has to be writable and dirty afterwards,
 * too: the kernel write-protects it before it writes the page back, and takes its D over. Then it
 * is done again.
 */
#include <linux/backing-dev.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "edit.h"
#include "ptremap.h"

#define TRIES 16
#define BATCH 32 /* small pages that are read at once */
#define NOTED (u64)(_PAGE_ACCESSED | _PAGE_DIRTY)

/* Where an entry leads to. */
struct place {
	u64 entry;
	u64 entry_pa; /* where it is */
	u64 pa;
	u64 rest; /* bytes from there to the end of what the entry maps */
	u8 level;
	bool writable;
	bool hole; /* PROT_NONE */
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
	p->hole = true;
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
	p->entry_pa = w.entry_pa;
	p->level = w.level;
	p->hole = false;
	if (w.kind == PT_HOLE) {
		err = place_of_hole(p, &e);
	} else if (w.kind == PT_LEAF) {
		p->pa = w.pa;
		p->writable = w.perm & PT_PERM_W;
	} else {
		err = -ENXIO;
	}
	if (!err)
		p->rest = pt_level_size(&ptremap_fmt, w.level) -
			  (va & (pt_level_size(&ptremap_fmt, w.level) - 1));
	return err;
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

/*
 * A process' own memory, or a file's; not the zero page, nor the kernel's. A slab page's ->mapping
 * is something else, and may look like that of anonymous memory.
 */
static bool has_owner(struct page *page)
{
	struct folio *folio = page_folio(page);

	return !folio_test_slab(folio) && (folio_test_anon(folio) || folio_mapping(folio));
}

/* The folio is locked, so that its file stays, which a reference to a page does not see to. */
static bool is_written_back(struct page *page)
{
	struct folio *folio = page_folio(page);
	struct address_space *mapping;
	bool is;

	if (folio_test_slab(folio) || folio_test_anon(folio))
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

/* The frame at @va, with a reference, which put_page() gives back. -EAGAIN: try again. */
static int get_place(const struct target *t, u64 va, struct place *p, struct page **page)
{
	unsigned int seq;
	bool quiet = rehearsal_none(&seq);
	struct place now;
	int err = find_place(t, va, p);

	if (err)
		return err;
	if (!pfn_to_online_page(p->pa >> PAGE_SHIFT))
		return -ENODEV;
	*page = get_frame(p->pa);
	/* To ask whether it is RAM takes long, and what has an owner is. */
	if ((!*page || !has_owner(*page)) && !phys_is_ram(p->pa))
		err = -ENODEV;
	else if (!*page)
		return -EAGAIN;
	if (!err)
		err = find_place(t, va, &now);
	if (!err && (now.entry ^ p->entry) & ~NOTED)
		err = -EAGAIN;
	if (!err && now.hole && (!quiet || rehearsal_since(seq)))
		err = -EAGAIN;
	if (err && *page)
		put_page(*page);
	return err;
}

/* ---- reading ------------------------------------------------------------------------------------
 */

/* How much of @len can be read at once, from @page on: no more than its folio, nor what is bad. */
static size_t good_part(struct page *page, size_t offset, size_t len)
{
	struct folio *folio = page_folio(page);
	size_t n, end = folio_size(folio) - (folio_page_idx(folio, page) << PAGE_SHIFT);

	end = min_t(size_t, end, PMD_SIZE);
	for (n = 0; n < end && n < offset + len && !PageHWPoison(page); n += PAGE_SIZE)
		page++;
	return n ? min(len, n - offset) : 0;
}

/* *@len becomes what was read of it. */
static int read_owned(u64 pa, struct page *page, void __user *user, size_t *len)
{
	const void *from = __va(pa);
	u8 byte;

	*len = good_part(page, offset_in_page(pa), *len);
	if (!*len)
		return -EIO;
	*len -= copy_to_user(user, from, *len);
	if (*len)
		return 0;
	return copy_from_kernel_nofault(&byte, from, 1) ? -EIO : -EFAULT;
}

static int read_other(u64 pa, void __user *user, size_t *len, void *bounce)
{
	int err;

	*len = min_t(size_t, *len, PAGE_SIZE - offset_in_page(pa));
	err = phys_ram(pa, bounce, *len, false);
	if (err)
		return err;
	return copy_to_user(user, bounce, *len) ? -EFAULT : 0;
}

static int read_one(const struct target *t, u64 va, void __user *user, size_t *len, void *bounce)
{
	struct page *page;
	struct place p;
	int err = get_place(t, va, &p, &page);

	if (err)
		return err;
	*len = min_t(u64, *len, p.rest);
	if (has_owner(page))
		err = read_owned(p.pa, page, user, len);
	else
		err = read_other(p.pa, user, len, bounce);
	put_page(page);
	return err;
}

/*
 * Small pages that have owners, in a row in one table. They are found by one look at the table, and
 * confirmed, when there are references to them, by a second one that a walk comes behind.
 */
struct batch {
	u64 entry[BATCH], again[BATCH];
	struct page *page[BATCH];
	unsigned int nr;
};

static struct page *get_owned(u64 entry)
{
	u64 pa = entry & ptremap_fmt.addr_mask;
	struct page *page;

	if (!(entry & PT_P) || !pfn_to_online_page(pa >> PAGE_SHIFT))
		return NULL;
	page = get_frame(pa);
	if (!page || has_owner(page))
		return page;
	put_page(page);
	return NULL;
}

/* Up to @nr pages, each with a reference, which put_batch() gives back. */
static void get_batch(struct batch *b, const struct place *p, unsigned int nr)
{
	if (copy_from_kernel_nofault(b->entry, __va(p->entry_pa), nr * sizeof(*b->entry)))
		return;
	for (; b->nr < nr; b->nr++) {
		b->page[b->nr] = get_owned(b->entry[b->nr]);
		if (!b->page[b->nr])
			break;
	}
}

static void put_batch(struct batch *b)
{
	while (b->nr)
		put_page(b->page[--b->nr]);
}

static bool confirm_batch(struct batch *b, const struct target *t, u64 va, const struct place *p)
{
	struct place now;
	unsigned int i;

	if (copy_from_kernel_nofault(b->again, __va(p->entry_pa), b->nr * sizeof(*b->again)) ||
	    find_place(t, va, &now) || now.entry_pa != p->entry_pa || now.level != 1)
		return false;
	for (i = 0; i < b->nr; i++) {
		if ((b->entry[i] ^ b->again[i]) & ~NOTED)
			return false;
	}
	return true;
}

static int read_batch(const struct batch *b, u64 va, void __user *user, size_t *len)
{
	size_t done = 0, n, part;
	unsigned int i;
	int err = 0;

	for (i = 0; i < b->nr && done < *len; i++) {
		part = n = min_t(size_t, *len - done, PAGE_SIZE - offset_in_page(va + done));
		err = read_owned(PFN_PHYS(page_to_pfn(b->page[i])) + offset_in_page(va + done),
				 b->page[i], user + done, &n);
		if (err)
			break;
		done += n;
		if (n < part)
			break;
	}
	*len = done;
	return done ? 0 : err;
}

static int try_read(const struct target *t, u64 va, void __user *user, size_t *len, void *bounce)
{
	size_t nr = min_t(size_t, BATCH, DIV_ROUND_UP(offset_in_page(va) + *len, PAGE_SIZE));
	struct batch b;
	struct place p;
	int err = find_place(t, va, &p);

	if (err)
		return err;
	b.nr = 0;
	nr = min_t(size_t, nr, (PAGE_SIZE - offset_in_page(p.entry_pa)) / sizeof(*b.entry));
	if (p.level == 1 && nr > 1)
		get_batch(&b, &p, nr);
	if (b.nr > 1 && confirm_batch(&b, t, va, &p))
		err = read_batch(&b, va, user, len);
	else
		err = read_one(t, va, user, len, bounce);
	put_batch(&b);
	return err;
}

int memory_read_piece(const struct target *t, u64 va, void __user *user, size_t *len, void *bounce)
{
	size_t all = *len;
	int i, err = -EAGAIN;

	for (i = 0; i < TRIES && err == -EAGAIN; i++) {
		*len = all;
		err = try_read(t, va, user, len, bounce);
	}
	return err;
}

/* ---- writing ------------------------------------------------------------------------------------
 */

static int write_frame(const struct target *t, const struct ptremap_phys *req, u64 va, void *buf,
		       size_t len, const struct place *p, struct page *page)
{
	int err;

	if (!p->writable && !(req->flags & PTREMAP_PHYS_FORCE && has_owner(page)))
		return -EROFS;
	err = phys_ram(p->pa, buf, len, true);
	return err ?: note_write(page, t, va, p);
}

int memory_write_piece(const struct target *t, const struct ptremap_phys *req, u64 va,
		       const void __user *user, size_t len, void *bounce)
{
	struct page *page;
	struct place p;
	int i, err = -EAGAIN;

	if (copy_from_user(bounce, user, len))
		return -EFAULT;
	for (i = 0; i < TRIES && err == -EAGAIN; i++) {
		err = get_place(t, va, &p, &page);
		if (err)
			continue;
		err = write_frame(t, req, va, bounce, len, &p, page);
		put_page(page);
	}
	return err;
}
