// SPDX-License-Identifier: GPL-2.0
/* The call graphs of a report. */
#include <inttypes.h>

#include "user/report/report.h"

/* For what happens between two rows. */
struct printing {
	const struct report_view *view;
	struct line line;
	struct json *json;
};

static uint64_t least(const struct report_view *v)
{
	double min = v->report->opts.calls.min * (double)v->report->tally.events / 100;
	uint64_t whole = (uint64_t)min;

	return whole + ((double)whole < min);
}

static void put_share(struct line *l, const struct report_view *v, uint64_t count)
{
	char buf[32];

	snprintf(buf, sizeof(buf), "%.2f%%", 100 * (double)count / (double)v->report->tally.events);
	line_text_right(l, buf, 8);
	line_str(l, "  ");
}

static void put_node(void *ctx, const struct call_node *node)
{
	struct printing *p = ctx;
	struct line *l = &p->line;

	put_share(l, p->view, node->count);
	line_spaces(l, node->depth);
	if (node->name) {
		line_text(l, node->name);
		line_str(l, node->inlined ? " (inlined)" : "");
	} else {
		line_char(l, '[');
		line_dec(l, node->more);
		line_str(l, " more]");
	}
	line_char(l, '\n');
	line_write(l, p->view->report->out);
}

/* What the row says, in one line. */
static void put_row(struct printing *p, uint32_t group)
{
	const struct report *r = p->view->report;
	const struct groups *by = &r->tally.by;
	const struct tally_group *g = &r->tally.groups[group];
	char buf[SORT_TEXT_MAX];
	unsigned int i;

	line_str(&p->line, "\n#");
	put_share(&p->line, p->view, r->opts.children ? g->inclusive : g->count);
	for (i = 0; i < by->nr_keys; i++) {
		line_str(&p->line, i ? ", " : "");
		line_text(&p->line,
			  sort_key_text(&by->ctx, by->keys[i], groups_ids(by, group)[i], buf));
	}
	line_char(&p->line, '\n');
}

static void put_cut(struct printing *p)
{
	uint64_t cut = p->view->report->calls.tree.cut;

	if (!cut)
		return;
	line_str(&p->line, "\n# call graphs: too many functions; ");
	line_dec(&p->line, cut);
	line_str(&p->line, " events count where their chains were cut\n");
	line_write(&p->line, p->view->report->out);
}

void report_calls_text(const struct report_view *v)
{
	struct printing p = { .view = v };
	uint32_t i;

	for (i = 0; i < v->rows; i++) {
		put_row(&p, v->order[i]);
		line_write(&p.line, v->report->out);
		call_graph_each(&v->report->calls, v->order[i], least(v), put_node, &p);
	}
	put_cut(&p);
	line_free(&p.line);
}

static void node_json(void *ctx, const struct call_node *node)
{
	struct printing *p = ctx;
	struct json *j = p->json;

	json_object(j, NULL);
	json_u64(j, "depth", node->depth);
	if (node->name) {
		json_str(j, "function", node->name);
		json_bool(j, "inlined", node->inlined);
		json_u64(j, "self", node->self);
	} else {
		json_u64(j, "more", node->more);
	}
	json_u64(j, "count", node->count);
	json_double(j, "share", (double)node->count / (double)p->view->report->tally.events);
	json_end_object(j);
}

void report_calls_json(struct json *j, const struct report_view *v, uint32_t group)
{
	struct printing p = { .view = v, .json = j };

	json_array(j, "calls");
	call_graph_each(&v->report->calls, group, least(v), node_json, &p);
	json_end_array(j);
}
