/* SPDX-License-Identifier: GPL-2.0 */
/* What a hypercall's registers point to, as the session's ABI says (map call_specs). */
#ifndef PTSCOPE_BUFFERS_BPF_H
#define PTSCOPE_BUFFERS_BPF_H

#include "config.h"
#include "guest_mem.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* set by user space */
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct call_key);
	__type(value, struct call_spec);
} call_specs SEC(".maps");

/* Two buffers, and what the verifier may think that another part could need. */
#define BUFFER_MAX  (sizeof(struct ptev_buffer) + PTEV_BUFFER_BYTES)
#define BUFFER_ROOM (PTEV_MAX_BUFFERS * BUFFER_MAX + 2 * PTEV_BUFFER_BYTES)

struct buffer_room {
	__u8 bytes[BUFFER_ROOM];
};

struct buffer_work {
	struct guest_mem mem;
	struct ptev_buffer head;
	__u32 at; /* where in the room the bytes of the next part go */
};

/* Bytes of a string, its NUL included; @n if it has none there. */
__noinline __u32 string_len(struct buffer_room *room, __u32 at, __u32 n)
{
	__u64 i, begin = at;

	barrier_var(begin); /* so that what is compared is what is used */
	if (!room || begin > BUFFER_ROOM - PTEV_BUFFER_BYTES)
		return n;
	for (i = 0; i < PTEV_BUFFER_BYTES; i++) {
		if (i >= n || !room->bytes[begin + i])
			break;
	}
	return i < n ? i + 1 : n;
}

/* Reads @n bytes, which lie in one page. Returns enum ptev_stop. */
__noinline __u32 part_read(struct buffer_work *w, struct buffer_room *room, __u64 address, __u32 n)
{
	__u64 hva, gpa = address, size = n;
	__u32 at, stop;

	if (!w || !room)
		return PTEV_STOP_HOST;
	if (w->head.virt) {
		stop = w->mem.virt_stop;
		if (!stop)
			stop = guest_gpa(&w->mem, address);
		if (stop)
			return stop;
		gpa = w->mem.gpa;
	}
	w->mem.level = 0;
	hva = guest_hva(&w->mem, gpa);
	if (!hva)
		return PTEV_STOP_SLOT;
	at = w->at;
	barrier_var(size);
	if (at > BUFFER_ROOM - PTEV_BUFFER_BYTES || size > PTEV_BUFFER_BYTES)
		return PTEV_STOP_HOST;
	return bpf_probe_read_user(&room->bytes[at], size, (void *)hva) ? PTEV_STOP_HOST
									: PTEV_STOP_NONE;
}

static __always_inline void part_add(struct buffer_work *w, struct buffer_room *room, __u32 i,
				     __u64 address, __u32 n)
{
	__u32 stop = w->mem.stop;

	w->mem.level = 0;
	if (!stop)
		stop = part_read(w, room, address, n);
	w->head.stop[i] = stop;
	w->head.level[i] = w->mem.level;
	if (stop)
		return;
	if (w->head.string)
		n = string_len(room, w->at, n);
	w->head.len[i] = n;
	w->at += n;
}

/* Is there a NUL at the end of what was read? */
static __always_inline bool string_ended(const struct buffer_work *w,
					 const struct buffer_room *room)
{
	__u32 last = w->at - 1;

	return w->head.string && w->head.len[0] && last < BUFFER_ROOM && !room->bytes[last];
}

/*
 * Reads the buffer that w->head describes, to offset @at of the room; @mask: of addresses. Returns
 * how much room it takes.
 */
