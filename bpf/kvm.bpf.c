// SPDX-License-Identifier: GPL-2.0
/*
 * VM exits, from tracepoint kvm:kvm_exit to kvm:kvm_entry.
 *
 * Each exit that passes the filters is one event: a hypercall, a violation of EPT or NPT, or just
 * an exit. The exit opens it, the next entry of the same thread closes it; what KVM does in
 * between fills it in. An exit that is still open at the thread's next exit, when it ends, or at
 * the end of the session is closed then, without a latency.
 *
 * kvm_exit is used as a tracepoint and not as a raw one: KVM then reads RIP, reason and
 * qualification itself, which on Intel are in the VMCS and not in memory.
 *
 * The maps of output.bpf.h and filter.bpf.h are those of the fault programs (session.c).
 */
#include "../vmlinux/vmlinux.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "events.h"
#include "config.h"
#include "filter.bpf.h"
#include "output.bpf.h"
#include "kvm_state.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define READ_EXIT(rec, args)                          \
	do {                                          \
		(rec)->reason = (args)->exit_reason;  \
		(rec)->rip = (args)->guest_rip;       \
		(rec)->isa = (args)->isa;             \
		(rec)->info1 = (args)->info1;         \
		(rec)->info2 = (args)->info2;         \
		(rec)->intr_info = (args)->intr_info; \
		(rec)->vcpu = (args)->vcpu_id;        \
	} while (0)

/* A copy, since the context itself may only be read at offsets that the compiler leaves alone. */
static __always_inline void exit_init(struct ptev_vmexit *rec, void *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	char args[KVM_EXIT_MAX];

	bpf_probe_read_kernel(args, sizeof(args), ctx);
	if (bpf_core_type_exists(struct trace_event_raw_kvm_exit))
		READ_EXIT(rec, (struct trace_event_raw_kvm_exit *)args);
	else
		READ_EXIT(rec, (struct kvm_exit_fixed *)args);
	rec->time = bpf_ktime_get_ns();
	rec->pid = id >> 32;
	rec->tid = (__u32)id;
	rec->cpu = bpf_get_smp_processor_id();
	rec->hdr.type = kvm_wanted(cfg.kvm, kvm_record_type(rec->isa, rec->reason));
}

static __always_inline void call_buffers(struct kvm_state *st, const struct guest_regs *regs)
{
	struct ptev_hypercall *c = &st->rec.call;

	if (!(c->exit.flags & PTEV_K_REGS) || (!cfg.call[0].used && !cfg.call[1].used))
		return;
	guest_mem_init(&st->work.mem, st->vcpu, regs, c->exit.flags & PTEV_K_NESTED);
	st->buffers =
		buffers_read(&st->work, &st->rec.with.room, c, call_is_wide(&c->exit, regs->efer));
	if (st->buffers)
		c->exit.flags |= PTEV_K_BUFFERS;
}

/* On Intel, where ptremap_kvm tells more, it is waited for (vcpu_exit() below). */
static __always_inline bool call_begin(struct kvm_state *st)
{
	struct ptev_hypercall *c = &st->rec.call;
	struct guest_regs regs = {};

	if (st->vcpu)
		vcpu_args(c, st->vcpu);
	if (cfg.by_nr && (c->exit.flags & PTEV_K_ARGS) && c->rax != cfg.nr)
		return false;
	if (cfg.stat || !st->vcpu || (c->exit.isa == PTEV_ISA_VMX && cfg.vcpu_exit))
		return true;
	if (c->exit.isa == PTEV_ISA_SVM)
		guest_regs_svm(&st->work.mem, &regs, st->vcpu);
	else
		guest_regs_vmx(&regs, st->vcpu);
	call_buffers(st, &regs);
	return true;
}

static __always_inline bool violation_begin(struct kvm_state *st)
{
	struct ptev_violation *rec = &st->rec.vio;
	__u8 all = (1 << PTEV_NR_ACCESSES) - 1;

	if (kvm_access(rec->exit.isa, rec->exit.reason, rec->exit.info1, &rec->access))
		rec->exit.flags |= PTEV_K_ACCESS;
	else if (cfg.accesses != all)
		return false;
	if (!(cfg.accesses >> (rec->access % PTEV_NR_ACCESSES) & 1))
		return false;
	if (rec->exit.isa == PTEV_ISA_SVM)
		kvm_gpa(st, rec->exit.info2); /* EXITINFO2: APM vol. 2, 15.25.6 */
	return true;
}

