// SPDX-License-Identifier: GPL-2.0
/*
 * Page faults, from the exception (or get_user_pages) to the end of handle_mm_fault.
 *
 * A fault is opened by exceptions:page_fault_user/kernel, or by a handle_mm_fault call that has
 * no registers (get_user_pages). handle_mm_fault's return closes it, unless it asks for a retry;
 * so does a signal for a fault that never gets there. What is still open when the same task
 * faults again or exits is closed then. So there is exactly one event per exception, whichever
 * hooks a session has. The record is built in the task's own storage: nothing that preempts a
 * program, and no other task, can touch it.
 */
#include "../vmlinux/vmlinux.h"
#include <linux/bpf.h>
#include <asm-generic/siginfo.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "events.h"
#include "config.h"
#include "core_compat.bpf.h"
#include "filter.bpf.h"
#include "output.bpf.h"
#include "state.bpf.h"
#include "walk.bpf.h"
#include "classify.h"

char LICENSE[] SEC("license") = "GPL";

#define SIGBUS	7
#define SIGSEGV 11

static __always_inline __u8 access_of(__u32 error_code)
{
	if (error_code & PTEV_EC_I)
		return PTEV_EXEC;
	return error_code & PTEV_EC_W ? PTEV_WRITE : PTEV_READ;
}

/*
 * With page faults disabled (arch/x86/mm/fault.c: faulthandler_disabled()) an exception ends in
 * the exception table, whatever it finds. It may come from an interrupt in the middle of another
 * fault of this task, even of these programs, and so must not touch the task's state.
 */
static __always_inline void exception_nofault(__u64 address, __u32 error_code, __u64 ip,
					      struct mm_struct *mm)
{
	__u8 access = access_of(error_code);
	struct ptev_fault rec;
	struct walk_end end;

	record_init(&rec, PTEV_KERNEL, access, address);
	rec.error_code = error_code;
	rec.ip = ip;
	if (cfg.has_exit)
		rec.outcome = PTEV_OUT_FIXUP;
	COUNT(opened);
	if (!filter_outcome(rec.outcome)) {
		COUNT(dropped);
		return;
	}
	if (cfg.stat) {
		count_record(&rec);
		return;
	}
	if (cfg.walks && mm) {
		rec.flags |= PTEV_F_BEFORE;
		walk_tables(&rec.before, &end, top_table(&rec, mm), address);
		if (end.kind == PT_TABLE)
			rec.flags |= PTEV_F_BEFORE_CUT;
	}
	put_record(&rec.hdr, record_size());
}

/* What this task left open is not what happens now, wanted or not: no hook may mix them up. */
static __always_inline void close_left_open(void *ctx)
{
	struct fault_state *st;

	if (!cfg.has_exit)
		return;
	st = bpf_task_storage_get(&states, bpf_get_current_task_btf(), NULL, 0);
	if (st && st->open)
		close_stale(ctx, st);
}

static __always_inline int exception(__u64 *ctx, __u8 origin)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	__u64 address = ctx[0];
	struct pt_regs *regs = (struct pt_regs *)ctx[1];
	__u32 error_code = ctx[2];
	__u8 access = access_of(error_code);
	/* A plain load: bpf_probe_read_kernel() disables page faults itself. */
	bool nofault = origin == PTEV_KERNEL && task->pagefault_disabled;
	struct fault_state *st;

	if (nofault && own_fault(address))
		return 0;
	if (!nofault)
		close_left_open(ctx);
	if (!filter_enter(origin, access, address))
		return 0;
	if (cfg.stat && !filters_exit())
		stat_begin(origin, error_code);
	if (cfg.stat && !cfg.has_exit)
		return 0;
	if (nofault) {
		exception_nofault(address, error_code, BPF_CORE_READ(regs, ip), mm);
		return 0;
	}
	st = fault_open(origin, access, address);
	if (!st)
		return 0;
	st->rec.error_code = error_code;
	st->rec.ip = BPF_CORE_READ(regs, ip);
	walk_before(st, mm);
	if (!cfg.has_exit)
		emit(ctx, st, true);
	return 0;
}

SEC("raw_tp/page_fault_user")
int exception_user(__u64 *ctx)
{
	return exception(ctx, PTEV_USER);
}

SEC("raw_tp/page_fault_kernel")
int exception_kernel(__u64 *ctx)
{
	return exception(ctx, PTEV_KERNEL);
}

static __always_inline void vma_get(struct ptev_fault *rec, struct vm_area_struct *vma)
{
	struct ptev_fault_exit *x = &rec->x;
	struct mm_struct *mm = BPF_CORE_READ(vma, vm_mm);
	struct inode *inode;
	struct file *file;

	rec->flags |= PTEV_F_VMA;
	x->vma_start = BPF_CORE_READ(vma, vm_start);
	x->vma_end = BPF_CORE_READ(vma, vm_end);
	x->vma_flags = BPF_CORE_READ(vma, vm_flags);
	x->vma_pgoff = BPF_CORE_READ(vma, vm_pgoff);
	x->vma_tgid = rec->pid;
	if (rec->origin == PTEV_GUP && mm != BPF_CORE_READ(bpf_get_current_task_btf(), mm))
		x->vma_tgid = compat_mm_owner_tgid(mm, rec->pid);
	if (!BPF_CORE_READ(vma, vm_ops))
		rec->flags |= PTEV_F_VMA_ANON; /* mm.h: vma_is_anonymous() */
	file = BPF_CORE_READ(vma, vm_file);
	if (!file)
		return;
	inode = BPF_CORE_READ(file, f_inode);
	x->ino = BPF_CORE_READ(inode, i_ino);
	x->dev = BPF_CORE_READ(inode, i_sb, s_dev);
}

