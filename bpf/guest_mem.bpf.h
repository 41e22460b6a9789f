/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory of the guest whose vCPU this thread runs, as the VMM has it: gpa -> slot -> hva, and the
 * guest's own tables for gvas. The VMM's memory is this thread's, and is read where it is present:
 * nothing is faulted in, nothing waits.
 *
 * KVM takes no lock at an exit either. Slots are replaced, never changed while they are in use
 * (virt/kvm/kvm_main.c, kvm_swap_active_memslots()): what was read counts if the same set is in
 * use afterwards.
 */
#ifndef PTSCOPE_GUEST_MEM_BPF_H
#define PTSCOPE_GUEST_MEM_BPF_H

#include "classify_kvm.h"
#include "kvm_types.bpf.h"

/* By enum guest_paging; set by user space. */
const volatile struct pt_fmt guest_fmts[GUEST_NR_PAGINGS] = {};

/* APM vol. 2, 15.25.3 and 15.34.3: bits of the VMCB's NESTED_CTL. */
#define SVM_NESTED_PAGING 1
#define SVM_ENCRYPTED	  2

/* include/linux/kvm_host.h, KVM_MEMSLOT_INVALID; uapi: KVM_MEM_GUEST_MEMFD, not in the VMM. */
#define SLOT_UNUSABLE (1u << 16 | 1u << 2)
#define SLOT_DEPTH    40 /* of a red-black tree with all slots that a VM may have */

struct guest_mem {
	struct kvm_memslots **set; /* where KVM has the set that is in use */
	struct kvm_memslots *slots;
	__u64 generation;
	__u64 root;	/* of the guest's tables */
	__u64 gpa;	/* that guest_gpa() found */
	__u32 index;	/* of the nodes in use */
	__u8 paging;	/* enum guest_paging */
	__u8 stop;	/* enum ptev_stop: why nothing can be read, ... */
	__u8 virt_stop; /* ... or nothing at gvas */
	__u8 level;	/* of the entry at which guest_gpa() gave up */
};

/* Control registers of a guest. */
struct guest_regs {
	__u64 cr0, cr3, cr4, efer;
	bool cr3_known;
};

/* The set of slots that @vcpu uses; a guest in SMM has another. */
static __always_inline bool guest_slots(struct guest_mem *m, struct kvm_vcpu *vcpu)
{
	struct kvm_mmu *mmu;
	struct kvm_memslots *slots = NULL;
	struct kvm *kvm = NULL;
	__u32 smm;

	if (!bpf_core_field_exists(slots->gfn_tree) || !bpf_core_field_exists(kvm->memslots) ||
	    !bpf_core_field_exists(vcpu->arch.mmu))
		return false;
	mmu = BPF_CORE_READ(vcpu, arch.mmu);
	smm = BPF_CORE_READ_BITFIELD_PROBED(mmu, root_role.smm);
	kvm = BPF_CORE_READ(vcpu, kvm);
	m->set = (void *)kvm + bpf_core_field_offset(kvm->memslots) + (smm ? sizeof(void *) : 0);
	if (bpf_probe_read_kernel(&slots, sizeof(slots), m->set))
		return false;
	m->slots = slots;
	m->generation = BPF_CORE_READ(slots, generation);
	m->index = BPF_CORE_READ(slots, node_idx) & 1;
	return true;
}

/* Is the set that was read still the one in use? */
static __always_inline bool guest_slots_same(const struct guest_mem *m)
{
	struct kvm_memslots *slots;

	return !bpf_probe_read_kernel(&slots, sizeof(slots), m->set) && slots == m->slots &&
	       BPF_CORE_READ(slots, generation) == m->generation;
}

/*
 * What KVM has of them: it traps what changes the bits that count here, but not CR3. Without paging
 * nothing needs that.
 */
static __always_inline void guest_regs_cached(struct guest_regs *r, struct kvm_vcpu *vcpu)
{
	r->cr0 = BPF_CORE_READ(vcpu, arch.cr0);
	r->cr3 = BPF_CORE_READ(vcpu, arch.cr3);
	r->cr4 = BPF_CORE_READ(vcpu, arch.cr4);
	r->efer = BPF_CORE_READ(vcpu, arch.efer);
	r->cr3_known = !(r->cr0 & GUEST_CR0_PG);
}

/* Intel: CR3 is there once KVM has read it from the VMCS, which it does when it needs it. */
static __always_inline void guest_regs_vmx(struct guest_regs *r, struct kvm_vcpu *vcpu)
{
	guest_regs_cached(r, vcpu);
	if (bpf_core_enum_value_exists(enum kvm_reg, VCPU_EXREG_CR3) &&
	    (BPF_CORE_READ(vcpu, arch.regs_avail) >>
		     bpf_core_enum_value(enum kvm_reg, VCPU_EXREG_CR3) &
	     1))
		r->cr3_known = true;
}