/* What is known of the exit's guest at once; false: it is not wanted. */
static __always_inline bool exit_begin(struct kvm_state *st)
{
	struct ptev_vmexit *rec = &st->rec.exit;

	if (cfg.kvm != PTEV_WANT_EXIT || !cfg.stat)
		st->vcpu = kvm_vcpu_loaded(rec->vcpu);
	if (st->vcpu && vcpu_nested(st->vcpu, rec->isa))
		rec->flags |= PTEV_K_NESTED;
	if (st->vcpu && rec->isa == PTEV_ISA_SVM && !cfg.stat)
		vcpu_mode_svm(rec, st->vcpu);
	if (rec->hdr.type == PTEV_HYPERCALL)
		return call_begin(st);
	return rec->hdr.type != PTEV_VIOLATION || violation_begin(st);
}

static __always_inline void exit_opens(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct kvm_state *st = kvm_state_get(task, 0);

	if (st && st->open)
		kvm_close(st); /* its entry was not seen */
	if (!filter_task())
		return;
	if (!st)
		st = kvm_state_get(task, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!st) {
		COUNT(opened);
		COUNT(lost_kvm);
		return;
	}
	__builtin_memset(st, 0, KVM_STATE_HEAD); /* kind 0 is PT_TABLE: not walked */
	exit_init(&st->rec.exit, ctx);
	if (!st->rec.exit.hdr.type || !exit_begin(st))
		return;
	COUNT(opened);
	st->open = true;
	st->begun = bpf_ktime_get_ns(); /* what was done here is not KVM's time */
}

/* Not 0: that would hide the event from perf, for as long as this program is there. */
SEC("tp/kvm/kvm_exit")
int vm_exit(void *ctx)
{
	exit_opens(ctx);
	return 1;
}

/*
 * ptremap_kvm, behind vm_exit() at the same exit (kmod-helper/kvm_exit.c): (vcpu, cr0, cr3, cr4,
 * efer, flags, gla).
 */
SEC("raw_tp/ptremap_vcpu_exit")
int vcpu_exit(__u64 *ctx)
{
	struct guest_regs regs = {
		.cr0 = ctx[1], .cr3 = ctx[2], .cr4 = ctx[3], .efer = ctx[4], .cr3_known = true
	};
	struct kvm_state *st = kvm_open();
	__u32 flags = ctx[5];

	if (!st || cfg.stat || st->vcpu != (void *)ctx[0])
		return 0;
	st->rec.exit.mode = kvm_guest_mode(regs.cr0, regs.efer, flags & PTEV_VCPU_CS_L,
					   flags & PTEV_VCPU_CS_DB);
	if (st->rec.exit.hdr.type == PTEV_HYPERCALL)
		call_buffers(st, &regs);
	if (st->rec.exit.hdr.type == PTEV_VIOLATION && (flags & PTEV_VCPU_GLA)) {
		st->rec.vio.gva = ctx[6];
		st->rec.exit.flags |= PTEV_K_GVA;
	}
	return 0;
}

SEC("raw_tp/kvm_entry")
int vm_entry(__u64 *ctx)
{
	struct kvm_vcpu *vcpu = (struct kvm_vcpu *)ctx[0];
	__u64 now = bpf_ktime_get_ns();
	struct kvm_state *st = kvm_open();
	struct ptev_vmexit *rec;

	if (!st)
		return 0;
	rec = &st->rec.exit;
	rec->latency = now - st->begun;
	rec->flags |= PTEV_K_LATENCY;
	if (!cfg.stat && st->vcpu == vcpu && vcpu) {
		if (rec->isa == PTEV_ISA_VMX)
			vcpu_mode_vmx(rec, vcpu);
		if (rec->hdr.type == PTEV_HYPERCALL)
			vcpu_ret(&st->rec.call, vcpu);
		if (rec->hdr.type == PTEV_VIOLATION)
			kvm_walk_after(st, vcpu);
	}
	kvm_close(st);
	return 0;
}

/* KVM_RUN returns to the VMM: (u32 reason, int errno). The first return is the exit's own. */
SEC("raw_tp/kvm_userspace_exit")
int user_exit(__u64 *ctx)
{
	struct kvm_state *st = kvm_open();

	if (!st || (st->rec.exit.flags & PTEV_K_USER))
		return 0;
	st->rec.exit.user_exit = (__u8)ctx[0];
	st->rec.exit.flags |= PTEV_K_USER;
	return 0;
}

