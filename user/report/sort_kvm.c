// SPDX-License-Identifier: GPL-2.0
#include "user/report/sort_kvm.h"

#include <errno.h>
#include <stdio.h>

#include "user/report/kvm_view.h"
#include "user/trace/kvm_names.h"

#define UNUSED __attribute__((unused))

/* A key that is a field of every exit. */
#define FIELD_ID(name, field)                                                            \
	uint64_t sort_kvm_##name(struct sort_ctx *c UNUSED, const struct ptev_vmexit *e) \
	{                                                                                \
		return e->field;                                                         \
	}

FIELD_ID(pid, pid)
FIELD_ID(tid, tid)
FIELD_ID(cpu, cpu)
FIELD_ID(vcpu, vcpu)
FIELD_ID(event, hdr.type)
FIELD_ID(reason, reason | (uint64_t)e->isa << 32)

uint64_t sort_kvm_comm(struct sort_ctx *c, const struct ptev_vmexit *e)
{
	int64_t id = intern_shared(&c->names, procs_comm(c->env.procs, e->pid, e->tid, e->time));

	if (id < 0)
		c->err = (int)id;
	return (uint64_t)id;
}

uint64_t sort_kvm_nr(struct sort_ctx *c UNUSED, const struct ptev_vmexit *e)
{
	if (e->hdr.type != PTEV_HYPERCALL || !(e->flags & PTEV_K_ARGS))
		return SORT_NOTHING;
	return ((const struct ptev_hypercall *)e)->rax;
}

/* The name of a call, and what it gives a name to. */
static int64_t call_id(struct sort_ctx *c, const struct call_view *view,
		       const struct ptev_hypercall *call)
{
	struct line l = { 0 };
	int64_t id = -ENOMEM;

	abi_call_name(&l, c->abi, &view->seen);
	line_char(&l, '\0');
	if (!l.failed)
		id = intern_id(&c->names, l.buf);
	line_free(&l);
	if (id >= 0 && call_learn(&c->learned, c->abi, view, call))
		return -ENOMEM;
	return id;
}

uint64_t sort_kvm_call(struct sort_ctx *c, const struct ptev_vmexit *e)
{
	const struct ptev_hypercall *call = (const void *)e;
	struct call_view view;
	int64_t id;

	if (e->hdr.type != PTEV_HYPERCALL || !call_view(&view, c->abi, call, &c->learned))
		return SORT_NOTHING;
	id = call_id(c, &view, call);
	if (id < 0)
		c->err = (int)id;
	return (uint64_t)id;
}

/* The record as a violation, or NULL if it is none, or has not all of @flags. */
static const struct ptev_violation *violation(const struct ptev_vmexit *e, unsigned int flags)
{
	if (e->hdr.type != PTEV_VIOLATION || (e->flags & flags) != flags)
		return NULL;
	return (const struct ptev_violation *)e;
}

uint64_t sort_kvm_access(struct sort_ctx *c UNUSED, const struct ptev_vmexit *e)
{
	const struct ptev_violation *v = violation(e, PTEV_K_ACCESS);

	return v ? v->access : SORT_NOTHING;
}

uint64_t sort_kvm_outcome(struct sort_ctx *c UNUSED, const struct ptev_vmexit *e)
{
	const struct ptev_violation *v = violation(e, 0);

	return v ? (uint64_t)SORT_KVM_OUTCOME + v->outcome : SORT_NOTHING;
}

uint64_t sort_kvm_page(struct sort_ctx *c UNUSED, const struct ptev_vmexit *e)
{
	const struct ptev_violation *v = violation(e, PTEV_K_GPA);

	return v ? v->gpa & ~0xfffull : SORT_NOTHING;
}

uint64_t sort_kvm_level(struct sort_ctx *c, const struct ptev_vmexit *e)
{
	const struct ptev_violation *v = violation(e, PTEV_K_AFTER);
	struct walk_view walk;

	if (!v || !violation_after(&walk, c->env.info, v) || walk.stop != WALK_LEAF)
		return SORT_NOTHING;
	return (uint64_t)SORT_KVM_LEVEL + walk.level;
}

const char *sort_kvm_reason_text(const struct sort_ctx *c UNUSED, uint64_t id, char *buf,
				 size_t size UNUSED)
{
	return name_exit_reason(buf, (unsigned int)(id >> 32), (uint32_t)id);
}

const char *sort_kvm_level_text(uint64_t id)
{
	static const char *const names[] = { "?", "4K", "2M", "1G" };

	id -= SORT_KVM_LEVEL;
	return names[id < sizeof(names) / sizeof(names[0]) ? id : 0];
}
