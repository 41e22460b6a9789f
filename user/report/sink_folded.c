// SPDX-License-Identifier: GPL-2.0
/* Stacks folded into lines, "comm;outermost;...;innermost count", as flame graphs are drawn from.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/hash.h"
#include "user/base/line.h"
#include "user/remap/change.h"
#include "user/report/frames.h"
#include "user/report/totals.h"
#include "user/report/view.h"
#include "user/trace/kvm_names.h"
#include "user/trace/names.h"

struct stack {
	char *text;
	uint64_t count;
};

struct folded {
	struct sink sink;
	struct sink_env env;
	FILE *out;
	unsigned int what; /* FRAMES_* */
	struct frames frames;
	struct line line; /* the stack of the event at hand */
	struct hash_index index;
	struct stack *stacks;
	uint32_t nr, room;
};

static bool same_stack(const void *ctx, uint32_t slot, const void *key)
{
	return !strcmp(((const struct folded *)ctx)->stacks[slot].text, key);
}

static int add_stack(struct folded *f, uint64_t hash, const char *text)
{
	uint32_t room = f->room ? f->room * 2 : 64;
	struct stack *grown, *new;

	if (f->nr == f->room) {
		grown = room > f->room ? reallocarray(f->stacks, room, sizeof(*grown)) : NULL;
		if (!grown)
			return -ENOMEM;
		f->stacks = grown;
		f->room = room;
	}
	new = &f->stacks[f->nr];
	new->count = 1;
	new->text = strdup(text);
	if (!new->text || hash_add(&f->index, hash, f->nr)) {
		free(new->text);
		return -ENOMEM;
	}
	f->nr++;
	return 0;
}

/* Counts what is in ->line, and empties it. */
static int count_line(struct folded *f)
{
	uint64_t hash;
	int64_t slot;
	int err = 0;

	line_char(&f->line, '\0');
	if (f->line.failed)
		return -ENOMEM;
	hash = hash_bytes(f->line.buf, f->line.len);
	slot = hash_find(&f->index, hash, same_stack, f, f->line.buf);
	if (slot >= 0)
		f->stacks[slot].count++;
	else
		err = add_stack(f, hash, f->line.buf);
	f->line.len = 0;
	return err;
}

/* Text of one frame: a ';' would end it, and a blank in a command's name the stack. */
static void put_text(struct line *l, const char *text, char blank)
{
	size_t from = l->len, i;

	line_text(l, text);
	for (i = from; i < l->len && !l->failed; i++) {
		if (l->buf[i] == ';')
			l->buf[i] = ':';
		if (l->buf[i] == ' ')
			l->buf[i] = blank;
	}
}

static void put_comm(struct folded *f, uint32_t pid, uint32_t tid, uint64_t time)
{
	put_text(&f->line, procs_comm(f->env.procs, pid, tid, time), '_');
}

/* A function, or in brackets the file when that is all that is known. */
static void put_frame(struct folded *f, const struct frame *frame)
{
	const char *base = strrchr(frame->dso, '/');

	line_char(&f->line, ';');
	if (*frame->name != '[' || !strcmp(frame->dso, frame->name)) {
		put_text(&f->line, frame->name, ' ');
		return;
	}
	line_char(&f->line, '[');
	put_text(&f->line, base ? base + 1 : frame->dso, ' ');
	line_char(&f->line, ']');
}

static int fault(struct sink *sink, const struct ptev_fault *e)
{
	struct folded *f = (struct folded *)sink;
	int err = frames_of_fault(&f->frames, &f->env, e, f->what);
	uint32_t i;

	if (err < 0)
		return err;
	put_comm(f, e->pid, e->tid, e->time);
	for (i = f->frames.nr; i--;)
		put_frame(f, &f->frames.at[i]);
	return count_line(f);
}

static int vmexit(struct sink *sink, const struct ptev_vmexit *e)
{
	struct folded *f = (struct folded *)sink;
	char buf[40];

	put_comm(f, e->pid, e->tid, e->time);
	line_char(&f->line, ';');
	put_text(&f->line, name_exit_reason(buf, e->isa, e->reason), ' ');
	return count_line(f);
}

static int remap(struct sink *sink, const struct ptev_remap *r)
{
	struct folded *f = (struct folded *)sink;

	put_text(&f->line, r->comm, '_');
	line_str(&f->line, ";remap ");
	line_str(&f->line, change_name(r->what));
	line_char(&f->line, ' ');
	line_str(&f->line, name_remap(r->event));
	return count_line(f);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct stack *)a)->text, ((const struct stack *)b)->text);
}

static int finish(struct sink *sink, const struct rec_totals *totals, bool complete)
{
	struct folded *f = (struct folded *)sink;
	uint32_t i;

	if (f->nr)
		qsort(f->stacks, f->nr, sizeof(*f->stacks), by_text);
	for (i = 0; i < f->nr; i++)
		fprintf(f->out, "%s %llu\n", f->stacks[i].text,
			(unsigned long long)f->stacks[i].count);
	totals_note(totals, complete);
	errno = 0;
	if (!fflush(f->out) && !ferror(f->out))
		return 0;
	return errno ? -errno : -EIO;
}

static void folded_free(struct sink *sink)
{
	struct folded *f = (struct folded *)sink;

	while (f->nr)
		free(f->stacks[--f->nr].text);
	free(f->stacks);
	hash_free(&f->index);
	line_free(&f->line);
	frames_free(&f->frames);
	free(f);
}

struct sink *sink_folded(const struct sink_env *env, bool no_inline, FILE *out)
{
	struct folded *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->sink = (struct sink){ .fault = fault,
				 .vmexit = vmexit,
				 .remap = remap,
				 .finish = finish,
				 .free = folded_free };
	f->env = *env;
	f->what = no_inline ? 0 : FRAMES_INLINED;
	f->out = out ? out : stdout;
	return &f->sink;
}
