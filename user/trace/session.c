// SPDX-License-Identifier: GPL-2.0
#include "user/trace/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "fault.skel.h"
#include "user/base/clock.h"
#include "user/kernel/proc_maps.h"
#include "user/kernel/proc_task.h"
#include "user/trace/ksym_list.h"
#include "user/trace/kvm_source.h"
#include "user/trace/pidset.h"
#include "user/trace/remap_source.h"
#include "user/trace/ring.h"
#include "user/trace/sideband.h"

#define MAX_WAKE   (1u << 20)
#define STOP_TRIES 50 /* of 1 ms, for faults that are being handled */

enum { ON_FENTRY = 1 << HOOK_FENTRY, ON_KPROBE = 1 << HOOK_KPROBE, ON_RAWTP = 1 << HOOK_RAWTP };
#define ON_ALL	(ON_FENTRY | ON_KPROBE | ON_RAWTP)
#define ON_EXIT (ON_FENTRY | ON_KPROBE)
#define FOLLOW	(1 << HOOK_NR | ON_ALL) /* keeps targets right, also where no faults are traced */

/*
 * Which program serves which kind of hook, in the order of attaching: handlers before exceptions,
 * so that no fault is opened whose end cannot be seen.
 */
static const struct {
	const char *name;
	unsigned int hooks;
} programs[] = {
	{ "close_open_faults", ON_EXIT }, /* an iterator: runs once, at the end */
	{ "process_fork", FOLLOW },	  { "process_exit", ON_ALL },
	{ "process_free", FOLLOW },	  { "task_rename", FOLLOW },
	{ "signal_generate", ON_EXIT },	  { "fexit_handle", ON_FENTRY },
	{ "fentry_handle", ON_FENTRY },	  { "kretprobe_handle", ON_KPROBE },
	{ "kprobe_handle", ON_KPROBE },	  { "exception_kernel", ON_ALL },
	{ "exception_user", ON_ALL },
};

#define NR_PROGRAMS (sizeof(programs) / sizeof(programs[0]))

struct session {
	struct fault_bpf *skel;
	struct kvm_source *kvm; /* NULL: no KVM events */
	struct remap_source *remap;
	struct ring ring;
	struct sideband *sideband;
	struct pidset followed; /* whose side band is kept; empty in system-wide sessions */
	struct fault_cfg cfg;
	enum fault_hook hook;
	uint64_t start; /* CLOCK_MONOTONIC, before anything was recorded */
	struct bpf_link *links[NR_PROGRAMS];
};

static struct bpf_program *program(const struct session *s, size_t i)
{
	return bpf_object__find_program_by_name(s->skel->obj, programs[i].name);
}

static bool used(const struct session *s, size_t i)
{
	return programs[i].hooks >> (s->cfg.origins ? s->hook : HOOK_NR) & 1;
}

static uint32_t round_pow2(uint64_t bytes)
{
	uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE);

	while (size < bytes && size < 1u << 31)
		size *= 2;
	return (uint32_t)size;
}

static void configure(struct session *s, const struct session_opts *opts, const struct kinfo *k)
{
	uint32_t ring = opts->cfg.stat ? round_pow2(0) : round_pow2(opts->ring_bytes);
	struct fault_cfg *cfg = &s->cfg;

	*cfg = opts->cfg;
	cfg->self = (uint32_t)getpid();
	cfg->has_exit = cfg->origins && s->hook != HOOK_RAWTP;
	cfg->uffd_flags = k->uffd_flags;
	cfg->wake_bytes = ring / 4 < MAX_WAKE ? ring / 4 : MAX_WAKE;
	if (!k->page_offset)
		cfg->walks = 0;
	s->skel->rodata->cfg = *cfg;
	s->skel->rodata->walk_fmt = k->fmt;
	s->skel->rodata->walk_page_offset = k->page_offset;
	s->skel->rodata->walk_pti = k->pti;
	bpf_map__set_max_entries(s->skel->maps.ring, ring);
	s->ring.size = ring;
}

static int set_targets(struct session *s, const struct session_opts *opts)
{
	int fd = bpf_map__fd(s->skel->maps.targets);
	const struct target_entry on = { .state = FAULT_ON }, wait = { .state = FAULT_WAIT_EXEC };
	uint32_t launch = (uint32_t)opts->launch;
	size_t i;

	for (i = 0; i < opts->nr_targets; i++)
		if (bpf_map_update_elem(fd, &opts->targets[i], &on, BPF_ANY))
			return -errno;
	if (launch && bpf_map_update_elem(fd, &launch, &wait, BPF_ANY))
		return -errno;
	return 0;
}

