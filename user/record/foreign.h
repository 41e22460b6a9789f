/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Recordings of perf itself: what its samples of exceptions:page_fault_* and kvm:* tell, as records
 * of bpf/events.h. Their fields are found by the names in the formats that the file brings along.
 */
#ifndef RECORD_FOREIGN_H
#define RECORD_FOREIGN_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/events.h"
#include "user/record/record.h"
#include "user/record/sample.h"

struct foreign;

/* What a sample may be made into. */
union foreign_record {
	struct ptev_fault fault;
	struct ptev_hypercall call;
	struct ptev_violation violation;
};

/*
 * Learns from perf's trace data, which need not be whole; marks in @attrs the events that are of
 * use (->use). NULL: no memory.
 */
struct foreign *foreign_new(const void *data, size_t size, struct attrs *attrs);
void foreign_free(struct foreign *f);
/* What the file can hold, for rec_info(). */
void foreign_info(const struct foreign *f, struct rec_info *info);
/*
 * Takes a sample: 1 and *@out, a whole record; 0: there is none, or none yet (a VM exit ends with
 * the next entry of its thread); -EINVAL: the raw data are shorter than the format says.
 */
int foreign_sample(struct foreign *f, const struct rec_attr *attr, const struct rec_sample *s,
		   union foreign_record *out);
/* Exits whose entry did not come, when all is read: 1 and *@out, or 0. */
int foreign_rest(struct foreign *f, union foreign_record *out);

#endif
