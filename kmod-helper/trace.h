/* SPDX-License-Identifier: GPL-2.0 */
/* Trace events: /sys/kernel/tracing/events/ptremap/. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ptremap

#if !defined(TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define TRACE_H

#include <linux/tracepoint.h>

#include "uapi/ptremap.h"

/* clang-format off */
TRACE_EVENT(ptremap_edit,
	TP_PROTO(int pid, unsigned long va, unsigned int what, u64 old, u64 new),
	TP_ARGS(pid, va, what, old, new),
	TP_STRUCT__entry(
		__field(int, pid)
		__field(unsigned int, what)
		__field(unsigned long, va)
		__field(u64, old)
		__field(u64, new)
	),
	TP_fast_assign(
		__entry->pid = pid;
		__entry->what = what;
		__entry->va = va;
		__entry->old = old;
		__entry->new = new;
	),
	TP_printk("pid=%d va=0x%lx what=%u old=0x%llx new=0x%llx", __entry->pid, __entry->va,
		  __entry->what, __entry->old, __entry->new)
);

TRACE_EVENT(ptremap_restore,
	TP_PROTO(int pid, unsigned long va, u64 pte, unsigned int cause),
	TP_ARGS(pid, va, pte, cause),
	TP_STRUCT__entry(
		__field(int, pid)
		__field(unsigned int, cause)
		__field(unsigned long, va)
		__field(u64, pte)
	),
	TP_fast_assign(
		__entry->pid = pid;
		__entry->cause = cause;
		__entry->va = va;
		__entry->pte = pte;
	),
	TP_printk("pid=%d va=0x%lx pte=0x%llx cause=%u", __entry->pid, __entry->va,
		  __entry->pte, __entry->cause)
);

TRACE_EVENT(ptremap_refuse,
	TP_PROTO(int pid, unsigned long va, unsigned int what, int error),
	TP_ARGS(pid, va, what, error),
	TP_STRUCT__entry(
		__field(int, pid)
		__field(unsigned int, what)
		__field(unsigned long, va)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->pid = pid;
		__entry->what = what;
		__entry->va = va;
		__entry->error = error;
	),
	TP_printk("pid=%d va=0x%lx what=%u error=%d", __entry->pid, __entry->va, __entry->what,
		  __entry->error)
);

/*
 * What watches are told (watch.c), for BPF programs, too: MADE and GONE of each item of each
 * transaction. They read @event whole (bpf/remap.bpf.c): what stands where is an ABI.
 */
TRACE_EVENT(ptremap_told,
	TP_PROTO(const struct ptremap_event *event),
	TP_ARGS(event),
	TP_STRUCT__entry(
		__field(u32, type)
		__field(u32, id)
		__field(u32, what)
		__field(int, pid)
		__field(u32, state)
		__field(u32, cause)
		__field(u32, level)
		__field(u32, flags)
		__field(u64, va)
		__field(u64, old)
		__field(u64, new)
		__field(u64, gpa)
	),
	TP_fast_assign(
		__entry->type = event->type;
		__entry->id = event->record.id;
		__entry->what = event->record.what;
		__entry->pid = event->record.pid;
		__entry->state = event->record.state;
		__entry->cause = event->record.cause;
		__entry->level = event->record.level;
		__entry->flags = event->record.flags;
		__entry->va = event->record.va;
		__entry->old = event->record.old;
		__entry->new = event->record.new;
		__entry->gpa = event->record.gpa;
	),
	TP_printk("type=%u id=%u pid=%d va=0x%llx what=%u old=0x%llx new=0x%llx level=%u "
		  "state=%u cause=%u flags=0x%x gpa=0x%llx", __entry->type, __entry->id,
		  __entry->pid, __entry->va, __entry->what, __entry->old, __entry->new,
		  __entry->level, __entry->state, __entry->cause, __entry->flags, __entry->gpa)
);

TRACE_EVENT(ptremap_acted,
	TP_PROTO(const struct ptremap_rule *rule, const struct ptremap_hit *hit, u64 page,
		 u64 other, bool back, int error),
	TP_ARGS(rule, hit, page, other, back, error),
	TP_STRUCT__entry(
		__field(u32, rule)
		__field(int, pid)
		__field(u32, vcpu)
		__field(u32, on)
		__field(u32, act)
		__field(u32, back)
		__field(u64, what)
		__field(u64, page)
		__field(u64, other)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->rule = rule->id;
		__entry->pid = hit->pid;
		__entry->vcpu = hit->vcpu;
		__entry->on = hit->on;
		__entry->act = rule->act;
		__entry->back = back;
		__entry->what = hit->on == PTREMAP_ON_HYPERCALL ? rule->nr : hit->addr;
		__entry->page = page;
		__entry->other = other;
		__entry->error = error;
	),
	TP_printk("rule=%u pid=%d vcpu=%u on=%u what=0x%llx do=%u page=0x%llx other=0x%llx "
		  "back=%u error=%d", __entry->rule, __entry->pid, __entry->vcpu, __entry->on,
		  __entry->what, __entry->act, __entry->page, __entry->other, __entry->back,
		  __entry->error)
);

/*
 * For BPF programs that may write to it: which rules act now (uapi/ptremap.h). It is no event of
 * the tracing system.
 */
#ifdef DECLARE_TRACE_WRITABLE
DECLARE_TRACE_WRITABLE(ptremap_rule,
	TP_PROTO(struct ptremap_hit *hit),
	TP_ARGS(hit),
	sizeof(struct ptremap_hit)
);
#else
DECLARE_TRACE(ptremap_rule,
	TP_PROTO(struct ptremap_hit *hit),
	TP_ARGS(hit)
);
#endif
/* clang-format on */

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
