// SPDX-License-Identifier: GPL-2.0
#include "user/record/kinds.h"

#include <errno.h>
#include <string.h>

#include "user/record/chain.h"

/* struct trace_entry: u16 common_type, u8 common_flags, u8 common_preempt_count, s32 common_pid */
#define COMMON 8
/* Of a record's header only what follows it is kept, so that all is where its alignment wants it.
 */
#define HEADER sizeof(struct ptev_hdr)

#define CUT(type, first, behind)                              \
	{                                                     \
		offsetof(type, first), offsetof(type, behind) \
	}
#define CUT_VMEXIT CUT(struct ptev_vmexit, rip, info1), CUT(struct ptev_vmexit, pid, vcpu)

const struct rec_kind rec_kinds[KINDS_NR] = {
	{ "fault", PTEV_FAULT, 0, 65001, { CUT(struct ptev_fault, address, cpu) } },
	{ "vmexit", PTEV_KVM_EXIT, PTEV_WANT_EXIT, 65002, { CUT_VMEXIT } },
	{ "hypercall", PTEV_HYPERCALL, PTEV_WANT_HYPERCALL, 65003, { CUT_VMEXIT } },
	{ "violation",
	  PTEV_VIOLATION,
	  PTEV_WANT_VIOLATION,
	  65004,
	  { CUT_VMEXIT, CUT(struct ptev_violation, gpa, gva) } },
	{ "remap",
	  PTEV_REMAP,
	  0,
	  65005,
	  { CUT(struct ptev_remap, va, old), CUT(struct ptev_remap, pid, of) } },
};

_Static_assert(offsetof(struct ptev_fault, time) == offsetof(struct ptev_vmexit, time), "ABI");
_Static_assert(offsetof(struct ptev_fault, time) == offsetof(struct ptev_remap, time), "ABI");

const struct rec_kind *kind_of_type(uint8_t type)
{
	size_t i;

	for (i = 0; i < KINDS_NR; i++)
		if (rec_kinds[i].type == type)
			return &rec_kinds[i];
	return NULL;
}

const struct rec_kind *kind_of_config(uint64_t config)
{
	size_t i;

	for (i = 0; i < KINDS_NR; i++)
		if (rec_kinds[i].id == config)
			return &rec_kinds[i];
	return NULL;
}

bool kind_wanted(const struct rec_kind *kind, const struct rec_info *info)
{
	if (kind->type == PTEV_REMAP)
		return info->remaps;
	return kind->wanted_by ? info->kvm & kind->wanted_by : !info->no_faults;
}

static size_t cut_bytes(const struct rec_kind *kind)
{
	size_t i, sum = 0;

	for (i = 0; i < KIND_CUTS; i++)
		sum += kind->cut[i].to - kind->cut[i].from;
	return sum;
}

size_t kind_raw_size(const struct rec_kind *kind, size_t size)
{
	return COMMON + size - HEADER - cut_bytes(kind);
}

size_t kind_raw_offset(const struct rec_kind *kind, size_t offset)
{
	size_t i, cut = 0;

	for (i = 0; i < KIND_CUTS; i++)
		if (kind->cut[i].from < offset)
			cut += kind->cut[i].to - kind->cut[i].from;
	return COMMON + offset - HEADER - cut;
}

/* The next stretch that is kept from @from on: its length, *@at is where it begins. */
static size_t kept(const struct rec_kind *kind, size_t *cut, size_t from, size_t size, size_t *at)
{
	*at = from;
	while (*cut < KIND_CUTS && kind->cut[*cut].to && kind->cut[*cut].from == *at)
		*at = kind->cut[(*cut)++].to;
	if (*cut < KIND_CUTS && kind->cut[*cut].to)
		return kind->cut[*cut].from - *at;
	return size - *at;
}

static void put_common(const struct rec_kind *kind, const struct ptev_hdr *record, uint8_t *raw)
{
	const struct ptev_fault *f = (const struct ptev_fault *)record;
	const struct ptev_vmexit *e = (const struct ptev_vmexit *)record;
	const struct ptev_remap *r = (const struct ptev_remap *)record;
	uint32_t tid = kind->type == PTEV_FAULT	  ? f->tid
		       : kind->type == PTEV_REMAP ? r->tid
						  : e->tid;

	memset(raw, 0, COMMON);
	memcpy(raw, &kind->id, sizeof(kind->id));
	memcpy(raw + 4, &tid, sizeof(tid));
}

