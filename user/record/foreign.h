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

/*
 * What samples tell of an exit that is open: records of this file's own, which foreign_pair() uses
 * up. They have the front of struct ptev_vmexit.
 */
enum foreign_type { FOREIGN_ENTRY = 253, FOREIGN_CALL, FOREIGN_VIOLATION };

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
 * Takes a sample: 1 and *@out, a whole record or one for foreign_pair(); 0: there is none; -EINVAL:
 * the raw data are shorter than the format says. perf writes one CPU after the other, so this is in
 * no order yet; a fault that waits for its turn is no longer than PTEV_FAULT_BASE.
 */
int foreign_sample(const struct foreign *f, const struct rec_attr *attr, const struct rec_sample *s,
		   union foreign_record *out);
/*
 * Takes what foreign_sample() made, and other records, in the order of time. 1: *@record is a whole
 * record, the same, in *@out or of @f; 0: none, or none yet (a VM exit ends with the next entry of
 * its thread).
 */
int foreign_pair(struct foreign *f, const struct ptev_hdr **record, union foreign_record *out);
/* Exits whose entry did not come, when all is read, oldest first: 1 and *@out, or 0. */
int foreign_rest(struct foreign *f, union foreign_record *out);

#endif
