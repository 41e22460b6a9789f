// SPDX-License-Identifier: GPL-2.0
#include "user/show/plan_text.h"

#include <errno.h>
#include <inttypes.h>

#include "user/base/table.h"
#include "user/kernel/kinfo.h"
#include "user/kernel/kvm_here.h"
#include "user/pt/pt_linux.h"
#include "user/remap/change.h"
#include "user/remap/force.h"
#include "user/show/words.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* @level 0: 1. */
static struct entry_view view_of(const struct entry_view *style, uint32_t level, uint64_t entry)
{
	struct entry_view v = *style;

	v.level = level == 2 ? 2 : 1;
	v.entry = entry;
	return v;
}

static bool is_dry(const struct plan *p)
{
	return p->flags & PTREMAP_EDIT_DRY_RUN;
}

/* Where the entry leads to, whether the CPU may go there or not. */
static uint64_t frame_of(const struct entry_view *v)
{
	struct pt_linux linux_says;
	struct pt_entry e;
	uint8_t why;

	if (pt_entry_kind(v->fmt, v->level, v->entry, &why) == PT_HOLE) {
		pt_linux_decode(v->fmt, v->level, v->entry, v->linux_version, &linux_says);
		return linux_says.pfn << 12;
	}
	pt_decode(v->fmt, v->level, v->entry, &e);
	return e.addr;
}

/* Frames of which a reference is held while the change is in force. Returns how many. */
static unsigned int frames_held(const struct planned *c, const struct entry_view *style,
				uint64_t frames[2])
{
	const struct entry_view old = view_of(style, c->item.level, c->item.old);
	const struct entry_view new = view_of(style, c->item.level, c->item.new);

	frames[0] = frame_of(&old);
	frames[1] = frame_of(&new);
	return frames[0] == frames[1] ? 1 : 2;
}

/* ---- text ------------------------------------------------------------------------------- */

static void put_entry(struct line *l, const char *when, uint32_t level, uint64_t entry,
		      const struct entry_view *style)
{
	struct entry_view v = view_of(style, level, entry);
	uint8_t why;

	line_str(l, when);
	line_0x(l, entry);
	line_str(l, ": ");
	if (pt_entry_kind(v.fmt, v.level, entry, &why) == PT_HOLE && linux_adds(&v)) {
		line_str(l, "not present, Linux: ");
		linux_line(l, &v);
	} else {
		entry_fields_line(l, &v);
	}
	line_char(l, '\n');
}

static void put_entries(struct line *l, uint32_t level, uint64_t old, uint64_t new,
			const struct entry_view *style)
{
	put_entry(l, "  before ", level, old, style);
	put_entry(l, "  after  ", level, new, style);
}

static void put_held(struct line *l, const struct planned *c, const struct entry_view *style)
{
	uint64_t frames[2];
	unsigned int i, n = frames_held(c, style, frames);

	line_str(l, n > 1 ? "  holds  frames" : "  holds  frame");
	for (i = 0; i < n; i++) {
		line_char(l, ' ');
		line_0x(l, frames[i]);
	}
	line_char(l, '\n');
}

static void put_change(struct line *l, const struct plan *p, const struct planned *c,
		       const struct entry_view *style)
{
	change_text(l, &c->item);
	line_char(l, '\n');
	put_entries(l, c->item.level, c->item.old, c->item.new, style);
	if (c->other_old) {
		line_str(l, "  and at ");
		line_dec(l, (uint64_t)c->item.other_pid);
		line_char(l, ':');
		line_0x(l, c->item.other_va);
		line_char(l, '\n');
		put_entries(l, c->item.level, c->other_old, c->other_new, style);
	}
	if (is_dry(p))
		put_held(l, c, style);
}

void plan_text(struct line *l, const struct plan *p, const struct entry_view *style)
{
	size_t i;

	if (is_dry(p)) {
		line_str(l, "dry run");
	} else {
		line_str(l, "transaction ");
		line_dec(l, p->id);
	}
	line_char(l, '\n');
	for (i = 0; i < p->nr; i++)
		put_change(l, p, &p->changes[i], style);
	if (is_dry(p))
		line_str(l, "flushes the TLBs of every CPU, once\n");
}

/* ---- JSON ------------------------------------------------------------------------------- */

static void put_entry_json(struct json *j, const char *key, uint32_t level, uint64_t entry,
			   const struct entry_view *style)
{
	struct entry_view v = view_of(style, level, entry);

	json_object(j, key);
	json_hex(j, "value", entry);
	entry_json(j, &v);
	json_end_object(j);
}

