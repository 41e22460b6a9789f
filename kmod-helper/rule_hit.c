// SPDX-License-Identifier: GPL-2.0
/*
 * Hits: the BPF programs are asked, and what they call is queued.
 *
 * A hit comes in any context but NMI, with preemption off: the table is read under RCU, an action
 * is one of a fixed pool, and no memory is allocated. The action is task work of the current
 * thread, which runs it before it goes back to user mode, or into the guest
 * (xfer_to_guest_mode_handle_work(); include/linux/resume_user_mode.h): in process context, under
 * no lock of KVM's or of the mm's.
 */
#include <linux/bitmap.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/swait.h>
#include <linux/timekeeping.h>

#include "ptremap.h"
#include "rule.h"
#include "trace.h"
#include "vm.h"

#define ACTIONS 64 /* at a time; a thread has one */

static struct action actions[ACTIONS];
static DECLARE_BITMAP(in_use, ACTIONS);
static DECLARE_SWAIT_QUEUE_HEAD(idle); /* its lock is raw: hits have preemption off */

/* ---- actions ----------------------------------------------------------------------------------
 */

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
	smp_mb__after_atomic();
	if (swait_active(&idle))
		swake_up_one(&idle);
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
		rule = rule_lookup(i);
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
	bool of_process = !a->calls;
	u32 i;

	for (i = 0; i < a->nr; i++) {
		if (!(current->flags & PF_EXITING))
			rule_act(a->rules[i], a);
		rule_put(a->rules[i]);
	}
	if (a->calls) {
		a->calls->put(a->kvm);
		vm_put_calls(a->calls);
	}
	put_action(a);
	if (of_process)
		module_put(THIS_MODULE);
}

/* RCU is read: what is in the table stays. True: @a has rules to run. */
static bool collect(struct action *a, const struct ptremap_hit *hit, u64 fire)
{
	struct rule *rule;
	u32 i;

	a->nr = 0;
	for (i = 0; i < PTREMAP_RULES_MAX; i++) {
		rule = fire & BIT_ULL(i) ? rule_lookup(i) : NULL;
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
		rule_put(a->rules[i]);
	}
	put_action(a);
}

/* No room for an action: what was called is told to have failed. */
static void count_busy(const struct ptremap_hit *hit, u64 fire)
{
	struct rule *rule;
	u32 i;

	for (i = 0; i < PTREMAP_RULES_MAX; i++) {
		rule = fire & BIT_ULL(i) ? rule_lookup(i) : NULL;
		if (rule && rule->r.id == hit->ids[i] && may_act(rule))
			rule_count(rule, -EBUSY);
	}
}

/* The module is kept by what is queued: ptremap_kvm, which needs its symbols, or rule_fault.c. */
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

void rule_hits_end(void)
{
	swait_event_exclusive(idle, bitmap_empty(in_use, ACTIONS));
	/* The last instructions of run_action(), behind put_action(). */
	synchronize_rcu_tasks();
}
