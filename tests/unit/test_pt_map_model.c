// SPDX-License-Identifier: GPL-2.0
/*
 * Maps, unmaps, splits and joins at random, in every format, with allocations that fail; beside
 * them a plain list of what should be mapped. After each step both say the same.
 */
#include <string.h>

#include "pt_edit_formats.h"

#define STEPS	   10000
#define MAX_RANGES 4096
#define BUFFER	   (64 << 20)

struct range {
	pt_u64 start, last, pa;
	struct pt_prot prot;
};

struct model {
	const struct edit_format *f;
	struct edit_world w;
	struct pt_alloc alloc;	/* that of ->w, but it fails now and then */
	unsigned int countdown; /* tables until it does; 0: it does not */
	pt_u64 seed;
	unsigned int n, joined, failed;
	struct range ranges[MAX_RANGES];
};

static int model_alloc(struct pt_alloc *alloc, pt_u32 bytes, pt_u64 *addr)
{
	struct model *m = pt_container_of(alloc, struct model, alloc);

	if (m->countdown && !--m->countdown)
		return -ENOMEM;
	return m->w.arena.alloc.alloc(&m->w.arena.alloc, bytes, addr);
}

static void model_free(struct pt_alloc *alloc, pt_u32 bytes, pt_u64 addr)
{
	struct model *m = pt_container_of(alloc, struct model, alloc);

	m->w.arena.alloc.free(&m->w.arena.alloc, bytes, addr);
}

static pt_u64 below(struct model *m, pt_u64 n)
{
	return edit_random(&m->seed) % n;
}

/* ---- the list ------------------------------------------------------------------------------- */

static const struct range *find(const struct model *m, pt_u64 ia)
{
	unsigned int i;

	for (i = 0; i < m->n; i++) {
		if (ia >= m->ranges[i].start && ia <= m->ranges[i].last)
			return &m->ranges[i];
	}
	return NULL;
}

static bool overlaps(const struct model *m, pt_u64 start, pt_u64 last)
{
	unsigned int i;

	for (i = 0; i < m->n; i++) {
		if (start <= m->ranges[i].last && last >= m->ranges[i].start)
			return true;
	}
	return false;
}

static void add(struct model *m, struct range r)
{
	cr_assert_lt(m->n, MAX_RANGES);
	m->ranges[m->n++] = r;
}

static void cut(struct model *m, pt_u64 start, pt_u64 last)
{
	unsigned int i;

	for (i = m->n; i--;) {
		struct range r = m->ranges[i], tail = r;

		if (start > r.last || last < r.start)
			continue;
		m->ranges[i] = m->ranges[--m->n];
		if (r.last > last) {
			tail.start = last + 1;
			tail.pa += tail.start - r.start;
			add(m, tail);
		}
		if (r.start < start) {
			r.last = start - 1;
			add(m, r);
		}
	}
}

/* ---- checks --------------------------------------------------------------------------------- */

/* The leaf over @ia is, whatever its size, what the range's protection makes of it. */
static void check_address(struct model *m, pt_u64 ia)
{
	const struct pt_fmt *fmt = &m->w.fmt;
	const struct range *r;
	/* Joined leaves share A and D, whatever each had. */
	pt_u64 ad = fmt->ept ? EPT_A | EPT_D : PT_A | PT_D;
	pt_u64 pa = 0, bits = 0, expected;
	struct pt_path path;
	int ret;

	if (!pt_canonical(fmt, ia))
		return;
	r = find(m, ia);
	ret = pt_translate(&m->w.space, ia, &pa);
	if (!r) {
		cr_assert_eq(ret, -ENOENT, "%s: %#llx", m->f->name, (unsigned long long)ia);
		return;
	}
	expected = r->pa + (ia - r->start);
	cr_assert(ret == 0 && pa == expected, "%s: %#llx: %d, %#llx instead of %#llx", m->f->name,
		  (unsigned long long)ia, ret, (unsigned long long)pa,
		  (unsigned long long)expected);
	cr_assert_eq(pt_lookup(&m->w.space, ia, &path), PT_LEAF);
	cr_assert_eq(path.end.pa, expected);
	cr_assert_eq(pt_leaf_bits(fmt, path.end.level, &r->prot, &bits), 0);
	cr_assert_eq(path.end.perm, pt_entry_perm(fmt, path.end.level, bits), "%s", m->f->name);
	/* What 32 bits cannot hold of a large leaf's address lies in its bits 13 and up. */
	pa = expected & ~(pt_level_size(fmt, path.end.level) - 1);
	bits |= fmt->entry_shift == 2 ? (pa & UINT32_MAX) | pa >> 32 << 13 : pa;
	cr_assert_eq((path.end.entry ^ bits) & ~ad, 0, "%s: %#llx, not %#llx", m->f->name,
		     (unsigned long long)path.end.entry, (unsigned long long)bits);
}

