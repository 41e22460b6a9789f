// SPDX-License-Identifier: GPL-2.0
#include "user/remap/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/base/line.h"
#include "user/base/msg.h"
#include "user/base/text_file.h"
#include "user/kernel/helper.h"
#include "user/remap/change.h"

/* ---- processes -------------------------------------------------------------------------- */

/* One descriptor for each process. -errno: it cannot be had. */
static int open_process(const struct plan *p, pid_t pid)
{
	const struct planned *c;
	int fd;

	if (pid <= 0)
		return -EINVAL;
	for (c = p->changes + p->nr; c-- > p->changes;) {
		if (c->item.pid == pid)
			return c->pidfd;
		if (c->item.other_pid == pid)
			return c->other_pidfd;
	}
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	return fd < 0 ? -errno : fd;
}

/* The first change that has @fd closes it. */
static void close_process(const struct plan *p, size_t upto, int fd)
{
	size_t i;

	for (i = 0; i < upto; i++)
		if (p->changes[i].pidfd == fd || p->changes[i].other_pidfd == fd)
			return;
	if (fd >= 0)
		close(fd);
}

static void close_processes(const struct plan *p)
{
	const struct planned *c;
	size_t i;

	for (i = 0; i < p->nr; i++) {
		c = &p->changes[i];
		close_process(p, i, c->pidfd);
		if (c->other_pidfd != c->pidfd)
			close_process(p, i, c->other_pidfd);
	}
}

/* The item as the module gets it. -ESRCH: its process was not there when the plan was read. */
static int item_of(struct ptremap_item *item, const struct planned *c)
{
	*item = c->item;
	if (c->pidfd == -ESRCH || c->other_pidfd == -ESRCH)
		return -ESRCH;
	if (c->pidfd >= 0) {
		item->pid = c->pidfd;
		item->flags |= PTREMAP_PIDFD;
	}
	if (c->other_pidfd >= 0) {
		item->other_pid = c->other_pidfd;
		item->flags |= PTREMAP_OTHER_PIDFD;
	}
	return 0;
}

int plan_add(struct plan *p, const struct ptremap_item *item, uint32_t line)
{
	size_t size = p->size ? 2 * p->size : 16;
	struct planned *changes, *c;

	if (p->nr == PTREMAP_EDIT_MAX)
		return -E2BIG;
	if (p->nr == p->size) {
		changes = reallocarray(p->changes, size, sizeof(*changes));
		if (!changes)
			return -ENOMEM;
		p->changes = changes;
		p->size = size;
	}
	c = &p->changes[p->nr];
	*c = (struct planned){ .item = *item, .line = line };
	c->pidfd = open_process(p, item->pid);
	c->other_pidfd = item->other_pid == item->pid ? c->pidfd : open_process(p, item->other_pid);
	p->nr++;
	return 0;
}

void plan_free(struct plan *p)
{
	close_processes(p);
	free(p->changes);
	*p = (struct plan){ 0 };
}

/* ---- files ------------------------------------------------------------------------------ */

struct reading {
	struct plan *plan;
	uint32_t *line;
	char why[CHANGE_WHY_LEN];
};

static int take_line(void *ctx, char *text)
{
	struct reading *r = ctx;
	struct ptremap_item item;
	int err = change_parse(&item, text, r->why);

	if (err)
		return err;
	err = plan_add(r->plan, &item, *r->line);
	if (err == -E2BIG)
		snprintf(r->why, sizeof(r->why), "more than %d changes", PTREMAP_EDIT_MAX);
	else if (err)
		snprintf(r->why, sizeof(r->why), "%s", strerror(-err));
	return err == -E2BIG ? -EINVAL : err;
}

int plan_read(struct plan *p, FILE *in, const char *name)
{
	uint32_t line;
	struct reading r = { .plan = p, .line = &line };
	int err;

	p->name = name;
	err = text_file_lines(in, take_line, &r, &line);
	return err ? text_file_error(name, line, err, r.why) : 0;
}

/* ---- making it -------------------------------------------------------------------------- */

