// SPDX-License-Identifier: GPL-2.0
/*
 * Watches. Each has a ring of events, as large as its maker wanted; what does not fit is counted.
 *
 * watch_lock protects the list of watches, their rings, and what was told of each item, so that all
 * watches get events in one order, and no item's GONE before its MADE. It is a spinlock, since
 * guards run in reclaim and in the OOM reaper; it is never taken from interrupts. Below it come
 * only the locks of wait queues, of the scheduler and of who traces ptremap_told; a caller may hold
 * journal_lock and mmap_lock, but no lock of an edit or of a page table.
 *
 * A watch is unlinked when its file is released, under watch_lock, so that nobody wakes one that is
 * gone. Its file keeps the module loaded.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "ptremap.h"
#include "trace.h"
#include "watch.h"

#define FILE_NAME    "[ptremap-watch]"
#define DEFAULT_ROOM 4096
#define MAX_LOST     U32_MAX
#define BATCH	     8 /* events that are copied at once, on the stack */

struct watch {
	struct list_head link;
	wait_queue_head_t wait;
	struct mutex reading; /* readers take turns, so that nobody else moves ->first */
	u64 maker;	      /* whose transactions; 0: all */
	bool ended;	      /* no more events will come */
	u32 room, first, nr;  /* of ->ring: all, where the oldest is, how many there are */
	u32 lost;	      /* since the last that was put there */
	u32 record_size;      /* that the reader knows, which each event has at its end */
	struct ptremap_event *ring;
};

static DEFINE_SPINLOCK(watch_lock);
static LIST_HEAD(watches);
static atomic64_t last_number = ATOMIC64_INIT(0);

u64 watch_number(void)
{
	return atomic64_inc_return(&last_number);
}

/* ---- what happened --------------------------------------------------------------------------- */

/* watch_lock is held. */
static void put_event(struct watch *w, const struct ptremap_event *e)
{
	struct ptremap_event *to;

	if (w->nr == w->room) {
		w->lost += w->lost < MAX_LOST;
		return;
	}
	to = &w->ring[(w->first + w->nr) % w->room];
	*to = *e;
	to->lost = w->lost;
	w->lost = 0;
	w->nr++;
	wake_up_interruptible(&w->wait);
}

/* watch_lock is held. Tracers are told under it, too: they get the same events in the same order.
 */
static void tell(u64 maker, u32 type, const struct ptremap_record *r)
{
	struct ptremap_event e = { .time = ktime_get_ns(), .type = type, .record = *r };
	struct watch *w;

	trace_ptremap_told(&e);
	list_for_each_entry(w, &watches, link)
	{
		if (!w->maker || (w->maker == maker && !w->ended))
			put_event(w, &e);
	}
}

bool watch_made(struct watched *w, const struct ptremap_record *r)
{
	bool over;

	spin_lock(&watch_lock);
	w->made = true;
	tell(w->maker, PTREMAP_EVENT_MADE, r);
	over = w->over;
	w->over = false;
	spin_unlock(&watch_lock);
	return over;
}
EXPORT_SYMBOL_GPL(watch_made);

void watch_gone(struct watched *w, const struct ptremap_record *r)
{
	spin_lock(&watch_lock);
	if (w->made && !w->over)
		tell(w->maker, PTREMAP_EVENT_GONE, r);
	w->over = true;
	spin_unlock(&watch_lock);
}
EXPORT_SYMBOL_GPL(watch_gone);

