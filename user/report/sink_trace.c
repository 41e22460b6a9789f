// SPDX-License-Identifier: GPL-2.0
/*
 * The trace sink: faults as slices on their threads, VM exits as slices on a track for each vCPU,
 * rates of both as counters. Trace Event Format: "X" is a slice, "i" an instant, "M" a name, "C" a
 * counter; times are microseconds.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/hash.h"
#include "user/base/json.h"
#include "user/remap/change.h"
#include "user/report/intern.h"
#include "user/report/kvm_view.h"
#include "user/report/rate_bins.h"
#include "user/report/totals.h"
#include "user/report/view.h"
#include "user/sym/array.h"
#include "user/trace/kvm_names.h"
#include "user/trace/names.h"

/* Tracks of vCPUs have ids above those that threads can have (PID_MAX_LIMIT, 4194304). */
#define VCPU_TRACKS 0x40000000u

enum track_kind { TRACK_PROCESS, TRACK_THREAD, TRACK_VCPU };

/* What has a name in the viewer, and what it was last called. */
struct track {
	uint32_t pid, id;
	enum track_kind kind;
	uint32_t name; /* interned; + 1, 0: not named yet */
};

enum { RATE_FAULTS, RATE_EXITS, NR_RATES };

struct trace {
	struct sink sink;
	struct sink_env env;
	const struct abi *abi;
	FILE *out;
	struct json json;
	struct hash_index index;
	struct track *tracks;
	size_t n, size;
	struct intern names;
	struct line line;	/* name of a call */
	struct learned learned; /* names that calls gave */
	struct rate_bins rates[NR_RATES];
};

static bool same_track(const void *ctx, uint32_t slot, const void *key)
{
	const struct track *a = &((const struct trace *)ctx)->tracks[slot], *b = key;

	return a->pid == b->pid && a->id == b->id && a->kind == b->kind;
}

/* Number of the track, added if it is new; or -ENOMEM. */
static int64_t find_track(struct trace *t, uint32_t pid, uint32_t id, enum track_kind kind)
{
	const struct track key = { .pid = pid, .id = id, .kind = kind };
	uint64_t hash = hash_u64((uint64_t)pid << 32 ^ id ^ (uint64_t)kind << 62);
	int64_t slot = hash_find(&t->index, hash, same_track, t, &key);
	struct track *tracks;

	if (slot >= 0)
		return slot;
	tracks = array_room(t->tracks, t->n, &t->size, sizeof(*tracks));
	if (!tracks)
		return -ENOMEM;
	t->tracks = tracks;
	if (hash_add(&t->index, hash, (uint32_t)t->n))
		return -ENOMEM;
	tracks[t->n] = key;
	return (int64_t)t->n++;
}

static void begin_event(struct trace *t, const char *phase, const char *name, uint32_t pid,
			uint32_t tid)
{
	json_object(&t->json, NULL);
	json_str(&t->json, "ph", phase);
	json_str(&t->json, "name", name);
	json_u64(&t->json, "pid", pid);
	json_u64(&t->json, "tid", tid);
}

static int end_event(struct trace *t)
{
	json_end_object(&t->json);
	json_break(&t->json);
	if (!ferror_unlocked(t->out))
		return 0;
	return errno ? -errno : -EIO;
}

/* @what: process_name, thread_name. */
static void put_name(struct trace *t, const char *what, uint32_t pid, uint32_t tid,
		     const char *name)
{
	begin_event(t, "M", what, pid, tid);
	json_object(&t->json, "args");
	json_str(&t->json, "name", name);
	json_end_object(&t->json);
	end_event(t);
}

/* Whatever it is called, when it is called so: names come with exec. */
static int name_track(struct trace *t, enum track_kind kind, uint32_t pid, uint32_t tid,
		      uint64_t time)
{
	const char *comm = procs_comm(t->env.procs, pid, tid, time);
	int64_t track = find_track(t, pid, tid, kind), name = intern_id(&t->names, comm);

	if (track < 0 || name < 0)
		return -ENOMEM;
	if (t->tracks[track].name == (uint32_t)name + 1)
		return 0;
	t->tracks[track].name = (uint32_t)name + 1;
	put_name(t, kind == TRACK_PROCESS ? "process_name" : "thread_name", pid, tid, comm);
	return 0;
}

static int name_thread(struct trace *t, uint32_t pid, uint32_t tid, uint64_t time)
{
	int err = name_track(t, TRACK_PROCESS, pid, pid, time);

	return err ? err : name_track(t, TRACK_THREAD, pid, tid, time);
}

