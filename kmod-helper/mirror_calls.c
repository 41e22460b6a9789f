// SPDX-License-Identifier: GPL-2.0
/* Calls of a mirror's own descriptor: what the guest has changed, and which tables it runs on. */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "mirror.h"

#define PIECE (1U << 14) /* slots that are forgotten at once */

int mirror_set_root(struct mirror *m, u32 tag, u64 cr3, u32 cpu)
{
	struct mirror_root *new = READ_ONCE(m->roots[tag]) ? NULL : held_new_root(m), *root;
	bool flush;

	if (!new && !READ_ONCE(m->roots[tag]))
		return -ENOMEM;
	spin_lock(&m->lock);
	if (!m->roots[tag]) {
		m->roots[tag] = new;
		new = NULL;
	}
	root = m->roots[tag];
	flush = held_unplace(m);
	if (root->cr3 != cr3 || root->cpu != cpu)
		flush |= held_drop_slots(m, tag, 0, m->nr_slots - 1);
	root->cr3 = cr3;
	root->cpu = cpu;
	m->current_tag = tag;
	m->seq++;
	if (flush)
		leaf_flush(m);
	spin_unlock(&m->lock);
	held_free_root(m, new);
	return 0;
}

/* Slots @first to @last of @tag, a piece at a time: others are not kept waiting for long. */
static void forget(struct mirror *m, u32 tag, u32 first, u32 last)
{
	u32 end;

	for (; first <= last; first = end + 1) {
		end = min(first | (PIECE - 1), last);
		spin_lock(&m->lock);
		if (held_drop_slots(m, tag, first, end))
			leaf_flush(m);
		m->seq++;
		spin_unlock(&m->lock);
		cond_resched();
	}
}

/* Without the lock: mirror_set_root() looks again. This is so that it has little to do. */
static bool is_another(const struct mirror *m, const struct ptremap_mirror_switch *req)
{
	const struct mirror_root *root = READ_ONCE(m->roots[req->tag]);

	return root && (READ_ONCE(root->cr3) != req->root || READ_ONCE(root->cpu) != req->cpu);
}

static int call_switch(struct mirror *m, void *arg)
{
	const struct ptremap_mirror_switch *req = arg;

	if (req->flags & ~PTREMAP_MIRROR_FORGET || req->cpu & ~MIRROR_CPU_BITS ||
	    req->tag >= PTREMAP_MIRROR_TAGS)
		return -EINVAL;
	if (req->flags & PTREMAP_MIRROR_FORGET || is_another(m, req))
		forget(m, req->tag, 0, m->nr_slots - 1);
	return mirror_set_root(m, req->tag, req->root, req->cpu);
}

/* Slots of the guest's addresses @gva to @last; false: the window shows none of them. */
static bool slots_of(const struct mirror *m, u64 gva, u64 last, u32 *first, u32 *end)
{
	u64 window_last = m->gva + m->map.req.len - 1;

	if (last < m->gva || gva > window_last)
		return false;
	*first = page_slot(m, (max(gva, m->gva) - m->gva) >> PAGE_SHIFT);
	*end = page_slot(m, (min(last, window_last) - m->gva) >> PAGE_SHIFT);
	return true;
}

/*
 * How far an address reaches that is invalidated: as INVLPG of any address of a large page does for
 * all of it (SDM vol. 3, 4.10.4.1), whatever pieces of it are held. A walk that is going on, and
 * that may lead to a larger leaf, does not count any more. 0: there is no such root.
 */
static u64 reach_of(struct mirror *m, u32 tag)
{
	u64 reach = 0;

	spin_lock(&m->lock);
	m->seq++;
	if (m->roots[tag])
		reach = 1ULL << max_t(u8, m->roots[tag]->largest, PAGE_SHIFT);
	spin_unlock(&m->lock);
	return reach;
}

static void invalidate(struct mirror *m, u32 tag, u64 gva, u64 last)
{
	u64 reach = reach_of(m, tag);
	u32 first, end;

	if (reach && slots_of(m, gva & ~(reach - 1), last | (reach - 1), &first, &end))
		forget(m, tag, first, end);
}

static int call_invalidate(struct mirror *m, void *arg)
{
	const struct ptremap_mirror_invalidate *req = arg;
	u64 last = req->len ? req->gva + req->len - 1 : U64_MAX;
	u32 tag;

	if (req->flags & ~PTREMAP_MIRROR_ALL_TAGS || req->reserved ||
	    req->tag >= PTREMAP_MIRROR_TAGS || (req->len && last < req->gva))
		return -EINVAL;
	if (!READ_ONCE(m->roots[req->tag]) && !(req->flags & PTREMAP_MIRROR_ALL_TAGS))
		return -ENOENT;
	for (tag = 0; tag < PTREMAP_MIRROR_TAGS; tag++) {
		if (tag == req->tag || req->flags & PTREMAP_MIRROR_ALL_TAGS)
			invalidate(m, tag, req->len ? req->gva : 0, last);
	}
	return 0;
}

static const struct mirror_op {
	unsigned int cmd;
	size_t size;
	int (*run)(struct mirror *m, void *arg);
} ops[] = {
	{ PTREMAP_MIRROR_INVALIDATE, sizeof(struct ptremap_mirror_invalidate), call_invalidate },
	{ PTREMAP_MIRROR_SWITCH, sizeof(struct ptremap_mirror_switch), call_switch },
};

/* No rights are asked for: who has the descriptor was given it, and can show nothing else by it. */
long mirror_ioctl(struct file *file, unsigned int cmd, unsigned long user)
{
	union {
		struct ptremap_mirror_invalidate invalidate;
		struct ptremap_mirror_switch change;
	} arg;
	size_t i;
	u32 size;
	int err;

	for (i = 0; i < ARRAY_SIZE(ops) && ops[i].cmd != cmd; i++)
		;
	if (i == ARRAY_SIZE(ops))
		return -ENOTTY;
	if (get_user(size, (u32 __user *)user))
		return -EFAULT;
	if (size < ops[i].size || size > PAGE_SIZE)
		return -EINVAL;
	err = copy_struct_from_user(&arg, ops[i].size, (void __user *)user, size);
	return err ?: ops[i].run(file->private_data, &arg);
}