void watch_end(u64 number)
{
	struct watch *w;

	spin_lock(&watch_lock);
	list_for_each_entry(w, &watches, link)
	{
		if (w->maker != number)
			continue;
		w->ended = true;
		wake_up_interruptible(&w->wait);
	}
	spin_unlock(&watch_lock);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* watch_lock is held. What was lost is told even if nothing comes behind it. */
static u32 peek(const struct watch *w, struct ptremap_event *out, u32 max)
{
	u32 i, n = min(w->nr, max);

	for (i = 0; i < n; i++)
		out[i] = w->ring[(w->first + i) % w->room];
	if (n || !w->lost || !max)
		return n;
	*out = (struct ptremap_event){
		.time = ktime_get_ns(),
		.type = PTREMAP_EVENT_LOST,
		.lost = w->lost,
	};
	return 1;
}

/*
 * watch_lock is held. @n were copied to the reader. If that was a LOST event, those that it told of
 * may be in an event by now that came while it was copied: the oldest one, as there was none.
 */
static void drop(struct watch *w, u32 n, const struct ptremap_event *first)
{
	if (first->type == PTREMAP_EVENT_LOST) {
		*(w->nr ? &w->ring[w->first].lost : &w->lost) -= first->lost;
		return;
	}
	w->first = (w->first + n) % w->room;
	w->nr -= n;
}

/* Bytes of an event as the reader knows it. */
static size_t event_size(const struct watch *w)
{
	return offsetof(struct ptremap_event, record) + w->record_size;
}

/* 0 stands where the reader knows more than there is. */
static int copy_events(const struct watch *w, char __user *user, const struct ptremap_event *events,
		       u32 n)
{
	size_t size = event_size(w), len = min(size, sizeof(*events));
	u32 i;

	for (i = 0; i < n; i++, user += size)
		if (copy_to_user(user, &events[i], len) || clear_user(user + len, size - len))
			return -EFAULT;
	return 0;
}

/*
 * Up to BATCH events, and no more than @max, to @user: how many, or -EFAULT, and then they are
 * still there. *@ended: there are none, and none will come. w->reading is held; only its holder
 * takes events out, so that those that were peeked at are still the first ones.
 */
static int take(struct watch *w, char __user *user, size_t max, bool *ended)
{
	struct ptremap_event batch[BATCH];
	u32 n;

	spin_lock(&watch_lock);
	n = peek(w, batch, min_t(size_t, max, BATCH));
	*ended = !n && w->ended;
	spin_unlock(&watch_lock);
	if (!n)
		return 0;
	if (copy_events(w, user, batch, n))
		return -EFAULT;
	spin_lock(&watch_lock);
	drop(w, n, batch);
	spin_unlock(&watch_lock);
	return n;
}

/* As many as there are and fit. Bytes, or -errno; 0: there are none, see *@ended. */
static ssize_t take_all(struct watch *w, char __user *user, size_t max, bool *ended)
{
	size_t done = 0;
	int n;

	if (mutex_lock_interruptible(&w->reading))
		return -ERESTARTSYS;
	do {
		n = take(w, user + done * event_size(w), max - done, ended);
		if (n > 0)
			done += n;
	} while (n > 0 && done < max);
	mutex_unlock(&w->reading);
	return done ? done * event_size(w) : n;
}

static bool has_news(struct watch *w)
{
	bool news;

	spin_lock(&watch_lock);
	news = w->nr || w->lost || w->ended;
	spin_unlock(&watch_lock);
	return news;
}

static ssize_t watch_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct watch *w = file->private_data;
	size_t max = min_t(size_t, len, MAX_RW_COUNT) / event_size(w);
	bool ended = false;
	ssize_t ret;

	for (;;) {
		ret = check_rights(); /* they may go while it waits */
		if (ret)
			return ret;
		if (!max)
			return -EINVAL;
		ret = take_all(w, buf, max, &ended);
		if (ret || ended)
			return ret;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(w->wait, has_news(w)))
			return -ERESTARTSYS;
	}
}

static __poll_t watch_poll(struct file *file, struct poll_table_struct *table)
{
	struct watch *w = file->private_data;

	poll_wait(file, &w->wait, table);
	return (has_news(w) ? EPOLLIN | EPOLLRDNORM : 0) | (READ_ONCE(w->ended) ? EPOLLHUP : 0);
}

static void free_watch(struct watch *w)
{
	kvfree(w->ring);
	kfree(w);
}

static int watch_release(struct inode *inode, struct file *file)
{
	struct watch *w = file->private_data;

	spin_lock(&watch_lock);
	list_del(&w->link);
	spin_unlock(&watch_lock);
	free_watch(w);
	return 0;
}

static const struct file_operations watch_fops = {
	.owner = THIS_MODULE,
	.read = watch_read,
	.poll = watch_poll,
	.release = watch_release,
	.llseek = noop_llseek,
};

/* ---- making one ------------------------------------------------------------------------------ */

static struct watch *new_watch(u32 room, u64 maker, u32 record_size)
{
	struct watch *w = kzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);

	if (!w)
		return NULL;
	w->ring = kvcalloc(room, sizeof(*w->ring), GFP_KERNEL_ACCOUNT);
	if (!w->ring) {
		kfree(w);
		return NULL;
	}
	w->room = room;
	w->maker = maker;
	w->record_size = record_size;
	init_waitqueue_head(&w->wait);
	mutex_init(&w->reading);
	return w;
}

/* The file has the watch from here on. */
static struct file *watch_file(const struct ptremap_watch *req, u64 maker, unsigned int flags)
{
	struct watch *w = new_watch(req->nr ?: DEFAULT_ROOM, maker, req->record_size);
	struct file *file;

	if (!w)
		return ERR_PTR(-ENOMEM);
	file = anon_inode_getfile(FILE_NAME, &watch_fops, w, flags);
	if (IS_ERR(file)) {
		free_watch(w);
		return file;
	}
	spin_lock(&watch_lock);
	list_add_tail(&w->link, &watches);
	spin_unlock(&watch_lock);
	return file;
}

/* Number and file are the caller's only when it knows them: watch_answered() is called then. */
int call_watch(void *arg, struct file *file)
{
	struct watch_call *c = arg;
	struct ptremap_watch *req = &c->req;
	bool all = req->flags & PTREMAP_WATCH_ALL;
	unsigned int flags =
		O_RDONLY | O_CLOEXEC | (req->flags & PTREMAP_WATCH_NONBLOCK ? O_NONBLOCK : 0);
	int fd;

	if (req->flags & ~(PTREMAP_WATCH_ALL | PTREMAP_WATCH_NONBLOCK) ||
	    req->nr > PTREMAP_WATCH_MAX || req->reserved || record_size(&req->record_size))
		return -EINVAL;
	req->fd = -1;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	c->file = watch_file(req, all ? 0 : file_number(file), flags);
	if (IS_ERR(c->file)) {
		put_unused_fd(fd);
		return PTR_ERR(c->file);
	}
	req->fd = fd;
	return 0;
}

void watch_answered(void *arg, int err)
{
	struct watch_call *c = arg;

	if (!err) {
		fd_install(c->req.fd, c->file);
		return;
	}
	put_unused_fd(c->req.fd);
	fput(c->file);
}
