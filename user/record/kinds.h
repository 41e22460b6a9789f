/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tool's own events as perf tracepoints: names, ids, and how a record of bpf/events.h becomes
 * the raw data of a sample and comes back. The raw data are the fields that every tracepoint has,
 * then the record without its header and without what the sample itself has: address, ip, pid,
 * tid. In the place of the record's time is by how much the sample's is later than the event's end.
 */
#ifndef RECORD_KINDS_H
#define RECORD_KINDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/events.h"
#include "user/record/blob.h"
#include "user/record/record.h"
#include "user/record/sample.h"

#define KINDS_SYSTEM "ptscope"
#define KIND_CUTS    3

struct rec_kind {
	const char *name;
	uint8_t type;	   /* enum ptev_type */
	uint8_t wanted_by; /* enum ptev_kvm_want of the session; 0: see kind_wanted() */
	uint16_t id;	   /* perf_event_attr.config; the kernel's own are far below */
	struct {
		uint16_t from, to;
	} cut[KIND_CUTS]; /* bytes of the record that are in the sample, in order */
};

#define KINDS_NR 5
extern const struct rec_kind rec_kinds[KINDS_NR];

/* The kind of a record's type or of an attribute's config; NULL: none. */
const struct rec_kind *kind_of_type(uint8_t type);
const struct rec_kind *kind_of_config(uint64_t config);
bool kind_wanted(const struct rec_kind *kind, const struct rec_info *info);

/* Bytes of raw data for a record of @size bytes: 4 more than a multiple of 8. */
size_t kind_raw_size(const struct rec_kind *kind, size_t size);
/* Where the byte at @offset of the record is in the raw data; of a byte that is kept. */
size_t kind_raw_offset(const struct rec_kind *kind, size_t offset);
/* Writes them; @late as above. A fault is written whole, its missing parts as zeros. */
void kind_pack(const struct rec_kind *kind, const struct ptev_hdr *record, uint64_t late,
	       void *raw);
/*
 * The record of a sample, its call chain included, into @out of 64 KiB; not checked. 0, or -EINVAL:
 * the raw data are shorter or longer than can be.
 */
int kind_unpack(const struct rec_kind *kind, const struct rec_sample *s, struct ptev_hdr *out);

/* The event's format as in /sys/kernel/tracing/events/SYSTEM/NAME/format. */
void kind_format(const struct rec_kind *kind, struct blob *out);

#endif
