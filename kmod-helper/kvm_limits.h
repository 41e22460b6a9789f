/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Limits: guest-physical pages of which KVM's entries give the guest less than KVM would. KVM
 * itself makes them so: the access that it is about to give is changed where its make_spte()
 * begins, so that each entry is one that it could have made, in every root, whoever drops it and
 * whenever it is made anew.
 *
 * A VM with limits is known by struct limits, which has no reference to it: it ends when it likes,
 * and then has no limits any more.
 */
#ifndef KVM_LIMITS_H
#define KVM_LIMITS_H

#include <linux/kvm_host.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "uapi/ptremap.h"

struct limits;

enum limit_kind {
	LIMIT_ONCE,   /* until the guest does what is denied, or KVM makes the entry anew */
	LIMIT_STICKY, /* what is denied is done for the guest */
	LIMIT_WATCH,  /* the same, and told */
};

/* Bits of ->state. */
enum limit_state {
	LIMIT_BUILT, /* ONCE: there is an entry that has it; a new one would not be the first */
	LIMIT_TAKEN, /* it is over, by ->cause */
	LIMIT_TOLD,  /* and its entries were dropped, so that KVM gives all again */
	LIMIT_LOOK,  /* an entry was made: look at it */
};

/* Memory of its owner's, from limits_add() to limits_remove(). */
struct limit {
	gfn_t first, last;
	u32 denied; /* PTREMAP_EPT_*, as spte_denied() gives it */
	u32 on;	    /* WATCH: these are told */
	bool has_cache;
	u8 cache;
	u8 kind;
	u8 cause; /* enum ptremap_cause */
	unsigned long state;
	struct limiter *by;
};

/* Who has them: a transaction, or a watch. */
struct limiter {
	struct list_head link;
	struct limits *of;
	struct limit *limits;
	u32 nr;
	/* The entries of @l are as KVM wants them again. Or the VM has ended. May sleep. */
	void (*taken)(struct limit *l);
	/* The guest does something that @l denies, or KVM does for it. Preemption may be off. */
	void (*seen)(struct limit *l, const struct ptremap_access *a);
	/* The VM has ended. May sleep. */
	void (*ended)(struct limiter *by);
};

/*
 * Makes the limits of @by those of @kvm, which has a reference of the caller's; ->of is set. Those
 * of entries that are there come with limits_apply(). -EBUSY: with @alone, other such limits have a
 * page of them. Sleeps.
 */
int limits_add(struct kvm *kvm, struct limiter *by, bool alone);
/* Puts them into the entries that are there; no vCPU uses others when it returns. Sleeps. */
int limits_apply(struct kvm *kvm, struct limiter *by);
/* They are no more, and entries are as KVM wants them. Returns how many were in force. Sleeps. */
u32 limits_remove(struct limiter *by);

/* That of @kvm, or NULL. The caller is under RCU, or has preemption off. */
struct limits *limits_of(const struct kvm *kvm);
bool limits_get(struct limits *v);
void limits_put(struct limits *v);
/*
 * What of @access limits of @gfn deny now; @kinds: of which kinds (BIT(enum limit_kind)). Under
 * RCU.
 */
u32 limits_deny(const struct limits *v, gfn_t gfn, u32 access, u32 kinds);
/* Limits of kind ONCE that deny of @access end, with cause ACCESS. Under RCU. How many. */
u32 limits_end_by_access(const struct limits *v, gfn_t gfn, u32 access);
/* Tells each limit of @a's page that has one of @a's accesses on its list. Under RCU. How many. */
u32 limits_tell(const struct limits *v, const struct ptremap_access *a);
/* Those of kind STICKY and WATCH let everything through at @gfn for a tick or two. Sleeps. */
void limits_open(struct limits *v, struct kvm *kvm, gfn_t gfn);
/* Does what is to be done for limits that were taken, or entries that were made. Sleeps. */
void limits_settle(struct limits *v, struct kvm *kvm);
/* There is such a thing to do before the guest can go on at all. */
bool limits_are_mixed(const struct limits *v);

int limits_init(void);
void limits_exit(void);

#endif
