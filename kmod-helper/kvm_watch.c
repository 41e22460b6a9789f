// SPDX-License-Identifier: GPL-2.0
/*
 * Watches of what guests do: file descriptors that tell it. Each has limits in its VM, and a ring
 * of events; what does not fit is counted.
 *
 * ->lock is raw, since events come from where preemption is off; readers are woken by irq_work for
 * that reason. Its file keeps ptremap_kvm loaded.
 */
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/irq_work.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "kvm_limits.h"
#include "kvm_protect.h"
#include "kvm_sptes.h"
#include "kvm_watch.h"
#include "ptremap.h"

#define FILE_NAME    "[ptremap-access]"
#define DEFAULT_ROOM 65536
#define BATCH	     16 /* events that are copied at once, on the stack */

struct access_watch {
	struct limiter limiter;
	struct limit *limits;
	struct irq_work wake;
	wait_queue_head_t wait;
	struct mutex reading; /* readers take turns, so that nobody else moves ->first */
	bool ended;
	raw_spinlock_t lock; /* what follows */
	u32 room, first, nr;
	u32 lost; /* since the last that was put there */
	struct ptremap_access *ring;
};

static void wake_readers(struct irq_work *work)
{
	struct access_watch *w = container_of(work, struct access_watch, wake);

	wake_up_interruptible(&w->wait);
}

static void put_event(struct limit *l, const struct ptremap_access *a)
{
	struct access_watch *w = container_of(l->by, struct access_watch, limiter);
	struct ptremap_access *to;
	unsigned long flags;

	raw_spin_lock_irqsave(&w->lock, flags);
	if (w->nr == w->room) {
		w->lost += w->lost < U32_MAX;
	} else {
		to = &w->ring[(w->first + w->nr) % w->room];
		*to = *a;
		to->lost = w->lost;
		if (a->type == PTREMAP_ACCESS_DONE)
			to->access &= l->on;
		w->lost = 0;
		w->nr++;
	}
	raw_spin_unlock_irqrestore(&w->lock, flags);
	irq_work_queue(&w->wake);
}

static void ended(struct limiter *by)
{
	struct access_watch *w = container_of(by, struct access_watch, limiter);

	WRITE_ONCE(w->ended, true);
	wake_up_interruptible(&w->wait);
}

/* ---- reading -----------------------------------------------------------------------------------
 */

/* Up to @max events to @out. What was lost is told even if nothing comes behind it. */
static u32 peek_events(struct access_watch *w, struct ptremap_access *out, u32 max)
{
	unsigned long flags;
	u32 i, n;

	raw_spin_lock_irqsave(&w->lock, flags);
	n = min(w->nr, max);
	for (i = 0; i < n; i++)
		out[i] = w->ring[(w->first + i) % w->room];
	if (!n && w->lost) {
		*out = (struct ptremap_access){ .time = ktime_get_ns(),
						.type = PTREMAP_ACCESS_LOST,
						.lost = w->lost };
		n = 1;
	}
	raw_spin_unlock_irqrestore(&w->lock, flags);
	return n;
}

/* @n were copied to the reader. What a LOST told of may be in an event by now: the oldest one. */
static void drop_events(struct access_watch *w, u32 n, const struct ptremap_access *first)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&w->lock, flags);
	if (first->type == PTREMAP_ACCESS_LOST) {
		*(w->nr ? &w->ring[w->first].lost : &w->lost) -= first->lost;
	} else {
		w->first = (w->first + n) % w->room;
		w->nr -= n;
	}
	raw_spin_unlock_irqrestore(&w->lock, flags);
}

/* Bytes, or -EFAULT; 0: there is none now. */
static ssize_t take_events(struct access_watch *w, struct ptremap_access __user *user, size_t max)
{
	struct ptremap_access batch[BATCH];
	size_t done = 0;
	u32 n;

	do {
		n = peek_events(w, batch, min_t(size_t, max - done, BATCH));
		if (n && copy_to_user(user + done, batch, n * sizeof(*batch)))
			return done ? done * sizeof(*user) : -EFAULT;
		if (n)
			drop_events(w, n, batch);
		done += n;
	} while (n && done < max);
	return done * sizeof(*user);
}

static bool has_news(struct access_watch *w)
{
	return READ_ONCE(w->nr) || READ_ONCE(w->lost) || READ_ONCE(w->ended);
}

static ssize_t read_once(struct access_watch *w, char __user *buf, size_t max)
{
	ssize_t ret;

	if (mutex_lock_interruptible(&w->reading))
		return -ERESTARTSYS;
	ret = take_events(w, (struct ptremap_access __user *)buf, max);
	mutex_unlock(&w->reading);
	return ret;
}

