// SPDX-License-Identifier: GPL-2.0
#include "user/space/vm_chain.h"

#include <string.h>

#define TRIES 16

void vm_view_init(struct vm_view *view, struct guest *guest, const struct ptremap_vcpu *vcpu)
{
	*view = (struct vm_view){ .guest = guest, .vcpu = vcpu };
	view->guest_error =
		guest_space(guest, vcpu, &view->guest_fmt, &view->guest_space, &view->cpu);
	view->nested_error = guest_nested(guest, vcpu, &view->nested_fmt, &view->nested_space);
}

/* The process' tables are copied for each walk: what is there now. */
static void walk_host(struct vm_chain *c)
{
	struct live *host = guest_host(c->view->guest);

	c->hva = c->slot->hva + (c->gpa - c->slot->gpa);
	c->host_error = live_walk(host, c->hva, &c->page);
	if (!c->host_error)
		chain_walk(&c->host, live_space(host), NULL, c->hva);
}

static bool leads_to_page(const struct chain *c)
{
	return c->path.end.kind == PT_LEAF;
}

static enum vm_end end_of(const struct vm_chain *c)
{
	bool host, nested;

	if (!c->slot)
		return VM_END_SLOT;
	host = !c->host_error && leads_to_page(&c->host);
	if (c->view->nested_error)
		return host ? VM_END_PAGE : VM_END_HOST;
	nested = leads_to_page(&c->nested);
	if (!nested)
		return host ? VM_END_NESTED : VM_END_HOST;
	return host && c->host.pa == c->nested.pa ? VM_END_PAGE : VM_END_APART;
}

static uint64_t size_of(const struct chain *c)
{
	return pt_level_size(c->space->fmt, c->path.end.level);
}

/* A stage that is not known, or has no tables, forbids nothing and has no size. */
static void add_stage(struct vm_chain *c, const struct chain *stage)
{
	if (!stage->path.top)
		return;
	c->perm &= stage->path.end.perm;
	if (!c->page_size || size_of(stage) < c->page_size)
		c->page_size = size_of(stage);
}

/* A nested table says nothing of the guest's users. */
static void sum_up(struct vm_chain *c)
{
	const unsigned int user = PT_PERM_U;

	c->hpa = c->host.pa;
	c->perm = PT_PERM_R | PT_PERM_W | PT_PERM_X | user;
	if (!c->view->nested_error) {
		add_stage(c, &c->nested);
		c->perm |= user;
		c->hpa = c->nested.pa;
	} else {
		c->page_size = size_of(&c->host);
	}
	if (c->has_guest)
		add_stage(c, &c->guest);
}

static void walk_gpa(struct vm_chain *c)
{
	c->has_gpa = true;
	c->slot = guest_slot(c->view->guest, c->gpa);
	if (c->slot)
		walk_host(c);
	if (!c->view->nested_error)
		chain_walk(&c->nested, &c->view->nested_space, NULL, c->gpa);
	c->end = end_of(c);
	if (c->end == VM_END_PAGE)
		sum_up(c);
}

static void follow_gva(struct vm_chain *c, uint64_t gva)
{
	const struct vm_view *view = c->view;
	const struct pt_path *path = &c->guest.path;

	c->has_guest = true;
	chain_walk(&c->guest, &view->guest_space, NULL, gva);
	c->end = VM_END_GUEST;
	if (leads_to_page(&c->guest)) {
		c->gpa = c->guest.pa;
		walk_gpa(c);
	} else if (path->end.why == PT_WHY_UNREADABLE) {
		c->table = true;
		c->gpa = path->at[path->end.level].addr;
		walk_gpa(c);
		c->end = VM_END_GUEST;
	}
}

static void follow_gpa(struct vm_chain *c, uint64_t gpa)
{
	c->gpa = gpa;
	walk_gpa(c);
}

/* A table that KVM has freed meanwhile is not led to any more. */
static bool nested_stays(const struct vm_chain *c)
{
	const struct pt_path *path = &c->nested.path;
	struct pt_path again;
	unsigned int level;

	if (!c->has_gpa || c->view->nested_error)
		return true;
	pt_lookup(&c->view->nested_space, c->gpa, &again);
	if (again.end.kind != path->end.kind || again.end.level != path->end.level)
		return false;
	for (level = path->end.level; level <= path->top; level++)
		if (again.at[level].entry != path->at[level].entry)
			return false;
	return true;
}

/* What KVM has now is in @view afterwards. */
static bool is_as_before(struct vm_view *view)
{
	int changed = guest_refresh(view->guest);

	if (changed > 0)
		view->nested_error = guest_nested(view->guest, view->vcpu, &view->nested_fmt,
						  &view->nested_space);
	return !changed;
}

/* Nothing that belongs to slots, which are others now. */
static void forget(struct vm_chain *c)
{
	c->end = VM_END_CHANGED;
	c->has_gpa = false;
	c->slot = NULL;
}

static void follow(struct vm_chain *c, struct vm_view *view, uint64_t address,
		   void (*fn)(struct vm_chain *c, uint64_t address))
{
	int i;

	for (i = 0; i < TRIES; i++) {
		memset(c, 0, sizeof(*c));
		c->view = view;
		fn(c, address);
		if (!nested_stays(c) || !is_as_before(view))
			forget(c);
		else if (c->end != VM_END_APART)
			break;
	}
}

void vm_chain_gpa(struct vm_chain *c, struct vm_view *view, uint64_t gpa)
{
	follow(c, view, gpa, follow_gpa);
}

int vm_chain_gva(struct vm_chain *c, struct vm_view *view, uint64_t gva)
{
	if (view->guest_error) {
		memset(c, 0, sizeof(*c));
		c->view = view;
		return view->guest_error;
	}
	follow(c, view, gva, follow_gva);
	return 0;
}
