/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fault that a task has open. Its record is built in the task's own storage, so that nothing
 * that preempts a program, and no other task, can touch it.
 */
#ifndef PTSCOPE_STATE_BPF_H
#define PTSCOPE_STATE_BPF_H

#include "output.bpf.h"
#include "walk.bpf.h"

#define PAGE_SIZE 4096

/* What is being read for the record at this moment; it may fault. */
enum reading { READING_NOTHING, READING_TABLES, READING_USER_STACK };

struct fault_state {
	bool open;
	bool handled;	 /* handle_mm_fault has been entered */
	bool last_retry; /* and its last return asked for a retry */
	__u8 reading;	 /* enum reading */
	__u64 pgd;	 /* direct-map address of the top table */
	struct walk_end before;
	struct ptev_fault rec;
	/* Directly behind rec, see struct ptev_fault. */
	__u64 nr_stack;
	__u64 stack[2 * PTEV_MAX_STACK];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct fault_state);
} states SEC(".maps");

/*
 * Both stacks behind the record; returns their size in bytes, the counts included. The kernel's
 * part is of interest only where the kernel was interrupted or called get_user_pages.
 */
static __always_inline __u32 stacks_get(void *ctx, struct fault_state *st)
{
	long kernel = 0, user = 0;
	__u32 max = PTEV_MAX_STACK * sizeof(__u64);

	if (cfg.kernel_stack && st->rec.origin != PTEV_USER)
		kernel = bpf_get_stack(ctx, st->stack, max, 0);
	if (kernel < 0 || kernel > max)
		kernel = 0;
	st->reading = READING_USER_STACK;
	if (cfg.user_stack)
		user = bpf_get_stack(ctx, (void *)st->stack + kernel, max, BPF_F_USER_STACK);
	st->reading = READING_NOTHING;
	if (user < 0 || user > max)
		user = 0;
	st->nr_stack = (__u64)kernel / 8 | (__u64)user / 8 << 32;
	return sizeof(st->nr_stack) + kernel + user;
}

/*
 * Reading a table or a stack page that is not there is our own doing, not an event. Tables are at
 * kernel addresses: an exception at a user address comes from an interrupt meanwhile.
 */
static __always_inline bool own_fault(__u64 address)
{
	struct fault_state *st = bpf_task_storage_get(&states, bpf_get_current_task_btf(), NULL, 0);

	if (!st)
		return false;
	return st->reading == READING_USER_STACK ||
	       (st->reading == READING_TABLES && (__s64)address < 0);
}

static __always_inline void emit(void *ctx, struct fault_state *st, bool stacks)
{
	__u32 size = record_size();

	st->open = false;
	if (cfg.stat) {
		count_record(&st->rec);
		return;
	}
	if (stacks && (cfg.kernel_stack || cfg.user_stack)) {
		size = PTEV_FAULT_FULL + stacks_get(ctx, st);
		st->rec.flags |= PTEV_F_STACKS;
	}
	if (size <= sizeof(st->rec) + sizeof(st->nr_stack) + sizeof(st->stack))
		put_record(&st->rec.hdr, size);
}

/*
 * Ends a fault whose return was not seen; its stacks are gone by now. How long it took is not
 * known, so a latency filter does not apply.
 */
static __always_inline void close_stale(void *ctx, struct fault_state *st)
{
	struct ptev_fault *rec = &st->rec;

	if (st->last_retry)
		rec->outcome = PTEV_OUT_RETRY;
	else if (rec->origin == PTEV_KERNEL && !st->handled)
		rec->outcome = PTEV_OUT_FIXUP;
	else
		rec->outcome = PTEV_OUT_UNRESOLVED;
	if (st->handled && !st->last_retry)
		COUNT(missed_exit);
	if (!filter_outcome(rec->outcome)) {
		st->open = false;
		COUNT(dropped);
		return;
	}
	emit(ctx, st, false);
}

/* Address of the top table that the faulting access went through. */
static __always_inline __u64 top_table(struct ptev_fault *rec, struct mm_struct *mm)
{
	__u64 pgd = (__u64)BPF_CORE_READ(mm, pgd);

	if (!walk_pti || rec->origin != PTEV_USER)
		return pgd;
	rec->flags |= PTEV_F_USER_PGD;
	return pgd + PAGE_SIZE; /* arch/x86/include/asm/pgtable.h: kernel_to_user_pgdp() */
}

static __always_inline void walk_before(struct fault_state *st, struct mm_struct *mm)
{
	struct ptev_fault *rec = &st->rec;

	if (!cfg.walks || !mm)
		return;
	st->pgd = top_table(rec, mm);
	rec->flags |= PTEV_F_BEFORE;
	st->reading = READING_TABLES;
	walk_tables(&rec->before, &st->before, st->pgd, rec->address);
	st->reading = READING_NOTHING;
	if (st->before.kind == PT_TABLE)
		rec->flags |= PTEV_F_BEFORE_CUT;
}

static __always_inline void walk_after(struct fault_state *st, struct walk_end *end)
{
	struct ptev_fault *rec = &st->rec;

	end->kind = PT_TABLE;
	if (!cfg.walks || !(rec->flags & PTEV_F_BEFORE))
		return;
	rec->flags |= PTEV_F_AFTER;
	st->reading = READING_TABLES;
	walk_tables(&rec->x.after, end, st->pgd, rec->address);
	st->reading = READING_NOTHING;
	if (end->kind == PT_TABLE)
		rec->flags |= PTEV_F_AFTER_CUT;
}

static __always_inline void record_init(struct ptev_fault *rec, __u8 origin, __u8 access,
					__u64 address)
{
	__u64 id = bpf_get_current_pid_tgid();

	__builtin_memset(rec, 0, sizeof(*rec));
	rec->hdr.type = PTEV_FAULT;
	rec->time = bpf_ktime_get_ns();
	rec->address = address;
	rec->pid = id >> 32;
	rec->tid = (__u32)id;
	rec->cpu = bpf_get_smp_processor_id();
	rec->origin = origin;
	rec->access = access;
	rec->levels = walk_fmt.top;
}

/* Starts a record; the caller has passed the filters. Returns NULL without memory. */
static __always_inline struct fault_state *fault_open(__u8 origin, __u8 access, __u64 address)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct fault_state *st;

	COUNT(opened);
	st = bpf_task_storage_get(&states, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!st) {
		COUNT(lost_state);
		return NULL;
	}
	st->handled = false;
	st->last_retry = false;
	__builtin_memset(&st->before, 0, sizeof(st->before)); /* PT_TABLE: not walked */
	record_init(&st->rec, origin, access, address);
	st->open = true;
	return st;
}

#endif
