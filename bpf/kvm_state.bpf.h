/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VM exit that a vCPU's thread has open, and how it ends: by the next entry, or unseen. The
 * record is built in the task's own storage, as that of a fault.
 */
#ifndef PTSCOPE_KVM_STATE_BPF_H
#define PTSCOPE_KVM_STATE_BPF_H

#include "output.bpf.h"
#include "buffers.bpf.h"
#include "kvm_vcpu.bpf.h"
#include "walk.bpf.h"

/* EPT or NPT, with 4 and with 5 levels; set by user space. */
const volatile struct pt_fmt kvm_fmt4 = {};
const volatile struct pt_fmt kvm_fmt5 = {};

struct kvm_state {
	bool open;
	bool fast_mmio;
	__u64 begun; /* when KVM went on with the exit: its latency begins here */
	__u64 fault; /* struct kvm_page_fault that a kprobe saw; 0: none */
	struct kvm_vcpu *vcpu;
	struct walk_end before, after;
	__u32 buffers; /* bytes behind rec.call */
	struct buffer_work work;
	union {
		struct ptev_vmexit exit;
		struct ptev_hypercall call;
		struct ptev_violation vio;
		struct {
			struct ptev_hypercall call;
			struct buffer_room room;
		} with;
	} rec;
};

/* What each exit begins with zeroed: all but the room. */
#define KVM_STATE_HEAD (offsetof(struct kvm_state, rec) + sizeof(struct ptev_violation))

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct kvm_state);
} kvm_states SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PTEV_KVM_KEYS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct ptev_kvm_key);
	__type(value, struct ptev_kvm_stat);
} kvm_stats SEC(".maps");

/* What a new counter starts as; BPF's stack has no room for it. */
static const struct ptev_kvm_stat stat_new = { .min = ~0ull };

static __always_inline struct ptev_kvm_stat *kvm_stat_get(const struct ptev_vmexit *rec)
{
	struct ptev_kvm_key key = { rec->pid, rec->vcpu, rec->reason, rec->isa };
	struct ptev_kvm_stat *s = bpf_map_lookup_elem(&kvm_stats, &key);

	if (s)
		return s;
	bpf_map_update_elem(&kvm_stats, &key, &stat_new, BPF_NOEXIST);
	return bpf_map_lookup_elem(&kvm_stats, &key);
}

/* One thread at a time runs a vCPU: the sums need to be atomic only where a VMM has two VMs. */
static __always_inline void kvm_stat_count(const struct ptev_vmexit *rec)
{
	struct ptev_kvm_stat *s = kvm_stat_get(rec);

	if (!s) {
		COUNT(lost_kvm);
		return;
	}
	__sync_fetch_and_add(&s->count, 1);
	COUNT(emitted);
}

static __always_inline void kvm_stat_latency(const struct ptev_vmexit *rec)
{
	struct ptev_kvm_stat *s = kvm_stat_get(rec);

	if (!s)
		return;
	__sync_fetch_and_add(&s->ended, 1);
	__sync_fetch_and_add(&s->sum, rec->latency);
	__sync_fetch_and_add(&s->latency[log2_slot(rec->latency)], 1);
	if (rec->latency < s->min)
		s->min = rec->latency;
	if (rec->latency > s->max)
		s->max = rec->latency;
}

static __always_inline struct kvm_state *kvm_state_get(struct task_struct *task, __u64 flags)
{
	return bpf_task_storage_get(&kvm_states, task, NULL, flags);
}

/* The open exit of this task, or NULL. */
static __always_inline struct kvm_state *kvm_open(void)
{
	struct kvm_state *st = kvm_state_get(bpf_get_current_task_btf(), 0);

	return st && st->open ? st : NULL;
}

static __always_inline struct kvm_state *kvm_open_violation(void)
{
	struct kvm_state *st = kvm_open();

	return st && st->rec.exit.hdr.type == PTEV_VIOLATION ? st : NULL;
}

