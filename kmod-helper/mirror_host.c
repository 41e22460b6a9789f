// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel tells before it changes a mapping.
 *
 * Of the memory that is shown: all that leads to the frames is dropped, and the TLBs are flushed,
 * before the kernel goes on. From then to the end of it nothing of this memory is put into the
 * window, and what was found out before is found out again: as KVM does (mmu_invalidate_retry_hva()
 * of virt/kvm/kvm_main.c).
 *
 * Of the window: what unmaps it frees its tables afterwards. So it is emptied, and the mirror is
 * dead from then on. munmap(), mmap() over it, mremap(), exit and exec tell UNMAP or ->release;
 * what tells something else leaves the tables alone.
 *
 * Notifiers never sleep here, and take no lock but ->lock and those of page tables, under which
 * nothing sleeps or allocates: they can be called from reclaim and from the OOM reaper.
 */
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/sched/mm.h>

#include "mirror.h"

/*
 * ->lock is held. Once it is dead nothing touches the window's tables, nor what is held, which is
 * freed with the mirror.
 */
static void die(struct mirror *m)
{
	if (m->dead)
		return;
	if (held_unplace(m))
		leaf_flush(m);
	m->dead = true;
	m->page->held = 0;
	m->seq++;
}

static bool about_window(const struct mirror *m, const struct mmu_notifier_range *range)
{
	return range->event == MMU_NOTIFY_UNMAP && atomic_read(&m->map.parts) &&
	       range->start < m->map.req.va + m->map.req.len && range->end > m->map.req.va;
}

/* Ranges do not change, so that this is so for the end of an invalidation, too, or not. */
static bool about_ram(const struct mirror_notifier *n, const struct mmu_notifier_range *range)
{
	const struct mirror *m = n->mirror;
	u32 i;

	for (i = 0; n->mm == m->ram && i < m->nr_ranges; i++) {
		if (range->start < m->ranges[i].hva + m->ranges[i].len &&
		    range->end > m->ranges[i].hva)
			return true;
	}
	return false;
}

/* ->lock is held. */
static bool drop_hvas(struct mirror *m, u64 start, u64 end)
{
	const struct ptremap_mirror_range *r = m->ranges, *last = r + m->nr_ranges;
	u64 held = m->page->held, from, to;
	bool flush = false;

	for (; r < last; r++) {
		from = max(start, r->hva);
		to = min(end, r->hva + r->len);
		if (from < to)
			flush |= held_drop_gfns(m, (r->gpa + from - r->hva) >> PAGE_SHIFT,
						(r->gpa + to - 1 - r->hva) >> PAGE_SHIFT, false);
	}
	m->page->dropped += held - m->page->held;
	return flush;
}

/* As kvm_mmu_invalidate_begin(): several are remembered as one range that has them all. */
static void begin(struct mirror *m, unsigned long start, unsigned long end)
{
	m->busy_start = m->busy ? min(m->busy_start, start) : start;
	m->busy_end = m->busy ? max(m->busy_end, end) : end;
	m->busy++;
}

static int range_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct mirror_notifier *n = container_of(mn, struct mirror_notifier, mn);
	struct mirror *m = n->mirror;

	spin_lock(&m->lock);
	if (about_ram(n, range)) {
		begin(m, range->start, range->end);
		if (drop_hvas(m, range->start, range->end))
			leaf_flush(m);
	}
	if (n->mm == m->map.mm && about_window(m, range))
		die(m);
	spin_unlock(&m->lock);
	return 0;
}

static void range_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct mirror_notifier *n = container_of(mn, struct mirror_notifier, mn);
	struct mirror *m = n->mirror;

	if (!about_ram(n, range))
		return;
	spin_lock(&m->lock);
	m->seq++;
	m->busy--;
	spin_unlock(&m->lock);
}

/* The process ends, and all of its memory with it. */
static void release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	struct mirror *m = container_of(mn, struct mirror_notifier, mn)->mirror;

	spin_lock(&m->lock);
	if (mm == m->map.mm)
		die(m);
	else if (held_drop_all(m))
		leaf_flush(m);
	spin_unlock(&m->lock);
}

static const struct mmu_notifier_ops notifier_ops = {
	.invalidate_range_start = range_start,
	.invalidate_range_end = range_end,
	.release = release,
};

bool host_changed(const struct mirror *m, u64 seq, unsigned long hva)
{
	return m->seq != seq || (m->busy && hva >= m->busy_start && hva < m->busy_end);
}

/* Holds the mm (mmgrab) until host_unwatch(). The caller has a reference to it (mmget). */
static int watch_mm(struct mirror *m, struct mirror_notifier *n, struct mm_struct *mm)
{
	int err;

	n->mn.ops = &notifier_ops;
	n->mirror = m;
	n->mm = mm;
	mmgrab(mm);
	err = mmu_notifier_register(&n->mn, mm);
	if (err) {
		mmdrop(mm);
		n->mm = NULL;
	}
	return err;
}

int host_watch(struct mirror *m)
{
	int err = watch_mm(m, &m->notifiers[0], m->ram);

	if (!err && m->ram != m->map.mm)
		err = watch_mm(m, &m->notifiers[1], m->map.mm);
	return err;
}

/* Nobody is in a notifier any more when this returns, and nothing is filled. */
void host_unwatch(struct mirror *m)
{
	struct mirror_notifier *n = m->notifiers;
	int i;

	spin_lock(&m->lock);
	die(m);
	spin_unlock(&m->lock);
	for (i = 0; i < 2; i++) {
		if (!n[i].mm)
			continue;
		mmu_notifier_unregister(&n[i].mn, n[i].mm);
		mmdrop(n[i].mm);
		n[i].mm = NULL;
	}
}