static __always_inline __u8 gup_access(__u32 fault_flags)
{
	if (fault_flags & FAULT_EXEC)
		return PTEV_EXEC;
	return fault_flags & FAULT_WRITE ? PTEV_WRITE : PTEV_READ;
}

/* A get_user_pages fault: the first call opens it, a call after a retry goes on with it. */
static __always_inline struct fault_state *gup_open(void *ctx, struct vm_area_struct *vma,
						    __u64 address, __u32 fault_flags)
{
	__u8 access = gup_access(fault_flags);
	struct fault_state *st;

	st = bpf_task_storage_get(&states, bpf_get_current_task_btf(), NULL, 0);
	if (st && st->open && st->last_retry && st->rec.origin == PTEV_GUP &&
	    st->rec.address == address)
		return st;
	if (st && st->open)
		close_stale(ctx, st);
	if (!filter_enter(PTEV_GUP, access, address))
		return NULL;
	if (cfg.stat && !filters_exit())
		stat_begin(PTEV_GUP, 0);
	st = fault_open(PTEV_GUP, access, address);
	if (st)
		walk_before(st, BPF_CORE_READ(vma, vm_mm));
	return st;
}

static __always_inline int handle_enter(void *ctx, struct vm_area_struct *vma, __u64 address,
					__u32 fault_flags, struct pt_regs *regs)
{
	struct fault_state *st;

	if (regs)
		st = bpf_task_storage_get(&states, bpf_get_current_task_btf(), NULL, 0);
	else
		st = gup_open(ctx, vma, address, fault_flags);
	if (!st || !st->open || st->rec.address != address)
		return 0;
	if (st->handled && !st->last_retry) {
		/* A second call for the same fault: the first one's return was missed. */
		st->rec.flags |= PTEV_F_RETRIED;
		COUNT(missed_exit);
	}
	st->handled = true;
	st->last_retry = false;
	st->rec.x.fault_flags = fault_flags;
	vma_get(&st->rec, vma);
	return 0;
}

/* mm/memory.c, mm_account_fault(): what the kernel adds to ru_majflt. */
static __always_inline bool is_major(const struct ptev_fault *rec)
{
	return (rec->x.vm_fault & VMF_MAJOR) || (rec->x.fault_flags & FAULT_TRIED);
}

static __always_inline __u8 outcome_of(const struct fault_state *st, const struct walk_end *after)
{
	const struct ptev_fault *rec = &st->rec;
	struct fault_facts f = {
		.vma_flags = rec->x.vma_flags,
		.uffd_flags = cfg.uffd_flags,
		.before_entry = st->before.entry,
		.after_entry = after->entry,
		.addr_mask = walk_fmt.addr_mask,
		.vm_fault = rec->x.vm_fault,
		.before_kind = st->before.kind,
		.after_kind = after->kind,
		.before_level = st->before.level,
		.after_level = after->level,
		.write = rec->access == PTEV_WRITE || (rec->x.fault_flags & FAULT_UNSHARE),
		.anon = !!(rec->flags & PTEV_F_VMA_ANON),
		.major = !!(rec->flags & PTEV_F_MAJOR),
		.retried = !!(rec->flags & PTEV_F_RETRIED),
	};

	return classify_fault(&f);
}

static __always_inline void fault_close(void *ctx, struct fault_state *st)
{
	struct ptev_fault *rec = &st->rec;

	rec->flags |= PTEV_F_EXIT;
	if (!filter_outcome(rec->outcome) || rec->x.latency < cfg.min_latency) {
		st->open = false;
		COUNT(dropped);
		return;
	}
	emit(ctx, st, true);
}

static __always_inline int handle_exit(void *ctx, __u32 vm_fault)
{
	struct walk_end after = {};
	struct fault_state *st;
	struct ptev_fault *rec;

	st = bpf_task_storage_get(&states, bpf_get_current_task_btf(), NULL, 0);
	if (!st || !st->open || !st->handled || st->last_retry)
		return 0;
	rec = &st->rec;
	rec->x.vm_fault |= vm_fault & ~VMF_RETRY;
	if (vm_fault & VMF_RETRY) {
		rec->flags |= PTEV_F_RETRIED;
		st->last_retry = true;
		return 0;
	}
	rec->x.latency = bpf_ktime_get_ns() - rec->time;
	if (!(rec->x.vm_fault & VMF_ERROR)) {
		rec->flags |= PTEV_F_DONE;
		if (is_major(rec))
			rec->flags |= PTEV_F_MAJOR;
	}
	walk_after(st, &after);
	rec->outcome = outcome_of(st, &after);
	fault_close(ctx, st);
	return 0;
}

