// SPDX-License-Identifier: GPL-2.0
/*
 * What the guest does where limits deny it.
 *
 * The violation comes to kvm_mmu_page_fault(), which is entered through at_violation() for pages
 * where limits deny just that. Limits that last until then end, and the guest does it again. Where
 * they stay, KVM's emulator does the instruction, as it does those that access devices: it reads
 * and writes through the mapping of the VM's process, so that the entry stays as it is and no other
 * vCPU slips through. What it reads and writes is seen where it does so, whyever it runs.
 *
 * There are instructions that it does not know, or finds that it cannot do, and accesses that are
 * none of an instruction: for these the page is open for a moment (limits_open()), which watches
 * are told. An emulation that fails never reaches the guest or its VMM.
 */
#include <linux/kvm_host.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <asm/vmx.h>

#include "divert.h"
#include "kvm_access.h"
#include "kvm_limits.h"
#include "kvm_sptes.h"
#include "kvm_vcpu.h"

#define STAYS (BIT(LIMIT_STICKY) | BIT(LIMIT_WATCH))

/* As arch/x86/kvm/x86.h declares it, and EMULATION_OK of arch/x86/kvm/kvm_emulate.h. */
int x86_decode_emulated_instruction(struct kvm_vcpu *vcpu, int emulation_type, void *insn,
				    int insn_len);
#define DECODED 0

/* A violation, while it is dealt with. */
struct violation {
	struct hlist_node link; /* of those that are being emulated */
	struct task_struct *task;
	struct kvm_vcpu *vcpu;
	struct limits *limits;
	gpa_t gpa;
	u64 error_code;
	void *insn;
	int insn_len;
	u32 access;
	u32 seen; /* by the emulator, in the same page */
	/* What it read last, and whether it has put something there by a locked instruction. */
	gpa_t last_gpa;
	size_t last_len;
	bool locked;
	struct ptremap_access told;
};

/* ---- what the error code says ------------------------------------------------------------------
 */

/* EPT says all that is done, and read with them; of NPT's, what is neither of the others is read.
 */
static u32 access_of(u64 error_code)
{
	u32 access = (error_code & PFERR_WRITE_MASK ? PTREMAP_EPT_WRITE : 0) |
		     (error_code & PFERR_FETCH_MASK ? PTREMAP_EPT_EXEC : 0);

	if (sptes_are_ept())
		return access | (error_code & PFERR_USER_MASK ? PTREMAP_EPT_READ : 0);
	return access ?: PTREMAP_EPT_READ;
}

/* Device memory, and writes to what is read-only, are for KVM, and its emulator anyway. */
static bool has_memory(struct kvm_vcpu *vcpu, gpa_t gpa, u32 access)
{
	const struct kvm_memory_slot *slot = gfn_to_memslot(vcpu->kvm, gpa >> PAGE_SHIFT);

	if (!slot || slot->flags & KVM_MEMSLOT_INVALID)
		return false;
	return !(slot->flags & KVM_MEM_READONLY) || access != PTREMAP_EPT_WRITE;
}

/* int kvm_mmu_page_fault(vcpu, gpa, error_code, insn, insn_len). The vCPU has kvm->srcu. */
static bool is_ours(struct pt_regs *regs)
{
	struct kvm_vcpu *vcpu = (void *)regs->di;
	struct limits *v = limits_of(vcpu->kvm);
	u32 access;

	if (!v || vcpu->arch.mmu != &vcpu->arch.root_mmu || regs->dx & PFERR_RSVD_MASK)
		return false;
	access = access_of(regs->dx);
	if (limits_are_mixed(v))
		return true;
	return limits_deny(v, regs->si >> PAGE_SHIFT, access, ~0u) &&
	       has_memory(vcpu, regs->si, access);
}

/* ---- what watches are told ---------------------------------------------------------------------
 */

/* EXIT_QUALIFICATION and GUEST_LINEAR_ADDRESS of the exit: the VMCS is loaded while the vCPU is. */
static u64 read_vmcs(u64 field)
{
	u64 value = 0;

	asm volatile("vmread %1, %0" : "=r"(value) : "r"(field) : "cc");
	return value;
}

