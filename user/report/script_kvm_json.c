// SPDX-License-Identifier: GPL-2.0
/* VM exits as JSON objects: every key is there in every object of its type, null if not known. */
#include <errno.h>

#include "user/report/kvm_view.h"
#include "user/report/script.h"
#include "user/trace/kvm_names.h"
#include "user/trace/names.h"

static void hex_if(struct json *j, const char *key, uint64_t value, unsigned int known)
{
	if (known)
		json_hex(j, key, value);
	else
		json_null(j, key);
}

static void u64_if(struct json *j, const char *key, uint64_t value, unsigned int known)
{
	if (known)
		json_u64(j, key, value);
	else
		json_null(j, key);
}

/* What all three have. */
static void put_common(struct json *j, const struct script *s, const struct ptev_vmexit *e)
{
	const struct script_who who = { e->time, e->pid, e->tid, e->cpu, NULL };
	char buf[40];

	script_who_json(j, name_event(e->hdr.type), s, &who);
	json_u64(j, "vcpu", e->vcpu);
	json_str(j, "isa", name_isa(e->isa));
	json_u64(j, "reason", e->reason);
	json_str(j, "reason_name", name_exit_reason(buf, e->isa, e->reason));
	json_hex(j, "info1", e->info1);
	json_hex(j, "info2", e->info2);
	json_hex(j, "intr_info", e->intr_info);
	json_hex(j, "rip", e->rip);
	u64_if(j, "cpl", e->cpl, e->flags & PTEV_K_CPL);
	json_str(j, "mode", e->mode ? name_guest_mode(e->mode) : NULL);
	json_bool(j, "nested", e->flags & PTEV_K_NESTED);
	u64_if(j, "user_exit", e->user_exit, e->flags & PTEV_K_USER);
	u64_if(j, "latency_ns", e->latency, e->flags & PTEV_K_LATENCY);
}

/* null: the ABI has nothing to say about it. */
static int put_words(struct script *s, const struct ptev_hypercall *c)
{
	struct json *j = &s->json;
	struct call_view view;

	if (!call_view(&view, s->opts.abi, c, &s->learned)) {
		json_null(j, "call");
		return 0;
	}
	json_object(j, "call");
	abi_call_json(j, s->opts.abi, &view.seen);
	json_end_object(j);
	return call_learn(&s->learned, s->opts.abi, &view, c);
}

static int put_call(struct script *s, const struct ptev_hypercall *c)
{
	struct json *j = &s->json;
	unsigned int args = c->exit.flags & PTEV_K_ARGS, regs = c->exit.flags & PTEV_K_REGS;

	hex_if(j, "nr", c->rax, args);
	hex_if(j, "rax", c->rax, args);
	hex_if(j, "rbx", c->rbx, args);
	hex_if(j, "rcx", c->rcx, args);
	hex_if(j, "rdx", c->rdx, args);
	hex_if(j, "rsi", c->rsi, args);
	hex_if(j, "rdi", c->rdi, regs);
	hex_if(j, "r8", c->r8, regs);
	hex_if(j, "r9", c->r9, regs);
	hex_if(j, "r10", c->r10, regs);
	hex_if(j, "r11", c->r11, regs);
	hex_if(j, "ret", c->ret, c->exit.flags & PTEV_K_RET);
	return s->opts.abi ? put_words(s, c) : 0;
}

static void put_walks(struct json *j, const struct script *s, const struct ptev_violation *v)
{
	struct walk_view walk;

	if (violation_before(&walk, s->env.info, v))
		walk_json(j, "walk_before", &walk);
	else
		json_null(j, "walk_before");
	if (violation_after(&walk, s->env.info, v))
		walk_json(j, "walk_after", &walk);
	else
		json_null(j, "walk_after");
}

static void put_violation(struct json *j, const struct script *s, const struct ptev_violation *v)
{
	unsigned int slot = v->exit.flags & PTEV_K_SLOT;
	bool known;
	char bits[160];
	uint64_t pfn = 0;

	hex_if(j, "gpa", v->gpa, v->exit.flags & PTEV_K_GPA);
	hex_if(j, "gva", v->gva, v->exit.flags & PTEV_K_GVA);
	json_str(j, "access", v->exit.flags & PTEV_K_ACCESS ? name_access(v->access) : NULL);
	json_str(j, "bits", name_violation_bits(bits, v->exit.isa, v->exit.reason, v->exit.info1));
	json_str(j, "outcome", name_violation(v->outcome));
	hex_if(j, "hva", v->hva, slot);
	u64_if(j, "slot", v->slot, slot);
	u64_if(j, "as_id", v->as_id, slot);
	known = violation_pfn(&pfn, s->env.info, v);
	u64_if(j, "pfn", pfn, known);
	hex_if(j, "root", v->root, v->levels);
	if (!s->opts.no_walk)
		put_walks(j, s, v);
}

int script_kvm_json(struct script *s, const struct ptev_vmexit *e)
{
	struct json *j = &s->json;
	int err = 0;

	errno = 0;
	json_object(j, NULL);
	put_common(j, s, e);
	if (e->hdr.type == PTEV_HYPERCALL)
		err = put_call(s, (const struct ptev_hypercall *)e);
	else if (e->hdr.type == PTEV_VIOLATION)
		put_violation(j, s, (const struct ptev_violation *)e);
	json_end_object(j);
	json_end_line(j);
	if (!ferror_unlocked(s->out))
		return err;
	return errno ? -errno : -EIO;
}
