// SPDX-License-Identifier: GPL-2.0
#include "user/report/feed.h"

#include <errno.h>
#include <string.h>

#include "user/base/msg.h"

int feed_init(struct feed *f, const struct rec_info *info)
{
	memset(f, 0, sizeof(*f));
	f->env.info = info;
	f->env.procs = procs_new();
	f->env.symbols = symbols_new(info->boot_id);
	if (f->env.procs && f->env.symbols)
		return 0;
	feed_end(f);
	return -ENOMEM;
}

int feed_put(struct feed *f, const struct ptev_hdr *record)
{
	if (record->type == PTEV_FAULT)
		return f->sink->fault(f->sink, (const struct ptev_fault *)record);
	if (ptev_is_event(record->type))
		return f->sink->vmexit(f->sink, (const struct ptev_vmexit *)record);
	return procs_feed(f->env.procs, record);
}

int feed_put_live(void *f, const void *record, size_t size)
{
	const struct ptev_hdr *hdr = record;
	struct ptev_fault whole = { 0 };

	if (hdr->type != PTEV_FAULT || size >= sizeof(whole))
		return feed_put(f, hdr);
	memcpy(&whole, record, size);
	return feed_put(f, &whole.hdr);
}

void feed_end(struct feed *f)
{
	if (f->sink)
		f->sink->free(f->sink);
	symbols_free(f->env.symbols);
	procs_free(f->env.procs);
	memset(f, 0, sizeof(*f));
}

/* Events up to the end or to where the file is damaged; the totals of what there is. */
static int feed_all(struct feed *f, struct rec_reader *r)
{
	const struct ptev_hdr *record;
	struct rec_totals totals;
	int got, err = 0;

	while (!err && (got = rec_next(r, &record)) > 0)
		err = feed_put(f, record);
	if (!err) {
		bool complete = rec_totals(r, &totals);

		err = f->sink->finish(f->sink, &totals, complete);
	}
	if (err && err != -EPIPE)
		msg_error("%s: %s", f->sink->output ? f->sink->output : "stdout", strerror(-err));
	return err ? err : got;
}

int feed_file(const char *path, feed_sink make, const void *opts)
{
	struct rec_reader *r;
	struct feed f;
	int err = rec_open(&r, path);

	if (err)
		return err;
	err = feed_init(&f, rec_info(r));
	if (!err) {
		f.sink = make(&f.env, opts);
		err = f.sink ? feed_all(&f, r) : -EINVAL;
		feed_end(&f);
	}
	rec_reader_close(r);
	return err;
}