static void put_other_json(struct json *j, const struct planned *c, const struct entry_view *style)
{
	json_u64(j, "other_pid", (uint64_t)c->item.other_pid);
	json_hex(j, "other_address", c->item.other_va);
	if (!c->other_old)
		return;
	put_entry_json(j, "other_before", c->item.level, c->other_old, style);
	put_entry_json(j, "other_after", c->item.level, c->other_new, style);
}

static void put_physical_json(struct json *j, const struct ptremap_item *item)
{
	const char *kind;
	unsigned int i;

	json_hex(j, "physical", item->other_va);
	json_array(j, "forced");
	for (i = 0; (kind = force_name(item->flags, i)); i++)
		json_str(j, NULL, kind);
	json_end_array(j);
}

static void put_change_json(struct json *j, const struct planned *c, const struct entry_view *style)
{
	uint64_t frames[2];
	unsigned int i, n = frames_held(c, style, frames);

	json_object(j, NULL);
	json_str(j, "what", change_name(c->item.what));
	json_u64(j, "pid", (uint64_t)c->item.pid);
	json_hex(j, "address", c->item.va);
	json_u64(j, "level", c->item.level == 2 ? 2 : 1);
	put_entry_json(j, "before", c->item.level, c->item.old, style);
	put_entry_json(j, "after", c->item.level, c->item.new, style);
	if (c->item.other_pid)
		put_other_json(j, c, style);
	if (c->item.what == PTREMAP_RAM || c->item.what == PTREMAP_MMIO)
		put_physical_json(j, &c->item);
	json_array(j, "holds");
	for (i = 0; i < n; i++)
		json_hex(j, NULL, frames[i]);
	json_end_array(j);
	json_end_object(j);
}

void plan_json(struct json *j, const struct plan *p, const struct entry_view *style)
{
	size_t i;

	json_object(j, NULL);
	if (is_dry(p))
		json_null(j, "id");
	else
		json_u64(j, "id", p->id);
	json_bool(j, "keep", p->flags & PTREMAP_EDIT_KEEP);
	json_array(j, "changes");
	for (i = 0; i < p->nr; i++)
		put_change_json(j, &p->changes[i], style);
	json_end_array(j);
	json_str(j, "flushes", "every CPU");
	json_end_object(j);
	json_end_line(j);
}

/* ---- records ---------------------------------------------------------------------------- */

/* Why a change ended, by enum ptremap_cause. */
static const char *const endings[] = {
	[PTREMAP_CAUSE_NONE] = "it ended",
	[PTREMAP_CAUSE_UNDO] = "it was undone",
	[PTREMAP_CAUSE_UNMAP] = "the kernel unmapped the page (munmap, mremap)",
	[PTREMAP_CAUSE_CLEAR] = ("the kernel cleared the entry (reclaim, madvise, copy on write, "
				 "KSM, huge pages)"),
	[PTREMAP_CAUSE_PROTECT] = ("the kernel changed the protection (mprotect, fork, "
				   "NUMA balancing)"),
	[PTREMAP_CAUSE_SOFT_DIRTY] = "the kernel cleared soft-dirty bits (clear_refs)",
	[PTREMAP_CAUSE_EXIT] = "the process exited, was killed or did an exec",
	[PTREMAP_CAUSE_MIGRATE] = "the kernel migrated the page",
	[PTREMAP_CAUSE_OTHER] = "the kernel acted on the page",
	[PTREMAP_CAUSE_SLOT] = "a memory slot of the VM was made, changed or deleted",
	[PTREMAP_CAUSE_ZAP] = "KVM dropped the entry, to make it anew",
	[PTREMAP_CAUSE_ACCESS] = "the guest did what the entry did not allow",
	[PTREMAP_CAUSE_VM] = "the VM ended",
};

static const char *state_name(uint8_t state)
{
	static const char *const names[] = {
		"?",
		[PTREMAP_ACTIVE] = "active",
		[PTREMAP_TAKEN] = "taken",
		[PTREMAP_LOST] = "lost",
	};

	return state < ARRAY_SIZE(names) ? names[state] : "?";
}

const char *record_cause(const struct ptremap_record *r)
{
	return change_cause(r->cause);
}

const char *record_ending(const struct ptremap_record *r)
{
	if (r->state == PTREMAP_LOST)
		return "the kernel replaced the entry without a word, and it was left alone";
	return r->cause < ARRAY_SIZE(endings) ? endings[r->cause] : "of an unknown cause";
}

