// SPDX-License-Identifier: GPL-2.0
/*
 * Which mirrors there are.
 *
 * One is listed from when it has its descriptor until the first step of its end (end_mirror()),
 * which waits for list_lock: what is found under it is there, and its ranges do not change. The
 * caller's memory is not touched under it.
 */
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/uaccess.h>

#include "mirror.h"

static DEFINE_MUTEX(list_lock);
static LIST_HEAD(mirrors);

void mirror_list_add(struct mirror *m)
{
	mutex_lock(&list_lock);
	list_add_tail(&m->listed, &mirrors);
	mutex_unlock(&list_lock);
}

void mirror_list_remove(struct mirror *m)
{
	mutex_lock(&list_lock);
	list_del_init(&m->listed);
	mutex_unlock(&list_lock);
}

static void add_root(const struct mirror *m, u32 tag, struct ptremap_mirror_info *info)
{
	const struct mirror_root *root = m->roots[tag];

	if (root)
		info->roots[info->nr_roots++] = (struct ptremap_mirror_tag){
			.root = root->cr3,
			.tag = tag,
			.cpu = root->cpu,
		};
}

/* False: its window has gone. */
static bool describe(struct mirror *m, struct ptremap_mirror_info *info)
{
	bool dead;
	u32 tag;

	*info = (struct ptremap_mirror_info){
		.flags = m->flags & (PTREMAP_MIRROR_EXEC | PTREMAP_MIRROR_AD | PTREMAP_MIRROR_SYNC |
				     PTREMAP_MIRROR_RDONLY),
		.pid = m->map.req.pid,
		.ram_pid = m->ram_pid,
		.mode = m->mode,
		.va = m->map.req.va,
		.len = m->map.req.len,
		.gva = m->gva,
		.nr_ranges = m->nr_ranges,
	};
	spin_lock(&m->lock);
	dead = m->dead;
	info->held = m->page->held;
	add_root(m, m->current_tag, info);
	for (tag = 0; tag < PTREMAP_MIRROR_TAGS; tag++) {
		if (tag != m->current_tag)
			add_root(m, tag, info);
	}
	spin_unlock(&m->lock);
	return !dead;
}

/* What the caller has room for, and how many there are. */
struct gathered {
	struct ptremap_mirror_info *infos;
	struct ptremap_mirror_range *ranges;
	u32 nr, nr_ranges;
};

static void gather(struct gathered *g, u32 room, u32 room_ranges)
{
	struct ptremap_mirror_info info;
	struct mirror *m;

	mutex_lock(&list_lock);
	list_for_each_entry(m, &mirrors, listed)
	{
		if (!describe(m, &info))
			continue;
		if (g->nr < room)
			g->infos[g->nr] = info;
		if (g->nr_ranges <= room_ranges && m->nr_ranges <= room_ranges - g->nr_ranges)
			memcpy(g->ranges + g->nr_ranges, m->ranges,
			       m->nr_ranges * sizeof(*g->ranges));
		g->nr++;
		g->nr_ranges += m->nr_ranges;
	}
	mutex_unlock(&list_lock);
}

static int answer(struct ptremap_mirror_list *req, const struct gathered *g)
{
	void __user *infos = u64_to_user_ptr(req->mirrors), *ranges = u64_to_user_ptr(req->ranges);
	u32 nr = min(req->nr, g->nr);

	if (copy_to_user(infos, g->infos, nr * sizeof(*g->infos)))
		return -EFAULT;
	if (g->nr_ranges <= req->nr_ranges &&
	    copy_to_user(ranges, g->ranges, g->nr_ranges * sizeof(*g->ranges)))
		return -EFAULT;
	req->nr = g->nr;
	req->nr_ranges = g->nr_ranges;
	return 0;
}

int call_mirror_list(void *arg, struct file *file)
{
	struct ptremap_mirror_list *req = arg;
	struct gathered g = { 0 };
	int err = -ENOMEM;

	if (req->flags || req->reserved || req->info_size != sizeof(*g.infos))
		return -EINVAL;
	if (req->nr > PTREMAP_MIRROR_LIST_MAX || req->nr_ranges > PTREMAP_MIRROR_RANGES_MAX)
		return -EMSGSIZE;
	g.infos = kvcalloc(req->nr + 1, sizeof(*g.infos), GFP_KERNEL_ACCOUNT);
	g.ranges = kvcalloc(req->nr_ranges + 1, sizeof(*g.ranges), GFP_KERNEL_ACCOUNT);
	if (g.infos && g.ranges) {
		gather(&g, req->nr, req->nr_ranges);
		err = answer(req, &g);
	}
	kvfree(g.infos);
	kvfree(g.ranges);
	return err;
}
