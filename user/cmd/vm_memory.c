// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/vm_memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "user/base/msg.h"
#include "user/cmd/absent.h"
#include "user/cmd/program.h"
#include "user/cmd/readout.h"
#include "user/cmd/target.h"
#include "user/cmd/target_vm.h"
#include "user/kernel/helper.h"
#include "user/pt/pt_entry.h"
#include "user/pt/pt_mem_cache.h"
#include "user/space/guest_run.h"

#define PAGE_SIZE   4096
#define PIECE	    (1U << 20) /* bytes that are transferred at once */
#define CACHE_LINES 128
/* For one byte the process may lack the page, and each table on the way; and lose them again. */
#define FETCHES (4 * (PT_MAX_LEVEL + 1))
/* Of a transfer, while the VM's slots are others after each. */
#define CHANGES 64

struct vm_memory {
	const struct vm_memory_opts *opts;
	struct target target;
	struct live *host; /* the target's */
	struct pt_cache_line *lines;
	struct pt_mem_cache cache; /* of the guest's memory: for its tables */
	struct pt_space space;	   /* the guest's tables as the cache has them */
	struct guest_map map;
	struct absent absent;
	struct readout out;
	char *buf;	      /* PIECE bytes */
	unsigned int fetches; /* since the last byte or gap */
	unsigned int changes; /* the same */
	bool failed;	      /* and why was told */
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

/*
 * The VM's process gets a page at @hva, as if it had read there. 0: worth another try; -EOPNOTSUPP:
 * this was not asked for; or -errno of what the kernel said.
 */
static int fetch(struct vm_memory *m, uint64_t hva)
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

/*
 * In @why the reason for @err at @hva, and for @not_fetched. Returns how many bytes it is about: of
 * pages that were to be fetched no more than were tried, unless there is nothing that could be.
 */
static uint64_t why_host(struct vm_memory *m, uint64_t hva, int err, int not_fetched, char *why)
{
	char said[ABSENT_WHY_LEN];
	uint64_t n = absent_why(&m->absent, hva, err, said) - hva;

	if (m->opts->fault_in && absent_mapping(&m->absent, hva) && n > PAGE_SIZE - hva % PAGE_SIZE)
		n = PAGE_SIZE - hva % PAGE_SIZE;
	snprintf(why, GAP_WHY_LEN, "in the VM's process: %s%s", said, why_not_fetched(not_fetched));
	return n;
}

/* ---- runs ------------------------------------------------------------------------------- */

static int failed(struct vm_memory *m, uint64_t at, int err)
{
	gaps_tell(&m->out.gaps);
	msg_error("%s, 0x%" PRIx64 ": %s", m->target.name, at, ptremap_memory_strerror(err));
	m->failed = true;
	return 0;
}

static void use_slots(struct vm_memory *m)
{
	m->map.slots = guest_slots(m->target.vm);
	m->map.nr_slots = guest_vm(m->target.vm)->nr_slots;
	pt_mem_cache_invalidate(&m->cache, 0, UINT64_MAX);
}

/* What was found out at @at counts only if the VM's slots are as they were. */
static bool still_so(struct vm_memory *m, uint64_t at)
{
	int changed = guest_refresh(m->target.vm);

	if (!changed)
		return true;
	if (changed > 0)
		use_slots(m);
	if (changed > 0 && ++m->changes <= CHANGES)
		return false;
	gaps_tell(&m->out.gaps);
	msg_error("%s, 0x%" PRIx64 ": %s", m->target.name, at,
		  changed < 0 ? ptremap_vm_strerror(changed)
			      : "its memory slots were others after each try");
	m->failed = true;
	return false;
}

static int put_gap(struct vm_memory *m, uint64_t at, uint64_t n, const char *why)
{
	m->fetches = 0;
	m->changes = 0;
	return readout_gap(&m->out, at, n, why);
}

static int put_bytes(struct vm_memory *m, uint64_t at, uint64_t n)
{
	if (n) {
		m->fetches = 0;
		m->changes = 0;
	}
	return readout_bytes(&m->out, at, m->buf, n);
}

/*
 * Memory of the VM's process, which is at @at for the guest: as much as comes in one transfer, and
 * what is absent behind it. run->len is then how much that was.
 */
static int read_memory(struct vm_memory *m, uint64_t at, struct guest_run *run)
{
	uint64_t done, n, len = run->len;
	char why[GAP_WHY_LEN];
	int not_fetched, put,
		err = ptremap_memory(live_fd(m->host), 0, live_pid(m->host), run->hva, m->buf, len,
				     &done);

	run->len = 0;
	if (!still_so(m, at))
		return 0;
	run->len = done;
	put = put_bytes(m, at, done);
	if (!err || put)
		return put;
	if (!absent_is_page(err))
		return failed(m, at + done, err);
	not_fetched = err == -ENXIO ? fetch(m, run->hva + done) : -EOPNOTSUPP;
	if (!not_fetched)
		return 0;
	n = why_host(m, run->hva + done, err, not_fetched, why);
	if (n > len - done)
		n = len - done;
	run->len += n;
	return put_gap(m, at + done, n, why);
}

static void why_table(struct vm_memory *m, const struct guest_run *run, int not_fetched, char *why)
{
	char said[GAP_WHY_LEN] = "in no memory slot";

	if (run->slot)
		why_host(m, run->hva, -ENXIO, not_fetched, said);
	snprintf(why, GAP_WHY_LEN,
		 "the guest's %s at guest-physical 0x%" PRIx64 " is unreadable: %.170s",
		 pt_level_name(m->space.fmt, run->end.level), run->gpa, said);
}

static int read_gap(struct vm_memory *m, uint64_t at, struct guest_run *run)
{
	char why[GAP_WHY_LEN];
	int not_fetched = -EOPNOTSUPP;

	switch (run->kind) {
	case GUEST_RUN_MEMORY:
		return 0; /* is no gap */
	case GUEST_RUN_HOLE:
		snprintf(why, sizeof(why), "the guest's tables lead to none: %s%s%s",
			 pt_why_name(run->end.why),
			 run->end.why == PT_WHY_NONCANONICAL ? "" : " at ",
			 run->end.why == PT_WHY_NONCANONICAL
				 ? ""
				 : pt_level_name(m->space.fmt, run->end.level));
		break;
	case GUEST_RUN_TABLE:
		if (run->slot)
			not_fetched = fetch(m, run->hva);
		if (!not_fetched) {
			run->len = 0; /* the walk is made again */
			return 0;
		}
		why_table(m, run, not_fetched, why);
		break;
	case GUEST_RUN_SLOT:
		snprintf(why, sizeof(why),
			 "no memory slot: a device that the VM's process plays, or nothing");
		break;
	}
	return put_gap(m, at, run->len, why);
}

static int read_run(struct vm_memory *m, uint64_t at, struct guest_run *run)
{
	if (run->kind == GUEST_RUN_MEMORY)
		return read_memory(m, at, run);
	if (still_so(m, at))
		return read_gap(m, at, run);
	run->len = 0;
	return 0;
}

/* What was cached of the guest's tables is forgotten each time: writing may take long. */
static int read_piece(struct vm_memory *m, uint64_t at, uint64_t len)
{
	struct guest_run run;
	int put = 0;

	pt_mem_cache_invalidate(&m->cache, 0, UINT64_MAX);
	for (; len && !put && !m->failed; at += run.len, len -= run.len) {
		guest_run_at(&m->map, at, len, &run);
		put = read_run(m, at, &run);
	}
	return put;
}

static int read_all(struct vm_memory *m, uint64_t len)
{
	uint64_t at = vm_memory_first(m->opts), n;
	int put = 0, status;

	for (; len && !put && !m->failed; at += n, len -= n) {
		n = len < PIECE ? len : PIECE;
		put = read_piece(m, at, n);
	}
	status = readout_end(&m->out, put);
	return m->failed ? EXIT_FAILED : status;
}

/* ---- opening ---------------------------------------------------------------------------- */

static int open_memory(struct vm_memory *m)
{
	struct guest *guest = m->target.vm;
	int err;

	m->buf = malloc(PIECE);
	m->lines = calloc(CACHE_LINES, sizeof(*m->lines));
	if (!m->buf || !m->lines)
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

int vm_memory_read(const struct vm_memory_opts *o, uint64_t len, bool raw)
{
	const struct space_opts space = space_opts_of(o);
	struct vm_memory m = { .opts = o, .out = READOUT_INIT(raw) };
	int err, status = target_open(&m.target, &space, 0, NULL, NULL);

	if (status)
		return status;
	err = open_memory(&m);
	if (err)
		msg_error("%s", strerror(-err));
	status = err ? EXIT_FAILED : read_all(&m, len);
	free(m.lines);
	free(m.buf);
	target_close(&m.target);
	return status;
}
