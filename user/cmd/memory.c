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

#include "user/base/hex.h"
#include "user/base/line.h"
#include "user/base/msg.h"
#include "user/cmd/output.h"
#include "user/cmd/program.h"
#include "user/kernel/helper.h"
#include "user/kernel/kinfo.h"
#include "user/kernel/live.h"
#include "user/kernel/proc_maps.h"
#include "user/pt/pt_entry.h"
#include "user/pt/pt_linux.h"
#include "user/show/entry_text.h"

#define PAGE_SIZE 4096
#define PIECE	  (1U << 20) /* bytes that are transferred at once */
#define WHY_LEN	  160

struct memory {
	const struct memory_opts *opts;
	struct live *live;
	int pidfd; /* or -errno: it goes by its number */
	char *buf; /* PIECE bytes */
	struct line line;
	struct proc_maps_entry
		near; /* the mapping at the address that was asked for last, or next */
	/* What could not be had: a range, and why. */
	uint64_t out, out_len;
	char why[WHY_LEN];
	bool incomplete;
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

struct search {
	uint64_t va;
	struct proc_maps_entry *found;
};

static int is_near(void *ctx, const struct proc_maps_entry *e)
{
	struct search *s = ctx;

	if (e->end <= s->va)
		return 0;
	*s->found = *e;
	return 1;
}

/* m->near becomes the first mapping that ends behind @va. False: there is none. */
static bool find_near(struct memory *m, uint64_t va)
{
	struct search s = { va, &m->near };

	if (m->near.start <= va && va < m->near.end)
		return true;
	m->near = (struct proc_maps_entry){ .start = UINT64_MAX, .end = UINT64_MAX };
	return proc_maps_each(m->opts->pid, is_near, &s) == 1;
}

/* Of an address that is mapped, but has no page. */
static void say_entry(char *why, const struct pt_fmt *fmt, const struct pt_walk *end)
{
	struct entry_view v = { .fmt = fmt,
				.entry = end->entry,
				.level = end->level,
				.linux_version = kinfo_version() };
	struct line l = { 0 };

	if (!end->entry) {
		snprintf(why, WHY_LEN, "mapped, but there is no page yet: nothing at %s",
			 pt_level_name(fmt, end->level));
		return;
	}
	linux_line(&l, &v);
	line_char(&l, '\0');
	snprintf(why, WHY_LEN, "no page: %s at %s", l.failed ? "an entry" : l.buf,
		 pt_level_name(fmt, end->level));
	line_free(&l);
}

/* The page at @va is absent: in @why the reason; returns the first address behind its like. */
static uint64_t say_absent(struct memory *m, uint64_t va, char *why)
{
	const struct pt_space *space = live_space(m->live);
	struct ptremap_page page;
	struct pt_path path;
	uint64_t size = PAGE_SIZE, end;

	if (!find_near(m, va) || va < m->near.start) {
		snprintf(why, WHY_LEN, "nothing is mapped there");
		return m->near.start;
	}
	if (live_walk(m->live, va, &page)) {
		snprintf(why, WHY_LEN, "no page was there");
		return (va | (PAGE_SIZE - 1)) + 1;
	}
	pt_lookup(space, va, &path);
	say_entry(why, space->fmt, &path.end);
	if (path.end.kind == PT_HOLE && !path.end.entry)
		size = pt_level_size(space->fmt, path.end.level);
	end = (va | (size - 1)) + 1;
	return end < m->near.end ? end : m->near.end;
}

static void say_read_only(struct memory *m, uint64_t va, char *why)
{
	const char *what = "read-only memory";

	if (find_near(m, va) && m->near.start <= va && m->near.prot & PROT_WRITE)
		what = m->near.shared ? "a page whose file system wants to hear of writes"
				      : "copy-on-write: others may have the same page";
	snprintf(why, WHY_LEN, "%s%s", what, m->opts->force ? "" : " (--force writes there)");
}

/* As say_absent(), for any error of one page. */
static uint64_t say_why(struct memory *m, uint64_t va, int err, char *why)
{
	if (err == -ENXIO)
		return say_absent(m, va, why);
	if (err == -EROFS)
		say_read_only(m, va, why);
	else
		snprintf(why, WHY_LEN, "%s", ptremap_memory_strerror(err));
	return (va | (PAGE_SIZE - 1)) + 1;
}

/* Errors of one page, behind which others may be there. */
static bool is_page_error(int err)
{
	return err == -ENXIO || err == -EIO || err == -ENODEV || err == -EROFS || err == -EAGAIN;
}

static void tell_out(struct memory *m, const char *what)
{
	if (!m->out_len)
		return;
	msg_error("0x%" PRIx64 "-0x%" PRIx64 ": %" PRIu64 " bytes %s: %s", m->out,
		  m->out + m->out_len - 1, m->out_len, what, m->why);
	m->out_len = 0;
	m->incomplete = true;
}

/* Notes what is left out at @va, at most @len bytes: how many. @what: as for tell_out(). */
static uint64_t leave_out(struct memory *m, uint64_t va, uint64_t len, int err, const char *what)
{
	char why[WHY_LEN];
	uint64_t n = say_why(m, va, err, why) - va;

	if (n > len)
		n = len;
	if (m->out_len && (m->out + m->out_len != va || strcmp(m->why, why) != 0))
		tell_out(m, what);
	if (!m->out_len)
		m->out = va;
	memcpy(m->why, why, sizeof(why));
	m->out_len += n;
	return n;
}

static int failed(struct memory *m, uint64_t va, int err, const char *what)
{
	msg_error("pid %" PRIu32 ", 0x%" PRIx64 ": %s%s", m->opts->pid, va,
		  ptremap_memory_strerror(err), what);
	return EXIT_FAILED;
}

/* ---- read ------------------------------------------------------------------------------- */

static int put_bytes(struct memory *m, uint64_t va, uint64_t n)
{
	if (!n)
		return 0;
	if (m->opts->raw) {
		fwrite(m->buf, 1, n, stdout);
		return output_error();
	}
	hex_rows(&m->line, va, m->buf, n);
	return line_write(&m->line, stdout);
}

static int put_zeros(struct memory *m, uint64_t n)
{
	uint64_t part;
	int err = 0;

	if (!m->opts->raw)
		return 0;
	memset(m->buf, 0, PIECE);
	for (; n && !err; n -= part) {
		part = n < PIECE ? n : PIECE;
		err = put_bytes(m, 0, part);
	}
	return err;
}

#define NOT_READ "were not read"

static int read_all(struct memory *m)
{
	uint64_t va = m->opts->va, len = m->opts->len, done, n;
	int err, out = 0;

	for (; len && !out; va += done, len -= done) {
		err = transfer(m, 0, va, m->buf, len < PIECE ? len : PIECE, &done);
		if (done)
			tell_out(m, NOT_READ);
		out = put_bytes(m, va, done);
		if (!err || out)
			continue;
		if (!is_page_error(err)) {
			tell_out(m, NOT_READ);
			return failed(m, va + done, err, "");
		}
		n = leave_out(m, va + done, len - done, err, NOT_READ);
		out = put_zeros(m, n);
		done += n;
	}
	tell_out(m, NOT_READ);
	return out ? output_status(out) : m->incomplete ? EXIT_FAILED : EXIT_DONE;
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

#define NOT_WRITABLE "cannot be written"
#define NOT_WRITTEN  "were not written"

/* All of it first, so that nothing is half written. 0, or the exit status after lines on stderr. */
static int check_all(struct memory *m)
{
	uint64_t va = m->opts->va, len = m->opts->len, n;
	int err = live_load(m->live, va, va + len - 1);

	if (err)
		return failed(m, va, err, "; nothing was written");
	for (; len; va += n, len -= n) {
		err = check_page(m, va);
		n = PAGE_SIZE - va % PAGE_SIZE;
		if (n > len)
			n = len;
		if (err)
			n = leave_out(m, va, len, err, NOT_WRITABLE);
		else
			tell_out(m, NOT_WRITABLE);
	}
	tell_out(m, NOT_WRITABLE);
	if (!m->incomplete)
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

	for (; len; va += done, from += done, len -= done) {
		err = transfer(m, flags, va, from, len, &done);
		if (done)
			tell_out(m, NOT_WRITTEN);
		written += done;
		if (!err)
			continue;
		if (!is_page_error(err)) {
			tell_out(m, NOT_WRITTEN);
			snprintf(said, sizeof(said), "; %" PRIu64 " bytes were written before",
				 written);
			return failed(m, va + done, err, said);
		}
		done += leave_out(m, va + done, len - done, err, NOT_WRITTEN);
	}
	tell_out(m, NOT_WRITTEN);
	if (!m->incomplete)
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
	line_free(&m.line);
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
