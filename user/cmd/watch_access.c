// SPDX-License-Identifier: GPL-2.0
/*
 * The module watches whole pages, once each; what it tells is looked at by the byte here.
 */
#include "user/cmd/watch_access.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/base/msg.h"
#include "user/cmd/cmd.h"
#include "user/cmd/output.h"
#include "user/cmd/range_opts.h"
#include "user/cmd/watching.h"
#include "user/kernel/helper.h"
#include "user/show/access_text.h"

#define PAGE_MASK     0xfffULL
#define GPA_MAX	      ((1ULL << 52) - 1)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct watch_guest {
	struct watching watching;
	const struct access_opts *opts;
	uint64_t seen;
	struct line line;
};

/* ---- options --------------------------------------------------------------------------------- */

int watch_parse_gpa(void *opts, const char *arg)
{
	struct access_opts *o = opts;
	struct gpa_range r, *grown;

	if (range_parse(arg, &r.start, &r.last) || r.last > GPA_MAX) {
		msg_error("--gpa: '%s' is no guest-physical address, nor START-LAST", arg);
		return -EINVAL;
	}
	grown = reallocarray(o->range, o->nr + 1, sizeof(*grown));
	if (!grown) {
		msg_error("%s", strerror(ENOMEM));
		return -EINVAL;
	}
	o->range = grown;
	o->range[o->nr++] = r;
	return 0;
}

int watch_parse_on(void *opts, const char *arg)
{
	static const char letters[] = "rwx";
	struct access_opts *o = opts;
	const char *c;

	o->on = 0;
	for (c = arg; *c && strchr(letters, *c); c++)
		o->on |= 1u << (strchr(letters, *c) - letters);
	if (!*c && o->on)
		return 0;
	msg_error("--on: '%s' is not of the letters r, w and x", arg);
	return -EINVAL;
}

void watch_accesses_free(struct access_opts *o)
{
	free(o->range);
}

/* ---- ranges ---------------------------------------------------------------------------------- */

static int compare_ranges(const void *a, const void *b)
{
	const struct gpa_range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Whole pages, each in one range only, so that one access is told once. Returns how many. */
static size_t to_pages(const struct access_opts *o, struct ptremap_access_range *pages)
{
	uint32_t on = o->on ? o->on : PTREMAP_EPT_READ | PTREMAP_EPT_WRITE | PTREMAP_EPT_EXEC;
	size_t i, n = 0;

	for (i = 0; i < o->nr; i++) {
		uint64_t start = o->range[i].start & ~PAGE_MASK;
		uint64_t end = (o->range[i].last | PAGE_MASK) + 1;
		struct ptremap_access_range *last = n ? &pages[n - 1] : NULL;

		if (last && start <= last->gpa + last->len) {
			if (end > last->gpa + last->len)
				last->len = end - last->gpa;
			continue;
		}
		pages[n++] =
			(struct ptremap_access_range){ .gpa = start, .len = end - start, .on = on };
	}
	return n;
}

/* What is not told of bytes is of whole pages. */
static bool is_wanted(const struct access_opts *o, const struct ptremap_access *a)
{
	uint64_t first = a->gpa, last = a->gpa + (a->size ? a->size - 1u : 0);
	size_t i;

	if (a->type != PTREMAP_ACCESS_DONE)
		return true;
	for (i = 0; i < o->nr; i++)
		if (first <= o->range[i].last && last >= o->range[i].start)
			return true;
	return false;
}

/* ---- events ---------------------------------------------------------------------------------- */

static int print_access(struct watch_guest *w, const struct ptremap_access *a)
{
	struct json j;

	if (!w->opts->json) {
		access_line(&w->line, a);
		return line_write(&w->line, stdout);
	}
	json_init(&j, stdout);
	access_json(&j, a);
	return output_error();
}

/* What was missed may have been wanted. */
static int take_access(struct watch_guest *w, struct ptremap_access *a)
{
	if (!is_wanted(w->opts, a)) {
		if (!a->lost)
			return 0;
		a->type = PTREMAP_ACCESS_LOST;
	}
	w->seen += a->type != PTREMAP_ACCESS_LOST && a->type != PTREMAP_ACCESS_CLOSED;
	return print_access(w, a);
}

static bool is_enough(const struct watch_guest *w)
{
	return w->opts->count && w->seen >= w->opts->count;
}

static int take_accesses(struct watching *watching, int *error, bool *done)
{
	struct watch_guest *w = (struct watch_guest *)watching;
	struct ptremap_access a[64];
	int i, n, err = 0;

	n = ptremap_access_read(watching->fd, a, ARRAY_SIZE(a));
	*error = n < 0 && n != -EAGAIN && n != -EINTR ? n : 0;
	for (i = 0; i < n && !err && !is_enough(w); i++)
		err = take_access(w, &a[i]);
	if (!n)
		msg_note("the VM has ended");
	*done = !n || is_enough(w);
	return err;
}

static int start(struct access_opts *o, int dev)
{
	struct ptremap_access_range *pages = calloc(o->nr, sizeof(*pages));
	size_t nr;
	int fd;

	if (!pages)
		return -ENOMEM;
	qsort(o->range, o->nr, sizeof(*o->range), compare_ranges);
	nr = to_pages(o, pages);
	fd = ptremap_access(dev, o->pid, o->vm_fd, pages, nr);
	free(pages);
	return fd;
}

int watch_accesses(struct access_opts *o)
{
	struct watch_guest w = {
		.watching = { .take = take_accesses, .explain = ptremap_access_strerror },
		.opts = o,
	};
	int status, dev = ptremap_open();

	w.watching.end = o->end;
	w.watching.fd = dev < 0 ? dev : start(o, dev);
	if (w.watching.fd < 0) {
		msg_error("pid %d: %s", o->pid,
			  dev < 0 ? ptremap_strerror(dev) : ptremap_access_strerror(w.watching.fd));
		status = EXIT_FAILED;
	} else {
		status = watching_run(&w.watching);
		close(w.watching.fd);
	}
	if (dev >= 0)
		close(dev);
	line_free(&w.line);
	return status;
}
