/* SPDX-License-Identifier: GPL-2.0 */
/* What kvm_limits.c and kvm_build.c share: the limits of a VM in the order in which they are found.
 */
#ifndef KVM_LIMITS_IMPL_H
#define KVM_LIMITS_IMPL_H

#include <linux/rcupdate.h>

#include "kvm_blocks.h"
#include "kvm_limits.h"

struct index_entry {
	gfn_t first, last;
	gfn_t reach; /* the greatest ->last up to here */
	struct limit *limit;
};

/* By ->first. Is replaced as a whole, and freed after a grace period of RCU. */
struct index {
	struct rcu_head rcu;
	u32 nr;
	struct index_entry entry[];
};

#define MAX_OPENED 8

/* Pages that all may use meanwhile; none with ->first above ->last. */
struct opened {
	gfn_t first, last;
};

/*
 * Of one VM. ->refs: of its limiters, of works that are queued, and of who uses it. ->kvm has no
 * reference; it becomes NULL when the VM ends, under limits_lock, where one can be had as long as
 * it is not. ->mutex: who changes the rest. What hooks read, who may not sleep, is under RCU.
 */
struct limits {
	struct list_head link;
	struct rcu_head rcu;
	refcount_t refs;
	struct kvm *kvm;
	const struct kvm *id; /* what ->kvm was: not to be looked into */
	struct mutex mutex;
	struct list_head limiters;
	struct index __rcu *index;
	struct blocks __rcu *blocks;
	struct opened opened[MAX_OPENED];
	bool mixed;  /* a huge entry was about to be made where only a part has limits */
	u8 ended_by; /* cause */
	struct work_struct work;
	struct delayed_work close;
};

/* Readers have rcu_read_lock(), or preemption off, as in what looks at KVM's functions (divert.c).
 */
static inline const struct index *limits_index(const struct limits *v)
{
	return rcu_dereference_check(v->index, rcu_read_lock_sched_held());
}

static inline struct blocks *limits_blocks(const struct limits *v)
{
	return rcu_dereference_check(v->blocks, rcu_read_lock_sched_held());
}

/* The last entry that begins at or before @gfn, or -1. */
int index_upto(const struct index *x, gfn_t gfn);

/* Entries that have pages of [@from, @to]. Each at most once, backwards. */
#define for_each_in(i, x, from, to)                                                     \
	for ((i) = index_upto(x, to); (i) >= 0 && (x)->entry[i].reach >= (from); (i)--) \
		if ((x)->entry[i].last >= (from))

/* Of all that are not taken. ->mutex is held. NULL: no memory. */
struct index *index_make(const struct limits *v);
/* ->mutex is held. New index and blocks; @kvm: NULL when the VM has ended. 0 or -ENOMEM. */
int limits_update(struct limits *v, struct kvm *kvm);
/* With a reference, or NULL: it has ended. */
struct kvm *limits_get_kvm(struct limits *v);
/* Lines of another memory type must not stay in the caches. The VM's process may have ended. */
void limit_flush_caches(struct kvm *kvm, const struct limit *l);

/* What is open is so no longer; tells. ->mutex is held; @kvm: NULL when the VM has ended. Sleeps. */
void limits_close(struct limits *v, struct kvm *kvm);
/* ->close. Has a reference, which it gives back. */
void limits_close_work(struct work_struct *work);
/* False: it is queued already. */
bool limits_queue_close(struct limits *v, unsigned long jiffies_from_now);

/* Does what is to be done, later. From anywhere. */
void limits_queue(struct limits *v);
/* It is over, for @cause, if it was not. limits_queue() or limits_settle() is for the caller. */
bool limit_take(struct limit *l, enum ptremap_cause cause);
/* Are all pages of [@first, @last] open? */
bool limits_opened(const struct limits *v, gfn_t first, gfn_t last);
/* @kvm is ending; it has no references any more. Does not sleep. */
void limits_end(const struct kvm *kvm);

/* kvm_build.c: where KVM makes entries, drops slots, and ends. */
int build_hooks_init(void);
void build_hooks_exit(void);

#endif