static void check_around(struct model *m, pt_u64 start, pt_u64 last)
{
	const struct range *r;
	int i;

	check_address(m, start);
	check_address(m, last);
	check_address(m, start - 1);
	check_address(m, last + 1);
	check_address(m, start + below(m, last - start + 1));
	for (i = 0; i < 4 && m->n; i++) {
		r = &m->ranges[below(m, m->n)];
		check_address(m, r->start + below(m, r->last - r->start + 1));
		check_address(m, r->start - 1);
		check_address(m, r->last + 1);
	}
}

/* ---- steps ---------------------------------------------------------------------------------- */

/* A place near one of a few, so that ranges meet. */
static pt_u64 random_place(struct model *m)
{
	const struct pt_fmt *fmt = &m->w.fmt;
	pt_u64 end = PT_BIT(fmt->va_bits - fmt->va_signed); /* of the lower half, or of all */
	pt_u64 at = PT_BIT(30) + below(m, PT_BIT(24)), half = 0;

	if (fmt->va_signed && below(m, 4) == 0)
		half = -end;
	switch (below(m, 4)) {
	case 0:
		at = below(m, PT_BIT(24));
		break;
	case 1:
		at = end - PT_BIT(24) + below(m, PT_BIT(24));
		break;
	}
	if (below(m, 4) == 0) /* where large leaves begin */
		at &= ~(pt_level_size(fmt, below(m, 2) ? 2 : 3) - 1);
	return half + (at & (end - 1) & ~(m->f->grain - 1));
}

/* The last address of a range from @start on: small ones are likelier than large ones. */
static pt_u64 random_last(struct model *m, pt_u64 start)
{
	const struct pt_fmt *fmt = &m->w.fmt;
	pt_u64 end = PT_BIT(fmt->va_bits - fmt->va_signed);
	pt_u64 room = end - (start & (end - 1)),
	       size = m->f->grain << below(m, m->f->grain == 4096 ? 13 : 6);

	size = (size + below(m, size)) & ~(m->f->grain - 1);
	if (fmt->leaf_levels >> 3 & 1 && below(m, 16) == 0)
		size = PT_BIT(30) * (1 + below(m, 3));
	return start + (size < room ? size : room) - 1;
}

static struct pt_prot random_prot(struct model *m)
{
	struct pt_prot p = edit_prot(&m->w.fmt);
	const struct pt_feat *feat = &m->w.fmt.feat;
	static const pt_u8 memtypes[] = { 0, 1, 4, 5, 6 };
	bool x86 = !m->w.fmt.ept && !feat->npt;

	if (below(m, 3) == 0)
		p.perm &= (pt_u8)~PT_PERM_W;
	if (m->w.fmt.ept || (feat->nx && m->w.fmt.mode != PT_MODE_32BIT && below(m, 3) == 0))
		p.perm &= (pt_u8) ~(PT_PERM_X | PT_PERM_XU);
	if (below(m, 3) == 0)
		p.perm &= (pt_u8)~PT_PERM_U;
	p.memtype = (pt_u8)(m->w.fmt.ept ? memtypes[below(m, 5)] : below(m, 8));
	p.ipat = m->w.fmt.ept && below(m, 2);
	p.global = x86 && below(m, 2);
	p.pkey = (pt_u8)(x86 && m->w.fmt.top > 3 ? below(m, 16) : 0);
	p.ad = below(m, 2) != 0;
	if (m->f->grain == 4096)
		p.max_level = (pt_u8)below(m, 4);
	return p;
}

/* Fails one of the next tables, in one of four steps. */
static void maybe_fail(struct model *m)
{
	m->countdown = below(m, 4) ? 0 : 1 + (unsigned int)below(m, 4);
}

static void step_map(struct model *m)
{
	struct range r = { .start = random_place(m) };
	pt_u64 size, room, live = m->w.arena.live, align;
	bool taken;
	int ret;

	r.last = random_last(m, r.start);
	r.prot = random_prot(m);
	size = r.last - r.start + 1;
	room = m->f->highest - size;
	r.pa = below(m, room) & ~(m->f->grain - 1);
	align = pt_level_size(&m->w.fmt, size >= PT_BIT(30) ? 3 : 2) - 1;
	/* Most can have large leaves; those of GiBs must, or the test is slow. */
	if (size >= PT_BIT(30) || below(m, 4))
		r.pa = (r.pa & ~align) + (r.start & align);
	if (size >= PT_BIT(30))
		r.prot.max_level = 0;
	if (r.pa + size > m->f->highest)
		return;
	taken = overlaps(m, r.start, r.last);
	maybe_fail(m);
	ret = pt_map(&m->w.space, r.start, r.last, r.pa, &r.prot, &m->alloc);
	if (!ret) {
		cr_assert_not(taken, "%s", m->f->name);
		add(m, r);
	} else {
		cr_assert(ret == -EEXIST ? taken : ret == -ENOMEM && !m->countdown, "%s: %d",
			  m->f->name, ret);
		cr_assert_eq(m->w.arena.live, live);
		m->failed += ret == -ENOMEM;
	}
	check_around(m, r.start, r.last);
}

