// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of page tables by the module ptremap, and their ends, as it tells them at its tracepoint
 * ptremap_told. The maps of output.bpf.h and filter.bpf.h are those of the fault programs
 * (session.c).
 */
#include <stdbool.h>

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "../kmod-helper/uapi/ptremap.h"
#include "events.h"
#include "config.h"
#include "filter.bpf.h"
#include "output.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Targets are of interest as those whose memory it is, and as those who do it. */
static __always_inline bool is_of_target(const struct ptremap_record *r)
{
	__u64 id = bpf_get_current_pid_tgid();

	return filter_target(r->pid, r->pid) || filter_target(id >> 32, (__u32)id);
}

/* Any of what is changed; as with violations, of a guest it is the gpa that counts. */
static __always_inline bool is_in_range(const struct ptremap_record *r)
{
	__u64 first = r->flags & PTREMAP_RECORD_VM ? r->gpa : r->va;
	__u64 size = r->level == 2 ? 0x200000 : 0x1000;

	if (r->what == PTREMAP_MAPPED)
		size = r->old;
	return !cfg.by_addr || (first + size - 1 >= cfg.addr_first && first <= cfg.addr_last);
}

/* As `ptremap watch` calls it. */
static __always_inline __u8 event_of(const struct ptremap_event *e)
{
	if (e->type == PTREMAP_EVENT_MADE)
		return PTEV_REMAP_MADE;
	if (e->record.state == PTREMAP_LOST)
		return PTEV_REMAP_LOST;
	return e->record.cause == PTREMAP_CAUSE_UNDO ? PTEV_REMAP_UNDONE : PTEV_REMAP_TAKEN;
}

/*
 * Entries have frames in them, and a mapping may be of frames: they are for those who get walks.
 * The length of a mapping is for all.
 */
static __always_inline void entries_fill(struct ptev_remap *rec, const struct ptremap_record *r)
{
	if (cfg.walks || r->what == PTREMAP_MAPPED)
		rec->old = r->old;
	if (cfg.walks)
		rec->new = r->new;
	else
		rec->flags |= PTEV_R_HIDDEN;
}

static __always_inline void record_fill(struct ptev_remap *rec, const struct ptremap_event *e)
{
	const struct ptremap_record *r = &e->record;
	__u64 id = bpf_get_current_pid_tgid();

	rec->hdr.type = PTEV_REMAP;
	rec->id = r->id;
	rec->time = e->time;
	rec->va = r->va;
	rec->gpa = r->gpa;
	rec->pid = id >> 32;
	rec->tid = (__u32)id;
	bpf_get_current_comm(rec->comm, sizeof(rec->comm));
	rec->of = r->pid;
	rec->vm_fd = r->vm_fd;
	rec->cpu = bpf_get_smp_processor_id();
	rec->what = r->what;
	rec->event = event_of(e);
	rec->cause = r->cause;
	rec->level = r->level;
	rec->flags = (r->flags & PTREMAP_RECORD_VM ? PTEV_R_VM : 0) |
		     (r->flags & PTREMAP_RECORD_STICKY ? PTEV_R_STICKY : 0) |
		     (r->keep ? PTEV_R_KEEP : 0);
	entries_fill(rec, r);
}

SEC("raw_tracepoint/ptremap_told")
int remap_told(struct bpf_raw_tracepoint_args *ctx)
{
	struct ptev_remap rec = {};
	struct ptremap_event e;
	struct ptev_stat *s;

	if (bpf_probe_read_kernel(&e, sizeof(e), (void *)ctx->args[0]))
		return 0;
	if (!is_of_target(&e.record) || !is_in_range(&e.record) || !filter_who())
		return 0;
	COUNT(opened);
	record_fill(&rec, &e);
	if (!cfg.stat) {
		put_record(&rec.hdr, sizeof(rec));
		return 0;
	}
	s = stat_get();
	if (s)
		__sync_fetch_and_add(&s->remaps[rec.event % PTEV_NR_REMAPS], 1);
	COUNT(emitted);
	return 0;
}
