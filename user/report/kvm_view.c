// SPDX-License-Identifier: GPL-2.0
#include "user/report/kvm_view.h"

#include "user/kernel/kvm_here.h"
#include "user/trace/kvm_names.h"

/* A machine whose widths are not known is taken for the widest. */
static struct pt_fmt fmt_of(const struct rec_info *info, const struct ptev_violation *v)
{
	struct pt_feat cpu = { .maxphyaddr = 52 };

	if (info->maxphyaddr >= 32 && info->maxphyaddr < 52)
		cpu.maxphyaddr = (pt_u8)info->maxphyaddr;
	if (info->enc_bit >= 32 && info->enc_bit <= PT_PA_HI)
		cpu.enc_bit = (pt_u8)info->enc_bit;
	return kvm_fmt(v->exit.isa == PTEV_ISA_SVM ? KVM_AMD : KVM_INTEL, &cpu, v->levels);
}

bool violation_before(struct walk_view *view, const struct rec_info *info,
		      const struct ptev_violation *v)
{
	const struct pt_fmt fmt = fmt_of(info, v);

	if (!(v->exit.flags & PTEV_K_BEFORE))
		return false;
	walk_decode_spte(view, &fmt, v->gpa, &v->before, v->exit.flags & PTEV_K_BEFORE_CUT);
	return true;
}

bool violation_after(struct walk_view *view, const struct rec_info *info,
		     const struct ptev_violation *v)
{
	const struct pt_fmt fmt = fmt_of(info, v);

	if (!(v->exit.flags & PTEV_K_AFTER))
		return false;
	walk_decode_spte(view, &fmt, v->gpa, &v->after, v->exit.flags & PTEV_K_AFTER_CUT);
	return true;
}

bool violation_pfn(uint64_t *pfn, const struct rec_info *info, const struct ptev_violation *v)
{
	struct walk_view walk;

	if (!violation_after(&walk, info, v) || walk.stop != WALK_LEAF)
		return false;
	*pfn = walk.pfn + ((v->gpa & (walk.size - 1)) >> 12);
	return true;
}

/* Where the mode is not known, nothing is cut: taken for 64 bits, if the ABI has such calls. */
static enum abi_width width_of(const struct abi *abi, const struct ptev_vmexit *e)
{
	if (e->mode == PTEV_MODE_UNKNOWN)
		return abi->mode[ABI_64].known ? ABI_64 : ABI_32;
	return e->mode == PTEV_MODE_64 ? ABI_64 : ABI_32;
}

#define LATER_REGS (1U << ABI_RDI | 1U << ABI_R8 | 1U << ABI_R9 | 1U << ABI_R10 | 1U << ABI_R11)

static uint64_t reg_of(const struct abi_seen *seen, unsigned int reg)
{
	return seen->width == ABI_32 ? (uint32_t)seen->regs[reg] : seen->regs[reg];
}

/*
 * Was @b read for an argument like @arg? Recordings may have been made by another ABI than that by
 * which they are told.
 */
static bool suits(const struct ptev_buffer *b, const struct abi_arg *arg,
		  const struct abi_seen *seen)
{
	uint64_t length = arg->len_is_reg ? reg_of(seen, arg->len) : arg->len;

	if (b->address != reg_of(seen, arg->reg) || !!b->virt != arg->virt ||
	    b->string != (arg->type == ABI_STRING))
		return false;
	return b->string || b->length == (length < UINT32_MAX ? length : UINT32_MAX);
}

/* The recorded buffer for @arg, or NULL. */
static const struct ptev_buffer *recorded(const struct ptev_hypercall *c, const struct abi_arg *arg,
					  const struct abi_seen *seen)
{
	const char *at = (const char *)(c + 1), *end = (const char *)c + c->exit.hdr.size;

	if (!(c->exit.flags & PTEV_K_BUFFERS))
		return NULL;
	while (at < end) {
		const struct ptev_buffer *b = (const void *)at;

		if (suits(b, arg, seen))
			return b;
		at += ptev_buffer_size(b);
	}
	return NULL;
}

