// SPDX-License-Identifier: GPL-2.0
#include "user/trace/kvm_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bpf/classify_kvm.h"
#include "kvm.skel.h"
#include "user/kernel/kvm_here.h"
#include "user/trace/call_specs.h"
#include "user/trace/share_maps.h"

/* Hooks of the MMU's functions serve violations only. */
enum {
	ON_FENTRY = 1 << HOOK_FENTRY,
	ON_KPROBE = 1 << HOOK_KPROBE,
	ON_ALL = ON_FENTRY | ON_KPROBE | 1 << HOOK_RAWTP,
};
#define FOR_ALL (PTEV_WANT_EXIT | PTEV_WANT_HYPERCALL | PTEV_WANT_VIOLATION)

/*
 * In the order of attaching: from the end of an exit to its beginning, so that none is opened
 * whose end cannot be seen.
 */
static const struct {
	const char *name;
	unsigned int hooks;
	unsigned int wants; /* enum ptev_kvm_want */
} programs[] = {
	{ "close_open_exits", ON_ALL, FOR_ALL }, /* an iterator: runs once, at the end */
	{ "vcpu_thread_exit", ON_ALL, FOR_ALL },
	{ "vm_entry", ON_ALL, FOR_ALL },
	{ "user_exit", ON_ALL, FOR_ALL },
	{ "hypercall", ON_ALL, PTEV_WANT_HYPERCALL },
	{ "fexit_tdp_fault", ON_FENTRY, PTEV_WANT_VIOLATION },
	{ "fentry_mmu_fault", ON_FENTRY, PTEV_WANT_VIOLATION },
	{ "kretprobe_tdp_fault", ON_KPROBE, PTEV_WANT_VIOLATION },
	{ "kprobe_tdp_fault", ON_KPROBE, PTEV_WANT_VIOLATION },
	{ "kprobe_mmu_fault", ON_KPROBE, PTEV_WANT_VIOLATION },
	{ "fast_mmio", ON_ALL, PTEV_WANT_VIOLATION },
	{ "page_fault", ON_ALL, PTEV_WANT_VIOLATION },
	{ "vcpu_exit", ON_ALL, PTEV_WANT_HYPERCALL | PTEV_WANT_VIOLATION },
	{ "vm_exit", ON_ALL, FOR_ALL },
};

#define NR_PROGRAMS (sizeof(programs) / sizeof(programs[0]))

struct kvm_source {
	struct kvm_bpf *skel;
	bool used[NR_PROGRAMS];
	struct bpf_link *links[NR_PROGRAMS];
};

static struct bpf_program *program(const struct kvm_source *s, size_t i)
{
	return bpf_object__find_program_by_name(s->skel->obj, programs[i].name);
}

/* Guests' tables, by enum guest_paging. A guest may have what its CPU lacks: all is allowed. */
static struct pt_fmt guest_fmt(unsigned int paging)
{
	static const enum pt_mode modes[GUEST_NR_PAGINGS] = {
		[GUEST_NO_PAGING] = PT_MODE_NONE, [GUEST_32BIT] = PT_MODE_32BIT,
		[GUEST_PSE] = PT_MODE_32BIT,	  [GUEST_PAE] = PT_MODE_PAE,
		[GUEST_4LEVEL] = PT_MODE_4LEVEL,  [GUEST_5LEVEL] = PT_MODE_5LEVEL,
	};
	const struct pt_feat feat = { .maxphyaddr = 52,
				      .nx = 1,
				      .page1g = 1,
				      .pse = paging == GUEST_PSE,
				      .pse36 = 1,
				      .pdpte_a = 1 };
	struct pt_fmt fmt;

	pt_fmt_init(&fmt, modes[paging], &feat);
	return fmt;
}

static void configure(const struct kvm_source *s, const struct kvm_source_opts *opts)
{
	const struct kinfo *k = opts->kernel;
	const struct fault_cfg *cfg = opts->cfg;
	unsigned int i;

	s->skel->rodata->cfg = *cfg;
	s->skel->rodata->cfg.vcpu_exit = kvm_here_exit_helper();
	call_specs_numbers(s->skel->rodata->cfg.call, cfg->stat ? NULL : opts->abi);
	bpf_map__set_max_entries(s->skel->maps.call_specs, call_specs_count(opts->abi));
	for (i = 0; i < GUEST_NR_PAGINGS; i++)
		s->skel->rodata->guest_fmts[i] = guest_fmt(i);
	s->skel->rodata->walk_page_offset = k->page_offset;
	s->skel->rodata->kvm_fmt4 = kvm_here_fmt(&k->feat, 4);
	s->skel->rodata->kvm_fmt5 = kvm_here_fmt(&k->feat, 5);
	if (!cfg->stat)
		bpf_map__set_max_entries(s->skel->maps.kvm_stats, 1);
}

