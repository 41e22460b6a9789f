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

/* Of bytes as they are: what is asked for each piece (slots, tables) is little beside so many. */
#define RAW_PIECE (4 * VM_MEMORY_PIECE)

struct vm_read {
	struct vm_memory m;
	struct readout out;
	uint64_t at;	  /* what lies before was told */
	char *buf;	  /* ->piece bytes: what was read from ->at on */
	uint64_t pending; /* so many of them */
	uint64_t piece;
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

static int failed(struct vm_read *r, int err)
{
	gaps_tell(&r->out.gaps);
	msg_error("%s, 0x%" PRIx64 ": %s", r->m.target.name, r->at, ptremap_memory_strerror(err));
	r->failed = true;
	return 0;
}

static bool still_so(struct vm_read *r)
{
	int so = vm_memory_still_so(&r->m, &r->out.gaps, r->at);

	r->failed = so < 0;
	return so > 0;
}

static int put_gap(struct vm_read *r, uint64_t n, const char *why)
{
	vm_memory_progress(&r->m);
	r->at += n;
	return readout_gap(&r->out, r->at - n, n, why);
}

/* What is pending is told, or forgotten: then it is to be read again. */
static int settle(struct vm_read *r)
{
	uint64_t n = r->pending;

	r->pending = 0;
	if (!still_so(r))
		return 0;
	vm_memory_progress(&r->m);
	r->at += n;
	return readout_bytes(&r->out, r->at - n, r->buf, n);
}

/* The page at ->at of the VM's process could not be read. Of @run no more than this is about. */
static int no_page(struct vm_read *r, const struct guest_run *run, int err)
{
	char why[GAP_WHY_LEN];
	int not_fetched;
	uint64_t n;

	if (!absent_is_page(err))
		return failed(r, err);
	not_fetched = err == -ENXIO ? vm_memory_fetch(&r->m, run->hva) : -EOPNOTSUPP;
	if (!not_fetched)
		return 0;
	n = vm_memory_why_host(&r->m, run->hva, err, not_fetched, why);
	return put_gap(r, n < run->len ? n : run->len, why);
}

/* Memory of the VM's process. What comes before a page that is absent is told before that is. */
static int read_memory(struct vm_read *r, const struct guest_run *run)
{
	struct live *host = r->m.host;
	uint64_t done;
	int err = ptremap_memory(live_fd(host), 0, live_pid(host), run->hva, r->buf + r->pending,
				 run->len, &done);

	r->pending += done;
	if (!err)
		return 0;
	if (r->pending)
		return settle(r);
	return still_so(r) ? no_page(r, run, err) : 0;
}

static int read_gap(struct vm_read *r, struct guest_run *run)
{
	char why[GAP_WHY_LEN];
	int not_fetched = -EOPNOTSUPP;

	if (run->kind == GUEST_RUN_TABLE)
		not_fetched = vm_memory_fetch_table(&r->m, run);
	if (!not_fetched)
		return 0;
	vm_memory_why_run(&r->m, run, not_fetched, why);
	return put_gap(r, run->len, why);
}

/* One step of the way to r->at + @len. */
static int read_run(struct vm_read *r, uint64_t len)
{
	struct guest_run run;

	if (r->pending == len)
		return settle(r);
	guest_run_at(&r->m.map, r->at + r->pending, len - r->pending, &run);
	if (run.kind == GUEST_RUN_MEMORY)
		return read_memory(r, &run);
	if (r->pending)
		return settle(r);
	return still_so(r) ? read_gap(r, &run) : 0;
}

/* What was cached of the guest's tables is forgotten each time: writing may take long. */
static int read_piece(struct vm_read *r, uint64_t len)
{
	uint64_t end = r->at + len; /* 0 behind the last address */
	int put = 0;

	pt_mem_cache_invalidate(&r->m.cache, 0, UINT64_MAX);
	while (r->at != end && !put && !r->failed)
		put = read_run(r, end - r->at);
	return put;
}

static int read_all(struct vm_read *r, uint64_t len)
{
	uint64_t n;
	int put = 0, status;

	r->at = vm_memory_first(r->m.opts);
	for (; len && !put && !r->failed; len -= n) {
		n = len < r->piece ? len : r->piece;
		put = read_piece(r, n);
	}
	status = readout_end(&r->out, put);
	return r->failed ? EXIT_FAILED : status;
}

int vm_memory_read(const struct vm_memory_opts *o, uint64_t len, bool raw)
{
	struct vm_read r = {
		.m = { .opts = o },
		.out = READOUT_INIT(raw),
		.piece = raw ? RAW_PIECE : VM_MEMORY_PIECE,
	};
	int status = vm_memory_open(&r.m);

	if (!status) {
		r.buf = malloc(r.piece);
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