static void view_buffer(struct abi_buffer *out, char why[ABI_MAX_PARTS][VIEW_WHY],
			const struct ptev_buffer *b, uint64_t mask)
{
	const uint8_t *bytes = (const uint8_t *)(b + 1);
	unsigned int i;

	*out = (struct abi_buffer){ .recorded = true, .length = b->length };
	for (i = 0; i < ABI_MAX_PARTS; i++) {
		struct abi_part *p = &out->part[i];

		if (b->stop[i] == PTEV_STOP_END)
			continue;
		p->address = (b->address + (i ? ptev_part_size(b, 0) : 0)) & mask;
		p->wanted = (uint16_t)ptev_part_size(b, i);
		p->len = b->len[i];
		p->bytes = bytes;
		p->why = b->stop[i] ? name_stop(why[i], b->stop[i], b->level[i]) : NULL;
		bytes += b->len[i];
	}
}

static void view_buffers(struct call_view *view, const struct abi_call *call,
			 const struct ptev_hypercall *c)
{
	struct abi_seen *seen = &view->seen;
	unsigned int i, n = 0;

	for (i = 0; i < call->nr_args && n < ABI_MAX_BUFFERS; i++) {
		const struct abi_arg *arg = &call->args[i];
		const struct ptev_buffer *b;

		if (arg->type != ABI_STRING && arg->type != ABI_BYTES)
			continue;
		b = recorded(c, arg, seen);
		if (b)
			view_buffer(&view->buffers[n], view->why[n], b,
				    seen->width == ABI_32 ? UINT32_MAX : UINT64_MAX);
		n++;
	}
	seen->buffers = view->buffers;
	seen->nr_buffers = n;
}

/* Names count for the numbers that the ABI has no line for. */
static void view_call(struct call_view *view, const struct abi *abi, const struct ptev_hypercall *c,
		      const struct learned *learned)
{
	const struct abi_mode *m = &abi->mode[view->seen.width];
	uint64_t number = abi_number(m, view->regs);
	const struct abi_call *call = abi_call(m, number);

	if (call)
		view_buffers(view, call, c);
	if (learned && (!call || call == m->other))
		view->seen.learned = learned_name(learned, c->exit.pid, number);
}

bool call_view(struct call_view *view, const struct abi *abi, const struct ptev_hypercall *c,
	       const struct learned *learned)
{
	struct abi_seen *seen = &view->seen;

	if (!abi || !(c->exit.flags & PTEV_K_ARGS))
		return false;
	*view = (struct call_view){ .regs = { [ABI_RAX] = c->rax,
					      [ABI_RBX] = c->rbx,
					      [ABI_RCX] = c->rcx,
					      [ABI_RDX] = c->rdx,
					      [ABI_RSI] = c->rsi,
					      [ABI_RDI] = c->rdi,
					      [ABI_R8] = c->r8,
					      [ABI_R9] = c->r9,
					      [ABI_R10] = c->r10,
					      [ABI_R11] = c->r11 } };
	seen->regs = view->regs;
	seen->unknown = c->exit.flags & PTEV_K_REGS ? 0 : LATER_REGS;
	seen->width = width_of(abi, &c->exit);
	/* Of the registers afterwards only rax is recorded. */
	seen->has_result =
		c->exit.flags & PTEV_K_RET && abi->mode[seen->width].return_reg == ABI_RAX;
	seen->result = c->ret;
	if (!abi_tells(abi, seen))
		return false;
	view_call(view, abi, c, learned);
	return true;
}

int call_learn(struct learned *learned, const struct abi *abi, const struct call_view *view,
	       const struct ptev_hypercall *c)
{
	char name[ABI_MAX_BYTES + 1];
	uint64_t number;

	if (!abi_learns(abi, &view->seen, &number, name))
		return 0;
	return learned_add(learned, c->exit.pid, number, name);
}
