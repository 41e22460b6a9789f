// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/vm_memory_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "user/base/msg.h"
#include "user/cmd/program.h"
#include "user/cmd/target_vm.h"
#include "user/kernel/helper.h"
#include "user/pt/pt_entry.h"

#define PAGE_SIZE   4096
#define CACHE_LINES 128
/* For one byte the process may lack the page, and each table on the way; and lose them again. */
#define FETCHES (4 * (PT_MAX_LEVEL + 1))
/* Of a transfer, while the VM's slots are others after each. */
#define CHANGES 64

struct vm_read {
	struct vm_memory m;
	struct readout out;
	char *buf;   /* VM_MEMORY_PIECE bytes */
	bool failed; /* and why was told */
};

/* ---- options ---------------------------------------------------------------------------- */

static struct space_opts space_opts_of(const struct vm_memory_opts *o)
{
	return (struct space_opts){
		.sources = { { .pid = o->pid, .vm = true } },
		.nr_sources = o->pid != 0,
		.vm = { .fd = o->fd,
			.vcpu = o->vcpu,
			.gva = o->gva.given,
			.gpa = o->gpa.given,
			.chain = true,
			.memory = true },
	};
}

const char *vm_memory_contradiction(const struct vm_memory_opts *o)
{
	const struct space_opts space = space_opts_of(o);

	if (o->pid > INT32_MAX)
		return "--vm is no process id";
	if (o->fault_in && !o->pid)
		return "--fault-in is for --vm";
	return target_vm_contradiction(&space);
}

uint64_t vm_memory_first(const struct vm_memory_opts *o)
{
	return o->gva.given ? o->gva.value : o->gpa.value;
}

/* ---- pages that the process does not have ------------------------------------------------ */

int vm_memory_fetch(struct vm_memory *m, uint64_t hva)
{
	char byte;
	const struct iovec to = { &byte, 1 };
	/* An address there, which is no pointer here. */
	const struct iovec from = { (void *)(uintptr_t)hva, 1 };

	if (!m->opts->fault_in)
		return -EOPNOTSUPP;
	if (++m->fetches > FETCHES)
		return -EAGAIN;
	return process_vm_readv((pid_t)m->opts->pid, &to, 1, &from, 1, 0) == 1 ? 0 : -errno;
}

/* The end of a sentence that has said what is absent. */
static const char *why_not_fetched(int err)
{
	switch (err) {
	case -EOPNOTSUPP:
		return "";
	case -EAGAIN:
		return "; it was fetched, and taken away again each time";
	case -EFAULT:
		return "; the kernel cannot fetch it either";
	case -EPERM:
		return "; it may not be fetched: not permitted";
	default:
		return "; it could not be fetched";
	}
}

int vm_memory_fetch_table(struct vm_memory *m, struct guest_run *run)
{
	int not_fetched = run->slot ? vm_memory_fetch(m, run->hva) : -EOPNOTSUPP;

	if (!not_fetched)
		run->len = 0;
	return not_fetched;
}

uint64_t vm_memory_why_host(struct vm_memory *m, uint64_t hva, int err, int not_fetched, char *why)
{
	char said[ABSENT_WHY_LEN];
	uint64_t n = absent_why(&m->absent, hva, err, said) - hva;

	if (m->opts->fault_in && absent_mapping(&m->absent, hva) && n > PAGE_SIZE - hva % PAGE_SIZE)
		n = PAGE_SIZE - hva % PAGE_SIZE;
	snprintf(why, GAP_WHY_LEN, "in the VM's process: %s%s", said, why_not_fetched(not_fetched));
	return n;
}

static void why_table(struct vm_memory *m, const struct guest_run *run, int not_fetched, char *why)
{
	char said[GAP_WHY_LEN] = "in no memory slot";

	if (run->slot)
		vm_memory_why_host(m, run->hva, -ENXIO, not_fetched, said);
	snprintf(why, GAP_WHY_LEN,
		 "the guest's %s at guest-physical 0x%" PRIx64 " is unreadable: %.170s",
		 pt_level_name(m->space.fmt, run->end.level), run->gpa, said);
}

void vm_memory_why_run(struct vm_memory *m, const struct guest_run *run, int not_fetched, char *why)
{
	bool canonical = run->end.why != PT_WHY_NONCANONICAL;

	if (run->kind == GUEST_RUN_TABLE)
		why_table(m, run, not_fetched, why);
	else if (run->kind == GUEST_RUN_HOLE)
		snprintf(why, GAP_WHY_LEN, "the guest's tables lead to none: %s%s%s",
			 pt_why_name(run->end.why), canonical ? " at " : "",
			 canonical ? pt_level_name(m->space.fmt, run->end.level) : "");
	else
		snprintf(why, GAP_WHY_LEN,
			 "no memory slot: a device that the VM's process plays, or nothing");
}

/* ---- slots that change ------------------------------------------------------------------ */

static void use_slots(struct vm_memory *m)
{
	m->map.slots = guest_slots(m->target.vm);
	m->map.nr_slots = guest_vm(m->target.vm)->nr_slots;
	pt_mem_cache_invalidate(&m->cache, 0, UINT64_MAX);
}

int vm_memory_still_so(struct vm_memory *m, struct gaps *gaps, uint64_t at)
{
	int changed = guest_refresh(m->target.vm);

	if (!changed)
		return 1;
	if (changed > 0)
		use_slots(m);
	if (changed > 0 && ++m->changes <= CHANGES)
		return 0;
	gaps_tell(gaps);
	msg_error("%s, 0x%" PRIx64 ": %s", m->target.name, at,
		  changed < 0 ? ptremap_vm_strerror(changed)
			      : "its memory slots were others after each try");
	return changed < 0 ? changed : -EAGAIN;
}