/* Says which change was refused, and why. */
static void tell_refused(const struct plan *p, const struct planned *c)
{
	const struct ptremap_item *i = &c->item;
	const char *why = ptremap_edit_strerror(i->what, i->status);
	struct line l = { 0 };

	if (c->line) {
		line_text(&l, p->name);
		line_str(&l, ", line ");
		line_dec(&l, c->line);
		line_str(&l, ": ");
	}
	change_text(&l, i);
	line_str(&l, ": ");
	line_str(&l, why);
	if (i->status == -ESTALE && i->old) {
		line_str(&l, "; it is 0x");
		line_hex(&l, i->old);
	}
	line_char(&l, '\0');
	msg_error("%s", l.failed ? why : l.buf);
	line_free(&l);
}

static void tell(const struct plan *p, int err)
{
	size_t i;

	for (i = 0; i < p->nr; i++)
		if (p->changes[i].item.status) {
			tell_refused(p, &p->changes[i]);
			return;
		}
	msg_error("%s: %s", PTREMAP_DEVICE, ptremap_strerror(err));
}

/* Swaps answer for one of their pages: the other one is asked for by the same swap from there. */
static void try_others(struct plan *p, int fd)
{
	struct ptremap_item back;
	struct planned c;
	uint32_t id;
	size_t i;

	for (i = 0; i < p->nr; i++) {
		c = p->changes[i];
		if (c.item.what != PTREMAP_SWAP)
			continue;
		c.item = (struct ptremap_item){
			.what = PTREMAP_SWAP,
			.pid = c.item.other_pid,
			.va = c.item.other_va,
			.other_pid = c.item.pid,
			.other_va = c.item.va,
			.level = c.item.level,
		};
		c.pidfd = p->changes[i].other_pidfd;
		c.other_pidfd = p->changes[i].pidfd;
		if (item_of(&back, &c) || ptremap_edit(fd, PTREMAP_EDIT_DRY_RUN, &back, 1, &id))
			continue;
		p->changes[i].other_old = back.old;
		p->changes[i].other_new = back.new;
	}
}

/* The same of swaps that were made: the list has their two pages, one behind the other. */
static void find_others(struct plan *p, int fd)
{
	struct ptremap_record *r, *end;
	size_t i, nr;

	if (ptremap_list(fd, &r, &nr))
		return;
	end = r + nr;
	for (nr = 0; r + nr < end && r[nr].id != p->id; nr++)
		;
	for (i = 0; i < p->nr; i++) {
		struct planned *c = &p->changes[i];

		nr++;
		if (c->item.what != PTREMAP_SWAP || r + nr >= end)
			continue;
		if (r[nr].id == p->id && r[nr].va == c->item.other_va) {
			c->other_old = r[nr].old;
			c->other_new = r[nr].new;
		}
		nr++;
	}
	free(r);
}

static bool has_swap(const struct plan *p)
{
	size_t i;

	for (i = 0; i < p->nr; i++)
		if (p->changes[i].item.what == PTREMAP_SWAP)
			return true;
	return false;
}

/* Of the changes; what the module answers goes back there. */
static int edit(struct plan *p, int fd, uint32_t flags, struct ptremap_item *items)
{
	size_t i;
	int err;

	for (i = 0; i < p->nr; i++) {
		err = item_of(&items[i], &p->changes[i]);
		p->changes[i].item.status = err;
		if (err)
			return err;
	}
	err = ptremap_edit(fd, flags, items, p->nr, &p->id);
	for (i = 0; i < p->nr; i++) {
		p->changes[i].item.old = items[i].old;
		p->changes[i].item.new = items[i].new;
		p->changes[i].item.status = items[i].status;
	}
	return err;
}

int plan_make(struct plan *p, int fd, uint32_t flags)
{
	struct ptremap_item *items = calloc(p->nr, sizeof(*items));
	int err;

	if (!items) {
		msg_error("%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	err = edit(p, fd, flags, items);
	free(items);
	p->flags = flags;
	if (err)
		tell(p, err);
	else if (has_swap(p))
		(flags & PTREMAP_EDIT_DRY_RUN ? try_others : find_others)(p, fd);
	return err;
}
