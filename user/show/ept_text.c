// SPDX-License-Identifier: GPL-2.0
#include "user/show/ept_text.h"

#include "user/kernel/kinfo.h"
#include "user/kernel/kvm_here.h"
#include "user/remap/change.h"
#include "user/remap/ept_words.h"
#include "user/show/words.h"

#define FLUSHES "every vCPU that has the page, and every CPU"

/* The formats of the tables that entries are of. */
struct styles {
	struct entry_view host, nested;
	struct pt_fmt fmt;
};

static void styles_init(struct styles *s, const struct entry_view *host)
{
	struct pt_feat feat;

	kinfo_cpu_features(&feat);
	s->fmt = kvm_here_fmt(&feat, host->fmt->top);
	s->host = *host;
	s->nested = (struct entry_view){ .fmt = &s->fmt };
}

static struct entry_view view_of(const struct styles *s, const struct ptremap_ept_item *item,
				 uint64_t entry)
{
	bool nested = item->what == PTREMAP_EPT_PROTECT || item->what == PTREMAP_EPT_CACHE;
	struct entry_view v = nested ? s->nested : s->host;

	v.level = item->level == 2 ? 2 : 1;
	v.entry = entry;
	return v;
}

static void put_entry(struct line *l, const char *when, const struct entry_view *v)
{
	line_str(l, when);
	line_0x(l, v->entry);
	line_str(l, ": ");
	entry_fields_line(l, v);
	line_char(l, '\n');
}

static void put_change(struct line *l, const struct styles *s, const struct ptremap_ept_item *item)
{
	const struct entry_view old = view_of(s, item, item->old),
				new = view_of(s, item, item->new);

	ept_words(l, item);
	line_char(l, '\n');
	put_entry(l, "  before ", &old);
	put_entry(l, "  after  ", &new);
}

void ept_plan_text(struct line *l, const struct ept_plan *p, const struct entry_view *style)
{
	bool dry = p->flags & PTREMAP_EPT_DRY_RUN, stays = p->id;
	struct styles s;
	size_t i;

	styles_init(&s, style);
	line_str(l, dry ? "dry run" : stays ? "transaction " : "rehearsed");
	if (stays)
		line_dec(l, p->id);
	line_str(l, ", VM ");
	line_dec(l, (uint64_t)p->pid);
	line_char(l, '/');
	line_dec(l, (uint64_t)p->vm_fd);
	line_char(l, '\n');
	for (i = 0; i < p->nr; i++)
		put_change(l, &s, &p->items[i]);
	if (dry)
		line_str(l, "flushes " FLUSHES "\n");
}

/* ---- JSON ------------------------------------------------------------------------------- */

static void put_entry_json(struct json *j, const char *key, const struct entry_view *v)
{
	json_object(j, key);
	json_hex(j, "value", v->entry);
	entry_json(j, v);
	json_end_object(j);
}

/* "vm_fd" is null of a process' address, and of the only VM of that process. */
static void put_other_json(struct json *j, const struct ept_plan *p,
			   const struct ptremap_ept_item *item)
{
	bool own = !item->other_pid;

	if (item->what != PTREMAP_EPT_FRAME && item->what != PTREMAP_EPT_SWAP) {
		json_null(j, "other");
		return;
	}
	json_object(j, "other");
	json_u64(j, "pid", (uint64_t)(own ? p->pid : item->other_pid));
	if (own || item->other_fd >= 0)
		json_u64(j, "vm_fd", (uint64_t)(own ? p->vm_fd : item->other_fd));
	else
		json_null(j, "vm_fd");
	json_bool(j, "guest_physical", own || item->other_fd != PTREMAP_EPT_PROCESS);
	json_hex(j, "address", item->other);
	json_end_object(j);
}

static void put_change_json(struct json *j, const struct ept_plan *p, const struct styles *s,
			    const struct ptremap_ept_item *item)
{
	const struct entry_view old = view_of(s, item, item->old),
				new = view_of(s, item, item->new);

	json_object(j, NULL);
	json_str(j, "what", change_name(item->what));
	json_hex(j, "gpa", item->gpa);
	json_u64(j, "level", item->level == 2 ? 2 : 1);
	put_other_json(j, p, item);
	put_entry_json(j, "before", &old);
	put_entry_json(j, "after", &new);
	json_end_object(j);
}

void ept_plan_json(struct json *j, const struct ept_plan *p, const struct entry_view *style)
{
	struct styles s;
	size_t i;

	styles_init(&s, style);
	json_object(j, NULL);
	if (p->id)
		json_u64(j, "id", p->id);
	else
		json_null(j, "id");
	json_bool(j, "rehearsed", p->flags & PTREMAP_EPT_REHEARSE);
	json_bool(j, "keep", p->flags & PTREMAP_EPT_KEEP);
	json_bool(j, "sticky", p->flags & PTREMAP_EPT_STICKY);
	json_u64(j, "pid", (uint64_t)p->pid);
	json_u64(j, "vm_fd", (uint64_t)p->vm_fd);
	json_array(j, "changes");
	for (i = 0; i < p->nr; i++)
		put_change_json(j, p, &s, &p->items[i]);
	json_end_array(j);
	json_str(j, "flushes", FLUSHES);
	json_end_object(j);
	json_end_line(j);
}