SEC("fentry/handle_mm_fault")
int BPF_PROG(fentry_handle, struct vm_area_struct *vma, unsigned long address, unsigned int flags,
	     struct pt_regs *regs)
{
	return handle_enter(ctx, vma, address, flags, regs);
}

SEC("fexit/handle_mm_fault")
int BPF_PROG(fexit_handle, struct vm_area_struct *vma, unsigned long address, unsigned int flags,
	     struct pt_regs *regs, int ret)
{
	return handle_exit(ctx, ret);
}

SEC("kprobe/handle_mm_fault")
int BPF_KPROBE(kprobe_handle, struct vm_area_struct *vma, unsigned long address, unsigned int flags,
	       struct pt_regs *regs)
{
	return handle_enter(ctx, vma, address, flags, regs);
}

SEC("kretprobe/handle_mm_fault")
int BPF_KRETPROBE(kretprobe_handle, int ret)
{
	return handle_exit(ctx, ret);
}

/*
 * A user access that no VMA allows never reaches handle_mm_fault: arch/x86/mm/fault.c forces the
 * signal, in the context of the fault.
 */
SEC("raw_tp/signal_generate")
int signal_generate(__u64 *ctx)
{
	int sig = (int)ctx[0];
	siginfo_t *info = (siginfo_t *)ctx[1]; /* kernel_siginfo starts like the user ABI */
	struct task_struct *task = bpf_get_current_task_btf();
	struct fault_state *st;
	void *addr = NULL;

	if ((sig != SIGSEGV && sig != SIGBUS) || ctx[2] != (__u64)task || (__u64)info < PAGE_SIZE)
		return 0;
	st = bpf_task_storage_get(&states, task, NULL, 0);
	if (!st || !st->open || st->rec.origin != PTEV_USER)
		return 0;
	bpf_probe_read_kernel(&addr, sizeof(addr), &info->si_addr);
	if ((__u64)addr != st->rec.address)
		return 0;
	st->rec.outcome = sig == SIGSEGV ? PTEV_OUT_SIGSEGV : PTEV_OUT_SIGBUS;
	st->rec.x.latency = bpf_ktime_get_ns() - st->rec.time;
	fault_close(ctx, st);
	return 0;
}

SEC("raw_tp/sched_process_fork")
int process_fork(__u64 *ctx)
{
	struct task_struct *child = (struct task_struct *)ctx[1];
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	__u32 child_tgid = BPF_CORE_READ(child, tgid);
	struct target_entry on = { .state = FAULT_ON }, *parent;

	if (!cfg.inherit || cfg.target != FAULT_BY_TGID || child_tgid == tgid)
		return 0;
	parent = bpf_map_lookup_elem(&targets, &tgid);
	if (!parent || parent->state != FAULT_ON)
		return 0;
	on.process = (__u64)BPF_CORE_READ(child, signal);
	if (bpf_map_update_elem(&targets, &child_tgid, &on, BPF_ANY))
		COUNT(lost_children);
	return 0;
}

/* Whether the task's last faults come before this or behind it depends on the kernel. */
SEC("raw_tp/sched_process_exit")
int process_exit(__u64 *ctx)
{
	struct fault_state *st = bpf_task_storage_get(&states, bpf_get_current_task_btf(), NULL, 0);

	if (st && st->open)
		close_stale(ctx, st);
	return 0;
}

/*
 * The id is free again: a process's when its leader goes, which it does last. It has been free for
 * a while (RCU), and may be that of another target's child by now.
 */
SEC("raw_tp/sched_process_free")
int process_free(__u64 *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx[0];
	__u32 tid = BPF_CORE_READ(task, pid);
	struct target_entry *target;

	if (cfg.target == FAULT_ALL)
		return 0;
	if (cfg.target != FAULT_BY_TID && tid != (__u32)BPF_CORE_READ(task, tgid))
		return 0;
	target = bpf_map_lookup_elem(&targets, &tid);
	if (target && (!target->process || target->process == (__u64)BPF_CORE_READ(task, signal)))
		bpf_map_delete_elem(&targets, &tid);
	return 0;
}

/* Run by user space after the hooks are gone: faults that never ended become events. */
SEC("iter/task")
int close_open_faults(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct fault_state *st;

	if (!task)
		return 0;
	st = bpf_task_storage_get(&states, task, NULL, 0);
	if (st && st->open)
		close_stale(ctx, st);
	return 0;
}

/*
 * A launched command counts from the point where its exec can no longer fail: begin_new_exec()
 * (fs/exec.c) names the task there, next to perf's own enable_on_exec.
 */
SEC("raw_tp/task_rename")
int task_rename(__u64 *ctx)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct target_entry *target = bpf_map_lookup_elem(&targets, &tgid);

	if (target && target->state == FAULT_WAIT_EXEC)
		target->state = FAULT_ON;
	return 0;
}
