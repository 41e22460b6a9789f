// SPDX-License-Identifier: GPL-2.0
#include "user/kernel/facts.h"

#include <errno.h>
#include <string.h>

#define PAGE_SHIFT 12

void facts_of_frame(struct facts *f, pid_t pid, uint64_t va, uint64_t pfn)
{
	memset(f, 0, sizeof(*f));
	f->frame.pfn = pfn;
	f->has_frame = pfn;
	if (pfn)
		page_info_read(pfn, &f->page);
	f->vma_error = proc_vma_find(pid, va, &f->vma);
}

static bool is_user(const struct pt_fmt *fmt, uint64_t va)
{
	return va < PT_BIT(fmt->va_bits - 1);
}

void facts_of_walk(struct facts *f, pid_t pid, const struct pt_space *space,
		   const struct pt_path *path, const struct ptremap_page *frame,
		   unsigned int version)
{
	const struct pt_walk *end = &path->end;

	memset(f, 0, sizeof(*f));
	f->has_frame = end->kind == PT_LEAF;
	f->frame = *frame;
	f->not_ram = f->has_frame && !frame->valid;
	if (f->has_frame)
		page_info_read(end->pa >> PAGE_SHIFT, &f->page);
	f->vma_error = -EDOM;
	if (!pid || !is_user(space->fmt, end->ia))
		return;
	f->vma_error = proc_vma_find(pid, end->ia, &f->vma);
	if (f->vma_error || end->why == PT_WHY_UNREADABLE)
		return;
	f->has_verdict = true;
	f->verdict = vma_rule(&f->vma, space->fmt, end->level, end->entry, &f->page, version);
}
