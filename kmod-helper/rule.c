// SPDX-License-Identifier: GPL-2.0
/*
 * The table of rules, and hits.
 *
 * A hit comes in any context but NMI, with preemption off: the table is read under RCU, an action
 * is one of a fixed pool, and no memory is allocated. The action is task work of the current
 * thread, which runs it before it goes back to user mode, or into the guest
 * (xfer_to_guest_mode_handle_work(); include/linux/resume_user_mode.h): in process context, under
 * no lock of KVM's or of the mm's.
 *
 * table_lock is held while rules are added and removed, which may sleep for long; hits and actions
 * do not take it. Below it come rule->acting, and the locks of transactions.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "ptremap.h"
#include "rule.h"
#include "trace.h"
#include "vm.h"

#define ACTIONS 64 /* at a time; a thread has one */

static DEFINE_MUTEX(table_lock);
static struct rule __rcu *table[PTREMAP_RULES_MAX];
static u32 last_id;

static struct action actions[ACTIONS];
static DECLARE_BITMAP(in_use, ACTIONS);
static DECLARE_WAIT_QUEUE_HEAD(idle);

/* ---- references ------------------------------------------------------------------------------ */

static void free_rule(struct rcu_head *head)
{
	struct rule *rule = container_of(head, struct rule, rcu);

	put_pid(rule->pid);
	kfree(rule);
}

/* Hits that look at it do so under RCU. */
static void put_rule(struct rule *rule)
{
	if (refcount_dec_and_test(&rule->users))
		call_rcu(&rule->rcu, free_rule);
}

static struct action *get_action(void)
{
	unsigned int i;

	for (i = 0; i < ACTIONS; i++)
		if (!test_and_set_bit(i, in_use))
			return &actions[i];
	return NULL;
}

static void put_action(struct action *a)
{
	clear_bit_unlock(a - actions, in_use);
	wake_up_all(&idle);
}

/* ---- a hit ----------------------------------------------------------------------------------- */

static bool is_asked(const struct rule *rule, u32 on, const struct kvm *kvm)
{
	if (rule->r.on != on || READ_ONCE(rule->over) || rule->kvm != kvm)
		return false;
	return kvm || rule->pid == task_tgid(current);
}

bool rule_ask(struct ptremap_hit *hit, const struct kvm *kvm)
{
	struct rule *rule;
	u32 i;

	hit->asked = hit->fire = 0;
	rcu_read_lock();
	for (i = 0; i < PTREMAP_RULES_MAX; i++) {
		rule = rcu_dereference(table[i]);
		hit->ids[i] = 0;
		if (!rule || !is_asked(rule, hit->on, kvm))
			continue;
		hit->asked |= BIT_ULL(i);
		hit->ids[i] = rule->r.id;
	}
	rcu_read_unlock();
	return hit->asked;
}
EXPORT_SYMBOL_GPL(rule_ask);

/* rule->lock is held. A new window begins with the first call after the last one's end. */
static bool is_too_often(struct rule *rule)
{
	u64 now = ktime_get_mono_fast_ns();

	if (!rule->r.per_second)
		return false;
	if (!rule->window || now - rule->window >= NSEC_PER_SEC) {
		rule->window = now;
		rule->in_window = 0;
	}
	return rule->in_window++ >= rule->r.per_second;
}

/* May it act? Counts, too. */
static bool may_act(struct rule *rule)
{
	unsigned long flags;
	bool may;

	raw_spin_lock_irqsave(&rule->lock, flags);
	rule->matched++;
	may = !rule->spent && !is_too_often(rule);
	if (may)
		rule->spent = rule->r.flags & PTREMAP_RULE_ONCE;
	else
		rule->limited++;
	raw_spin_unlock_irqrestore(&rule->lock, flags);
	return may;
}

void rule_count(struct rule *rule, int err)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&rule->lock, flags);
	if (err) {
		rule->failed++;
		rule->error = err;
	} else {
		rule->done++;
	}
	raw_spin_unlock_irqrestore(&rule->lock, flags);
}

/* The thread is on its way out, or at it: what was queued runs there, and does nothing. */
static void run_action(struct callback_head *work)
{
	struct action *a = container_of(work, struct action, work);
	u32 i;

	for (i = 0; i < a->nr; i++) {
		if (!(current->flags & PF_EXITING))
			rule_act(a->rules[i], a);
		put_rule(a->rules[i]);
	}
	if (a->calls) {
		a->calls->put(a->kvm);
		vm_put_calls(a->calls);
	}
	put_action(a);
}