static int load(struct session *s, const struct session_opts *opts, const struct kinfo *k)
{
	const struct kvm_source_opts kvm = { s->hook, &s->cfg, k, opts->abi };
	size_t i;
	int err;

	for (i = 0; i < NR_PROGRAMS; i++)
		bpf_program__set_autoload(program(s, i), used(s, i));
	err = fault_bpf__load(s->skel);
	if (!err && s->cfg.remap)
		err = remap_source_load(&s->remap, &s->cfg, s->skel->obj);
	if (err || !s->cfg.kvm)
		return err;
	return kvm_source_load(&s->kvm, &kvm, s->skel->obj);
}

/* Targets that ended before their end could be seen. */
static void drop_ended_targets(const struct session *s, const struct session_opts *opts)
{
	size_t i;

	for (i = 0; i < opts->nr_targets; i++)
		if (!proc_tgid(opts->targets[i]))
			bpf_map_delete_elem(bpf_map__fd(s->skel->maps.targets), &opts->targets[i]);
}

static int attach(struct session *s)
{
	size_t i;

	for (i = 0; i < NR_PROGRAMS; i++) {
		if (!used(s, i))
			continue;
		s->links[i] = bpf_program__attach(program(s, i));
		if (!s->links[i])
			return -errno;
	}
	if (s->remap) {
		int err = remap_source_attach(s->remap);

		if (err)
			return err == -ENOENT ? -ENOPKG : err;
	}
	return s->kvm ? kvm_source_attach(s->kvm) : 0;
}

static void detach(struct session *s, size_t from)
{
	size_t i;

	for (i = NR_PROGRAMS; i-- > from;) {
		bpf_link__destroy(s->links[i]);
		s->links[i] = NULL;
	}
}

static void unload(struct session *s)
{
	detach(s, 0);
	kvm_source_free(s->kvm);
	s->kvm = NULL;
	remap_source_free(s->remap);
	s->remap = NULL;
	ring_close(&s->ring);
	fault_bpf__destroy(s->skel);
	s->skel = NULL;
}

static int try_hook(struct session *s, enum fault_hook hook, const struct session_opts *opts,
		    const struct kinfo *k)
{
	int err;

	s->hook = hook;
	s->skel = fault_bpf__open();
	if (!s->skel)
		return -errno;
	configure(s, opts, k);
	err = load(s, opts, k);
	if (!err)
		err = ring_open(&s->ring, bpf_map__fd(s->skel->maps.ring), s->ring.size);
	if (!err)
		err = set_targets(s, opts);
	/* Before the programs run, so that no mapping is missed, but after the time of loading. */
	if (!s->start)
		s->start = clock_ns(CLOCK_MONOTONIC);
	if (!err && opts->sideband && !s->sideband)
		err = sideband_open(&s->sideband);
	if (!err)
		err = attach(s);
	if (err)
		unload(s);
	else
		drop_ended_targets(s, opts);
	return err;
}

static int follow_targets(struct session *s, const struct session_opts *opts)
{
	size_t i;
	int err = 0;

	for (i = 0; i < opts->nr_targets && !err; i++)
		err = pidset_add(&s->followed, proc_tgid(opts->targets[i]));
	if (opts->launch && !err)
		err = pidset_add(&s->followed, (uint32_t)opts->launch);
	return err;
}

/*
 * fentry costs least. But its programs can be preempted where the kernel can, and the kernel then
 * skips them for the next task on that CPU (kernel/bpf/trampoline.c, prog->active); kprobe
 * programs run with preemption off.
 */
#define NR_HOOKS 3
static const enum fault_hook best_first[2][NR_HOOKS] = {
	[false] = { HOOK_FENTRY, HOOK_KPROBE, HOOK_RAWTP },
	[true] = { HOOK_KPROBE, HOOK_FENTRY, HOOK_RAWTP },
};

/* Exits, hypercalls and remaps need no more than tracepoints: with them alone there is no choice.
 */
static bool hook_wanted(const struct session_opts *opts, enum fault_hook hook)
{
	if (!opts->cfg.origins && !(opts->cfg.kvm & PTEV_WANT_VIOLATION))
		return hook == HOOK_RAWTP;
	return opts->hook == HOOK_AUTO || opts->hook == hook;
}

