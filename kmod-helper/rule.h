/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rules: who has which, what they are asked for, and what they do.
 *
 *	rule.c		the table of rules: added, listed, removed
 *	rule_hit.c	a hit is shown to the BPF program, and what that calls is queued for the
 *			thread that made the hit
 *	rule_act.c	what a rule does then, in that thread
 *	rule_check.c	may this rule be added?
 *	rule_fault.c	hits of processes
 *	kvm_rule.c	hits of guests, in ptremap_kvm
 *
 * Two kinds of references keep a rule: that of the table, until it is removed, and one for each
 * action that is queued.
 */
#ifndef RULE_H
#define RULE_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/task_work.h>

#include "uapi/ptremap.h"

struct kvm;
struct kvm_vcpu;
struct vm_calls;

struct rule {
	struct ptremap_rule r; /* as it was added, ->fd as it was found */
	refcount_t users;
	struct rcu_head rcu;
	u64 maker;	 /* number of the device's file; 0: it is kept */
	struct pid *pid; /* with a reference */
	struct kvm *kvm; /* is only compared; NULL: of a process */
	bool over;	 /* the VM has gone, and somebody else may have its address */

	raw_spinlock_t lock; /* what follows; taken in any context but NMI, and nothing below it */
	bool spent;
	u64 window; /* ns; the second that ->in_window counts in */
	u32 in_window;
	u64 matched, done, limited, failed;
	int error;

	struct mutex acting; /* one action at a time; protects what follows. Sleeps below it */
	bool removed;
	u32 nr_changes;
	struct list_head changes;
};

/* A hit whose rules act in a moment, in the thread that made it. */
struct action {
	struct callback_head work;
	struct ptremap_hit hit;
	struct rule *rules[PTREMAP_RULES_MAX]; /* each with a reference */
	u32 nr;
	/* Of a VM: with references to the module and the VM. NULL: of a process. */
	const struct vm_calls *calls;
	struct kvm *kvm;
	struct kvm_vcpu *vcpu;
};

/* ---- rule.c ---- */

/* What is in that slot of the table, or NULL; under RCU. */
struct rule *rule_lookup(u32 slot);
/* Gives a reference back. Does not sleep. */
void rule_put(struct rule *rule);
/* Rules of @kvm (NULL: of any VM) never act again. Does not sleep. */
void rule_vm_gone(const struct kvm *kvm);
/* Removes the rules of the file with this number, but for those that are kept. Sleeps. */
void rule_close(u64 number);
/* All of them. Nobody queues or runs an action any more when it returns. Sleeps. */
void rule_exit(void);

/* ---- rule_hit.c ---- */

/*
 * Are there rules for hit->on of @kvm, or if that is NULL of the current process? Then ->asked and
 * ->ids are set. Preemption is off, or the caller reads under RCU.
 */
bool rule_ask(struct ptremap_hit *hit, const struct kvm *kvm);
/*
 * Shows the hit to the BPF programs; what they call acts before the current thread goes on. True:
 * something was queued, and has the caller's references to calls->owner and @kvm. Does not sleep.
 */
bool rule_fire(struct ptremap_hit *hit, const struct vm_calls *calls, struct kvm *kvm,
	       struct kvm_vcpu *vcpu);
/* Counts how an action of @rule ended. */
void rule_count(struct rule *rule, int err);
/* Waits until no action is queued or runs; none can be any more. Sleeps. */
void rule_hits_end(void);

/* ---- rule_act.c ---- */

/* Does what @rule says, for a->hit. */
void rule_act(struct rule *rule, const struct action *a);
/* Takes back what it changed. How many items were active. rule->acting is held. */
u32 rule_undo(struct rule *rule);

/* ---- rule_check.c ---- */

/* -EINVAL: it is none that there could be. */
int rule_check(const struct ptremap_rule *r);
/* Can both be called by one event, and do both change a page that they name in the same words? */
bool rule_at_odds(const struct ptremap_rule *a, const struct ptremap_rule *b);

/* ---- rule_fault.c ---- */

/* Hits of processes are looked for from now on, or no longer. Sleeps. */
int rule_fault_start(void);
void rule_fault_stop(void);

#endif
