// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/base/msg.h"
#include "user/cmd/absent.h"
#include "user/cmd/program.h"
#include "user/cmd/readout.h"
#include "user/kernel/helper.h"
#include "user/kernel/kinfo.h"
#include "user/kernel/live.h"
#include "user/pt/pt_linux.h"

#define PAGE_SIZE 4096
#define PIECE	  (1U << 20) /* bytes that are transferred at once */

struct memory {
	const struct memory_opts *opts;
	struct live *live;
	int pidfd; /* or -errno: it goes by its number */
	char *buf; /* PIECE bytes */
	struct absent absent;
	struct gaps gaps; /* what is not written */
};

static int transfer(struct memory *m, uint32_t flags, uint64_t va, void *buf, uint64_t len,
		    uint64_t *done)
{
	int fd = live_fd(m->live);

	if (m->pidfd >= 0)
		return ptremap_memory(fd, flags | PTREMAP_PIDFD, m->pidfd, va, buf, len, done);
	return ptremap_memory(fd, flags, (pid_t)m->opts->pid, va, buf, len, done);
}

/* ---- why not ---------------------------------------------------------------------------- */

static void say_read_only(struct memory *m, uint64_t va, char *why)
{
	const struct proc_maps_entry *e = absent_mapping(&m->absent, va);
	const char *what = "read-only memory";

	if (e && e->prot & PROT_WRITE)
		what = e->shared ? "a page whose file system wants to hear of writes"
				 : "copy-on-write: others may have the same page";
	snprintf(why, ABSENT_WHY_LEN, "%s%s", what,
		 m->opts->force ? "" : " (--force writes there)");
}

/* As absent_why(), for errors of writing, too. */
static uint64_t say_why(struct memory *m, uint64_t va, int err, char *why)
{
	if (err != -EROFS)
		return absent_why(&m->absent, va, err, why);
	say_read_only(m, va, why);
	return (va | (PAGE_SIZE - 1)) + 1;
}

/* Notes what is left out at @va, at most @len bytes: how many. */
static uint64_t leave_out(struct memory *m, uint64_t va, uint64_t len, int err)
{
	char why[ABSENT_WHY_LEN];
	uint64_t n = say_why(m, va, err, why) - va;

	if (n > len)
		n = len;
	gaps_add(&m->gaps, va, n, why);
	return n;
}

static int failed(struct memory *m, uint64_t va, int err, const char *what)
{
	msg_error("pid %" PRIu32 ", 0x%" PRIx64 ": %s%s", m->opts->pid, va,
		  ptremap_memory_strerror(err), what);
	return EXIT_FAILED;
}

/* ---- read ------------------------------------------------------------------------------- */

static int read_gap(struct memory *m, struct readout *out, uint64_t va, uint64_t len, int err,
		    uint64_t *n)
{
	char why[ABSENT_WHY_LEN];

	*n = absent_why(&m->absent, va, err, why) - va;
	if (*n > len)
		*n = len;
	return readout_gap(out, va, *n, why);
}

static int read_all(struct memory *m)
{
	struct readout out = READOUT_INIT(m->opts->raw);
	uint64_t va = m->opts->va, len = m->opts->len, done, n;
	int err, put = 0;

	for (; len && !put; va += done, len -= done) {
		err = transfer(m, 0, va, m->buf, len < PIECE ? len : PIECE, &done);
		put = readout_bytes(&out, va, m->buf, done);
		if (!err || put)
			continue;
		if (!absent_is_page(err)) {
			readout_end(&out, 0);
			return failed(m, va + done, err, "");
		}
		put = read_gap(m, &out, va + done, len - done, err, &n);
		done += n;
	}
	return readout_end(&out, put);
}

/* ---- write ------------------------------------------------------------------------------ */

