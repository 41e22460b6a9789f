// SPDX-License-Identifier: GPL-2.0
/*
 * The table of rules: added, listed, removed. Hits look at it under RCU.
 *
 * table_lock is held while rules are added and removed, which may sleep for long; hits and actions
 * do not take it. Below it come rule->acting, and the locks of transactions.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ptremap.h"
#include "rule.h"
#include "vm.h"

static DEFINE_MUTEX(table_lock);
static struct rule __rcu *table[PTREMAP_RULES_MAX];
static u32 last_id;

struct rule *rule_lookup(u32 slot)
{
	return rcu_dereference(table[slot]);
}

/* ---- references ------------------------------------------------------------------------------ */

static void free_rule(struct rcu_head *head)
{
	struct rule *rule = container_of(head, struct rule, rcu);

	put_pid(rule->pid);
	kfree(rule);
}

void rule_put(struct rule *rule)
{
	if (refcount_dec_and_test(&rule->users))
		call_rcu(&rule->rcu, free_rule);
}

void rule_vm_gone(const struct kvm *kvm)
{
	struct rule *rule;
	u32 i;

	rcu_read_lock();
	for (i = 0; i < PTREMAP_RULES_MAX; i++) {
		rule = rule_lookup(i);
		if (rule && rule->kvm && (!kvm || rule->kvm == kvm))
			WRITE_ONCE(rule->over, true);
	}
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(rule_vm_gone);

/* ---- the table ------------------------------------------------------------------------------- */

static struct rule *at(u32 slot)
{
	return rcu_dereference_protected(table[slot], lockdep_is_held(&table_lock));
}

/* Whoever hits it from now on does not find it; what is queued finds it removed. */
static u32 remove_rule(u32 slot)
{
	struct rule *rule = at(slot);
	u32 restored;

	rcu_assign_pointer(table[slot], NULL);
	mutex_lock(&rule->acting);
	rule->removed = true;
	restored = rule_undo(rule);
	mutex_unlock(&rule->acting);
	rule_put(rule);
	return restored;
}

static bool has_any(bool of_vms)
{
	u32 i;

	for (i = 0; i < PTREMAP_RULES_MAX; i++)
		if (at(i) && (at(i)->r.on != PTREMAP_ON_FAULT) == of_vms)
			return true;
	return false;
}

/* Nobody is asked for what nobody has a rule for. */
static void stop_unused(void)
{
	const struct vm_calls *calls;

	if (!has_any(false))
		rule_fault_stop();
	if (has_any(true))
		return;
	calls = vm_get_calls();
	if (!calls)
		return;
	calls->look_for_hits(false);
	vm_put_calls(calls);
}

/* Of the file @number, or with 0 rule @id, or all. How many. */
static u32 remove_matching(u64 number, u32 id, u32 *restored)
{
	u32 i, nr = 0;

	mutex_lock(&table_lock);
	for (i = PTREMAP_RULES_MAX; i-- > 0;) {
		if (!at(i) || (number && at(i)->maker != number) || (id && at(i)->r.id != id))
			continue;
		*restored += remove_rule(i);
		nr++;
	}
	if (nr)
		stop_unused();
	mutex_unlock(&table_lock);
	return nr;
}

void rule_close(u64 number)
{
	u32 restored = 0;

	remove_matching(number, 0, &restored);
}

void rule_exit(void)
{
	u32 restored = 0;

	remove_matching(0, 0, &restored);
	rule_hits_end();
	rcu_barrier();
}

/* ---- adding one ------------------------------------------------------------------------------ */

static struct rule *new_rule(const struct ptremap_rule *r, u64 maker)
{
	struct rule *rule = kzalloc(sizeof(*rule), GFP_KERNEL_ACCOUNT);

	if (!rule)
		return NULL;
	rule->r = *r;
	rule->maker = r->flags & PTREMAP_RULE_KEEP ? 0 : maker;
	refcount_set(&rule->users, 1);
	raw_spin_lock_init(&rule->lock);
	mutex_init(&rule->acting);
	INIT_LIST_HEAD(&rule->changes);
	return rule;
}

static bool is_there(struct pid *pid)
{
	bool is;

	rcu_read_lock();
	is = pid && pid_task(pid, PIDTYPE_TGID);
	rcu_read_unlock();
	return is;
}

/* *@odd: the id of the rule that is in the way. */
static int check_others(const struct rule *rule, u32 *odd)
{
	u32 i;

	for (i = 0; i < PTREMAP_RULES_MAX; i++) {
		const struct rule *other = at(i);

		if (!other || other->over || other->kvm != rule->kvm ||
		    (!rule->kvm && other->pid != rule->pid) || !rule_at_odds(&rule->r, &other->r))
			continue;
		*odd = other->r.id;
		return -EEXIST;
	}
	return 0;
}

/* table_lock is held. The rule is the table's from here on. */
static int put_into_table(struct rule *rule, u32 *odd)
{
	int err = check_others(rule, odd);
	u32 i;

	for (i = 0; !err && i < PTREMAP_RULES_MAX && at(i); i++)
		continue;
	if (!err && i == PTREMAP_RULES_MAX)
		err = -ENOSPC;
	if (err)
		return err;
	last_id += last_id + 1 ? 1 : 2;
	rule->r.id = last_id;
	rule->r.slot = i;
	rcu_assign_pointer(table[i], rule);
	return 0;
}

/* Until it is in the table the VM has a reference, so that nobody else comes to its address. */
static int add_of_vm(struct rule *rule, u32 *odd)
{
	const struct vm_calls *calls = vm_get_calls();
	struct kvm *kvm;
	int err;

	if (!calls)
		return -EPROTONOSUPPORT;
	err = calls->find(rule->pid, &rule->r.fd, &kvm);
	if (err)
		goto out;
	if (rule->r.on == PTREMAP_ON_VIOLATION && !calls->has_tables(kvm))
		err = -EPROTOTYPE;
	rule->kvm = kvm;
	err = err ?: calls->look_for_hits(true) ?: put_into_table(rule, odd);
	calls->put(kvm);
out:
	vm_put_calls(calls);
	return err;
}

static int add_rule(struct ptremap_rule *r, u64 maker)
{
	int err = rule_check(r) ?: target_check(r->pid, 0);
	struct rule *rule;

	if (err)
		return err;
	rule = new_rule(r, maker);
	if (!rule)
		return -ENOMEM;
	rule->pid = find_get_pid(r->pid);
	if (!is_there(rule->pid))
		err = -ESRCH;
	else if (r->on == PTREMAP_ON_FAULT)
		err = rule_fault_start() ?: put_into_table(rule, &r->id);
	else
		err = add_of_vm(rule, &r->id);
	if (err) {
		rule_put(rule);
		return err;
	}
	*r = rule->r;
	return 0;
}

/* All or none. */
static int add_rules(struct ptremap_rule *rules, u32 nr, u64 maker, u32 *failed)
{
	u32 i, done;
	int err = 0;

	mutex_lock(&table_lock);
	for (done = 0; done < nr && !err; done += !err)
		err = add_rule(&rules[done], maker);
	for (i = done; err && i-- > 0;)
		remove_rule(rules[i].slot);
	*failed = err ? done + 1 : 0;
	if (err)
		stop_unused();
	mutex_unlock(&table_lock);
	return err;
}

/* ---- the call -------------------------------------------------------------------------------- */

/* A caller who does not get to know them has none. */
void rule_answered(void *arg, int err)
{
	const struct rules_call *c = arg;
	u32 restored = 0, i;

	for (i = 0; err && i < c->added; i++)
		remove_matching(0, c->ids[i], &restored);
}

static int call_add(struct rules_call *c, u64 maker)
{
	struct ptremap_rules *req = &c->req;
	size_t len = req->nr * sizeof(struct ptremap_rule);
	struct ptremap_rule *rules;
	u32 i;
	int err;

	if (!req->nr || req->nr > PTREMAP_RULES_MAX)
		return -EINVAL;
	rules = memdup_user(u64_to_user_ptr(req->rules), len);
	if (IS_ERR(rules))
		return PTR_ERR(rules);
	err = add_rules(rules, req->nr, maker, &req->id);
	for (i = 0; i < req->nr && !err; i++)
		c->ids[c->added++] = rules[i].id;
	if (copy_to_user(u64_to_user_ptr(req->rules), rules, len) && !err) {
		rule_answered(c, -EFAULT);
		err = -EFAULT;
	}
	kfree(rules);
	return err;
}

static void tell_rule(struct ptremap_rule *out, struct rule *rule)
{
	unsigned long flags;

	*out = rule->r;
	raw_spin_lock_irqsave(&rule->lock, flags);
	out->matched = rule->matched;
	out->done = rule->done;
	out->limited = rule->limited;
	out->failed = rule->failed;
	out->error = rule->error;
	raw_spin_unlock_irqrestore(&rule->lock, flags);
	out->pid = pid_vnr(rule->pid);
	out->over = rule->over || !is_there(rule->pid);
}

static int call_list_rules(struct ptremap_rules *req)
{
	struct ptremap_rule *rules = kcalloc(PTREMAP_RULES_MAX, sizeof(*rules), GFP_KERNEL);
	u32 i, n = 0;
	int err;

	if (!rules)
		return -ENOMEM;
	mutex_lock(&table_lock);
	for (i = 0; i < PTREMAP_RULES_MAX; i++)
		if (at(i))
			tell_rule(&rules[n++], at(i));
	mutex_unlock(&table_lock);
	err = copy_to_user(u64_to_user_ptr(req->rules), rules, min(n, req->nr) * sizeof(*rules));
	req->nr = n;
	kfree(rules);
	return err ? -EFAULT : 0;
}

int call_rule(void *arg, struct file *file)
{
	struct rules_call *c = arg;
	struct ptremap_rules *req = &c->req;

	req->restored = 0;
	if (req->op == PTREMAP_RULE_REMOVE) {
		if (req->rules || req->nr || req->rule_size)
			return -EINVAL;
		return remove_matching(0, req->id, &req->restored) || !req->id ? 0 : -ENOENT;
	}
	if (req->id || req->rule_size != sizeof(struct ptremap_rule))
		return -EINVAL;
	if (req->op == PTREMAP_RULE_ADD)
		return call_add(c, file_number(file));
	return req->op == PTREMAP_RULE_LIST ? call_list_rules(req) : -EINVAL;
}
