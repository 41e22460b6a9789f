// SPDX-License-Identifier: GPL-2.0
#include "user/report/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/report/view.h"

#define DEFAULT_SORT	 "comm,symbol,outcome"
#define DEFAULT_SORT_KVM "vm,vcpu,event,reason"
#define DEFAULT_SORT_ALL "comm,event,reason,outcome"

static bool same_ids(const void *ctx, uint32_t slot, const void *key)
{
	const struct report *r = ctx;

	return !memcmp(report_ids(r, slot), key, r->nr_keys * sizeof(uint64_t));
}

static int make_room(struct report *r)
{
	uint32_t room = r->room ? r->room * 2 : 64;
	struct group *groups;
	uint64_t *ids;

	if (r->nr_groups < r->room)
		return 0;
	if (room < r->room)
		return -ENOMEM;
	groups = reallocarray(r->groups, room, sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	r->groups = groups;
	ids = reallocarray(r->ids, room, r->nr_keys * sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	r->ids = ids;
	r->room = room;
	return 0;
}

static int64_t add_group(struct report *r, uint64_t hash, const uint64_t *ids)
{
	int err = make_room(r);

	if (!err)
		err = hash_add(&r->index, hash, r->nr_groups);
	if (err)
		return err;
	r->groups[r->nr_groups] = (struct group){ 0 };
	memcpy(r->ids + (size_t)r->nr_groups * r->nr_keys, ids, r->nr_keys * sizeof(*ids));
	return r->nr_groups++;
}

static uint64_t id_of(struct report *r, const struct sort_key *key, const struct ptev_hdr *event)
{
	if (event->type == PTEV_FAULT)
		return key->id ? key->id(&r->ctx, (const void *)event) : SORT_NOTHING;
	return key->vmexit_id ? key->vmexit_id(&r->ctx, (const void *)event) : SORT_NOTHING;
}

static int64_t find_group(struct report *r, const struct ptev_hdr *event)
{
	uint64_t ids[SORT_KEYS_MAX], hash = 0;
	unsigned int i;
	int64_t slot;

	for (i = 0; i < r->nr_keys; i++) {
		ids[i] = id_of(r, r->keys[i], event);
		hash = hash_u64(hash ^ ids[i]);
	}
	if (r->ctx.err)
		return r->ctx.err;
	slot = hash_find(&r->index, hash, same_ids, r, ids);
	return slot < 0 ? add_group(r, hash, ids) : slot;
}

/* @latency: NULL if the end was not seen. */
static int count(struct report *r, const struct ptev_hdr *event, uint64_t time,
		 const __u64 *latency)
{
	int64_t slot = find_group(r, event);

	if (slot < 0)
		return (int)slot;
	r->events++;
	r->groups[slot].count++;
	if (r->events == 1 || time < r->first_time)
		r->first_time = time;
	if (time > r->last_time)
		r->last_time = time;
	if (!latency)
		return 0;
	r->has_latency = true;
	return percentile_add(&r->groups[slot].latency, *latency);
}

static int fault(struct sink *sink, const struct ptev_fault *f)
{
	return count((struct report *)sink, &f->hdr, f->time,
		     fault_parts(f) & PTEV_F_EXIT ? &f->x.latency : NULL);
}

static int vmexit(struct sink *sink, const struct ptev_vmexit *e)
{
	return count((struct report *)sink, &e->hdr, e->time,
		     e->flags & PTEV_K_LATENCY ? &e->latency : NULL);
}

/* Most events first; groups of one size by their keys, so that equal input gives equal output. */
static int compare(const void *pa, const void *pb, void *ctx)
{
	const struct report *r = ctx;
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
	const uint64_t *ids_a = report_ids(r, a), *ids_b = report_ids(r, b);
	unsigned int i;
	int order;

	if (r->groups[a].count != r->groups[b].count)
		return r->groups[a].count < r->groups[b].count ? 1 : -1;
	for (i = 0; i < r->nr_keys; i++) {
		order = sort_key_compare(&r->ctx, r->keys[i], ids_a[i], ids_b[i]);
		if (order)
			return order;
	}
	return 0;
}

static int print(const struct report *r, const struct report_view *view)
{
	int err = r->opts.json ? report_print_json(view) : report_print_text(view);

	if (err)
		return err;
	errno = 0;
	if (!fflush(r->out) && !ferror(r->out))
		return 0;
	return errno ? -errno : -EIO;
}

static int finish(struct sink *sink, const struct rec_totals *totals, bool complete)
{
	struct report *r = (struct report *)sink;
	struct report_view view = { .report = r, .totals = totals, .complete = complete };
	uint32_t *order = calloc(r->nr_groups + 1, sizeof(*order));
	uint32_t i;
	int err;

	if (!order)
		return -ENOMEM;
	for (i = 0; i < r->nr_groups; i++)
		order[i] = i;
	qsort_r(order, r->nr_groups, sizeof(*order), compare, r);
	view.order = order;
	view.rows = r->nr_groups;
	if (r->opts.limit && r->opts.limit < view.rows)
		view.rows = r->opts.limit;
	err = print(r, &view);
	free(order);
	return err;
}

static void report_free(struct sink *sink)
{
	struct report *r = (struct report *)sink;
	uint32_t i;

	for (i = 0; i < r->nr_groups; i++)
		percentile_free(&r->groups[i].latency);
	free(r->groups);
	free(r->ids);
	hash_free(&r->index);
	sort_ctx_free(&r->ctx);
	free(r);
}

static const char *default_sort(const struct rec_info *info, const struct abi *abi)
{
	if (!info->kvm)
		return DEFAULT_SORT;
	if (!info->no_faults)
		return abi ? DEFAULT_SORT_ALL ",call" : DEFAULT_SORT_ALL;
	return abi ? DEFAULT_SORT_KVM ",call" : DEFAULT_SORT_KVM;
}

/* The keys that the caller asked for, or that suit the recording. Their number, or -EINVAL. */
static int choose_keys(const struct sort_key *keys[SORT_KEYS_MAX], const struct sink_env *env,
		       const struct report_opts *opts)
{
	int i, n = sort_keys_parse(opts->sort ? opts->sort : default_sort(env->info, opts->abi),
				   keys);

	for (i = 0; i < n; i++) {
		if (!keys[i]->needs_abi || opts->abi)
			continue;
		msg_error("sort key '%s' needs --abi", keys[i]->name);
		return -EINVAL;
	}
	return n;
}

struct sink *sink_report(const struct sink_env *env, const struct report_opts *opts)
{
	struct report *r = calloc(1, sizeof(*r));
	int n;

	if (!r)
		return NULL;
	n = choose_keys(r->keys, env, opts);
	if (n < 0) {
		free(r);
		return NULL;
	}
	r->nr_keys = (unsigned int)n;
	r->sink = (struct sink){
		.fault = fault, .vmexit = vmexit, .finish = finish, .free = report_free
	};
	r->opts = *opts;
	r->out = opts->out ? opts->out : stdout;
	sort_ctx_init(&r->ctx, env);
	r->ctx.abi = opts->abi;
	return &r->sink;
}
