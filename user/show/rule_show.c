// SPDX-License-Identifier: GPL-2.0
#include "user/show/rule_show.h"

#include <string.h>

#include "user/kernel/helper.h"
#include "user/remap/rule.h"

static void put_count(struct line *l, const char *what, uint64_t n)
{
	if (!n)
		return;
	line_str(l, what);
	line_dec(l, n);
}

static const char *why(const struct ptremap_rule *r)
{
	return r->on == PTREMAP_ON_FAULT ? ptremap_edit_strerror(0, r->error)
					 : ptremap_ept_strerror(0, r->error);
}

void rule_line(struct line *l, const struct ptremap_rule *r)
{
	line_str(l, "rule ");
	line_dec(l, r->id);
	line_str(l, r->on == PTREMAP_ON_FAULT ? ", process " : ", VM of ");
	line_dec(l, r->pid < 0 ? 0 : (uint64_t)r->pid);
	line_str(l, r->over ? ", which has gone" : "");
	line_str(l, r->flags & PTREMAP_RULE_KEEP ? ", kept: " : ": ");
	rule_text(l, r);
	line_str(l, ": called ");
	line_dec(l, r->matched);
	put_count(l, ", done ", r->done);
	put_count(l, ", limited ", r->limited);
	put_count(l, ", failed ", r->failed);
	if (r->failed) {
		line_str(l, " (");
		line_str(l, why(r));
		line_char(l, ')');
	}
}

void rule_json(struct json *j, const struct ptremap_rule *r)
{
	struct line text = { 0 };

	rule_text(&text, r);
	line_char(&text, '\0');
	json_object(j, NULL);
	json_u64(j, "id", r->id);
	json_u64(j, r->on == PTREMAP_ON_FAULT ? "pid" : "vm", r->pid < 0 ? 0 : (uint64_t)r->pid);
	if (r->on != PTREMAP_ON_FAULT)
		json_u64(j, "vm_fd", (uint64_t)r->fd);
	json_str(j, "rule", text.failed ? NULL : text.buf);
	json_bool(j, "keep", r->flags & PTREMAP_RULE_KEEP);
	json_bool(j, "gone", r->over);
	json_u64(j, "called", r->matched);
	json_u64(j, "done", r->done);
	json_u64(j, "limited", r->limited);
	json_u64(j, "failed", r->failed);
	json_str(j, "error", r->failed ? why(r) : NULL);
	json_end_object(j);
	json_end_line(j);
	line_free(&text);
}