void vm_memory_progress(struct vm_memory *m)
{
	m->fetches = 0;
	m->changes = 0;
}

/* ---- reading ---------------------------------------------------------------------------- */

static int failed(struct vm_read *r, uint64_t at, int err)
{
	gaps_tell(&r->out.gaps);
	msg_error("%s, 0x%" PRIx64 ": %s", r->m.target.name, at, ptremap_memory_strerror(err));
	r->failed = true;
	return 0;
}

static bool still_so(struct vm_read *r, uint64_t at)
{
	int so = vm_memory_still_so(&r->m, &r->out.gaps, at);

	r->failed = so < 0;
	return so > 0;
}

static int put_gap(struct vm_read *r, uint64_t at, uint64_t n, const char *why)
{
	vm_memory_progress(&r->m);
	return readout_gap(&r->out, at, n, why);
}

static int put_bytes(struct vm_read *r, uint64_t at, uint64_t n)
{
	if (n)
		vm_memory_progress(&r->m);
	return readout_bytes(&r->out, at, r->buf, n);
}

/*
 * Memory of the VM's process, which is at @at for the guest: as much as comes in one transfer, and
 * what is absent behind it. run->len is then how much that was.
 */
static int read_memory(struct vm_read *r, uint64_t at, struct guest_run *run)
{
	uint64_t done, n, len = run->len;
	struct live *host = r->m.host;
	char why[GAP_WHY_LEN];
	int err = ptremap_memory(live_fd(host), 0, live_pid(host), run->hva, r->buf, len, &done);
	int not_fetched, put;

	run->len = 0;
	if (!still_so(r, at))
		return 0;
	run->len = done;
	put = put_bytes(r, at, done);
	if (!err || put)
		return put;
	if (!absent_is_page(err))
		return failed(r, at + done, err);
	not_fetched = err == -ENXIO ? vm_memory_fetch(&r->m, run->hva + done) : -EOPNOTSUPP;
	if (!not_fetched)
		return 0;
	n = vm_memory_why_host(&r->m, run->hva + done, err, not_fetched, why);
	if (n > len - done)
		n = len - done;
	run->len += n;
	return put_gap(r, at + done, n, why);
}

static int read_gap(struct vm_read *r, uint64_t at, struct guest_run *run)
{
	char why[GAP_WHY_LEN];
	int not_fetched = -EOPNOTSUPP;

	if (run->kind == GUEST_RUN_TABLE)
		not_fetched = vm_memory_fetch_table(&r->m, run);
	if (!not_fetched)
		return 0;
	vm_memory_why_run(&r->m, run, not_fetched, why);
	return put_gap(r, at, run->len, why);
}

static int read_run(struct vm_read *r, uint64_t at, struct guest_run *run)
{
	if (run->kind == GUEST_RUN_MEMORY)
		return read_memory(r, at, run);
	if (still_so(r, at))
		return read_gap(r, at, run);
	run->len = 0;
	return 0;
}

/* What was cached of the guest's tables is forgotten each time: writing may take long. */
static int read_piece(struct vm_read *r, uint64_t at, uint64_t len)
{
	struct guest_run run;
	int put = 0;

	pt_mem_cache_invalidate(&r->m.cache, 0, UINT64_MAX);
	for (; len && !put && !r->failed; at += run.len, len -= run.len) {
		guest_run_at(&r->m.map, at, len, &run);
		put = read_run(r, at, &run);
	}
	return put;
}

static int read_all(struct vm_read *r, uint64_t len)
{
	uint64_t at = vm_memory_first(r->m.opts), n;
	int put = 0, status;

	for (; len && !put && !r->failed; at += n, len -= n) {
		n = len < VM_MEMORY_PIECE ? len : VM_MEMORY_PIECE;
		put = read_piece(r, at, n);
	}
	status = readout_end(&r->out, put);
	return r->failed ? EXIT_FAILED : status;
}

int vm_memory_read(const struct vm_memory_opts *o, uint64_t len, bool raw)
{
	struct vm_read r = { .m = { .opts = o }, .out = READOUT_INIT(raw) };
	int status = vm_memory_open(&r.m);

	if (!status) {
		r.buf = malloc(VM_MEMORY_PIECE);
		if (!r.buf)
			msg_error("%s", strerror(ENOMEM));
		status = r.buf ? read_all(&r, len) : EXIT_FAILED;
	}
	free(r.buf);
	vm_memory_close(&r.m);
	return status;
}

/* ---- opening ---------------------------------------------------------------------------- */

static int open_map(struct vm_memory *m)
{
	struct guest *guest = m->target.vm;
	int err;

	m->lines = calloc(CACHE_LINES, sizeof(*m->lines));
	if (!m->lines)
		return -ENOMEM;
	m->host = guest_host(guest);
	m->absent.live = m->host;
	if (m->opts->gva.given) {
		m->space = m->target.view.guest_space;
		m->space.mem = &m->cache.mem;
		m->map.space = &m->space;
	}
	err = pt_mem_cache_init(&m->cache, guest_mem(guest), m->lines, CACHE_LINES);
	if (!err)
		use_slots(m);
	return err;
}

int vm_memory_open(struct vm_memory *m)
{
	const struct space_opts space = space_opts_of(m->opts);
	int err, status = target_open(&m->target, &space, 0, NULL, NULL);

	if (status)
		return status;
	err = open_map(m);
	if (err)
		msg_error("%s", strerror(-err));
	return err ? EXIT_FAILED : EXIT_DONE;
}

void vm_memory_close(struct vm_memory *m)
{
	free(m->lines);
	target_close(&m->target);
}