/* Is program @i of use? Of vcpu_exit()'s tracepoint there may be none. */
static bool is_used(const struct kvm_source *s, const struct kvm_source_opts *opts, size_t i)
{
	if (!strcmp(programs[i].name, "vcpu_exit") &&
	    (!s->skel->rodata->cfg.vcpu_exit || opts->cfg->stat))
		return false;
	return (programs[i].hooks >> opts->hook & 1) && (programs[i].wants & opts->cfg->kvm);
}

int kvm_source_load(struct kvm_source **source, const struct kvm_source_opts *opts,
		    const struct bpf_object *maps)
{
	struct kvm_source *s = calloc(1, sizeof(*s));
	size_t i;
	int err;

	if (!s)
		return -ENOMEM;
	s->skel = kvm_bpf__open();
	if (!s->skel) {
		free(s);
		return -errno;
	}
	configure(s, opts);
	for (i = 0; i < NR_PROGRAMS; i++) {
		s->used[i] = is_used(s, opts, i);
		bpf_program__set_autoload(program(s, i), s->used[i]);
	}
	err = share_maps(s->skel->obj, maps);
	if (!err)
		err = kvm_bpf__load(s->skel);
	if (!err)
		err = call_specs_fill(bpf_map__fd(s->skel->maps.call_specs), opts->abi);
	if (err) {
		kvm_source_free(s);
		return err;
	}
	*source = s;
	return 0;
}

int kvm_source_attach(struct kvm_source *s)
{
	size_t i;

	for (i = 0; i < NR_PROGRAMS; i++) {
		if (!s->used[i])
			continue;
		s->links[i] = bpf_program__attach(program(s, i));
		if (!s->links[i])
			return -errno;
	}
	return 0;
}

static void detach(struct kvm_source *s, size_t from)
{
	size_t i;

	for (i = NR_PROGRAMS; i-- > from;) {
		bpf_link__destroy(s->links[i]);
		s->links[i] = NULL;
	}
}

void kvm_source_stop(struct kvm_source *s)
{
	char byte;
	int fd;

	detach(s, 1);
	fd = s->links[0] ? bpf_iter_create(bpf_link__fd(s->links[0])) : -1;
	if (fd >= 0) { /* otherwise they stay counted as in flight */
		while (read(fd, &byte, 1) > 0)
			;
		close(fd);
	}
	detach(s, 0);
}

uint64_t kvm_source_missed(const struct kvm_source *s)
{
	uint64_t missed = 0;
	size_t i;

	for (i = 0; i < NR_PROGRAMS; i++) {
		struct bpf_prog_info info = {};
		uint32_t len = sizeof(info);
		int fd = bpf_program__fd(program(s, i));

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len))
			missed += info.recursion_misses;
	}
	return missed;
}

static int add_count(struct kvm_count **counts, size_t *n, const struct kvm_count *row)
{
	struct kvm_count *more = reallocarray(*counts, *n + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	more[(*n)++] = *row;
	*counts = more;
	return 0;
}

int kvm_source_counts(const struct kvm_source *s, struct kvm_count **counts, size_t *n)
{
	int fd = bpf_map__fd(s->skel->maps.kvm_stats), err = 0;
	struct ptev_kvm_key *last = NULL;
	struct kvm_count row;

	*counts = NULL;
	*n = 0;
	while (!err && !bpf_map_get_next_key(fd, last, &row.key)) {
		last = &row.key;
		if (!bpf_map_lookup_elem(fd, &row.key, &row.stat))
			err = add_count(counts, n, &row);
	}
	if (err)
		free(*counts);
	return err;
}

void kvm_source_free(struct kvm_source *s)
{
	if (!s)
		return;
	detach(s, 0);
	kvm_bpf__destroy(s->skel);
	free(s);
}
