// SPDX-License-Identifier: GPL-2.0
/* Changes by ptremap as lines of text, and as JSON. */
#include <errno.h>

#include "kmod-helper/uapi/ptremap.h"
#include "user/remap/change.h"
#include "user/report/script.h"
#include "user/trace/kvm_names.h"
#include "user/trace/names.h"

static void key_hex(struct line *l, const char *key, uint64_t value)
{
	line_str(l, key);
	line_hex(l, value);
}

static void key_dec(struct line *l, const char *key, uint64_t value)
{
	line_str(l, key);
	line_dec(l, value);
}

static void put_place(struct line *l, const struct ptev_remap *r)
{
	key_dec(l, " of=", r->of);
	if (r->flags & PTEV_R_VM) {
		if (r->vm_fd >= 0)
			key_dec(l, " vm_fd=", (uint64_t)r->vm_fd);
		key_hex(l, " gpa=0x", r->gpa);
	}
	key_hex(l, " va=0x", r->va);
}

/* Of a lost one nobody knows what is there. */
static void put_entries(struct line *l, const struct ptev_remap *r)
{
	bool made = r->event == PTEV_REMAP_MADE;

	key_dec(l, " level=", r->level);
	if (r->flags & PTEV_R_HIDDEN)
		return;
	key_hex(l, " 0x", made ? r->old : r->new);
	if (r->event == PTEV_REMAP_LOST)
		line_str(l, " -> ?");
	else
		key_hex(l, " -> 0x", made ? r->new : r->old);
}

static void put_mapping(struct line *l, const struct ptev_remap *r)
{
	key_hex(l, " len=0x", r->old);
	if (!(r->flags & PTEV_R_HIDDEN))
		key_hex(l, " from=0x", r->new);
}

static void put_end(struct line *l, const struct ptev_remap *r)
{
	const char *cause = change_cause(r->cause);

	if (cause) {
		line_str(l, " cause=");
		line_str(l, cause);
	}
	if (r->flags & PTEV_R_KEEP)
		line_str(l, " keep=1");
	if (r->flags & PTEV_R_STICKY)
		line_str(l, " sticky=1");
}

int script_remap_text(struct script *s, const struct ptev_remap *r)
{
	const struct script_who who = { r->time, r->pid, r->tid, r->cpu, r->comm };
	struct line *l = &s->line;

	script_who_text(l, s, &who);
	line_str(l, name_event(r->hdr.type));
	line_char(l, ' ');
	line_str(l, name_remap(r->event));
	key_dec(l, " id=", r->id);
	line_char(l, ' ');
	line_str(l, change_name(r->what));
	put_place(l, r);
	if (r->what == PTREMAP_MAPPED)
		put_mapping(l, r);
	else
		put_entries(l, r);
	put_end(l, r);
	line_char(l, '\n');
	return line_write(l, s->out);
}

static void u64_if(struct json *j, const char *key, uint64_t value, bool known)
{
	if (known)
		json_u64(j, key, value);
	else
		json_null(j, key);
}

static void hex_if(struct json *j, const char *key, uint64_t value, bool known)
{
	if (known)
		json_hex(j, key, value);
	else
		json_null(j, key);
}

/* A mapping at a new address has a length and what it is of instead of entries. */
static void json_entries(struct json *j, const struct ptev_remap *r)
{
	bool mapped = r->what == PTREMAP_MAPPED, shown = !(r->flags & PTEV_R_HIDDEN);

	u64_if(j, "level", r->level, !mapped);
	hex_if(j, "old", r->old, !mapped && shown);
	hex_if(j, "new", r->new, !mapped && shown);
	u64_if(j, "len", r->old, mapped);
	hex_if(j, "from", r->new, mapped && shown);
}

int script_remap_json(struct script *s, const struct ptev_remap *r)
{
	const struct script_who who = { r->time, r->pid, r->tid, r->cpu, r->comm };
	struct json *j = &s->json;
	bool vm = r->flags & PTEV_R_VM;

	errno = 0;
	json_object(j, NULL);
	script_who_json(j, name_event(r->hdr.type), s, &who);
	json_str(j, "event", name_remap(r->event));
	json_str(j, "cause", change_cause(r->cause));
	json_u64(j, "id", r->id);
	json_str(j, "what", change_name(r->what));
	json_u64(j, "of", r->of);
	json_hex(j, "va", r->va);
	json_entries(j, r);
	u64_if(j, "vm_fd", (uint64_t)r->vm_fd, vm && r->vm_fd >= 0);
	hex_if(j, "gpa", r->gpa, vm);
	json_bool(j, "keep", r->flags & PTEV_R_KEEP);
	json_bool(j, "sticky", r->flags & PTEV_R_STICKY);
	json_end_object(j);
	json_end_line(j);
	if (!ferror_unlocked(s->out))
		return 0;
	return errno ? -errno : -EIO;
}