int session_start(struct session **session, const struct session_opts *opts, const struct kinfo *k,
		  struct session_tries *tries)
{
	struct session *s = calloc(1, sizeof(*s));
	size_t i;
	int err;

	memset(tries, 0, sizeof(*tries));
	if (!s)
		return -ENOMEM;
	err = follow_targets(s, opts);
	if (err) {
		session_free(s);
		return err;
	}
	err = -ENOENT;
	for (i = 0; i < NR_HOOKS && err && err != -ENOPKG; i++) {
		enum fault_hook hook = best_first[k->preemptible][i];

		if (!hook_wanted(opts, hook))
			continue;
		err = try_hook(s, hook, opts, k);
		tries->tried[hook] = true;
		tries->error[hook] = err;
	}
	if (err) {
		session_free(s);
		return err;
	}
	*session = s;
	return 0;
}

enum fault_hook session_hook(const struct session *s)
{
	return s->hook;
}

int session_watch(const struct session *s, int epoll)
{
	struct epoll_event ring = { .events = EPOLLIN | EPOLLET }, side = { .events = EPOLLIN };

	if (!s->cfg.stat && epoll_ctl(epoll, EPOLL_CTL_ADD, s->ring.fd, &ring))
		return -errno;
	if (s->sideband && epoll_ctl(epoll, EPOLL_CTL_ADD, sideband_fd(s->sideband), &side))
		return -errno;
	return 0;
}

bool session_targets_left(const struct session *s)
{
	uint32_t first;

	return s->cfg.target == FAULT_ALL ||
	       !bpf_map_get_next_key(bpf_map__fd(s->skel->maps.targets), NULL, &first);
}

struct side_ctx {
	struct session *s;
	session_put put;
	void *ctx;
};

/* Side-band records of followed processes; their children join as perf reports them. */
static int put_sideband(void *ctx, const struct ptev_hdr *record)
{
	struct side_ctx *side = ctx;
	struct session *s = side->s;
	const struct ptev_task *task = (const void *)record;
	uint32_t pid =
		record->type == PTEV_MMAP ? ((const struct ptev_mmap *)record)->pid : task->pid;

	if (s->cfg.target != FAULT_ALL && record->type != PTEV_KSYM) {
		if (record->type == PTEV_FORK && s->cfg.inherit &&
		    pidset_has(&s->followed, task->ppid) && pidset_add(&s->followed, pid))
			return -ENOMEM;
		if (!pidset_has(&s->followed, pid))
			return 0;
	}
	return side->put(side->ctx, record, record->size);
}

/* A change may be by somebody whose names are not followed; what perf calls them is told here. */
static int put_remap(void *ctx, const void *record, size_t size)
{
	const struct side_ctx *side = ctx;
	const struct ptev_remap *r = record;
	struct ptev_task comm = { .hdr = { .size = sizeof(comm), .type = PTEV_COMM } };
	int err = 0;

	if (r->hdr.type == PTEV_REMAP && side->s->cfg.target != FAULT_ALL &&
	    !pidset_has(&side->s->followed, r->pid)) {
		comm.time = r->time;
		comm.pid = r->pid;
		comm.tid = r->tid;
		memcpy(comm.comm, r->comm, sizeof(r->comm) - 1);
		err = side->put(side->ctx, &comm, sizeof(comm));
	}
	return err ?: side->put(side->ctx, record, size);
}

int session_drain(struct session *s, session_put put, void *ctx)
{
	struct side_ctx side = { .s = s, .put = put, .ctx = ctx };
	uint64_t until = ring_position(&s->ring);
	int err = 0;

	if (s->sideband)
		err = sideband_drain(s->sideband, put_sideband, &side);
	if (err)
		return err;
	return s->cfg.remap ? ring_consume(&s->ring, until, put_remap, &side)
			    : ring_consume(&s->ring, until, put, ctx);
}

int session_synthesise(struct session *s, session_put put, void *ctx)
{
	struct side_ctx side = { .s = s, .put = put, .ctx = ctx };
	uint32_t i;
	int err = ksyms_synthesise(s->start, put_sideband, &side);

	if (err)
		return err;
	if (s->cfg.target == FAULT_ALL)
		return proc_synthesise_all(s->start, put_sideband, &side);
	for (i = 0; i < s->followed.nr && !err; i++)
		err = proc_synthesise(s->followed.pids[i], s->start, put_sideband, &side);
	return err == -ESRCH ? 0 : err;
}

