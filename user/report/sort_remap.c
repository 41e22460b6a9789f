// SPDX-License-Identifier: GPL-2.0
#include "user/report/sort_remap.h"

#include "kmod-helper/uapi/ptremap.h"

#define UNUSED __attribute__((unused))

/* A key that is a field of the record. */
#define FIELD_ID(name, field)                                                             \
	uint64_t sort_remap_##name(struct sort_ctx *c UNUSED, const struct ptev_remap *r) \
	{                                                                                 \
		return r->field;                                                          \
	}

FIELD_ID(pid, pid)
FIELD_ID(tid, tid)
FIELD_ID(cpu, cpu)
FIELD_ID(event, hdr.type)
FIELD_ID(what, what)

uint64_t sort_remap_comm(struct sort_ctx *c, const struct ptev_remap *r)
{
	int64_t id = intern_id(&c->names, r->comm);

	if (id < 0)
		c->err = (int)id;
	return (uint64_t)id;
}

uint64_t sort_remap_outcome(struct sort_ctx *c UNUSED, const struct ptev_remap *r)
{
	return (uint64_t)SORT_REMAP_OUTCOME + r->event;
}

uint64_t sort_remap_page(struct sort_ctx *c UNUSED, const struct ptev_remap *r)
{
	return (r->flags & PTEV_R_VM ? r->gpa : r->va) & ~0xfffull;
}

uint64_t sort_remap_vm(struct sort_ctx *c UNUSED, const struct ptev_remap *r)
{
	return r->flags & PTEV_R_VM ? r->of : SORT_NOTHING;
}

uint64_t sort_remap_cause(struct sort_ctx *c UNUSED, const struct ptev_remap *r)
{
	return r->cause == PTREMAP_CAUSE_NONE ? SORT_NOTHING : r->cause;
}