/* Its id as a thread; 0 without memory. */
static uint32_t vcpu_track(struct trace *t, uint32_t pid, uint32_t vcpu)
{
	int64_t track = find_track(t, pid, vcpu, TRACK_VCPU);
	char name[32];

	if (track < 0)
		return 0;
	if (!t->tracks[track].name) {
		t->tracks[track].name = 1;
		snprintf(name, sizeof(name), "vCPU %" PRIu32, vcpu);
		put_name(t, "thread_name", pid, VCPU_TRACKS + (uint32_t)track, name);
	}
	return VCPU_TRACKS + (uint32_t)track;
}

/* What took some time is a slice, and else an instant of its thread. */
static void begin_slice(struct trace *t, const char *name, uint32_t pid, uint32_t tid,
			uint64_t time, const __u64 *latency)
{
	errno = 0;
	begin_event(t, latency ? "X" : "i", name, pid, tid);
	json_ns_as_us(&t->json, "ts", time);
	if (latency)
		json_ns_as_us(&t->json, "dur", *latency);
	else
		json_str(&t->json, "s", "t");
}

static void put_fault_args(struct trace *t, const struct ptev_fault *f)
{
	const struct symbol *sym = fault_symbol(&t->env, f);
	struct json *j = &t->json;
	struct fault_vma vma;
	char buf[48];

	json_object(j, "args");
	json_hex(j, "address", f->address);
	json_str(j, "access", name_access(f->access));
	json_str(j, "origin", name_origin(f->origin));
	json_str(j, "error", name_error_code(buf, f->error_code));
	if (f->ip)
		json_hex(j, "ip", f->ip);
	if (sym) {
		json_str(j, "symbol", sym->name);
		json_str(j, "dso", sym->dso);
	}
	if (fault_vma(&vma, &t->env, f))
		json_str(j, "mapping", fault_vma_name(buf, &vma));
	json_u64(j, "cpu", f->cpu);
	json_end_object(j);
}

static int fault(struct sink *sink, const struct ptev_fault *f)
{
	struct trace *t = (struct trace *)sink;
	bool ended = fault_parts(f) & PTEV_F_EXIT;
	int err = name_thread(t, f->pid, f->tid, f->time);

	if (err)
		return err;
	rate_bins_add(&t->rates[RATE_FAULTS], f->time, f->origin);
	begin_slice(t, ended ? name_outcome(f->outcome) : name_access(f->access), f->pid, f->tid,
		    f->time, ended ? &f->x.latency : NULL);
	json_str(&t->json, "cat", "fault");
	put_fault_args(t, f);
	return end_event(t);
}

/* A hypercall's name in its ABI, or its number, into ->line. 0 or -ENOMEM. */
static int put_call(struct trace *t, const struct ptev_hypercall *c)
{
	struct call_view view;
	int err = 0;

	t->line.len = 0;
	if (call_view(&view, t->abi, c, &t->learned)) {
		abi_call_name(&t->line, t->abi, &view.seen);
		err = call_learn(&t->learned, t->abi, &view, c);
	} else {
		line_str(&t->line, "hypercall 0x");
		line_hex(&t->line, c->rax);
	}
	line_char(&t->line, '\0');
	return t->line.failed ? -ENOMEM : err;
}

/* What an exit is called, until the next; NULL without memory. */
static const char *exit_name(struct trace *t, const struct ptev_vmexit *e, char *buf)
{
	if (e->hdr.type != PTEV_HYPERCALL || !(e->flags & PTEV_K_ARGS))
		return name_exit_reason(buf, e->isa, e->reason);
	return put_call(t, (const void *)e) ? NULL : t->line.buf;
}

static void put_exit_args(struct trace *t, const struct ptev_vmexit *e)
{
	const struct ptev_violation *v = (const void *)e;
	struct json *j = &t->json;
	char buf[40];

	json_object(j, "args");
	json_str(j, "reason", name_exit_reason(buf, e->isa, e->reason));
	json_hex(j, "rip", e->rip);
	json_u64(j, "thread", e->tid);
	json_u64(j, "cpu", e->cpu);
	if (e->hdr.type == PTEV_VIOLATION) {
		json_str(j, "outcome", name_violation(v->outcome));
		if (e->flags & PTEV_K_GPA)
			json_hex(j, "gpa", v->gpa);
		if (e->flags & PTEV_K_SLOT)
			json_hex(j, "hva", v->hva);
	}
	json_end_object(j);
}

