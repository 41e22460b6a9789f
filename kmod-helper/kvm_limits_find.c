// SPDX-License-Identifier: GPL-2.0
/*
 * Limits of a VM, found by page: an index that is replaced as a whole, for those who may not sleep.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "kvm_limits_impl.h"

int index_upto(const struct index *x, gfn_t gfn)
{
	u32 from = 0, to = x->nr;

	while (from < to) {
		u32 mid = from + (to - from) / 2;

		if (x->entry[mid].first <= gfn)
			from = mid + 1;
		else
			to = mid;
	}
	return (int)from - 1;
}

static int compare_entries(const void *a, const void *b)
{
	const struct index_entry *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static void finish_index(struct index *x)
{
	gfn_t reach = 0;
	u32 i;

	sort(x->entry, x->nr, sizeof(x->entry[0]), compare_entries, NULL);
	for (i = 0; i < x->nr; i++) {
		reach = max(reach, x->entry[i].last);
		x->entry[i].reach = reach;
	}
}

/* ->mutex is held. Those that were taken are left out. */
struct index *index_make(const struct limits *v)
{
	struct limiter *by;
	struct index *x;
	size_t room = 0;
	u32 i;

	list_for_each_entry(by, &v->limiters, link) room += by->nr;
	x = kvzalloc(struct_size(x, entry, room), GFP_KERNEL_ACCOUNT);
	if (!x)
		return NULL;
	list_for_each_entry(by, &v->limiters, link)
	{
		for (i = 0; i < by->nr; i++) {
			struct limit *l = &by->limits[i];

			if (!test_bit(LIMIT_TAKEN, &l->state))
				x->entry[x->nr++] = (struct index_entry){ l->first, l->last, 0, l };
		}
	}
	finish_index(x);
	return x;
}

u32 limits_deny(const struct limits *v, gfn_t gfn, u32 access, u32 kinds)
{
	const struct index *x = limits_index(v);
	u32 denied = 0;
	int i;

	if (!x || limits_opened(v, gfn, gfn))
		return 0;
	for_each_in(i, x, gfn, gfn)
	{
		const struct limit *l = x->entry[i].limit;

		if (kinds & BIT(l->kind) && !test_bit(LIMIT_TAKEN, &l->state))
			denied |= l->denied & access;
	}
	return denied;
}

bool limit_take(struct limit *l, enum ptremap_cause cause)
{
	if (test_and_set_bit(LIMIT_TAKEN, &l->state))
		return false;
	l->cause = cause;
	return true;
}

u32 limits_end_by_access(const struct limits *v, gfn_t gfn, u32 access)
{
	const struct index *x = limits_index(v);
	u32 n = 0;
	int i;

	/* The last limit has gone, or the first one is only coming. */
	if (!x)
		return 0;
	for_each_in(i, x, gfn, gfn)
	{
		struct limit *l = x->entry[i].limit;

		if (l->kind == LIMIT_ONCE && l->denied & access)
			n += limit_take(l, PTREMAP_CAUSE_ACCESS);
	}
	return n;
}

u32 limits_tell(const struct limits *v, const struct ptremap_access *a)
{
	const struct index *x = limits_index(v);
	gfn_t gfn = a->gpa >> PAGE_SHIFT;
	u32 n = 0;
	int i;

	if (!x)
		return 0;
	for_each_in(i, x, gfn, gfn)
	{
		struct limit *l = x->entry[i].limit;

		if (l->kind != LIMIT_WATCH ||
		    (a->type == PTREMAP_ACCESS_DONE && !(l->on & a->access)))
			continue;
		l->by->seen(l, a);
		n++;
	}
	return n;
}

bool limits_are_mixed(const struct limits *v)
{
	return READ_ONCE(v->mixed);
}
