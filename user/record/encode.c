// SPDX-License-Identifier: GPL-2.0
#include "user/record/encode.h"

#include <string.h>

#include "user/record/chain.h"
#include "user/record/header.h"
#include "user/record/kinds.h"
#include "user/record/side.h"

/* How the fixed part of a sample begins: HEADER_SAMPLE_TYPE. */
struct sample_head {
	struct perf_event_header header;
	uint64_t id, ip;
	uint32_t pid, tid;
	uint64_t time, addr;
	uint32_t cpu, reserved;
};

/* When the event had ended, as far as that is known; its time in perf's eyes. */
static uint64_t end_of(const struct ptev_hdr *hdr)
{
	const struct ptev_fault *f = (const struct ptev_fault *)hdr;
	const struct ptev_vmexit *e = (const struct ptev_vmexit *)hdr;

	if (hdr->type == PTEV_REMAP)
		return ((const struct ptev_remap *)hdr)->time;
	if (hdr->type != PTEV_FAULT)
		return e->time + (e->flags & PTEV_K_LATENCY ? e->latency : 0);
	return f->time + (f->flags & PTEV_F_EXIT ? f->x.latency : 0);
}

/* The time of the sample, and by how much that is later than the event's end. */
static uint64_t sample_time(struct encoder *e, uint64_t end, uint64_t *late)
{
	uint64_t time = end < e->floor ? e->floor : end;

	*late = time - end;
	if (time < e->first)
		e->first = time;
	if (time > e->last)
		e->last = time;
	return time;
}

static void fill_fault(struct sample_head *s, const struct ptev_fault *f)
{
	s->ip = f->ip;
	s->pid = f->pid;
	s->tid = f->tid;
	s->cpu = f->cpu;
	s->addr = f->address;
	s->header.misc = f->origin == PTEV_USER ? PERF_RECORD_MISC_USER : PERF_RECORD_MISC_KERNEL;
}

/* The address of the instruction is the guest's: no symbol of the host must be found for it. */
static void fill_exit(struct sample_head *s, const struct ptev_vmexit *e)
{
	s->ip = e->rip;
	s->pid = e->pid;
	s->tid = e->tid;
	s->cpu = e->cpu;
	if (e->hdr.type == PTEV_VIOLATION)
		s->addr = ((const struct ptev_violation *)e)->gpa;
	s->header.misc = PERF_RECORD_MISC_HYPERVISOR;
}

/* Not at an instruction: made from within a system call, or by the kernel. */
static void fill_remap(struct sample_head *s, const struct ptev_remap *r)
{
	s->pid = r->pid;
	s->tid = r->tid;
	s->cpu = r->cpu;
	s->addr = r->va;
	s->header.misc = PERF_RECORD_MISC_KERNEL;
}

/* The call chain, if the session has such; in words. */
static size_t put_chain(const struct encoder *e, const struct ptev_hdr *hdr, uint64_t *chain)
{
	if (!e->info.stacks)
		return 0;
	if (hdr->type == PTEV_FAULT)
		return chain_pack((const struct ptev_fault *)hdr, chain);
	*chain = 0;
	return 1;
}

static size_t make_sample(struct encoder *e, const struct ptev_hdr *hdr)
{
	const struct rec_kind *kind = kind_of_type(hdr->type);
	size_t words, raw, size = hdr->type == PTEV_FAULT ? PTEV_FAULT_FULL : hdr->size;
	struct sample_head *s = (struct sample_head *)e->record;
	uint64_t *chain = (uint64_t *)(s + 1), late;
	uint32_t *raw_size;

	if (!kind_wanted(kind, &e->info))
		return 0;
	*s = (struct sample_head){ .header = { .type = PERF_RECORD_SAMPLE },
				   .id = HEADER_KIND_ID(kind - rec_kinds) };
	if (hdr->type == PTEV_FAULT)
		fill_fault(s, (const struct ptev_fault *)hdr);
	else if (hdr->type == PTEV_REMAP)
		fill_remap(s, (const struct ptev_remap *)hdr);
	else
		fill_exit(s, (const struct ptev_vmexit *)hdr);
	s->time = sample_time(e, end_of(hdr), &late);
	words = put_chain(e, hdr, chain);
	raw = kind_raw_size(kind, size);
	raw_size = (uint32_t *)(chain + words);
	*raw_size = (uint32_t)raw;
	kind_pack(kind, hdr, late, raw_size + 1);
	s->header.size = (uint16_t)(sizeof(*s) + words * sizeof(*chain) + sizeof(*raw_size) + raw);
	return s->header.size;
}

static size_t make_side(struct encoder *e, const struct ptev_hdr *hdr)
{
	const struct ptev_task *task = (const struct ptev_task *)hdr;
	const struct ptev_mmap *map = (const struct ptev_mmap *)hdr;
	struct header_tail tail = { .id = HEADER_DUMMY_ID };
	size_t size;

	size = side_to_perf(e->record, hdr, sizeof(tail), &tail.time);
	/* What the kernel made is nobody's. */
	if (hdr->type != PTEV_KSYM) {
		tail.pid = hdr->type == PTEV_MMAP ? map->pid : task->pid;
		tail.tid = hdr->type == PTEV_MMAP ? map->tid : task->tid;
	}
	memcpy(e->record + size, &tail, sizeof(tail));
	return size ? size + sizeof(tail) : 0;
}

void encoder_init(struct encoder *e, const struct rec_info *info)
{
	e->info = *info;
	e->first = UINT64_MAX;
}

size_t encode(struct encoder *e, const struct ptev_hdr *record)
{
	return ptev_is_event(record->type) ? make_sample(e, record) : make_side(e, record);
}

void encoder_round(struct encoder *e)
{
	e->floor = e->round_end;
	e->round_end = e->last;
}