static void add_gva(struct ptremap_access *a, const struct violation *w)
{
	if (sptes_are_ept() && read_vmcs(EXIT_QUALIFICATION) & EPT_VIOLATION_GVA_IS_VALID) {
		a->gva = read_vmcs(GUEST_LINEAR_ADDRESS);
		a->flags |= PTREMAP_ACCESS_GVA;
	} else if (w->access == PTREMAP_EPT_EXEC && !(a->flags & PTREMAP_ACCESS_WALK)) {
		a->gva = kvm_get_linear_rip(w->vcpu);
		if ((a->gva ^ a->gpa) & ~PAGE_MASK)
			a->gva = (a->gva | ~PAGE_MASK) + 1; /* the instruction's second page */
		a->flags |= PTREMAP_ACCESS_GVA;
	}
}

static void describe(struct violation *w)
{
	w->told = (struct ptremap_access){
		.time = ktime_get_ns(),
		.type = PTREMAP_ACCESS_DONE,
		.gpa = w->gpa,
		.rip = vcpu_rip(w->vcpu),
		.vcpu = w->vcpu->vcpu_id,
		.access = w->access,
		.flags = w->error_code & PFERR_GUEST_PAGE_MASK ? PTREMAP_ACCESS_WALK : 0,
	};
	add_gva(&w->told, w);
}

static void tell(const struct violation *w, const struct ptremap_access *a)
{
	rcu_read_lock();
	limits_tell(w->limits, a);
	rcu_read_unlock();
}

/* ---- what the emulator reads and writes --------------------------------------------------------
 */

static DEFINE_RAW_SPINLOCK(emulated_lock);
static HLIST_HEAD(emulated);

static void emulation_begins(struct violation *w)
{
	unsigned long flags;

	w->task = current;
	raw_spin_lock_irqsave(&emulated_lock, flags);
	hlist_add_head(&w->link, &emulated);
	raw_spin_unlock_irqrestore(&emulated_lock, flags);
}

static void emulation_ends(struct violation *w)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&emulated_lock, flags);
	hlist_del(&w->link);
	raw_spin_unlock_irqrestore(&emulated_lock, flags);
}

/* Of this task, or NULL. It does not end while its own task is here. */
static struct violation *current_violation(void)
{
	struct violation *w, *found = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&emulated_lock, flags);
	hlist_for_each_entry(w, &emulated, link)
	{
		if (w->task == current)
			found = w;
	}
	raw_spin_unlock_irqrestore(&emulated_lock, flags);
	return found;
}

/* What is there, if it is in memory: nothing is faulted in here. */
static bool peek(struct kvm_vcpu *vcpu, gpa_t gpa, void *to, size_t len)
{
	unsigned long hva = kvm_vcpu_gfn_to_hva(vcpu, gpa >> PAGE_SHIFT);

	return !kvm_is_error_hva(hva) && current->mm == vcpu->kvm->mm &&
	       !copy_from_user_nofault(to, (void __user *)(hva + offset_in_page(gpa)), len);
}

/* An access of one page. */
static void note_piece(struct limits *v, struct kvm_vcpu *vcpu, gpa_t gpa, const void *data,
		       size_t len, u32 access)
{
	struct violation *w = current_violation();
	struct ptremap_access a = {
		.time = ktime_get_ns(),
		.type = PTREMAP_ACCESS_DONE,
		.gpa = gpa,
		.rip = vcpu_rip(vcpu),
		.vcpu = vcpu->vcpu_id,
		.access = access,
		.size = min_t(size_t, len, U8_MAX),
	};

	if (w && gpa >> PAGE_SHIFT == w->gpa >> PAGE_SHIFT)
		w->seen |= access;
	if (w && access == PTREMAP_EPT_READ) {
		w->last_gpa = gpa;
		w->last_len = len;
	}
	if (w && gpa == w->gpa && w->told.flags & PTREMAP_ACCESS_GVA) {
		a.gva = w->told.gva;
		a.flags |= PTREMAP_ACCESS_GVA;
	}
	len = min(len, sizeof(a.value));
	if (data)
		memcpy(&a.value, data, len);
	if (data || peek(vcpu, gpa, &a.value, len))
		a.flags |= PTREMAP_ACCESS_VALUE;
	limits_tell(v, &a);
}