/* AMD: the VMCB has them at the exit, if nested paging is on. */
static __always_inline void guest_regs_svm(struct guest_mem *m, struct guest_regs *r,
					   struct kvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = (void *)vcpu;
	struct vmcb *vmcb;
	__u64 nested;

	if (!bpf_core_field_exists(svm->vmcb)) {
		guest_regs_cached(r, vcpu);
		return;
	}
	vmcb = BPF_CORE_READ(svm, vmcb);
	nested = BPF_CORE_READ(vmcb, control.nested_ctl);
	if (nested & SVM_ENCRYPTED)
		m->stop = PTEV_STOP_ENCRYPTED;
	r->cr0 = BPF_CORE_READ(vmcb, save.cr0);
	r->cr3 = BPF_CORE_READ(vmcb, save.cr3);
	r->cr4 = BPF_CORE_READ(vmcb, save.cr4);
	r->efer = BPF_CORE_READ(vmcb, save.efer);
	r->cr3_known = nested & SVM_NESTED_PAGING;
}

/* Makes @m ready for @vcpu; @nested: a guest of its guest was left. */
static __always_inline void guest_mem_init(struct guest_mem *m, struct kvm_vcpu *vcpu,
					   const struct guest_regs *r, bool nested)
{
	m->virt_stop = nested ? PTEV_STOP_NESTED : r->cr3_known ? 0 : PTEV_STOP_CR3;
	m->paging = kvm_guest_paging(r->cr0, r->cr4, r->efer);
	m->root = r->cr3;
	/* Its gpas are those of a VM that KVM does not know. */
	if (nested)
		m->stop = PTEV_STOP_NESTED;
	else if (!m->stop && !guest_slots(m, vcpu))
		m->stop = PTEV_STOP_SLOTS;
}

/* The slot that node @node of the tree is in. */
static __always_inline struct kvm_memory_slot *slot_of(struct rb_node *node, __u32 index)
{
	struct kvm_memory_slot *slot = NULL;

	return (void *)node - bpf_core_field_offset(slot->gfn_node) -
	       index * bpf_core_type_size(struct rb_node);
}

/*
 * Where the VMM has @gpa; 0: nowhere. Global functions are verified once, whoever calls them, and
 * even if nobody does: without KVM's types, too.
 */
__noinline __u64 guest_hva(struct guest_mem *m, __u64 gpa)
{
	struct kvm_memory_slot *slot = NULL;
	struct kvm_memslots *slots = NULL;
	struct rb_node *node;
	__u64 gfn = gpa >> 12, base;
	int i;

	if (!m || !bpf_core_field_exists(slots->gfn_tree) || !bpf_core_field_exists(slot->gfn_node))
		return 0;
	slots = m->slots;
	node = BPF_CORE_READ(slots, gfn_tree.rb_node);
	for (i = 0; i < SLOT_DEPTH && node; i++) {
		slot = slot_of(node, m->index);
		base = BPF_CORE_READ(slot, base_gfn);
		if (gfn < base) {
			node = BPF_CORE_READ(node, rb_left);
			continue;
		}
		if (gfn - base >= BPF_CORE_READ(slot, npages)) {
			node = BPF_CORE_READ(node, rb_right);
			continue;
		}
		if (BPF_CORE_READ(slot, flags) & SLOT_UNUSABLE)
			return 0;
		return BPF_CORE_READ(slot, userspace_addr) + gpa - (base << 12);
	}
	return 0;
}

/* Reads an entry of the guest's tables. */
static __always_inline bool guest_entry(struct guest_mem *m, __u64 pa, bool wide, __u64 *entry)
{
	__u64 hva = guest_hva(m, pa);
	__u32 narrow = 0;
	long err;

	if (!hva)
		return false;
	if (wide)
		return !bpf_probe_read_user(entry, sizeof(*entry), (void *)hva);
	err = bpf_probe_read_user(&narrow, sizeof(narrow), (void *)hva);
	*entry = narrow;
	return !err;
}

/* Walks the guest's tables to m->gpa, or returns why not (enum ptev_stop), with m->level. */
__noinline __u32 guest_gpa(struct guest_mem *m, __u64 gva)
{
	const struct pt_fmt *fmt;
	struct pt_walk w;
	__u64 entry = 0;
	__u32 paging;
	int level;

	if (!m)
		return PTEV_STOP_CR3;
	paging = m->paging;
	if (paging >= GUEST_NR_PAGINGS)
		return PTEV_STOP_CR3;
	fmt = (const struct pt_fmt *)&guest_fmts[paging];
	barrier_var(fmt); /* the compiler must not take the initial zeros for the values */
	pt_walk_start(&w, fmt, m->root, gva);
#pragma unroll
	for (level = PTEV_LEVELS; level >= 1; level--) {
		if (w.kind != PT_TABLE || w.level != level)
			continue;
		w.level = level; /* a constant: the verifier needs to know where it leads */
		if (!guest_entry(m, w.entry_pa, fmt->entry_shift == 3, &entry))
			break;
		pt_walk_feed(&w, fmt, entry);
	}
	m->level = w.why == PT_WHY_NONCANONICAL ? 0 : w.level;
	m->gpa = w.pa;
	if (w.kind == PT_LEAF)
		return PTEV_STOP_NONE;
	if (w.kind == PT_TABLE)
		return PTEV_STOP_TABLE;
	return w.kind == PT_HOLE ? PTEV_STOP_HOLE : PTEV_STOP_BAD;
}

#endif
