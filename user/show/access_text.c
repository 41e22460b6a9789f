// SPDX-License-Identifier: GPL-2.0
#include "user/show/access_text.h"

#include "user/show/words.h"

#define NSEC 1000000000u

static const char *const NAMES[] = { "nothing",	      "read",
				     "write",	      "read,write",
				     "execute",	      "read,execute",
				     "write,execute", "read,write,execute" };
static const char *const LETTERS[] = { "", "r", "w", "rw", "x", "rx", "wx", "rwx" };

static unsigned int access_of(const struct ptremap_access *a)
{
	return a->access & (PTREMAP_EPT_READ | PTREMAP_EPT_WRITE | PTREMAP_EPT_EXEC);
}

static const char *doer(const struct ptremap_access *a)
{
	if (a->flags & PTREMAP_ACCESS_WALK)
		return "walk";
	return a->flags & PTREMAP_ACCESS_EVENT ? "delivery" : "instruction";
}

static const char *event_name(const struct ptremap_access *a)
{
	switch (a->type) {
	case PTREMAP_ACCESS_OPENED:
		return "opened";
	case PTREMAP_ACCESS_CLOSED:
		return "closed";
	default:
		return "access";
	}
}

static void put_time(struct line *l, const struct ptremap_access *a)
{
	line_dec(l, a->time / NSEC);
	line_char(l, '.');
	line_dec_zero(l, a->time % NSEC, 9);
	line_char(l, ' ');
}

static void put_hex(struct line *l, const char *name, uint64_t value)
{
	line_str(l, name);
	line_0x(l, value);
}

static void put_rest(struct line *l, const struct ptremap_access *a)
{
	if (a->size) {
		line_str(l, " size=");
		line_dec(l, a->size);
	}
	if (a->flags & PTREMAP_ACCESS_VALUE)
		put_hex(l, " value=", a->value);
	put_hex(l, " rip=", a->rip);
	if (a->flags & PTREMAP_ACCESS_GVA)
		put_hex(l, " gva=", a->gva);
	if (a->flags & (PTREMAP_ACCESS_WALK | PTREMAP_ACCESS_EVENT)) {
		line_str(l, " by=");
		line_str(l, doer(a));
	}
}

static void put_missed(struct line *l, const struct ptremap_access *a)
{
	put_time(l, a);
	line_str(l, "missed ");
	line_dec(l, a->lost);
	line_str(l, " events, for which there was no room\n");
}

static void put_event(struct line *l, const struct ptremap_access *a)
{
	bool opened = a->type == PTREMAP_ACCESS_OPENED;

	line_str(l, "vcpu ");
	line_dec(l, a->vcpu);
	line_char(l, ' ');
	if (opened)
		line_str(l, "opened for ");
	line_str(l, NAMES[access_of(a)]);
	put_hex(l, " gpa=", a->gpa);
	put_rest(l, a);
	if (opened)
		line_str(l, ": KVM cannot do this one; what else is done there until 'closed' is "
			    "not seen");
}

void access_line(struct line *l, const struct ptremap_access *a)
{
	if (a->lost)
		put_missed(l, a);
	if (a->type == PTREMAP_ACCESS_LOST)
		return;
	put_time(l, a);
	if (a->type == PTREMAP_ACCESS_CLOSED)
		put_hex(l, "closed gpa=", a->gpa);
	else
		put_event(l, a);
	line_char(l, '\n');
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void begin(struct json *j, const struct ptremap_access *a, const char *name)
{
	json_object(j, NULL);
	json_u64(j, "time", a->time);
	json_str(j, "event", name);
}

static void end(struct json *j)
{
	json_end_object(j);
	json_end_line(j);
}

static void put_known(struct json *j, const char *key, bool known, uint64_t value)
{
	if (known)
		json_hex(j, key, value);
	else
		json_null(j, key);
}

static void put_members(struct json *j, const struct ptremap_access *a)
{
	json_u64(j, "vcpu", a->vcpu);
	json_str(j, "access", LETTERS[access_of(a)]);
	json_hex(j, "gpa", a->gpa);
	put_known(j, "gva", a->flags & PTREMAP_ACCESS_GVA, a->gva);
	json_hex(j, "rip", a->rip);
	if (a->size)
		json_u64(j, "size", a->size);
	else
		json_null(j, "size");
	put_known(j, "value", a->flags & PTREMAP_ACCESS_VALUE, a->value);
	json_str(j, "by", doer(a));
}

void access_json(struct json *j, const struct ptremap_access *a)
{
	if (a->lost) {
		begin(j, a, "missed");
		json_u64(j, "count", a->lost);
		end(j);
	}
	if (a->type == PTREMAP_ACCESS_LOST)
		return;
	begin(j, a, event_name(a));
	if (a->type == PTREMAP_ACCESS_CLOSED)
		json_hex(j, "gpa", a->gpa);
	else
		put_members(j, a);
	end(j);
}
