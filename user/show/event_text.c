// SPDX-License-Identifier: GPL-2.0
#include "user/show/event_text.h"

#include "user/remap/change.h"
#include "user/show/plan_text.h"
#include "user/show/words.h"

#define NSEC 1000000000u

static const char *event_name(const struct ptremap_event *e)
{
	if (e->type == PTREMAP_EVENT_MADE)
		return "made";
	if (e->record.state == PTREMAP_LOST)
		return "lost";
	return e->record.cause == PTREMAP_CAUSE_UNDO ? "undone" : "taken";
}

static void put_time(struct line *l, const struct ptremap_event *e)
{
	line_dec(l, e->time / NSEC);
	line_char(l, '.');
	line_dec_zero(l, e->time % NSEC, 9);
	line_char(l, ' ');
}

/* From the entry that was there to the one that is; of a lost one nobody knows what is there. */
static void put_entries(struct line *l, const struct ptremap_event *e)
{
	const struct ptremap_record *r = &e->record;
	bool back = e->type == PTREMAP_EVENT_GONE;

	line_0x(l, back ? r->new : r->old);
	line_str(l, " -> ");
	if (r->state == PTREMAP_LOST)
		line_char(l, '?');
	else
		line_0x(l, back ? r->old : r->new);
}

static void put_record(struct line *l, const struct ptremap_event *e)
{
	const struct ptremap_record *r = &e->record;

	line_dec(l, r->id);
	line_char(l, ' ');
	line_str(l, change_name(r->what));
	line_char(l, ' ');
	record_place(l, r);
	line_char(l, ' ');
	if (r->what != PTREMAP_MAPPED) {
		put_entries(l, e);
		return;
	}
	line_dec(l, r->old >> 10);
	line_str(l, "K of ");
	line_0x(l, r->new);
}

static void put_why(struct line *l, const struct ptremap_event *e)
{
	const struct ptremap_record *r = &e->record;
	const char *cause = record_cause(r);

	if (e->type == PTREMAP_EVENT_MADE || r->cause == PTREMAP_CAUSE_UNDO)
		return;
	line_str(l, " before ");
	line_str(l, cause ? cause : "?");
	line_str(l, ": ");
	line_str(l, record_ending(r));
}

void event_line(struct line *l, const struct ptremap_event *e)
{
	if (e->lost) {
		put_time(l, e);
		line_str(l, "missed ");
		line_dec(l, e->lost);
		line_str(l, " events, for which there was no room\n");
	}
	if (e->type == PTREMAP_EVENT_LOST)
		return;
	put_time(l, e);
	line_str(l, event_name(e));
	line_char(l, ' ');
	put_record(l, e);
	put_why(l, e);
	line_char(l, '\n');
}

static void begin(struct json *j, const struct ptremap_event *e, const char *name)
{
	json_object(j, NULL);
	json_u64(j, "time", e->time);
	json_str(j, "event", name);
}

static void end(struct json *j)
{
	json_end_object(j);
	json_end_line(j);
}

void event_json(struct json *j, const struct ptremap_event *e, const struct entry_view *style)
{
	if (e->lost) {
		begin(j, e, "missed");
		json_u64(j, "count", e->lost);
		end(j);
	}
	if (e->type == PTREMAP_EVENT_LOST)
		return;
	begin(j, e, event_name(e));
	record_members(j, &e->record, style);
	end(j);
}