static void step_unmap(struct model *m)
{
	pt_u64 start = random_place(m), last = random_last(m, start), page;
	const struct range *r = m->n ? &m->ranges[below(m, m->n)] : NULL;
	int ret;

	if (r && below(m, 2)) { /* in what is mapped */
		page = (r->last - r->start) / m->f->grain;
		start = r->start + below(m, page + 1) * m->f->grain;
		last = below(m, 2) ? r->last : start + m->f->grain - 1;
	}
	maybe_fail(m);
	ret = pt_unmap(&m->w.space, start, last, &m->alloc);
	if (ret) {
		cr_assert(ret == -ENOMEM && !m->countdown, "%s: %d", m->f->name, ret);
		m->failed++;
		cr_assert_eq(pt_unmap(&m->w.space, start, last, &m->alloc), 0);
	}
	cut(m, start, last);
	check_around(m, start, last);
}

/* A large leaf becomes a table; half of them are joined again at once. */
static void step_split(struct model *m, pt_u64 ia)
{
	pt_u64 live = m->w.arena.live, entry;
	struct pt_edit edit;
	struct pt_pos pos;
	int ret;

	cr_assert_eq(pt_get_leaf(&m->w.space, ia, &pos), 0);
	entry = pos.entry;
	maybe_fail(m);
	ret = pt_split(&m->w.space, &pos, &m->alloc, &edit);
	if (ret) {
		cr_assert_eq(m->w.arena.live, live);
		cr_assert(ret == -ENOMEM ? !m->countdown
					 : ret == -EINVAL &&
						   (pos.level == 1 || entry & m->w.fmt.pse36_mask));
	} else if (below(m, 2)) {
		cr_assert_eq(pt_join(&m->w.space, &pos, &m->alloc), 0);
		cr_assert(pos.entry == entry && m->w.arena.live == live);
		m->joined++;
	}
	check_around(m, pos.start, pos.last);
}

static void step_join(struct model *m, pt_u64 ia)
{
	pt_u64 live = m->w.arena.live;
	struct pt_path path;
	struct pt_pos pos;
	unsigned int level;
	int ret;

	cr_assert_eq(pt_lookup(&m->w.space, ia, &path), PT_LEAF);
	level = path.end.level + 1U;
	if (level > m->w.fmt.top)
		return;
	cr_assert_eq(pt_pos_of_path(&pos, &m->w.space, &path, level), 0);
	ret = pt_join(&m->w.space, &pos, &m->alloc);
	cr_assert(ret == 0 || ret == -EINVAL);
	cr_assert_eq(m->w.arena.live, ret ? live : live - 4096);
	m->joined += !ret;
	check_around(m, pos.start, pos.last);
}

static void step(struct model *m)
{
	const struct range *r;
	pt_u64 ia;

	switch (below(m, 8)) {
	case 0:
	case 1:
	case 2:
		step_map(m);
		return;
	case 3:
	case 4:
	case 5:
		step_unmap(m);
		return;
	}
	if (!m->n)
		return;
	r = &m->ranges[below(m, m->n)];
	ia = r->start + below(m, r->last - r->start + 1);
	if (below(m, 2))
		step_split(m, ia);
	else
		step_join(m, ia);
}

static void run(struct model *m, const struct edit_format *f, pt_u64 seed)
{
	unsigned int i;

	memset(m, 0, sizeof(*m));
	m->f = f;
	m->seed = seed;
	m->alloc = (struct pt_alloc){ model_alloc, model_free };
	edit_world_init(&m->w, f, BUFFER);
	for (i = 0; i < STEPS; i++)
		step(m);
	cr_assert(m->failed || f->grain > 4096, "%s", f->name);
	cr_assert(m->joined || f->grain > 4096 || !m->w.fmt.leaf_levels, "%s", f->name);
	m->countdown = 0;
	while (m->n) {
		struct range r = m->ranges[0];

		cr_assert_eq(pt_unmap(&m->w.space, r.start, r.last, &m->alloc), 0);
		cut(m, r.start, r.last);
	}
	cr_assert_eq(m->w.arena.live, m->w.root_only, "%s", f->name);
	edit_world_done(&m->w, f->name);
}

Test(pt_map_model, maps_and_unmaps_at_random, .timeout = 120)
{
	struct model *m = malloc(sizeof(*m));
	pt_u64 seed = edit_seed();
	unsigned int i;

	cr_assert_not_null(m);
	for (i = 0; i < NR_EDIT_FORMATS; i++)
		run(m, &edit_formats[i], seed + i);
	free(m);
}
