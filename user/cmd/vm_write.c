// SPDX-License-Identifier: GPL-2.0
/*
 * Writing a guest's memory. The guest's tables are followed once, into runs of guest-physical
 * memory; the helper module makes the pages of all runs ready, and only then the first byte is
 * written. What it writes is in KVM's dirty log, and copied before where it is copy-on-write.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/cmd/program.h"
#include "user/cmd/vm_memory_priv.h"
#include "user/kernel/helper.h"

#define PAGE_SIZE 4096

/* Memory that is contiguous for KVM, or a gap. */
struct run {
	uint64_t at, gpa, len;
};

struct vm_write {
	struct vm_memory m;
	const char *bytes;
	uint64_t len;
	bool partial;
	struct run *runs;
	size_t nr, room;
	struct gaps gaps;
	uint64_t written;
};

/* ---- where it goes to ------------------------------------------------------------------- */

static int add_run(struct vm_write *w, uint64_t at, const struct guest_run *run)
{
	struct run *more;

	if (w->nr == w->room) {
		w->room = w->room ? 2 * w->room : 64;
		more = reallocarray(w->runs, w->room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		w->runs = more;
	}
	w->runs[w->nr++] = (struct run){ .at = at, .gpa = run->gpa, .len = run->len };
	return 0;
}

static int plan_run(struct vm_write *w, uint64_t at, struct guest_run *run)
{
	char why[GAP_WHY_LEN];
	int not_fetched = -EOPNOTSUPP, so = vm_memory_still_so(&w->m, &w->gaps, at);

	if (so <= 0) {
		run->len = 0;
		return so;
	}

	if (run->kind == GUEST_RUN_MEMORY) {
		gaps_tell(&w->gaps);
		vm_memory_progress(&w->m);
		return add_run(w, at, run);
	}
	if (run->kind == GUEST_RUN_TABLE)
		not_fetched = vm_memory_fetch_table(&w->m, run);
	if (!not_fetched)
		return 0;
	vm_memory_why_run(&w->m, run, not_fetched, why);
	gaps_add(&w->gaps, at, run->len, why);
	vm_memory_progress(&w->m);
	return 0;
}

static int plan(struct vm_write *w)
{
	uint64_t at = vm_memory_first(w->m.opts), len = w->len;
	struct guest_run run;
	int err = 0;

	pt_mem_cache_invalidate(&w->m.cache, 0, UINT64_MAX);
	for (; len && !err; at += run.len, len -= run.len) {
		guest_run_at(&w->m.map, at, len, &run);
		err = plan_run(w, at, &run);
	}
	gaps_tell(&w->gaps);
	if (err == -ENOMEM)
		msg_error("%s", strerror(ENOMEM));
	return err;
}

/* ---- both passes ------------------------------------------------------------------------ */

/* Errors of one page, behind which others may be writable. */
static bool is_page(int err)
{
	return err == -ENXIO || err == -EROFS || err == -ENODATA;
}

static int stopped(struct vm_write *w, uint64_t at, int err)
{
	gaps_tell(&w->gaps);
	msg_error("%s, 0x%" PRIx64 ": %s; %" PRIu64 " bytes were written before", w->m.target.name,
		  at, ptremap_guest_strerror(err), w->written);
	return err;
}

/* 0: it went on behind gaps; or -errno, after a line on stderr. */
static int pass_run(struct vm_write *w, const struct run *run, uint32_t flags)
{
	const struct ptremap_vm *vm = guest_vm(w->m.target.vm);
	const char *from = w->bytes + (run->at - vm_memory_first(w->m.opts));
	uint64_t at = 0, done, n;
	int err;

	for (; at < run->len; at += done) {
		err = ptremap_guest_write(live_fd(w->m.host), flags, vm->pid, vm->fd, run->gpa + at,
					  from + at, run->len - at, &done);
		if (!(flags & PTREMAP_PHYS_CHECK))
			w->written += done;
		if (done)
			gaps_tell(&w->gaps);
		if (!err)
			continue;
		if (!is_page(err) || (!w->partial && !(flags & PTREMAP_PHYS_CHECK)))
			return stopped(w, run->at + at + done, err);
		n = PAGE_SIZE - (run->gpa + at + done) % PAGE_SIZE;
		if (n > run->len - at - done)
			n = run->len - at - done;
		gaps_add(&w->gaps, run->at + at + done, n, ptremap_guest_strerror(err));
		done += n;
	}
	return 0;
}

static int pass(struct vm_write *w, uint32_t flags)
{
	int err = 0;
	size_t i;

	for (i = 0; i < w->nr && !err; i++)
		err = pass_run(w, &w->runs[i], flags);
	gaps_tell(&w->gaps);
	return err;
}

/* ---- all of it -------------------------------------------------------------------------- */

static int nothing_written(void)
{
	msg_error("nothing was written (--partial writes what can be)");
	return EXIT_FAILED;
}

/* With --partial the gaps of the plan are those of the end, too. */
static int write_all(struct vm_write *w)
{
	w->gaps.what = w->partial ? "were not written" : "cannot be written";
	if (plan(w))
		return EXIT_FAILED;
	if (!w->partial && pass(w, PTREMAP_PHYS_CHECK))
		return EXIT_FAILED;
	if (!w->partial && w->gaps.any)
		return nothing_written();
	if (pass(w, 0))
		return EXIT_FAILED;
	if (!w->gaps.any)
		return EXIT_DONE;
	msg_error("%" PRIu64 " of %" PRIu64 " bytes were written", w->written, w->len);
	return EXIT_FAILED;
}

int vm_memory_write(const struct vm_memory_opts *o, const char *bytes, uint64_t len, bool partial)
{
	/* Tables that are swapped out come back, as the pages do that are written to. */
	struct vm_memory_opts fetching = *o;
	struct vm_write w = {
		.m = { .opts = &fetching }, .bytes = bytes, .len = len, .partial = partial
	};
	int status;

	fetching.fault_in = true;
	status = vm_memory_open(&w.m);
	if (!status)
		status = write_all(&w);
	free(w.runs);
	vm_memory_close(&w.m);
	return status;
}
