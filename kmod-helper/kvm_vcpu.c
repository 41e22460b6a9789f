// SPDX-License-Identifier: GPL-2.0
/*
 * The registers of a vCPU. They are in the CPU's control structure, which only the thread that has
 * the vCPU loaded can read.
 *
 * A vCPU that is not in KVM_RUN gives its mutex away, and is loaded here. Otherwise its thread has
 * it for as long as KVM_RUN lasts, and has to look itself: where it goes back into the guest
 * (tracepoint kvm_entry), or where it sleeps because the guest has halted and is woken to see
 * whether it shall go on (kvm_arch_vcpu_runnable(), by a kprobe). A kick brings it to one of these
 * places, and nothing that the guest could notice.
 *
 * Not at kvm_exit: on AMD, CR0 and CR3 are still those of the exit before there; KVM takes them
 * over later (svm_handle_exit()). Since 6.12 a halt that is over at once goes back without that,
 * unless the vCPU was kicked: what it shows may be that old if it does so just before its kick.
 */
#include <linux/kprobes.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/tracepoint.h>

#include "kvm_vcpu.h"

/* As arch/x86/kvm/trace.h declares it. */
extern struct tracepoint __tracepoint_kvm_entry;

#define TRIES (HZ > 1000 ? 1000 : HZ) /* a tick each: a second */

/* One look at a time, by look_mutex; ->lock: between who wants it and the vCPU's thread. */
static DEFINE_MUTEX(look_mutex);
static struct {
	raw_spinlock_t lock;
	struct kvm_vcpu
		*vcpu; /* that is wanted, or NULL; also read without the lock, to be quick */
	struct ptremap_vcpu *out;
} look = { .lock = __RAW_SPIN_LOCK_UNLOCKED(look.lock) };

void vcpu_read_controls(struct kvm_vcpu *vcpu)
{
	vcpu_make_available(vcpu, VCPU_EXREG_CR3);
	if (vcpu->arch.cr0_guest_owned_bits)
		vcpu_make_available(vcpu, VCPU_EXREG_CR0);
	if (vcpu->arch.cr4_guest_owned_bits)
		vcpu_make_available(vcpu, VCPU_EXREG_CR4);
}

unsigned int vcpu_flags(struct kvm_vcpu *vcpu)
{
	int db, l;

	static_call(kvm_x86_get_cs_db_l_bits)(vcpu, &db, &l);
	return (l ? PTREMAP_VCPU_CS_L : 0) | (db ? PTREMAP_VCPU_CS_D : 0) |
	       (vcpu->arch.mmu != &vcpu->arch.root_mmu ? PTREMAP_VCPU_NESTED : 0);
}

static void read_registers(struct kvm_vcpu *vcpu, struct ptremap_vcpu *out)
{
	vcpu_make_available(vcpu, VCPU_REGS_RIP);
	vcpu_read_controls(vcpu);
	out->rip = vcpu->arch.regs[VCPU_REGS_RIP];
	out->cr0 = vcpu->arch.cr0;
	out->cr3 = vcpu->arch.cr3;
	out->cr4 = vcpu->arch.cr4;
	out->efer = vcpu->arch.efer;
	out->flags = vcpu_flags(vcpu);
}

/* Under TDP each root is direct and has the host's depth; other direct ones have 3 levels. */
static void read_root(const struct kvm_vcpu *vcpu, struct ptremap_vcpu *out)
{
	const struct kvm_mmu *mmu = &vcpu->arch.root_mmu;
	hpa_t root = READ_ONCE(mmu->root.hpa);

	out->maxphyaddr = vcpu->arch.maxphyaddr;
	if (!mmu->root_role.direct || mmu->root_role.level < 4)
		return;
	out->level = mmu->root_role.level;
	if (VALID_PAGE(root))
		out->root = root;
}

/* @vcpu is loaded on this CPU, by this thread. */
static void fill(struct kvm_vcpu *vcpu, struct ptremap_vcpu *out, enum ptremap_vcpu_how how)
{
	read_root(vcpu, out);
	out->how = how;
	out->status = vcpu->arch.guest_state_protected ? -EOPNOTSUPP : 0;
	if (!out->status)
		read_registers(vcpu, out);
}

/* ---- in the vCPU's own thread ------------------------------------------------------------------
 */

