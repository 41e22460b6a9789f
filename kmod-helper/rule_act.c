// SPDX-License-Identifier: GPL-2.0
/*
 * What a rule does, in the thread that called it: a transaction, as somebody else's call would make
 * it. The rule knows those that it made, by the pages that they are of.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "journal.h"
#include "leaf.h"
#include "ptremap.h"
#include "rule.h"
#include "trace.h"
#include "vm.h"

/* A transaction of a rule's. */
struct change {
	struct list_head link;
	u32 id;
	u64 page, other;
};

/* ---- which pages ----------------------------------------------------------------------------- */

static u64 operand(const struct ptremap_operand *o, const struct ptremap_rule *r,
		   const struct ptremap_hit *hit)
{
	switch (o->reg) {
	case PTREMAP_REG_NONE:
		return o->add;
	case PTREMAP_REG_PAGE:
		return (hit->addr & ~(u64)(leaf_size(r->level) - 1)) + o->add;
	default:
		return hit->regs[o->reg] + o->add;
	}
}

/* ---- one change ------------------------------------------------------------------------------ */

static u32 ept_what(u32 act)
{
	static const u32 whats[] = {
		[PTREMAP_DO_SWAP] = PTREMAP_EPT_SWAP,
		[PTREMAP_DO_MAP] = PTREMAP_EPT_FRAME,
		[PTREMAP_DO_FRESH] = PTREMAP_EPT_FRESH,
		[PTREMAP_DO_PROTECT] = PTREMAP_EPT_PROTECT,
	};

	return whats[act];
}

/* The descriptor may be another VM's by now. */
static int check_vm(const struct rule *rule, const struct action *a)
{
	s32 fd = rule->r.fd;
	struct kvm *kvm;
	int err = a->calls->find(rule->pid, &fd, &kvm);

	if (err)
		return err;
	err = kvm == rule->kvm ? 0 : -EBADF;
	a->calls->put(kvm);
	return err;
}

static int make_of_vm(const struct rule *rule, const struct action *a, struct change *c)
{
	const struct ptremap_rule *r = &rule->r;
	struct ptremap_ept_item item = {
		.gpa = c->page,
		.other = c->other,
		.what = ept_what(r->act),
		.level = r->level,
		.set = r->set,
		.clear = r->clear,
	};
	struct ptremap_ept req = {
		.size = sizeof(req),
		.flags = r->flags & PTREMAP_RULE_KEEP ? PTREMAP_EPT_KEEP : 0,
		.pid = pid_vnr(rule->pid),
		.fd = r->fd,
		.nr = 1,
	};
	int err = check_vm(rule, a) ?: ptremap_ept_make(&req, &item, rule->maker);

	c->id = req.id;
	return err;
}

/* Entries of processes always let it read. */
static int protect_bits(const struct ptremap_rule *r, struct ptremap_item *item)
{
	if ((r->set | r->clear) & PTREMAP_EPT_READ)
		return -EOPNOTSUPP;
	item->set = (r->set & PTREMAP_EPT_WRITE ? _PAGE_RW : 0) |
		    (r->clear & PTREMAP_EPT_EXEC ? _PAGE_NX : 0);
	item->clear = (r->clear & PTREMAP_EPT_WRITE ? _PAGE_RW : 0) |
		      (r->set & PTREMAP_EPT_EXEC ? _PAGE_NX : 0);
	return 0;
}

static u32 edit_what(u32 act)
{
	static const u32 whats[] = {
		[PTREMAP_DO_SWAP] = PTREMAP_SWAP,
		[PTREMAP_DO_MAP] = PTREMAP_FRAME,
		[PTREMAP_DO_FRESH] = PTREMAP_FRESH,
		[PTREMAP_DO_PROTECT] = PTREMAP_PROTECT,
	};

	return whats[act];
}

static int make_of_process(const struct rule *rule, struct change *c)
{
	const struct ptremap_rule *r = &rule->r;
	bool two = r->act == PTREMAP_DO_SWAP || r->act == PTREMAP_DO_MAP;
	struct ptremap_item item = {
		.pid = pid_vnr(rule->pid),
		.other_pid = two ? pid_vnr(rule->pid) : 0,
		.va = c->page,
		.other_va = c->other,
		.what = edit_what(r->act),
		.level = r->level == 2 ? 2 : 0,
	};
	int err = r->act == PTREMAP_DO_PROTECT ? protect_bits(r, &item) : 0;

	return err ?: journal_edit(&item, rule->maker, r->flags & PTREMAP_RULE_KEEP, &c->id);
}

