/* SPDX-License-Identifier: GPL-2.0 */
/* What the sinks read out of a fault record: the parts that are there, its VMA, its stacks. */
#ifndef REPORT_VIEW_H
#define REPORT_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "user/report/sink.h"
#include "user/report/walk_text.h"

/* PTEV_F_* of the parts that @f really has: flags of parts beyond its size are dropped. */
unsigned int fault_parts(const struct ptev_fault *f);

struct fault_vma {
	uint64_t start, end; /* end exclusive, as in /proc/PID/maps */
	uint64_t flags;	     /* vm_flags; from the timeline: VM_READ, VM_WRITE, VM_EXEC only */
	uint64_t pgoff;	     /* vm_pgoff in bytes; means nothing to anonymous memory */
	uint64_t ino;
	uint32_t maj, min;
	uint32_t tgid;	  /* whose address space */
	bool recorded;	  /* told by the event; false: found in the process timeline */
	bool anon;	  /* vma_is_anonymous() */
	char perms[5];	  /* "rw-p"; '?' in the end: the timeline does not know */
	const char *name; /* path, [heap], ...; NULL: unknown */
};

/* The VMA of the faulting address; false: none known. */
bool fault_vma(struct fault_vma *vma, const struct sink_env *env, const struct ptev_fault *f);
/* "08:01" in hex, as in /proc/PID/maps; @buf of 24 bytes. */
char *fault_dev(char *buf, const struct fault_vma *vma);
/* ->name, or what else tells the mapping: "[anon]", "08:01:INODE"; @buf of 48 bytes. */
const char *fault_vma_name(char *buf, const struct fault_vma *vma);

/* The walks; false: not recorded. */
bool fault_before(struct walk_view *view, const struct pt_fmt *fmt, const struct ptev_fault *f);
bool fault_after(struct walk_view *view, const struct pt_fmt *fmt, const struct ptev_fault *f);

struct fault_stacks {
	const uint64_t *kernel, *user; /* innermost frame first */
	uint32_t nr_kernel, nr_user;
};

/* False: not recorded, or counts that do not fit the record. */
bool fault_stacks(struct fault_stacks *stacks, const struct ptev_fault *f);

/* The faulting instruction's symbol; NULL when there is no instruction (GUP). */
const struct symbol *fault_symbol(const struct sink_env *env, const struct ptev_fault *f);
/* That of who called it; NULL when no call chain says that. */
const struct symbol *fault_caller(const struct sink_env *env, const struct ptev_fault *f);

#endif
