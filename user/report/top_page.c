// SPDX-License-Identifier: GPL-2.0
#include "user/report/top_page.h"

#include <stdlib.h>

#include "user/base/units.h"
#include "user/report/top_body.h"
#include "user/report/top_text.h"
#include "user/report/totals.h"
#include "user/sym/array.h"
#include "user/trace/names.h"

#define PANELS_FROM 12 /* lines: below that rows matter more */
#define TABS_FROM   6

struct line *top_page_line(struct top_page *p, enum top_look look)
{
	struct top_line *lines = array_room(p->lines, p->n, &p->size, sizeof(*lines));

	if (!lines) {
		p->failed = true;
		return NULL;
	}
	p->lines = lines;
	lines[p->n] = (struct top_line){ .look = look };
	return &lines[p->n++].text;
}

static void clear(struct top_page *p)
{
	unsigned int i;

	for (i = 0; i < p->n; i++)
		line_free(&p->lines[i].text);
	p->n = 0;
	p->rows = 0;
	p->failed = false;
}

void top_page_free(struct top_page *p)
{
	clear(p);
	free(p->lines);
	*p = (struct top_page){ 0 };
}

static void put_time(struct line *l, uint64_t ns)
{
	char buf[UNITS_LEN];

	line_str(l, units_time(buf, ns));
}

static void put_rate(struct line *l, double rate)
{
	char buf[UNITS_LEN];

	line_str(l, top_rate_text(buf, rate));
	line_str(l, "/s");
}

static void put_count(struct line *l, uint64_t n)
{
	char buf[UNITS_LEN];

	line_str(l, units_count(buf, n));
}

static void head(struct top_page *p, const struct top_facts *f, const struct top_ui *ui)
{
	struct line *l = top_page_line(p, TOP_HEAD);

	if (!l)
		return;
	line_str(l, "ptrace-pf top: ");
	put_time(l, f->elapsed);
	line_str(l, ", hook ");
	line_str(l, name_hook(f->model->env.info->hook));
	line_str(l, ", last ");
	put_time(l, f->model->window);
	if (ui->paused)
		line_str(l, ", PAUSED");
}

static const char *kind_name(unsigned int kind)
{
	static const char *const exits[] = { "hypercall", "violation", "exit", "remap" };

	return kind < PTEV_NR_ORIGINS ? name_origin(kind) : exits[kind - PTEV_NR_ORIGINS];
}

static void events(struct top_page *p, const struct top_model *m)
{
	struct line *l = top_page_line(p, TOP_PLAIN);
	unsigned int i;

	if (!l)
		return;
	line_str(l, "events ");
	put_count(l, top_model_total(m));
	line_str(l, ", ");
	put_rate(l, top_rate(m, top_model_last(m)));
	for (i = 0; i < TOP_KINDS; i++) {
		if (!m->kinds[i].total)
			continue;
		line_str(l, "  ");
		line_str(l, kind_name(i));
		line_char(l, ' ');
		put_rate(l, top_rate(m, m->kinds[i].last));
	}
}

static void put_other(struct line *l, const char *what, uint64_t n)
{
	if (!n)
		return;
	line_str(l, ", ");
	line_str(l, what);
	line_char(l, ' ');
	put_count(l, n);
}

/* Always there, so that nobody has to know that its absence means none. */
static void lost(struct top_page *p, const struct rec_totals *t)
{
	bool alarm = totals_lost(t) || t->lost_children || t->lost_sideband;
	struct line *l = top_page_line(p, alarm ? TOP_ALARM : TOP_PLAIN);

	if (!l)
		return;
	if (totals_lost(t))
		totals_lost_line(l, t);
	else
		line_str(l, "lost 0");
	put_other(l, "filtered", t->filtered);
	put_other(l, "end not seen", t->missed_exit);
	put_other(l, "runs missed", t->missed_runs);
	put_other(l, "children not followed", t->lost_children);
	put_other(l, "names lost", t->lost_sideband);
}

static void tabs(struct top_page *p, const struct top_ui *ui)
{
	struct line *l = top_page_line(p, TOP_PLAIN);
	unsigned int i;

	for (i = 0; i < TOP_VIEWS && l; i++) {
		line_str(l, i == ui->view ? "[" : " ");
		line_dec(l, i + 1);
		line_char(l, ' ');
		line_str(l, top_view_name((enum top_view_id)i));
		line_str(l, i == ui->view ? "]" : " ");
	}
}

static void status(struct top_page *p, const struct top_ui *ui)
{
	struct line *l = top_page_line(p, TOP_STATUS);

	if (!l)
		return;
	if (ui->editing) {
		line_str(l, "show rows with: ");
		line_str(l, ui->filter);
		line_char(l, '_');
		return;
	}
	line_str(l, "? help  q quit  Tab view  s order: ");
	line_str(l, top_column_name(ui->column));
	line_str(l, ui->reverse ? " (r: reversed)" : "");
	line_str(l, "  / filter: ");
	line_str(l, ui->filter[0] ? ui->filter : "none");
}

static void help(struct top_page *p, unsigned int max)
{
	struct line *l;
	unsigned int i;

	for (i = 0; i < max && top_ui_help(i); i++) {
		l = top_page_line(p, TOP_PLAIN);
		if (l)
			line_str(l, top_ui_help(i));
	}
}

/* Exactly @n lines. */
static void fit(struct top_page *p, unsigned int n)
{
	while (p->n > n)
		line_free(&p->lines[--p->n].text);
	while (p->n < n && top_page_line(p, TOP_PLAIN))
		;
}

/* What is too long for the terminal ends at its edge; without one no spaces end a line. */
static void cut(struct top_page *p, const struct top_shape *shape)
{
	unsigned int i;

	for (i = 0; i < p->n; i++) {
		struct line out = { 0 }, *l = &p->lines[i].text;

		while (!shape->height && l->len && l->buf[l->len - 1] == ' ')
			l->len--;
		line_char(l, '\0');
		if (l->failed)
			continue;
		top_text_left(&out, l->buf, shape->height ? shape->width : TOP_TEXT_ALL);
		line_free(l);
		*l = out;
	}
}

/* Lines of the page that rows and their title can have; 0: no end. */
static unsigned int room(const struct top_page *p, const struct top_shape *shape)
{
	return p->n + 1 < shape->height ? shape->height - p->n - 1 : 1;
}

static void above(struct top_page *p, const struct top_facts *f, const struct top_ui *ui,
		  const struct top_shape *shape)
{
	enum top_family family = top_family_shown(f->model, ui);

	head(p, f, ui);
	events(p, f->model);
	lost(p, &f->totals);
	if (!shape->height || shape->height >= PANELS_FROM) {
		top_panel_latency(p, &f->model->latency[family], shape);
		top_panel_addresses(p, &f->model->where[family], family, shape);
	}
	if (!shape->height || shape->height >= TABS_FROM)
		tabs(p, ui);
}

void top_page_make(struct top_page *p, const struct top_facts *f, struct top_ui *ui,
		   const struct top_shape *shape)
{
	clear(p);
	above(p, f, ui, shape);
	if (ui->help && shape->height)
		help(p, room(p, shape));
	else
		top_body(p, f, ui, shape, shape->height ? room(p, shape) : 0);
	if (shape->height)
		fit(p, shape->height > 1 ? shape->height - 1 : 1);
	if (shape->height > 1)
		status(p, ui);
	cut(p, shape);
}
