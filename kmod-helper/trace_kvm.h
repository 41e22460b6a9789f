/* SPDX-License-Identifier: GPL-2.0 */
/* The trace event of ptremap_kvm: /sys/kernel/tracing/events/ptremap_kvm/. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ptremap_kvm

#if !defined(TRACE_KVM_H) || defined(TRACE_HEADER_MULTI_READ)
#define TRACE_KVM_H

#include <linux/kvm_host.h>
#include <linux/tracepoint.h>

/* Of a raw tracepoint's arguments BPF programs read each (bpf/kvm.bpf.c): their order is an ABI. */
/* clang-format off */
TRACE_EVENT(ptremap_vcpu_exit,
	TP_PROTO(struct kvm_vcpu *vcpu, u64 cr0, u64 cr3, u64 cr4, u64 efer, unsigned int flags,
		 u64 gla),
	TP_ARGS(vcpu, cr0, cr3, cr4, efer, flags, gla),
	TP_STRUCT__entry(
		__field(int, vcpu_id)
		__field(unsigned int, flags)
		__field(u64, cr0)
		__field(u64, cr3)
		__field(u64, cr4)
		__field(u64, efer)
		__field(u64, gla)
	),
	TP_fast_assign(
		__entry->vcpu_id = vcpu->vcpu_id;
		__entry->flags = flags;
		__entry->cr0 = cr0;
		__entry->cr3 = cr3;
		__entry->cr4 = cr4;
		__entry->efer = efer;
		__entry->gla = gla;
	),
	TP_printk("vcpu=%d cr0=0x%llx cr3=0x%llx cr4=0x%llx efer=0x%llx flags=0x%x gla=0x%llx",
		  __entry->vcpu_id, __entry->cr0, __entry->cr3, __entry->cr4, __entry->efer,
		  __entry->flags, __entry->gla)
);
/* clang-format on */

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace_kvm
#include <trace/define_trace.h>