/* That it has ended is looked at first: what came before is read before that is said. */
static ssize_t access_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct access_watch *w = file->private_data;
	size_t max = min_t(size_t, len, MAX_RW_COUNT) / sizeof(struct ptremap_access);
	ssize_t ret;
	bool ended;

	for (;;) {
		ret = check_rights(); /* they may go while it waits */
		if (ret)
			return ret;
		if (!max)
			return -EINVAL;
		ended = READ_ONCE(w->ended);
		ret = read_once(w, buf, max);
		if (ret || ended)
			return ret;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(w->wait, has_news(w)))
			return -ERESTARTSYS;
	}
}

static __poll_t access_poll(struct file *file, struct poll_table_struct *table)
{
	struct access_watch *w = file->private_data;

	poll_wait(file, &w->wait, table);
	return (has_news(w) ? EPOLLIN | EPOLLRDNORM : 0) | (READ_ONCE(w->ended) ? EPOLLHUP : 0);
}

/* ---- making and ending one ---------------------------------------------------------------------
 */

static void free_watch(struct access_watch *w)
{
	kvfree(w->limits);
	kvfree(w->ring);
	kfree(w);
}

/* No event comes any more once its limits are gone, and no wake-up once that was waited for. */
static int access_release(struct inode *inode, struct file *file)
{
	struct access_watch *w = file->private_data;

	limits_remove(&w->limiter);
	irq_work_sync(&w->wake);
	free_watch(w);
	return 0;
}

static const struct file_operations access_fops = {
	.owner = THIS_MODULE,
	.read = access_read,
	.poll = access_poll,
	.release = access_release,
	.llseek = noop_llseek,
};

static struct access_watch *new_watch(u32 room, u32 nr)
{
	struct access_watch *w = kzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);

	if (!w)
		return NULL;
	w->limits = kvcalloc(nr, sizeof(*w->limits), GFP_KERNEL_ACCOUNT);
	w->ring = kvcalloc(room, sizeof(*w->ring), GFP_KERNEL_ACCOUNT);
	if (!w->limits || !w->ring) {
		free_watch(w);
		return NULL;
	}
	w->room = room;
	raw_spin_lock_init(&w->lock);
	mutex_init(&w->reading);
	init_waitqueue_head(&w->wait);
	init_irq_work(&w->wake, wake_readers);
	w->limiter = (struct limiter){
		.limits = w->limits, .nr = nr, .seen = put_event, .ended = ended
	};
	return w;
}

static int fill_limit(struct limit *l, const struct ptremap_access_range *r)
{
	u64 last = r->gpa + r->len - 1;

	if ((r->gpa | r->len) & ~PAGE_MASK || !r->len || last < r->gpa)
		return -EDOM;
	if (!r->on || r->on & ~ACCESS_ALL || r->reserved)
		return -EINVAL;
	*l = (struct limit){
		.first = r->gpa >> PAGE_SHIFT,
		.last = last >> PAGE_SHIFT,
		.kind = LIMIT_WATCH,
		.on = r->on,
		.denied = spte_denied(r->on),
	};
	return sptes_can_deny(l->denied) ? 0 : -EOPNOTSUPP;
}

/* The limits are there before anybody has the file, whose release takes them. */
static int start(struct kvm *kvm, struct access_watch *w, unsigned int flags, struct file **file)
{
	int err = limits_add(kvm, &w->limiter, false);

	if (err)
		return err;
	err = limits_apply(kvm, &w->limiter);
	if (!err) {
		*file = anon_inode_getfile(FILE_NAME, &access_fops, w, O_RDONLY | flags);
		err = PTR_ERR_OR_ZERO(*file);
	}
	if (err) {
		limits_remove(&w->limiter);
		irq_work_sync(&w->wake);
	}
	return err;
}

int access_watch(struct kvm *kvm, const struct ptremap_access_watch *req,
		 const struct ptremap_access_range *ranges, struct file **file)
{
	unsigned int flags = req->flags & PTREMAP_ACCESS_NONBLOCK ? O_NONBLOCK : 0;
	struct access_watch *w;
	u32 i;
	int err;

	err = protect_check_vm(kvm);
	if (err)
		return err;
	w = new_watch(req->room ?: DEFAULT_ROOM, req->nr);
	if (!w)
		return -ENOMEM;
	for (i = 0; i < req->nr && !err; i++)
		err = fill_limit(&w->limits[i], &ranges[i]);
	err = err ?: start(kvm, w, flags, file);
	if (err)
		free_watch(w);
	return err;
}