/* int kvm_vcpu_read_guest(vcpu, gpa, data, len), and write. Preemption is off, which is RCU. */
static void note(const struct pt_regs *regs, u32 access)
{
	struct kvm_vcpu *vcpu = (void *)regs->di;
	const char *data = access == PTREMAP_EPT_WRITE ? (const char *)regs->dx : NULL;
	struct limits *v = limits_of(vcpu->kvm);
	gpa_t gpa = regs->si;
	size_t len = regs->cx, n;

	if (!v || kvm_get_running_vcpu() != vcpu)
		return;
	for (; len; len -= n, gpa += n) {
		n = min_t(size_t, len, PAGE_SIZE - offset_in_page(gpa));
		note_piece(v, vcpu, gpa, data, n, access);
		data += data ? n : 0;
	}
}

static bool at_read(struct pt_regs *regs)
{
	note(regs, PTREMAP_EPT_READ);
	return false;
}

static bool at_write(struct pt_regs *regs)
{
	note(regs, PTREMAP_EPT_WRITE);
	return false;
}

/*
 * void kvm_vcpu_mark_page_dirty(vcpu, gfn): where the emulator has tried a locked instruction's
 * compare-and-exchange, for which it calls none of the above.
 */
static bool at_dirty(struct pt_regs *regs)
{
	struct violation *w =
		limits_of(((struct kvm_vcpu *)regs->di)->kvm) ? current_violation() : NULL;

	if (w && w->vcpu == (void *)regs->di && w->last_gpa >> PAGE_SHIFT == regs->si)
		w->locked = true;
	return false;
}

/* ---- doing it for the guest --------------------------------------------------------------------
 */

/* An event that was being delivered: what it did there is no part of the instruction at rip. */
static bool delivers_event(const struct kvm_vcpu *vcpu)
{
	return vcpu->arch.exception.injected || vcpu->arch.interrupt.injected ||
	       vcpu->arch.nmi_injected;
}

static void open_page(struct violation *w)
{
	limits_open(w->limits, w->vcpu->kvm, w->gpa >> PAGE_SHIFT);
	w->told.type = PTREMAP_ACCESS_OPENED;
	tell(w, &w->told);
}

static void tell_value(struct violation *w, struct ptremap_access *a, size_t len)
{
	if (peek(w->vcpu, a->gpa, &a->value, min(len, sizeof(a->value))))
		a->flags |= PTREMAP_ACCESS_VALUE;
	tell(w, a);
}

/* It writes where it has read. */
static void tell_locked(struct violation *w)
{
	struct ptremap_access a = w->told;

	a.gpa = w->last_gpa;
	a.size = min_t(size_t, w->last_len, U8_MAX);
	a.access = PTREMAP_EPT_WRITE;
	if (a.gpa != w->gpa)
		a.flags &= ~PTREMAP_ACCESS_GVA;
	if (a.gpa >> PAGE_SHIFT == w->gpa >> PAGE_SHIFT)
		w->seen |= PTREMAP_EPT_WRITE;
	tell_value(w, &a, w->last_len);
}

/*
 * What the emulator did not read or write by kvm_vcpu_*_guest(): locked instructions' writes, the
 * instruction itself, its page tables. One that is to be done again did nothing yet.
 */
static void tell_rest(struct violation *w, bool again)
{
	u32 rest;

	if (w->locked && !again)
		tell_locked(w);
	rest = w->access & ~w->seen;
	if (!rest || (again && !(rest & PTREMAP_EPT_EXEC)))
		return;
	w->told.access = rest;
	tell_value(w, &w->told, PAGE_SIZE - offset_in_page(w->gpa));
}

