// SPDX-License-Identifier: GPL-2.0
#include "user/remap/ept_plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "user/base/line.h"
#include "user/base/msg.h"
#include "user/kernel/helper.h"
#include "user/remap/ept_words.h"

int ept_plan_add(struct ept_plan *p, const struct ptremap_ept_item *item)
{
	struct ptremap_ept_item *grown;
	size_t size;

	if (p->nr == PTREMAP_EPT_MAX)
		return -E2BIG;
	if (p->nr == p->size) {
		size = p->size ? 2 * p->size : 16;
		grown = reallocarray(p->items, size, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		p->items = grown;
		p->size = size;
	}
	p->items[p->nr++] = *item;
	return 0;
}

/* The item that is the reason, in words; or the VM, where none is. */
static void tell(const struct ept_plan *p, int err)
{
	struct line l = { 0 };
	size_t i;

	for (i = 0; i < p->nr && !p->items[i].status; i++)
		;
	if (i == p->nr) {
		const bool of_vm = err == -ENOENT || err == -EBADF || err == -ENOTUNIQ ||
				   err == -EPROTONOSUPPORT;

		msg_error("VM of %" PRId32 ": %s", p->pid,
			  of_vm ? ptremap_vm_strerror(err)
				: ptremap_ept_strerror(p->items[0].what, err));
		return;
	}
	ept_words(&l, &p->items[i]);
	msg_error("VM of %" PRId32 ", %.*s: %s", p->pid, (int)l.len, l.buf ? l.buf : "",
		  ptremap_ept_strerror(p->items[i].what, p->items[i].status));
	line_free(&l);
}

int ept_plan_make(struct ept_plan *p, int fd, uint32_t flags)
{
	int err = ptremap_ept(fd, p->pid, &p->vm_fd, flags, p->items, p->nr, &p->id);

	p->flags = flags;
	if (err)
		tell(p, err);
	return err;
}

void ept_plan_free(struct ept_plan *p)
{
	free(p->items);
	p->items = NULL;
	p->nr = p->size = 0;
}
