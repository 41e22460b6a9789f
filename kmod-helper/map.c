// SPDX-License-Identifier: GPL-2.0
/* Mappings at new addresses: asked for, made, told of and undone. */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "map.h"
#include "part.h"
#include "ptremap.h"
#include "trace.h"

static int check_source(const struct ptremap_map *req)
{
	u64 end = PT_BIT(boot_cpu_data.x86_phys_bits);
	int err;

	switch (req->source) {
	case PTREMAP_MAP_FRAMES:
		err = target_check(req->other_pid, target_other_flags(req->flags));
		if (err)
			return err;
		return req->from & ~PAGE_MASK || req->from >= TASK_SIZE_MAX ||
				       req->len > TASK_SIZE_MAX - req->from
			       ? -EDOM
			       : 0;
	case PTREMAP_MAP_FRESH:
		return req->from || req->other_pid ? -EINVAL : 0;
	case PTREMAP_MAP_PHYS:
	case PTREMAP_MAP_MMIO:
		if (req->from & ~PAGE_MASK || req->other_pid)
			return -EINVAL;
		return req->from >= end || req->len > end - req->from ? -ERANGE : 0;
	default:
		return -EINVAL;
	}
}

static int check_request(const struct ptremap_map *req)
{
	const u32 prot = PTREMAP_MAP_READ | PTREMAP_MAP_WRITE | PTREMAP_MAP_EXEC;
	int err;

	if (req->flags & ~(PTREMAP_MAP_KEEP | PTREMAP_MAP_LOW | PTREMAP_MAP_DRY_RUN |
			   PTREMAP_PIDFD | PTREMAP_OTHER_PIDFD) ||
	    (req->flags & PTREMAP_OTHER_PIDFD && req->source != PTREMAP_MAP_FRAMES) || !req->len ||
	    req->len & ~PAGE_MASK || req->prot & ~prot || !(req->prot & PTREMAP_MAP_READ) ||
	    req->cache > PTREMAP_CACHE_WC || (req->va && req->flags & PTREMAP_MAP_LOW))
		return -EINVAL;
	if (req->len > PTREMAP_MAP_MAX)
		return -EMSGSIZE;
	err = target_check(req->pid, req->flags);
	if (err)
		return err;
	if (req->va & ~PAGE_MASK || req->va >= TASK_SIZE_MAX || req->len > TASK_SIZE_MAX - req->va)
		return -EDOM;
	return check_source(req);
}

static int get_frames(struct frames *f, const struct ptremap_map *req)
{
	struct target other;
	int err;

	if (req->source != PTREMAP_MAP_FRAMES)
		return frames_get(f, req, NULL);
	err = target_get(&other, req->other_pid, target_other_flags(req->flags));
	if (err)
		return err;
	err = frames_get(f, req, other.mm);
	target_put(&other);
	return err;
}

static void release(struct mapping *m)
{
	kfree(m);
}

/* The caller has @t, with a reference to its mm. */
static struct mapping *new_mapping(const struct ptremap_map *req, const struct target *t)
{
	struct mapping *m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	int err;

	if (!m)
		return ERR_PTR(-ENOMEM);
	err = get_frames(&m->frames, req);
	if (err) {
		kfree(m);
		return ERR_PTR(err);
	}
	mmgrab(t->mm);
	m->mm = t->mm;
	m->req = *req;
	m->req.pid = t->nr;
	m->ops = &part_frames_ops;
	m->release = release;
	kref_init(&m->ref);
	init_rwsem(&m->lock);
	return m;
}

static int make_in(struct mapping **made, struct ptremap_map *req, const struct target *t)
{
	struct mapping *m = new_mapping(req, t);
	int err;

	if (IS_ERR(m))
		return PTR_ERR(m);
	err = parts_map(m);
	if (!err)
		req->va = m->req.va;
	if (err || req->flags & PTREMAP_MAP_DRY_RUN)
		mapping_put(m);
	else
		*made = m;
	return err;
}

int map_make(struct mapping **m, struct ptremap_map *req)
{
	struct target t;
	int err = check_request(req);

	if (!err)
		err = target_get(&t, req->pid, req->flags);
	if (!err) {
		err = make_in(m, req, &t);
		target_put(&t);
	}
	if (err)
		trace_ptremap_refuse(target_number(req->pid, req->flags), req->va, PTREMAP_MAPPED,
				     err);
	else if (!(req->flags & PTREMAP_MAP_DRY_RUN))
		trace_ptremap_edit((*m)->req.pid, req->va, PTREMAP_MAPPED, req->len, req->from);
	return err;
}

/* An mm that is on its way out lets go of all by itself. */
bool map_undo(struct mapping *m)
{
	bool active = mapping_end(m, PTREMAP_CAUSE_UNDO);

	if (active && mmget_not_zero(m->mm)) {
		parts_unmap(m);
		mmput(m->mm);
	}
	mapping_tell_gone(m);
	mapping_put(m);
	return active;
}

void map_record(struct mapping *m, struct ptremap_record *r)
{
	*r = (struct ptremap_record){ .id = m->watched.id, .keep = m->watched.keep };
	down_read(&m->lock);
	r->what = PTREMAP_MAPPED;
	r->pid = m->req.pid;
	r->state = m->gone ? PTREMAP_TAKEN : PTREMAP_ACTIVE;
	r->cause = m->cause;
	r->va = m->req.va;
	r->old = m->req.len;
	r->new = m->req.from;
	up_read(&m->lock);
}

/* It may be gone by now, when nobody knew of it. */
void map_tell_made(struct mapping *m, const struct watched *by)
{
	struct ptremap_record r;

	m->watched.maker = by->maker;
	m->watched.id = by->id;
	m->watched.keep = by->keep;
	map_record(m, &r);
	r.state = PTREMAP_ACTIVE;
	r.cause = PTREMAP_CAUSE_NONE;
	if (watch_made(&m->watched, &r))
		mapping_tell_gone(m);
}