void kind_pack(const struct rec_kind *kind, const struct ptev_hdr *record, uint64_t late, void *raw)
{
	size_t whole = kind->type == PTEV_FAULT ? PTEV_FAULT_FULL : record->size;
	size_t size = record->size < whole ? record->size : whole;
	const uint8_t *from = (const uint8_t *)record;
	uint8_t *to = (uint8_t *)raw + COMMON;
	size_t cut = 0, at = HEADER, len;

	put_common(kind, record, raw);
	do {
		len = kept(kind, &cut, at, size, &at);
		memcpy(to, from + at, len);
		to += len;
		at += len;
	} while (at < size);
	memset(to, 0, whole - size);
	memcpy((uint8_t *)raw + COMMON + offsetof(struct ptev_fault, time) - HEADER, &late,
	       sizeof(late));
}

/* All but the header and what is cut, which the fill functions know from the sample. */
static void unpack_bytes(const struct rec_kind *kind, const uint8_t *raw, uint8_t *out, size_t size)
{
	size_t cut, at = HEADER;

	raw += COMMON;
	for (cut = 0; cut < KIND_CUTS && kind->cut[cut].to; cut++) {
		memcpy(out + at, raw, kind->cut[cut].from - at);
		raw += kind->cut[cut].from - at;
		at = kind->cut[cut].to;
	}
	memcpy(out + at, raw, size - at);
}

/* The sample's time is that of the event's end, or later. */
static void fill_fault(struct ptev_fault *f, const struct rec_sample *s)
{
	uint64_t latency = f->flags & PTEV_F_EXIT ? f->x.latency : 0;

	f->time = s->time - latency - f->time;
	f->address = s->addr;
	f->ip = s->ip;
	f->pid = s->pid;
	f->tid = s->tid;
	if (f->flags & PTEV_F_STACKS)
		f->hdr.size += (uint16_t)chain_unpack(s, (uint64_t *)(f + 1));
}

static void fill_exit(const struct rec_kind *kind, struct ptev_vmexit *e,
		      const struct rec_sample *s)
{
	uint64_t latency = e->flags & PTEV_K_LATENCY ? e->latency : 0;

	e->time = s->time - latency - e->time;
	e->rip = s->ip;
	e->pid = s->pid;
	e->tid = s->tid;
	if (kind->type == PTEV_VIOLATION)
		((struct ptev_violation *)e)->gpa = s->addr;
}

static void fill_remap(struct ptev_remap *r, const struct rec_sample *s)
{
	r->time = s->time - r->time;
	r->va = s->addr;
	r->pid = s->pid;
	r->tid = s->tid;
}

/* A fault, of which there are most: all lengths are constants. */
static int unpack_fault(const struct rec_sample *s, struct ptev_fault *f)
{
	const size_t before = offsetof(struct ptev_fault, address) - HEADER;
	const size_t behind = offsetof(struct ptev_fault, cpu);
	const uint8_t *raw;

	if (s->raw_size != COMMON + before + PTEV_FAULT_FULL - behind)
		return -EINVAL;
	raw = (const uint8_t *)s->raw + COMMON;
	f->hdr = (struct ptev_hdr){ .size = PTEV_FAULT_FULL, .type = PTEV_FAULT };
	memcpy((uint8_t *)f + HEADER, raw, before);
	memcpy((uint8_t *)f + behind, raw + before, PTEV_FAULT_FULL - behind);
	fill_fault(f, s);
	return 0;
}

int kind_unpack(const struct rec_kind *kind, const struct rec_sample *s, struct ptev_hdr *out)
{
	static const uint16_t least[PTEV_NR_TYPES] = {
		[PTEV_KVM_EXIT] = sizeof(struct ptev_vmexit),
		[PTEV_HYPERCALL] = sizeof(struct ptev_hypercall),
		[PTEV_VIOLATION] = sizeof(struct ptev_violation),
		[PTEV_REMAP] = sizeof(struct ptev_remap),
	};
	size_t size = s->raw_size - COMMON + HEADER + cut_bytes(kind);

	if (kind->type == PTEV_FAULT)
		return unpack_fault(s, (struct ptev_fault *)out);
	if (s->raw_size < kind_raw_size(kind, least[kind->type]) || size % 8 || size > UINT16_MAX)
		return -EINVAL;
	unpack_bytes(kind, s->raw, (uint8_t *)out, size);
	*out = (struct ptev_hdr){ .size = (uint16_t)size, .type = kind->type };
	if (kind->type == PTEV_REMAP)
		fill_remap((struct ptev_remap *)out, s);
	else
		fill_exit(kind, (struct ptev_vmexit *)out, s);
	return 0;
}
