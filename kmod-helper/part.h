/* SPDX-License-Identifier: GPL-2.0 */
/* A mapping of the module's own, and its parts: the VMAs that a process has of it. */
#ifndef PART_H
#define PART_H

#include <linux/kref.h>
#include <linux/mm_types.h>
#include <linux/rwsem.h>

#include "frames.h"
#include "watch.h"

struct mapping {
	struct kref ref;
	struct mm_struct *mm;
	struct ptremap_map req;
	struct frames frames;
	atomic_t parts;				/* VMAs */
	unsigned long put;			/* bit 0: the frames were given back */
	const struct vm_operations_struct *ops; /* of its VMAs */
	void (*release)(struct mapping *m);	/* frees what contains it; nobody has a reference */
	struct watched watched;

	struct rw_semaphore lock; /* what follows; faults hold it while they fill an entry */
	bool gone;		  /* no entry is filled any more */
	u8 cause;
};

/* Of one with frames, which its faults fill in. */
extern const struct vm_operations_struct part_frames_ops;
/* For other kinds of VMAs: ->open and ->close. */
void part_open(struct vm_area_struct *vma);
void part_close(struct vm_area_struct *vma);

/* From now on no entry is filled, and faults get SIGBUS. True: it was there until now. */
bool mapping_end(struct mapping *m, enum ptremap_cause cause);
/* Tells watches, once nothing of it is mapped any more. */
void mapping_tell_gone(struct mapping *m);
/* Gives back a reference; the last one frees all of it. Sleeps. */
void mapping_put(struct mapping *m);
/*
 * Maps it into its process, to which the caller has a reference (mmget), and puts the address into
 * ->req. The process may have unmapped it by the time that this returns. On failure, and after a
 * PTREMAP_MAP_DRY_RUN, it has no parts.
 */
int parts_map(struct mapping *m);
/* Unmaps what there is of it. mapping_end() came before; the caller has a reference to the mm. */
void parts_unmap(struct mapping *m);

#endif