/* 0; -ENXIO: there is no page; -EROFS: the process may not write there. Of the copied tables. */
static int check_page(const struct memory *m, uint64_t va)
{
	const struct pt_space *space = live_space(m->live);
	struct pt_linux says;
	struct pt_path path;
	bool writable;

	switch (pt_lookup(space, va, &path)) {
	case PT_LEAF:
		writable = path.end.perm & PT_PERM_W;
		break;
	case PT_HOLE:
		pt_linux_decode(space->fmt, path.end.level, path.end.entry, kinfo_version(), &says);
		if (says.kind != PT_LINUX_PROTNONE)
			return -ENXIO;
		writable = path.end.entry & PT_RW;
		break;
	default:
		return -ENXIO;
	}
	return writable || m->opts->force ? 0 : -EROFS;
}

/* All of it first, so that nothing is half written. 0, or the exit status after lines on stderr. */
static int check_all(struct memory *m)
{
	uint64_t va = m->opts->va, len = m->opts->len, n;
	int err = live_load(m->live, va, va + len - 1);

	m->gaps.what = "cannot be written";
	if (err)
		return failed(m, va, err, "; nothing was written");
	for (; len; va += n, len -= n) {
		err = check_page(m, va);
		n = PAGE_SIZE - va % PAGE_SIZE;
		if (n > len)
			n = len;
		if (err)
			n = leave_out(m, va, len, err);
		else
			gaps_tell(&m->gaps);
	}
	gaps_tell(&m->gaps);
	if (!m->gaps.any)
		return EXIT_DONE;
	msg_error("nothing was written (--partial writes what can be)");
	return EXIT_FAILED;
}

static int write_all(struct memory *m)
{
	uint32_t flags = PTREMAP_PHYS_WRITE | (m->opts->force ? PTREMAP_PHYS_FORCE : 0);
	uint64_t va = m->opts->va, len = m->opts->len, done, written = 0;
	char *from = (char *)(uintptr_t)m->opts->bytes, said[64];
	int err;

	m->gaps = (struct gaps){ .what = "were not written" };
	for (; len; va += done, from += done, len -= done) {
		err = transfer(m, flags, va, from, len, &done);
		if (done)
			gaps_tell(&m->gaps);
		written += done;
		if (!err)
			continue;
		if (!absent_is_page(err)) {
			gaps_tell(&m->gaps);
			snprintf(said, sizeof(said), "; %" PRIu64 " bytes were written before",
				 written);
			return failed(m, va + done, err, said);
		}
		done += leave_out(m, va + done, len - done, err);
	}
	gaps_tell(&m->gaps);
	if (!m->gaps.any)
		return EXIT_DONE;
	msg_error("%" PRIu64 " of %" PRIu64 " bytes were written", written, m->opts->len);
	return EXIT_FAILED;
}

static int write_checked(struct memory *m)
{
	int status = m->opts->partial ? EXIT_DONE : check_all(m);

	return status ? status : write_all(m);
}

/* ---- both ------------------------------------------------------------------------------- */

static int no_process(const struct memory_opts *o, int err)
{
	msg_error("pid %" PRIu32 ": %s", o->pid,
		  err == -ENXIO ? "it has no memory: a kernel thread, or a process that has ended"
				: ptremap_strerror(err));
	return EXIT_FAILED;
}

/* A first look tells a process without memory from one without a page. */
static int open_memory(struct memory *m)
{
	struct ptremap_page page;
	int err;

	m->pidfd = (int)syscall(SYS_pidfd_open, (pid_t)m->opts->pid, 0);
	err = live_open(&m->live, (pid_t)m->opts->pid, 0);
	if (!err)
		err = live_error(m->live);
	if (err)
		return err;
	m->absent.live = m->live;
	return live_walk(m->live, m->opts->va, &page);
}

static int run(const struct memory_opts *o, int (*what)(struct memory *m))
{
	struct memory m = { .opts = o, .buf = malloc(PIECE) };
	int status, err = m.buf ? open_memory(&m) : -ENOMEM;

	status = err ? no_process(o, err) : what(&m);
	if (m.pidfd >= 0)
		close(m.pidfd);
	live_close(m.live);
	free(m.buf);
	return status;
}

int memory_read(const struct memory_opts *o)
{
	return run(o, read_all);
}

int memory_write(const struct memory_opts *o)
{
	return run(o, write_checked);
}