/* RCU is read: what is in the table stays. True: @a has rules to run. */
static bool collect(struct action *a, const struct ptremap_hit *hit, u64 fire)
{
	struct rule *rule;
	u32 i;

	a->nr = 0;
	for (i = 0; i < PTREMAP_RULES_MAX; i++) {
		rule = fire & BIT_ULL(i) ? rcu_dereference(table[i]) : NULL;
		if (!rule || rule->r.id != hit->ids[i] || !may_act(rule))
			continue;
		if (refcount_inc_not_zero(&rule->users))
			a->rules[a->nr++] = rule;
	}
	return a->nr;
}

static void drop_action(struct action *a)
{
	u32 i;

	for (i = 0; i < a->nr; i++) {
		rule_count(a->rules[i], -EBUSY);
		put_rule(a->rules[i]);
	}
	put_action(a);
}

/* No room for an action: what was called is told to have failed. */
static void count_busy(const struct ptremap_hit *hit, u64 fire)
{
	struct rule *rule;
	u32 i;

	for (i = 0; i < PTREMAP_RULES_MAX; i++) {
		rule = fire & BIT_ULL(i) ? rcu_dereference(table[i]) : NULL;
		if (rule && rule->r.id == hit->ids[i] && may_act(rule))
			rule_count(rule, -EBUSY);
	}
}

/* The module is kept by those who hit: ptremap_kvm needs its symbols, and processes' hits end with
 * rule_fault_stop(), behind which rule_exit() waits. */
static bool queue(const struct ptremap_hit *hit, u64 fire, const struct vm_calls *calls,
		  struct kvm *kvm, struct kvm_vcpu *vcpu)
{
	struct action *a = get_action();

	if (!a) {
		count_busy(hit, fire);
		return false;
	}
	a->hit = *hit;
	a->calls = calls;
	a->kvm = kvm;
	a->vcpu = vcpu;
	init_task_work(&a->work, run_action);
	if (collect(a, hit, fire) && !task_work_add(current, &a->work, TWA_RESUME))
		return true;
	drop_action(a);
	return false;
}

bool rule_fire(struct ptremap_hit *hit, const struct vm_calls *calls, struct kvm *kvm,
	       struct kvm_vcpu *vcpu)
{
	u64 asked = hit->asked, fire;
	bool queued = false;

	hit->pid = task_tgid_nr(current);
	trace_ptremap_rule(hit);
	fire = READ_ONCE(hit->fire) & asked;
	rcu_read_lock();
	if (fire)
		queued = queue(hit, fire, calls, kvm, vcpu);
	rcu_read_unlock();
	return queued;
}
EXPORT_SYMBOL_GPL(rule_fire);

void rule_vm_gone(const struct kvm *kvm)
{
	struct rule *rule;
	u32 i;

	rcu_read_lock();
	for (i = 0; i < PTREMAP_RULES_MAX; i++) {
		rule = rcu_dereference(table[i]);
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
	put_rule(rule);
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
	wait_event(idle, bitmap_empty(in_use, ACTIONS));
	/* The last instructions of run_action(), behind put_action(). */
	synchronize_rcu_tasks();
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
	if (!rule->pid || !pid_task(rule->pid, PIDTYPE_TGID))
		err = -ESRCH;
	else if (r->on == PTREMAP_ON_FAULT)
		err = rule_fault_start() ?: put_into_table(rule, &r->id);
	else
		err = add_of_vm(rule, &r->id);
	if (err) {
		put_rule(rule);
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

static int call_add(struct ptremap_rules *req, u64 maker)
{
	size_t len = req->nr * sizeof(struct ptremap_rule);
	struct ptremap_rule *rules;
	u32 restored = 0, i;
	int err;

	if (!req->nr || req->nr > PTREMAP_RULES_MAX)
		return -EINVAL;
	rules = memdup_user(u64_to_user_ptr(req->rules), len);
	if (IS_ERR(rules))
		return PTR_ERR(rules);
	err = add_rules(rules, req->nr, maker, &req->id);
	/* A caller who does not get to know them has none. */
	if (copy_to_user(u64_to_user_ptr(req->rules), rules, len) && !err) {
		for (i = 0; i < req->nr; i++)
			remove_matching(0, rules[i].id, &restored);
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
	out->over = rule->over || !pid_task(rule->pid, PIDTYPE_TGID);
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
	struct ptremap_rules *req = arg;

	req->restored = 0;
	if (req->op == PTREMAP_RULE_REMOVE) {
		if (req->rules || req->nr || req->rule_size)
			return -EINVAL;
		return remove_matching(0, req->id, &req->restored) || !req->id ? 0 : -ENOENT;
	}
	if (req->id || req->rule_size != sizeof(struct ptremap_rule))
		return -EINVAL;
	if (req->op == PTREMAP_RULE_ADD)
		return call_add(req, file_number(file));
	return req->op == PTREMAP_RULE_LIST ? call_list_rules(req) : -EINVAL;
}