/* Adds up the only element of a per-CPU map, an array of @n counters. */
static int sum_percpu(const struct bpf_map *map, uint64_t *sum, size_t n)
{
	int cpus = libbpf_num_possible_cpus(), err;
	uint32_t zero = 0;
	uint64_t *each;
	size_t i;

	memset(sum, 0, n * sizeof(*sum));
	if (cpus < 0)
		return cpus;
	each = calloc((size_t)cpus * n, sizeof(*each));
	if (!each)
		return -ENOMEM;
	err = bpf_map_lookup_elem(bpf_map__fd(map), &zero, each);
	for (i = 0; i < (size_t)cpus * n && !err; i++)
		sum[i % n] += each[i];
	free(each);
	return err;
}

static int sum_counters(const struct session *s, struct ptev_counters *sum)
{
	return sum_percpu(s->skel->maps.counters, (uint64_t *)sum, sizeof(*sum) / 8);
}

static uint64_t in_flight(const struct ptev_counters *c)
{
	uint64_t ended = c->emitted + c->dropped + c->lost_ring + c->lost_state + c->lost_kvm;

	/* The CPUs' counters are not read at one moment. */
	return c->opened > ended ? c->opened - ended : 0;
}

/* Faults that tasks still have open become events, with what is known of them. */
static void close_open_faults(const struct session *s)
{
	char byte;
	int fd;

	if (!s->links[0])
		return;
	fd = bpf_iter_create(bpf_link__fd(s->links[0]));
	if (fd < 0)
		return; /* they stay counted as in flight */
	while (read(fd, &byte, 1) > 0)
		;
	close(fd);
}

void session_stop(struct session *s)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	struct ptev_counters c;
	int i;

	if (s->remap)
		remap_source_stop(s->remap);
	if (s->kvm)
		kvm_source_stop(s->kvm);
	/* The two exception programs are last in the table: no new faults from here on. */
	detach(s, NR_PROGRAMS - 2);
	for (i = 0; i < STOP_TRIES; i++) {
		sum_counters(s, &c);
		if (!in_flight(&c))
			break;
		nanosleep(&ms, NULL);
	}
	detach(s, 1);
	close_open_faults(s);
	detach(s, 0);
}

/*
 * Runs on handle_mm_fault that the kernel skipped because the same program was active on that CPU.
 * The exceptions' programs are skipped only for exceptions of their own making.
 */
static uint64_t missed_runs(const struct session *s)
{
	uint64_t missed = 0;
	size_t i;

	for (i = 0; i < NR_PROGRAMS; i++) {
		struct bpf_prog_info info = {};
		uint32_t len = sizeof(info);
		int fd = bpf_program__fd(program(s, i));

		if ((programs[i].hooks & ON_ALL) != ON_ALL && fd >= 0 &&
		    !bpf_obj_get_info_by_fd(fd, &info, &len))
			missed += info.recursion_misses;
	}
	return missed;
}

void session_totals(const struct session *s, struct rec_totals *totals)
{
	struct ptev_counters c;

	sum_counters(s, &c);
	memset(totals, 0, sizeof(*totals));
	totals->events = c.emitted;
	totals->lost[PTEV_LOST_RING] = c.lost_ring;
	totals->lost[PTEV_LOST_STATE] = c.lost_state + c.lost_kvm;
	totals->lost[PTEV_LOST_INFLIGHT] = in_flight(&c);
	totals->filtered = c.dropped;
	totals->missed_exit = c.missed_exit;
	totals->missed_runs = missed_runs(s) + (s->kvm ? kvm_source_missed(s->kvm) : 0) +
			      (s->remap ? remap_source_missed(s->remap) : 0);
	totals->lost_children = c.lost_children;
	if (s->sideband)
		totals->lost_sideband = sideband_lost(s->sideband);
}

int session_stats(const struct session *s, struct ptev_stat *stats)
{
	return sum_percpu(s->skel->maps.stats, (uint64_t *)stats, sizeof(*stats) / 8);
}

uint64_t session_kvm_lost(const struct session *s)
{
	struct ptev_counters c;

	sum_counters(s, &c);
	return c.lost_kvm;
}

int session_kvm_counts(const struct session *s, struct kvm_count **counts, size_t *n)
{
	*counts = NULL;
	*n = 0;
	return s->kvm ? kvm_source_counts(s->kvm, counts, n) : 0;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	if (s->skel)
		unload(s);
	sideband_close(s->sideband);
	pidset_free(&s->followed);
	free(s);
}