/* (nr, a0, a1, a2, a3): all that is known of a hypercall where KVM has no BTF. */
SEC("raw_tp/kvm_hypercall")
int hypercall(__u64 *ctx)
{
	struct kvm_state *st = kvm_open();
	struct ptev_hypercall *rec;

	if (!st || st->rec.exit.hdr.type != PTEV_HYPERCALL || (st->rec.exit.flags & PTEV_K_ARGS))
		return 0;
	rec = &st->rec.call;
	rec->rax = ctx[0];
	rec->rbx = ctx[1];
	rec->rcx = ctx[2];
	rec->rdx = ctx[3];
	rec->rsi = ctx[4];
	rec->exit.flags |= PTEV_K_ARGS;
	if (cfg.by_nr && rec->rax != cfg.nr)
		kvm_drop(st);
	return 0;
}

/* (vcpu, gpa, error code or qualification): of violations and NPFs, not of misconfigurations. */
SEC("raw_tp/kvm_page_fault")
int page_fault(__u64 *ctx)
{
	struct kvm_state *st = kvm_open_violation();

	if (st)
		kvm_gpa(st, ctx[1]);
	return 0;
}

/* (gpa): a misconfiguration that is a doorbell of a device in the kernel. */
SEC("raw_tp/kvm_fast_mmio")
int fast_mmio(__u64 *ctx)
{
	struct kvm_state *st = kvm_open_violation();

	if (!st)
		return 0;
	kvm_gpa(st, ctx[0]);
	st->fast_mmio = true;
	return 0;
}

static __always_inline int mmu_fault_enter(__u64 gpa)
{
	struct kvm_state *st = kvm_open_violation();

	if (st)
		kvm_gpa(st, gpa);
	return 0;
}

static __always_inline int tdp_fault_exit(struct kvm_state *st, struct kvm_page_fault *fault)
{
	struct ptev_violation *rec = &st->rec.vio;
	struct kvm_memory_slot *slot;
	__u64 gfn;

	kvm_walk_after(st, st->vcpu);
	if (!fault || !bpf_core_field_exists(fault->slot))
		return 0;
	slot = BPF_CORE_READ(fault, slot);
	gfn = rec->gpa >> 12;
	if (!slot || !(rec->exit.flags & PTEV_K_GPA) ||
	    gfn - BPF_CORE_READ(slot, base_gfn) >= BPF_CORE_READ(slot, npages))
		return 0;
	rec->exit.flags |= PTEV_K_SLOT;
	rec->slot = BPF_CORE_READ(slot, id);
	rec->as_id = BPF_CORE_READ(slot, as_id);
	rec->hva = BPF_CORE_READ(slot, userspace_addr) +
		   (rec->gpa - (BPF_CORE_READ(slot, base_gfn) << 12));
	return 0;
}

SEC("fentry/kvm_mmu_page_fault")
int BPF_PROG(fentry_mmu_fault, void *vcpu, __u64 gpa)
{
	return mmu_fault_enter(gpa);
}

SEC("fexit/kvm_tdp_page_fault")
int BPF_PROG(fexit_tdp_fault, void *vcpu, struct kvm_page_fault *fault)
{
	struct kvm_state *st = kvm_open_violation();

	return st ? tdp_fault_exit(st, fault) : 0;
}

SEC("kprobe/kvm_mmu_page_fault")
int BPF_KPROBE(kprobe_mmu_fault, void *vcpu, __u64 gpa)
{
	return mmu_fault_enter(gpa);
}

SEC("kprobe/kvm_tdp_page_fault")
int BPF_KPROBE(kprobe_tdp_fault, void *vcpu, struct kvm_page_fault *fault)
{
	struct kvm_state *st = kvm_open_violation();

	if (st)
		st->fault = (__u64)fault;
	return 0;
}

SEC("kretprobe/kvm_tdp_page_fault")
int kretprobe_tdp_fault(void *ctx)
{
	struct kvm_state *st = kvm_open_violation();

	return st ? tdp_fault_exit(st, (struct kvm_page_fault *)st->fault) : 0;
}

SEC("raw_tp/sched_process_exit")
int vcpu_thread_exit(void *ctx)
{
	struct kvm_state *st = kvm_open();

	if (st)
		kvm_close(st);
	return 0;
}

/* Run by user space after the hooks are gone: vCPUs that are halted or in their VMM. */
SEC("iter/task")
int close_open_exits(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct kvm_state *st = task ? kvm_state_get(task, 0) : NULL;

	if (st && st->open)
		kvm_close(st);
	return 0;
}
