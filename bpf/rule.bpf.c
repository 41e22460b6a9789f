// SPDX-License-Identifier: GPL-2.0
/*
 * Rules: what a guest, or a process, does is compared with them, and those that are meant are
 * called. The helper module asks at its tracepoint ptremap_rule, and acts on the answer.
 */
#include <stdbool.h>

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "../kmod-helper/uapi/ptremap.h"

char LICENSE[] SEC("license") = "GPL";

/* By slot. What is not this session's has ->id 0. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PTREMAP_RULES_MAX);
	__type(key, __u32);
	__type(value, struct ptremap_rule);
} rules SEC(".maps");

/* The hit, where it can be read at any offset. */
struct looking {
	__u64 fire, asked, addr;
	__u32 on, access;
	__u64 regs[PTREMAP_REG_PAGE];
	__u32 ids[PTREMAP_RULES_MAX];
};

static bool has_values(const struct ptremap_rule *r, const struct looking *l)
{
	__u32 i;

	for (i = 0; i < PTREMAP_CONDITIONS; i++) {
		const struct ptremap_condition *c = &r->conditions[i];

		if (i < r->nr_conditions && l->regs[c->reg % PTREMAP_REG_PAGE] != c->value)
			return false;
	}
	return true;
}

static bool is_meant(const struct ptremap_rule *r, const struct looking *l)
{
	if (r->on == PTREMAP_ON_HYPERCALL)
		return l->regs[0] == r->nr && has_values(r, l);
	return l->addr >= r->first && l->addr <= r->last && l->access & r->access;
}

static long look(__u32 slot, void *ctx)
{
	struct looking *l = ctx;
	struct ptremap_rule *r = bpf_map_lookup_elem(&rules, &slot);

	if (!r || !(l->asked >> slot & 1) || r->id != l->ids[slot % PTREMAP_RULES_MAX])
		return 0;
	if (r->on == l->on && is_meant(r, l))
		l->fire |= 1ULL << slot;
	return 0;
}

/* Several sessions may have programs here: what others called stays. */
SEC("raw_tracepoint.w/ptremap_rule")
int call_rules(struct bpf_raw_tracepoint_args *ctx)
{
	struct ptremap_hit *hit = (void *)ctx->args[0];
	struct looking l = { .asked = hit->asked, .addr = hit->addr };

	l.on = hit->on;
	l.access = hit->access;
	__builtin_memcpy(l.regs, hit->regs, sizeof(l.regs));
	__builtin_memcpy(l.ids, hit->ids, sizeof(l.ids));
	bpf_loop(PTREMAP_RULES_MAX, look, &l, 0);
	hit->fire |= l.fire;
	return 0;
}