static int vmexit(struct sink *sink, const struct ptev_vmexit *e)
{
	struct trace *t = (struct trace *)sink;
	int err = name_thread(t, e->pid, e->tid, e->time);
	uint32_t track = err ? 0 : vcpu_track(t, e->pid, e->vcpu);
	const char *name;
	char buf[40];

	name = exit_name(t, e, buf);
	if (!track || !name)
		return -ENOMEM;
	rate_bins_add(&t->rates[RATE_EXITS], e->time,
		      e->hdr.type == PTEV_HYPERCALL   ? 0
		      : e->hdr.type == PTEV_VIOLATION ? 1
						      : 2);
	begin_slice(t, name, e->pid, track, e->time,
		    e->flags & PTEV_K_LATENCY ? &e->latency : NULL);
	json_str(&t->json, "cat", name_event(e->hdr.type));
	put_exit_args(t, e);
	return end_event(t);
}

/* On the track of who did it. */
static int remap(struct sink *sink, const struct ptev_remap *r)
{
	struct trace *t = (struct trace *)sink;
	int err = name_thread(t, r->pid, r->tid, r->time);
	struct json *j = &t->json;
	char name[64];

	if (err)
		return err;
	snprintf(name, sizeof(name), "remap %s %s", change_name(r->what), name_remap(r->event));
	begin_slice(t, name, r->pid, r->tid, r->time, NULL);
	json_str(j, "cat", "remap");
	json_object(j, "args");
	json_u64(j, "id", r->id);
	json_u64(j, "of", r->of);
	json_hex(j, "address", r->va);
	if (r->flags & PTEV_R_VM)
		json_hex(j, "gpa", r->gpa);
	if (!(r->flags & PTEV_R_HIDDEN)) {
		json_hex(j, "old", r->old);
		json_hex(j, "new", r->new);
	}
	json_str(j, "cause", change_cause(r->cause));
	json_u64(j, "cpu", r->cpu);
	json_end_object(j);
	return end_event(t);
}

/* A value stands until the next one, so behind the last bin there is a 0. */
static void put_rates(struct trace *t, const struct rate_bins *b, const char *name,
		      const char *const kinds[RATE_KINDS])
{
	unsigned int kind;
	uint32_t i;

	for (i = 0; b->width && i <= b->n; i++) {
		begin_event(t, "C", name, 0, 0);
		json_ns_as_us(&t->json, "ts", b->start + i * b->width);
		json_object(&t->json, "args");
		for (kind = 0; kind < RATE_KINDS; kind++)
			json_double(&t->json, kinds[kind],
				    i < b->n ? rate_bins_rate(b, i, kind) : 0);
		json_end_object(&t->json);
		end_event(t);
	}
}

static int finish(struct sink *sink, const struct rec_totals *totals, bool complete)
{
	static const char *const faults[RATE_KINDS] = { "user", "kernel", "gup" };
	static const char *const exits[RATE_KINDS] = { "hypercall", "violation", "exit" };
	struct trace *t = (struct trace *)sink;
	const struct rec_info *info = t->env.info;

	put_rates(t, &t->rates[RATE_FAULTS], "faults/s", faults);
	put_rates(t, &t->rates[RATE_EXITS], "VM exits/s", exits);
	json_end_array(&t->json);
	json_object(&t->json, "otherData");
	json_str(&t->json, "command", info->command);
	json_str(&t->json, "kernel", info->release);
	json_str(&t->json, "hostname", info->hostname);
	json_str(&t->json, "hook", name_hook(info->hook));
	totals_json(&t->json, totals, complete);
	json_end_object(&t->json);
	json_end_object(&t->json);
	errno = 0;
	json_end_line(&t->json);
	if (!fflush(t->out) && !ferror(t->out))
		return 0;
	return errno ? -errno : -EIO;
}

static void trace_free(struct sink *sink)
{
	struct trace *t = (struct trace *)sink;

	hash_free(&t->index);
	free(t->tracks);
	intern_free(&t->names);
	line_free(&t->line);
	learned_free(&t->learned);
	free(t);
}

struct sink *sink_trace(const struct sink_env *env, const struct trace_opts *opts)
{
	struct trace *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->sink = (struct sink){ .fault = fault,
				 .vmexit = vmexit,
				 .remap = remap,
				 .finish = finish,
				 .free = trace_free };
	t->sink.output = opts->name;
	t->env = *env;
	t->abi = opts->abi;
	t->out = opts->out;
	json_init(&t->json, t->out);
	json_object(&t->json, NULL);
	json_str(&t->json, "displayTimeUnit", "ns");
	json_array(&t->json, "traceEvents");
	json_break(&t->json);
	return &t->sink;
}