/* A mapping at a new address: it has a length and what it leads to instead of entries. */
static bool is_mapping(const struct ptremap_record *r)
{
	return r->what == PTREMAP_MAPPED;
}

/* Its entries are those of EPT or NPT. */
static bool is_nested(const struct ptremap_record *r)
{
	return r->what == PTREMAP_EPT_PROTECT || r->what == PTREMAP_EPT_CACHE;
}

static void put_nested_json(struct json *j, const struct ptremap_record *r,
			    const struct entry_view *style)
{
	struct pt_feat feat;
	struct pt_fmt fmt;
	const struct entry_view nested = { .fmt = &fmt };

	kinfo_cpu_features(&feat);
	fmt = kvm_here_fmt(&feat, style->fmt->top);
	json_u64(j, "level", r->level);
	put_entry_json(j, "before", r->level, r->old, &nested);
	put_entry_json(j, "after", r->level, r->new, &nested);
}

void record_place(struct line *l, const struct ptremap_record *r)
{
	line_dec(l, r->pid < 0 ? 0 : (uint64_t)r->pid);
	if (r->flags & PTREMAP_RECORD_VM) {
		line_char(l, '/');
		line_dec(l, r->vm_fd < 0 ? 0 : (uint64_t)r->vm_fd);
		line_str(l, ":gpa=");
		line_0x(l, r->gpa);
	} else {
		line_char(l, ':');
		line_0x(l, r->va);
	}
}

static void put_place(struct table *t, const struct ptremap_record *r)
{
	struct line l = { 0 };

	record_place(&l, r);
	table_cell(t, "%.*s", (int)l.len, l.buf ? l.buf : "");
	line_free(&l);
}

static void put_record(struct table *t, const struct ptremap_record *r)
{
	const char *cause = record_cause(r);

	table_cell(t, "%" PRIu32, r->id);
	table_cell(t, "%s", r->keep ? "kept" : "-");
	table_cell(t, "%s", state_name(r->state));
	table_cell(t, "%s", cause ? cause : "-");
	table_cell(t, "%s", change_name(r->what));
	put_place(t, r);
	table_cell(t, r->level ? "%u" : "-", (unsigned int)r->level);
	table_cell(t, is_mapping(r) ? "%lluK" : "0x%llx", is_mapping(r) ? r->old >> 10 : r->old);
	if (is_mapping(r) && !r->new)
		table_cell(t, "fresh"); /* nothing that could be mapped is at 0 */
	else
		table_cell(t, is_mapping(r) ? "of 0x%llx" : "0x%llx", r->new);
}

int records_print(FILE *out, const struct ptremap_record *records, size_t nr)
{
	static const char *const titles[] = { "ID",	 "KEPT",  "STATE",  "CAUSE", "WHAT",
					      "ADDRESS", "LEVEL", "BEFORE", "AFTER" };
	struct table *t = table_new(ARRAY_SIZE(titles));
	unsigned int i;
	int err;

	if (!t)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(titles); i++)
		table_column(t, i, titles[i], i ? TABLE_LEFT : TABLE_RIGHT);
	for (i = 0; i < nr; i++)
		put_record(t, &records[i]);
	err = table_print(t, out, 0);
	table_free(t);
	return err;
}

void record_members(struct json *j, const struct ptremap_record *r, const struct entry_view *style)
{
	json_u64(j, "id", r->id);
	json_bool(j, "keep", r->keep);
	json_str(j, "state", state_name(r->state));
	json_str(j, "cause", record_cause(r));
	json_str(j, "what", change_name(r->what));
	json_u64(j, "pid", (uint64_t)r->pid);
	json_hex(j, "address", r->va);
	if (r->flags & PTREMAP_RECORD_VM) {
		json_u64(j, "vm_fd", r->vm_fd < 0 ? 0 : (uint64_t)r->vm_fd);
		json_hex(j, "gpa", r->gpa);
		json_bool(j, "sticky", r->flags & PTREMAP_RECORD_STICKY);
	}
	if (is_mapping(r)) {
		json_u64(j, "length", r->old);
		json_hex(j, "from", r->new);
	} else if (is_nested(r)) {
		put_nested_json(j, r, style);
	} else {
		json_u64(j, "level", r->level);
		put_entry_json(j, "before", r->level, r->old, style);
		put_entry_json(j, "after", r->level, r->new, style);
	}
}

void record_json(struct json *j, const struct ptremap_record *r, const struct entry_view *style)
{
	json_object(j, NULL);
	record_members(j, r, style);
	json_end_object(j);
	json_end_line(j);
}
