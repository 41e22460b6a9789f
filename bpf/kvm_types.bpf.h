/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KVM's own types, and of each only the fields that are read. They are in the BTF of KVM's modules,
 * some also in the kernel's; CO-RE finds them there and gives every field its real place. Where a
 * type is not to be found, nothing of it may be read.
 */
#ifndef PTSCOPE_KVM_TYPES_BPF_H
#define PTSCOPE_KVM_TYPES_BPF_H

#include <bpf/bpf_core_read.h>

/* arch/x86/include/asm/kvm_host.h, enum kvm_reg: the numbers of the instruction encoding. */
enum vcpu_reg {
	REG_RAX,
	REG_RCX,
	REG_RDX,
	REG_RBX,
	REG_RSI = 6,
	REG_RDI = 7,
	REG_R8,
	REG_R9,
	REG_R10,
	REG_R11,
	REG_RIP = 16,
	NR_REGS,
};

/* enum kvm_reg, and in the order of arch/x86/kvm/vmx/vmx.h, enum segment_cache_field. */
enum kvm_reg { VCPU_EXREG_SEGMENTS, VCPU_EXREG_CR3 };
#define SEG_CS		1
#define SEG_SS		2
#define SEG_FIELD_AR	3
#define SEG_NR_FIELDS	4
#define SEG_AR_BIT(seg) (1u << ((seg)*SEG_NR_FIELDS + SEG_FIELD_AR))

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct preempt_notifier {
	struct hlist_node link;
};

struct task_struct___kvm {
	struct hlist_head preempt_notifiers;
};

struct kvm_mmu_root_info {
	__u64 hpa;
};

union kvm_mmu_page_role {
	__u32 word;
	struct {
		unsigned int level : 4;
		unsigned int smm : 8;
	};
};

struct kvm_mmu {
	struct kvm_mmu_root_info root;
	union kvm_mmu_page_role root_role;
};

struct kvm_vcpu_arch {
	unsigned long regs[NR_REGS];
	__u32 regs_avail;
	unsigned long cr0, cr3, cr4;
	__u64 efer;
	struct kvm_mmu *mmu;
	bool guest_state_protected; /* SEV-ES: the registers are the guest's own */
};

struct kvm_vcpu {
	struct kvm *kvm;
	struct preempt_notifier preempt_notifier;
	int vcpu_id;
	struct kvm_vcpu_arch arch;
};

struct vmcb_seg {
	__u16 attrib;
};

struct vmcb_save_area {
	struct vmcb_seg cs;
	__u8 cpl;
	__u64 efer;
	__u64 cr0, cr3, cr4;
};

struct vmcb_control_area {
	__u64 nested_ctl;
};

struct vmcb {
	struct vmcb_control_area control;
	struct vmcb_save_area save;
};

struct kvm_vmcb_info {
	struct vmcb *ptr;
};

/* In both the vcpu comes first: arch/x86/kvm/svm/svm.c and vmx/vmx.c assert it. */
struct vcpu_svm {
	struct vmcb *vmcb;
	struct kvm_vmcb_info vmcb01;
	struct kvm_vmcb_info *current_vmcb;
};

struct loaded_vmcs {
	void *vmcs;
};

struct kvm_save_segment {
	__u32 ar;
};

struct vcpu_vmx {
	struct loaded_vmcs vmcs01;
	struct loaded_vmcs *loaded_vmcs;
	struct {
		__u32 bitmask;
		struct kvm_save_segment seg[8];
	} segment_cache;
};

struct rb_node {
	struct rb_node *rb_right;
	struct rb_node *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

/* The slots of an address space. Each slot is in two trees, of which one is in use. */
struct kvm_memslots {
	__u64 generation;
	struct rb_root gfn_tree;
	int node_idx;
};

struct kvm {
	struct kvm_memslots *memslots[2];
};

struct kvm_memory_slot {
	struct rb_node gfn_node[2];
	__u64 base_gfn;
	unsigned long npages;
	unsigned long userspace_addr;
	__u32 flags;
	short id;
	__u16 as_id;
};

struct kvm_page_fault {
	struct kvm_memory_slot *slot;
};

/* The record of tracepoint kvm:kvm_exit. */
struct trace_event_raw_kvm_exit {
	unsigned int exit_reason;
	unsigned long guest_rip;
	__u32 isa;
	__u64 info1, info2;
	__u32 intr_info;
	unsigned int vcpu_id;
};

#pragma clang attribute pop

/* At least its size; the buffer that it is in has a page or more. */
#define KVM_EXIT_MAX 96

/* The same as 6.1 to 6.12 lay it out, for a KVM without BTF. */
struct kvm_exit_fixed {
	__u64 common;
	__u32 exit_reason;
	__u64 guest_rip;
	__u32 isa;
	__u64 info1, info2;
	__u32 intr_info, error_code;
	__u32 vcpu_id;
};

static __always_inline bool kvm_has_types(void)
{
	return bpf_core_type_exists(struct kvm_vcpu);
}

/*
 * The vCPU that this task has loaded, or NULL. virt/kvm/kvm_main.c, vcpu_load() puts its preempt
 * notifier into the task's list; nothing else in the kernel uses these.
 */
static __always_inline struct kvm_vcpu *kvm_vcpu_loaded(__u32 vcpu_id)
{
	struct task_struct___kvm *task = (void *)bpf_get_current_task_btf();
	struct kvm_vcpu *vcpu;
	__u64 node;

	if (!kvm_has_types() || !bpf_core_field_exists(task->preempt_notifiers))
		return NULL;
	node = (__u64)BPF_CORE_READ(task, preempt_notifiers.first);
	if (!node)
		return NULL;
	vcpu = (void *)(node -
			__builtin_preserve_field_info(((struct kvm_vcpu *)0)->preempt_notifier.link,
						      BPF_FIELD_BYTE_OFFSET));
	return (__u32)BPF_CORE_READ(vcpu, vcpu_id) == vcpu_id ? vcpu : NULL;
}

#endif