/* ---- what it made before --------------------------------------------------------------------- */

static struct change *find_change(struct rule *rule, u64 page, u64 other)
{
	struct change *c;

	list_for_each_entry(c, &rule->changes, link)
	{
		if (c->page == page && (rule->r.act != PTREMAP_DO_SWAP || c->other == other))
			return c;
		if (rule->r.act == PTREMAP_DO_SWAP && c->page == other && c->other == page)
			return c;
	}
	return NULL;
}

/* How many of its items were active: none, if somebody else undid it, or the kernel took it. */
static u32 undo_change(struct rule *rule, struct change *c)
{
	u32 restored = 0;

	journal_undo(c->id, &restored);
	list_del(&c->link);
	rule->nr_changes--;
	kfree(c);
	return restored;
}

u32 rule_undo(struct rule *rule)
{
	struct change *c, *next;
	u32 restored = 0;

	list_for_each_entry_safe_reverse(c, next, &rule->changes, link) restored +=
		undo_change(rule, c);
	return restored;
}

/* ---- the action ------------------------------------------------------------------------------ */

static int make(struct rule *rule, const struct action *a, u64 page, u64 other)
{
	struct change *c;
	int err;

	if (rule->nr_changes == PTREMAP_RULE_CHANGES)
		return -EUSERS;
	c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	if (!c)
		return -ENOMEM;
	c->page = page;
	c->other = other;
	err = a->calls ? make_of_vm(rule, a, c) : make_of_process(rule, c);
	if (err) {
		kfree(c);
		return err;
	}
	list_add_tail(&c->link, &rule->changes);
	rule->nr_changes++;
	return 0;
}

/*
 * rule->acting is held. A call for the same once more takes a swap back, and leaves others as they
 * are. So does any access to a page: it is made again when the page has changed, and if that were
 * taken back or made anew, it would go round in circles. What is no longer in force is made anew.
 */
static int change_pages(struct rule *rule, const struct action *a, u64 page, u64 other, bool *back)
{
	bool toggles = rule->r.act == PTREMAP_DO_SWAP && rule->r.on == PTREMAP_ON_HYPERCALL;
	struct change *c = find_change(rule, page, other);
	u64 before = c ? c->other : 0;
	bool undone;
	int err;

	if (c && !toggles && (rule->r.act != PTREMAP_DO_MAP || c->other == other) &&
	    journal_is_active(c->id))
		return 0;
	undone = c && undo_change(rule, c);
	*back = undone && toggles;
	err = *back ? 0 : make(rule, a, page, other);
	/* Of one page there can only be one change: what was there is made again, or is gone. */
	if (err && undone && rule->r.act == PTREMAP_DO_MAP)
		*back = make(rule, a, page, before);
	return err;
}

/* KVM has answered by now: calls of user mode are refused, whatever their number. */
static bool is_wanted(const struct rule *rule, const struct action *a)
{
	if (rule->removed || READ_ONCE(rule->over))
		return false;
	return rule->r.on != PTREMAP_ON_HYPERCALL || rule->r.flags & PTREMAP_RULE_USER ||
	       !a->calls->was_refused(a->vcpu);
}

/* rule->acting is held for the whole: two vCPUs take turns. */
static void act(struct rule *rule, const struct action *a)
{
	const struct ptremap_rule *r = &rule->r;
	u64 page = operand(&r->page, r, &a->hit), other = operand(&r->other, r, &a->hit);
	bool back = false;
	int err = check_lockdown();

	if (!err && r->act != PTREMAP_DO_TRACE)
		err = change_pages(rule, a, page, other, &back);
	if (!err && r->flags & PTREMAP_RULE_RETURN)
		err = a->calls->answer(a->vcpu, r->ret);
	rule_count(rule, err);
	trace_ptremap_acted(r, &a->hit, page, other, back, err);
}

void rule_act(struct rule *rule, const struct action *a)
{
	mutex_lock(&rule->acting);
	if (is_wanted(rule, a))
		act(rule, a);
	mutex_unlock(&rule->acting);
}
