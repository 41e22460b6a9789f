// SPDX-License-Identifier: GPL-2.0
#include "user/record/check.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "user/record/kvm_check.h"

/* Whether the parts that @f's flags speak of fit a record of @size bytes without stacks. */
static bool parts_ok(const struct ptev_fault *f, size_t size)
{
	const unsigned int before = PTEV_F_BEFORE | PTEV_F_BEFORE_CUT;
	const unsigned int handled = PTEV_F_EXIT | PTEV_F_VMA | PTEV_F_AFTER | PTEV_F_AFTER_CUT |
				     PTEV_F_VMA_ANON | PTEV_F_MAJOR | PTEV_F_RETRIED | PTEV_F_DONE;

	switch (size) {
	case PTEV_FAULT_BASE:
		return !(f->flags & (before | handled));
	case PTEV_FAULT_BEFORE:
		return !(f->flags & handled);
	default:
		return size == PTEV_FAULT_FULL;
	}
}

static bool stacks_ok(const struct ptev_fault *f, size_t size)
{
	const uint64_t *counts = (const uint64_t *)(f + 1);
	uint64_t kernel, user;

	if (size < sizeof(*f) + sizeof(*counts))
		return false;
	kernel = *counts & UINT32_MAX;
	user = *counts >> 32;
	return kernel <= PTEV_MAX_STACK && user <= PTEV_MAX_STACK &&
	       size == sizeof(*f) + (1 + kernel + user) * sizeof(*counts);
}

static bool fault_ok(const struct ptev_fault *f, size_t size)
{
	if (size < PTEV_FAULT_BASE)
		return false;
	if (f->origin >= PTEV_NR_ORIGINS || f->access >= PTEV_NR_ACCESSES ||
	    f->outcome >= PTEV_NR_OUTCOMES || f->levels > PTEV_LEVELS)
		return false;
	/* A session that looks at no tables may not know how deep they are. */
	if ((f->flags & (PTEV_F_BEFORE | PTEV_F_AFTER)) && f->levels < PTEV_LEVELS - 1)
		return false;
	return f->flags & PTEV_F_STACKS ? stacks_ok(f, size) : parts_ok(f, size);
}

static bool remap_ok(const struct ptev_remap *r)
{
	return r->hdr.size == sizeof(*r) && r->event < PTEV_NR_REMAPS && r->level <= PTEV_LEVELS &&
	       !(r->flags & ~PTEV_R_ALL) && memchr(r->comm, 0, sizeof(r->comm));
}

bool record_ok(const struct ptev_hdr *hdr)
{
	const struct ptev_task *task = (const struct ptev_task *)hdr;
	const struct ptev_mmap *map = (const struct ptev_mmap *)hdr;
	const struct ptev_ksym *sym = (const struct ptev_ksym *)hdr;

	switch (hdr->type) {
	case PTEV_FAULT:
		return fault_ok((const struct ptev_fault *)hdr, hdr->size);
	case PTEV_COMM:
	case PTEV_FORK:
	case PTEV_EXIT:
		return hdr->size == sizeof(*task) && memchr(task->comm, 0, sizeof(task->comm));
	case PTEV_MMAP:
		return hdr->size > sizeof(*map) && memchr(map->name, 0, hdr->size - sizeof(*map));
	case PTEV_KSYM:
		return hdr->size > sizeof(*sym) && memchr(sym->name, 0, hdr->size - sizeof(*sym));
	case PTEV_KVM_EXIT:
	case PTEV_HYPERCALL:
	case PTEV_VIOLATION:
		return rec_kvm_ok(hdr);
	case PTEV_REMAP:
		return remap_ok((const struct ptev_remap *)hdr);
	default:
		return true;
	}
}