static __always_inline void kvm_emit(struct kvm_state *st)
{
	__u32 buffers = st->buffers;

	st->open = false;
	if (buffers > PTEV_MAX_BUFFERS * BUFFER_MAX)
		buffers = 0;
	if (st->rec.exit.hdr.type == PTEV_HYPERCALL)
		put_record(&st->rec.exit.hdr, sizeof(st->rec.call) + buffers);
	else if (st->rec.exit.hdr.type == PTEV_VIOLATION)
		put_record(&st->rec.exit.hdr, sizeof(st->rec.vio));
	else
		put_record(&st->rec.exit.hdr, sizeof(st->rec.exit));
}

static __always_inline void kvm_drop(struct kvm_state *st)
{
	st->open = false;
	COUNT(dropped);
}

static __always_inline void kvm_walk(struct ptev_violation *rec, struct ptev_walk *out,
				     struct walk_end *end, struct kvm_vcpu *vcpu, __u16 done,
				     __u16 cut)
{
	if (!cfg.walks || !vcpu || !vcpu_root(vcpu, &rec->root, &rec->levels))
		return;
	if (rec->levels == 5)
		walk_from(out, end, (const struct pt_fmt *)&kvm_fmt5, rec->root, rec->gpa);
	else if (rec->levels == 4)
		walk_from(out, end, (const struct pt_fmt *)&kvm_fmt4, rec->root, rec->gpa);
	else
		return;
	rec->exit.flags |= done;
	if (end->kind == PT_TABLE)
		rec->exit.flags |= cut;
}

/* The gpa of a violation is known from here on. */
static __always_inline void kvm_gpa(struct kvm_state *st, __u64 gpa)
{
	struct ptev_violation *rec = &st->rec.vio;

	if (rec->exit.flags & PTEV_K_GPA)
		return;
	rec->exit.flags |= PTEV_K_GPA;
	rec->gpa = gpa;
	if (!cfg.stat && filter_addr(gpa))
		kvm_walk(rec, &rec->before, &st->before, st->vcpu, PTEV_K_BEFORE,
			 PTEV_K_BEFORE_CUT);
}

static __always_inline void kvm_walk_after(struct kvm_state *st, struct kvm_vcpu *vcpu)
{
	struct ptev_violation *rec = &st->rec.vio;

	if ((rec->exit.flags & (PTEV_K_BEFORE | PTEV_K_AFTER)) == PTEV_K_BEFORE)
		kvm_walk(rec, &rec->after, &st->after, vcpu, PTEV_K_AFTER, PTEV_K_AFTER_CUT);
}

static __always_inline __u8 kvm_outcome(const struct kvm_state *st)
{
	const struct ptev_violation *rec = &st->rec.vio;
	struct violation_facts f = {
		.before_entry = st->before.entry,
		.after_entry = st->after.entry,
		.before_kind = st->before.kind,
		.after_kind = st->after.kind,
		.before_perm = st->before.perm,
		.after_perm = st->after.perm,
		.before_level = st->before.level,
		.after_level = st->after.level,
		.access = rec->exit.flags & PTEV_K_ACCESS ? rec->access : PTEV_NR_ACCESSES,
		.user_exit = rec->exit.user_exit,
		.user = !!(rec->exit.flags & PTEV_K_USER),
		.fast_mmio = st->fast_mmio,
	};

	return classify_violation(&f);
}

/* The end of an exit, seen (PTEV_K_LATENCY) or not. */
static __always_inline void kvm_close(struct kvm_state *st)
{
	struct ptev_vmexit *rec = &st->rec.exit;
	bool ended = rec->flags & PTEV_K_LATENCY;

	if (ended && rec->latency < cfg.min_latency) {
		kvm_drop(st);
		return;
	}
	if (rec->hdr.type == PTEV_VIOLATION && cfg.by_addr &&
	    (!(rec->flags & PTEV_K_GPA) || !filter_addr(st->rec.vio.gpa))) {
		kvm_drop(st);
		return;
	}
	if (!cfg.stat) {
		if (rec->hdr.type == PTEV_VIOLATION)
			st->rec.vio.outcome = kvm_outcome(st);
		kvm_emit(st);
		return;
	}
	st->open = false;
	kvm_stat_count(rec);
	if (ended)
		kvm_stat_latency(rec);
}

#endif