/* A locked compare-and-exchange that failed, or a string instruction that is not through. */
static bool is_same_place(struct kvm_vcpu *vcpu, u64 rip, unsigned long rcx)
{
	return vcpu_rip(vcpu) == rip && vcpu->arch.regs[VCPU_REGS_RCX] == rcx;
}

/*
 * The emulator's own word for "cannot": it has queued #UD, or made up an exit to the VMM, and done
 * nothing to the guest.
 */
static int emulate(struct violation *w)
{
	struct kvm_vcpu *vcpu = w->vcpu;
	unsigned long rcx = vcpu->arch.regs[VCPU_REGS_RCX];
	u64 failed = vcpu->stat.insn_emulation_fail, rip = vcpu_rip(vcpu);
	int ret;

	ret = kvm_emulate_instruction(vcpu, EMULTYPE_NO_DECODE);
	if (vcpu->stat.insn_emulation_fail != failed) {
		vcpu->arch.exception.pending = false;
		open_page(w);
		return 1;
	}
	tell_rest(w, is_same_place(vcpu, rip, rcx));
	return ret;
}

/* Emulated in the vCPU's thread, as kvm_mmu_page_fault() would. */
static int do_for_guest(struct violation *w)
{
	int ret = 1;

	describe(w);
	if (delivers_event(w->vcpu))
		w->told.flags |= PTREMAP_ACCESS_EVENT;
	/* Of a guest's guest the emulator would have to ask the guest. */
	if (w->told.flags & PTREMAP_ACCESS_EVENT || w->vcpu->arch.hflags & HF_GUEST_MASK) {
		open_page(w);
		return ret;
	}
	emulation_begins(w);
	if (x86_decode_emulated_instruction(w->vcpu, 0, w->insn, w->insn_len) == DECODED)
		ret = emulate(w);
	else
		open_page(w);
	emulation_ends(w);
	return ret;
}

/* Limits end before the guest goes on, and it does what it did again; others stay. */
static int handle(struct violation *w)
{
	gfn_t gfn = w->gpa >> PAGE_SHIFT;
	u32 ended, stays;

	rcu_read_lock();
	ended = limits_end_by_access(w->limits, gfn, w->access);
	stays = limits_deny(w->limits, gfn, w->access, STAYS);
	rcu_read_unlock();
	if (ended || limits_are_mixed(w->limits))
		limits_settle(w->limits, w->vcpu->kvm);
	return stays ? do_for_guest(w) : 1;
}

static struct divert violations;

/* 1: the guest goes on; 0: its VMM is asked first. May sleep. */
static int at_violation(struct kvm_vcpu *vcpu, gpa_t gpa, u64 error_code, void *insn, int insn_len)
{
	struct violation w = {
		.vcpu = vcpu,
		.gpa = gpa,
		.error_code = error_code,
		.insn = insn,
		.insn_len = insn_len,
		.access = access_of(error_code),
	};
	int ret = 1;

	rcu_read_lock();
	w.limits = limits_of(vcpu->kvm);
	if (w.limits && !limits_get(w.limits))
		w.limits = NULL;
	rcu_read_unlock();
	if (w.limits) {
		ret = handle(&w);
		limits_put(w.limits);
	}
	divert_left(&violations);
	return ret;
}

static struct divert violations = { .name = "kvm_mmu_page_fault",
				    .look = is_ours,
				    .instead = at_violation };
static struct divert reads = { .name = "kvm_vcpu_read_guest", .look = at_read };
static struct divert dirties = { .name = "kvm_vcpu_mark_page_dirty", .look = at_dirty };
static struct divert writes = { .name = "kvm_vcpu_write_guest", .look = at_write };

void access_exit(void)
{
	divert_remove(&violations);
	divert_remove(&dirties);
	divert_remove(&writes);
	divert_remove(&reads);
}

int access_init(void)
{
	int err = divert_add(&reads) ?: divert_add(&writes);

	err = err ?: divert_add(&dirties) ?: divert_add(&violations);

	if (err)
		access_exit();
	return err;
}