__noinline __u32 buffer_read(struct buffer_work *w, struct buffer_room *room, __u32 at, __u64 mask)
{
	__u32 first, rest;
	__u64 next, end;

	if (!w || !room || at > BUFFER_MAX)
		return 0;
	w->at = at + sizeof(w->head);
	first = ptev_part_size(&w->head, 0);
	rest = ptev_part_size(&w->head, 1);
	next = (w->head.address + first) & mask;
	if (first)
		part_add(w, room, 0, w->head.address, first);
	if (rest && string_ended(w, room))
		w->head.stop[1] = PTEV_STOP_END;
	else if (rest)
		part_add(w, room, 1, next, rest);
	if (!w->mem.stop && !guest_slots_same(&w->mem)) {
		w->head.len[0] = w->head.len[1] = 0;
		w->head.stop[0] = first ? PTEV_STOP_CHANGED : 0;
		w->head.stop[1] = rest ? PTEV_STOP_CHANGED : 0;
		w->at = at + sizeof(w->head);
	}
	end = w->at;
	barrier_var(end);
	if (end > BUFFER_ROOM - 8)
		return 0;
	__builtin_memset(&room->bytes[end], 0, 8); /* of which up to 7 bytes are padding */
	end = (end + 7) & ~7ull;
	barrier_var(at); /* the verifier has forgotten its bound */
	if (at > BUFFER_MAX)
		return 0;
	__builtin_memcpy(&room->bytes[at], &w->head, sizeof(w->head));
	return end - at;
}

/* Has the code that called 64-bit registers? Where the mode is not known, by EFER. */
static __always_inline bool call_is_wide(const struct ptev_vmexit *e, __u64 efer)
{
	if (e->mode == PTEV_MODE_UNKNOWN || e->mode == PTEV_MODE_LEGACY)
		return efer & GUEST_EFER_LMA;
	return e->mode == PTEV_MODE_64;
}

/* Register @reg; the mask is a bound that the verifier keeps, and stays within the state. */
static __always_inline __u64 call_reg(const struct ptev_hypercall *c, __u32 reg)
{
	const __u64 *regs = &c->rax;

	barrier_var(reg);
	reg &= 15;
	return reg < FAULT_NR_REGS ? regs[reg] : 0;
}

static __always_inline const struct call_spec *call_spec_of(const struct ptev_hypercall *c,
							    bool wide)
{
	struct call_key key = { .wide = wide };
	struct call_number nr = { cfg.call[wide].used, cfg.call[wide].reg, cfg.call[wide].shift,
				  cfg.call[wide].bits };
	struct call_spec *spec;

	if (!nr.used)
		return NULL;
	key.number = call_reg(c, nr.reg) >> nr.shift;
	if (nr.bits < 64)
		key.number &= (1ull << nr.bits) - 1;
	spec = bpf_map_lookup_elem(&call_specs, &key);
	if (spec)
		return spec;
	key.number = 0;
	key.other = 1;
	return bpf_map_lookup_elem(&call_specs, &key);
}

/* What @spec says of a buffer, with the values that its registers have. */
static __always_inline void buffer_begin(struct ptev_buffer *head, const struct buffer_spec *spec,
					 const struct ptev_hypercall *c, __u64 mask)
{
	__u64 len = spec->len;

	if (spec->len_is_reg)
		len = call_reg(c, len) & mask;
	if (len > ~0u)
		len = ~0u;
	*head = (struct ptev_buffer){
		.address = call_reg(c, spec->reg) & mask,
		.length = len,
		.wanted = len < PTEV_BUFFER_BYTES ? len : PTEV_BUFFER_BYTES,
		.virt = spec->virt,
		.string = spec->string,
	};
}

/* Reads all buffers of a call; returns how much room they take. */
static __always_inline __u32 buffers_read(struct buffer_work *w, struct buffer_room *room,
					  const struct ptev_hypercall *c, bool wide)
{
	const struct call_spec *spec = call_spec_of(c, wide);
	__u64 mask = wide ? ~0ull : ~0u;
	__u32 at = 0;
	int i;

	for (i = 0; spec && i < PTEV_MAX_BUFFERS; i++) {
		if (!spec->buffer[i].used)
			break;
		buffer_begin(&w->head, &spec->buffer[i], c, mask);
		at += buffer_read(w, room, at, mask);
	}
	return at;
}

#endif
