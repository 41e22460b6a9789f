// SPDX-License-Identifier: GPL-2.0
#include "user/record/kvm_check.h"

#include <stddef.h>
#include <stdint.h>

static bool vmexit_ok(const struct ptev_vmexit *e)
{
	return (e->isa == PTEV_ISA_VMX || e->isa == PTEV_ISA_SVM) && e->mode < PTEV_NR_MODES &&
	       e->cpl < 4;
}

static bool violation_ok(const struct ptev_violation *v)
{
	const unsigned int walks = PTEV_K_BEFORE | PTEV_K_AFTER;

	if (v->access >= PTEV_NR_ACCESSES || v->outcome >= PTEV_NR_VIO || v->levels > PTEV_LEVELS)
		return false;
	return !(v->exit.flags & walks) || v->levels >= PTEV_LEVELS - 1;
}

/* What part @i says of itself. */
static bool part_ok(const struct ptev_buffer *b, unsigned int i)
{
	uint32_t size = ptev_part_size(b, i);

	if (b->stop[i] >= PTEV_NR_STOPS || b->level[i] > PTEV_LEVELS)
		return false;
	if (b->stop[i] || !size)
		return !b->len[i] && (size || !b->stop[i]);
	return b->string ? b->len[i] && b->len[i] <= size : b->len[i] == size;
}

/* Only a string may end early: with its NUL, and nothing is behind it. */
static bool string_ok(const struct ptev_buffer *b)
{
	const char *bytes = (const char *)(b + 1);
	unsigned int i;

	for (i = 0; i < PTEV_BUFFER_PARTS; i++) {
		bool ended = b->len[i] && !bytes[b->len[i] - 1];

		if (b->len[i] && b->len[i] < ptev_part_size(b, i) && !ended)
			return false;
		if (!i && (b->stop[1] == PTEV_STOP_END) != (ended && ptev_part_size(b, 1)))
			return false;
		bytes += b->len[i];
	}
	return true;
}

static bool buffer_ok(const struct ptev_buffer *b, size_t left)
{
	if (left < sizeof(*b) || b->wanted > PTEV_BUFFER_BYTES || b->wanted > b->length ||
	    b->virt > 1 || b->string > 1)
		return false;
	if (!part_ok(b, 0) || !part_ok(b, 1) || ptev_buffer_size(b) > left)
		return false;
	if (b->stop[0] == PTEV_STOP_END || (b->stop[1] == PTEV_STOP_END && !b->string))
		return false;
	return !b->string || string_ok(b);
}

/* One buffer or two, and nothing behind them. */
static bool buffers_ok(const struct ptev_hypercall *c)
{
	size_t at = sizeof(*c);
	unsigned int n;

	for (n = 0; at < c->exit.hdr.size; n++) {
		const void *b = (const char *)c + at;

		if (n == PTEV_MAX_BUFFERS || !buffer_ok(b, c->exit.hdr.size - at))
			return false;
		at += ptev_buffer_size(b);
	}
	return n;
}

/* Flags of parts that only another kind of record has are not looked at by anybody. */
bool rec_kvm_ok(const struct ptev_hdr *hdr)
{
	static const size_t sizes[PTEV_NR_TYPES] = {
		[PTEV_KVM_EXIT] = sizeof(struct ptev_vmexit),
		[PTEV_HYPERCALL] = sizeof(struct ptev_hypercall),
		[PTEV_VIOLATION] = sizeof(struct ptev_violation),
	};

	const struct ptev_vmexit *e = (const struct ptev_vmexit *)hdr;
	bool buffers;

	if (hdr->size < sizes[hdr->type] || !vmexit_ok(e))
		return false;
	buffers = hdr->type == PTEV_HYPERCALL && (e->flags & PTEV_K_BUFFERS);
	if (buffers ? !buffers_ok((const void *)hdr) : hdr->size != sizes[hdr->type])
		return false;
	return hdr->type != PTEV_VIOLATION || violation_ok((const struct ptev_violation *)hdr);
}