/* look.lock is taken with interrupts off: the places where this is called have them on or off. */
static void answer(struct kvm_vcpu *vcpu, enum ptremap_vcpu_how how)
{
	unsigned long flags;

	if (READ_ONCE(look.vcpu) != vcpu)
		return;
	raw_spin_lock_irqsave(&look.lock, flags);
	if (look.vcpu == vcpu) {
		fill(vcpu, look.out, how);
		WRITE_ONCE(look.vcpu, NULL);
	}
	raw_spin_unlock_irqrestore(&look.lock, flags);
}

/* Interrupts are off. Which arguments follow depends on the kernel; none is needed. */
static void at_entry(void *unused, struct kvm_vcpu *vcpu)
{
	answer(vcpu, PTREMAP_VCPU_EXIT);
}

/* Others ask for it, too, about vCPUs that are not theirs. */
static int at_runnable(struct kprobe *p, struct pt_regs *regs)
{
	struct kvm_vcpu *vcpu = (struct kvm_vcpu *)regs->di;

	if (kvm_get_running_vcpu() == vcpu)
		answer(vcpu, PTREMAP_VCPU_HALTED);
	return 0;
}
NOKPROBE_SYMBOL(at_runnable);

static struct kprobe runnable = {
	.symbol_name = "kvm_arch_vcpu_runnable",
	.pre_handler = at_runnable,
};

/* ---- who wants to know -------------------------------------------------------------------------
 */

static void want(struct kvm_vcpu *vcpu, struct ptremap_vcpu *out)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&look.lock, flags);
	look.out = out;
	WRITE_ONCE(look.vcpu, vcpu);
	raw_spin_unlock_irqrestore(&look.lock, flags);
}

/* Nobody looks any more when this returns. Has somebody? */
static bool want_no_more(void)
{
	unsigned long flags;
	bool answered;

	raw_spin_lock_irqsave(&look.lock, flags);
	answered = !look.vcpu;
	WRITE_ONCE(look.vcpu, NULL);
	raw_spin_unlock_irqrestore(&look.lock, flags);
	return answered;
}

/* Its thread is not in KVM_RUN, and cannot get there while its mutex is held here. */
static bool look_here(struct kvm_vcpu *vcpu, struct ptremap_vcpu *out)
{
	if (!mutex_trylock(&vcpu->mutex))
		return false;
	vcpu_load(vcpu);
	fill(vcpu, out, PTREMAP_VCPU_OUTSIDE);
	vcpu_put(vcpu);
	mutex_unlock(&vcpu->mutex);
	return true;
}

/*
 * Either way: it may come out of KVM_RUN, or go in, at any moment. -ETIMEDOUT: it is in KVM_RUN,
 * but is neither in the guest nor waiting for it: for memory, say.
 */
static int look_again(struct kvm_vcpu *vcpu, struct ptremap_vcpu *out)
{
	int i;

	for (i = 0; i < TRIES; i++) {
		if (look_here(vcpu, out))
			return 0;
		want(vcpu, out);
		kvm_vcpu_kick(vcpu);
		schedule_timeout_killable(1);
		if (want_no_more())
			return 0;
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return -ETIMEDOUT;
}

/* look_mutex is held for the whole look: the vCPU's thread needs it not. */
int vcpu_look(struct kvm_vcpu *vcpu, struct ptremap_vcpu *out)
{
	int err;

	*out = (struct ptremap_vcpu){ .id = vcpu->vcpu_id };
	if (mutex_lock_killable(&look_mutex))
		return -EINTR;
	err = look_again(vcpu, out);
	mutex_unlock(&look_mutex);
	if (err == -ETIMEDOUT) {
		out->status = err;
		read_root(vcpu, out);
		return 0;
	}
	return err;
}

void vcpu_root(struct kvm_vcpu *vcpu, struct ptremap_vcpu *out)
{
	*out = (struct ptremap_vcpu){ .id = vcpu->vcpu_id };
	read_root(vcpu, out);
}

/* Without kprobes a halted vCPU cannot be looked at: -ETIMEDOUT says so. */
int vcpu_looking_init(void)
{
	int err = tracepoint_probe_register(&__tracepoint_kvm_entry, at_entry, NULL);

	if (!err && register_kprobe(&runnable))
		runnable.addr = NULL;
	return err;
}

/* After it none of both runs any more, so that the module may go. */
void vcpu_looking_exit(void)
{
	if (runnable.addr)
		unregister_kprobe(&runnable);
	tracepoint_probe_unregister(&__tracepoint_kvm_entry, at_entry, NULL);
	tracepoint_synchronize_unregister();
}
