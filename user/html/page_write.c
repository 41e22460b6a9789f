// SPDX-License-Identifier: GPL-2.0
/* The page: a frame that is always the same, and one JSON document that its script draws. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/json.h"
#include "user/base/printable.h"
#include "user/html/assets.h"
#include "user/html/page.h"
#include "user/report/report.h"
#include "user/report/totals.h"

/* Frames with a smaller part of all events are left out: nobody could see them. */
#define FLAME_PARTS 20000

static void put_machine(struct json *j, const struct page *p, const struct rec_totals *totals,
			bool complete)
{
	const struct rec_info *info = p->env.info;
	uint64_t end = complete && totals->end_mono ? totals->end_mono : p->last_time;
	const char *note = symbols_kernel_note(p->env.symbols);

	json_object(j, "recording");
	totals_json(j, totals, complete);
	json_str(j, "command", info->command);
	json_str(j, "kernel", info->release);
	json_str(j, "hostname", info->hostname);
	json_str(j, "hook", report_hook(info));
	json_bool(j, "walks", info->walks);
	json_u64(j, "started_ns", info->start_real);
	json_u64(j, "start_ns", p->start);
	json_u64(j, "duration_ns", end > p->start ? end - p->start : 0);
	json_u64(j, "faults", p->faults);
	json_u64(j, "vm_exits", p->vmexits);
	json_u64(j, "remaps", p->remapped);
	json_str(j, "note", note);
	json_end_object(j);
}

static int put_tables(struct json *j, const struct page *p)
{
	unsigned int i;

	json_array(j, "tables");
	for (i = 0; i < p->nr_tables; i++) {
		const struct page_table *t = &p->tables[i];

		if (fflush(t->out))
			return -ENOMEM;
		json_object(j, NULL);
		json_str(j, "title", t->title);
		json_raw(j, "report", t->text, t->len);
		json_end_object(j);
	}
	json_end_array(j);
	return 0;
}

/* ---- counts over time --------------------------------------------------------------------------
 */

static void put_axis(struct json *j, const struct bins *b)
{
	json_u64(j, "column_ns", 1ULL << b->column_shift);
	json_array(j, "series");
}

/* The cells of one series from @i on: rows by number, and each cell as row, column, count. */
static uint32_t put_series(struct json *j, const struct bins *b, uint32_t i)
{
	uint64_t series = b->cells[i].series;
	uint32_t at = i, row = 0;

	json_array(j, "rows");
	for (; at < b->nr && b->cells[at].series == series; at++)
		if (at == i || b->cells[at].row != b->cells[at - 1].row)
			json_hex(j, NULL, b->cells[at].row);
	json_end_array(j);
	json_array(j, "cells");
	for (at = i; at < b->nr && b->cells[at].series == series; at++) {
		row += at > i && b->cells[at].row != b->cells[at - 1].row;
		json_u64(j, NULL, row);
		json_u64(j, NULL, b->cells[at].column);
		json_u64(j, NULL, b->cells[at].count);
	}
	json_end_array(j);
	return at;
}

/* A process and a name; what came when there were enough series has neither. */
static void put_series_name(struct json *j, const struct page *p, uint64_t series)
{
	uint32_t pid = (uint32_t)(series >> 32);

	if (series == BINS_OTHER) {
		json_null(j, "pid");
		json_str(j, "comm", "others");
		json_str(j, "name", "others");
		return;
	}
	json_u64(j, "pid", pid);
	json_str(j, "comm", procs_comm(p->env.procs, pid, pid, p->last_time));
	json_str(j, "name", intern_text(&p->names, (uint32_t)series));
}

/* The axis is open. */
static void put_named(struct json *j, const struct page *p, const struct bins *b)
{
	uint32_t i = 0;

	while (i < b->nr) {
		json_object(j, NULL);
		put_series_name(j, p, b->cells[i].series);
		i = put_series(j, b, i);
		json_end_object(j);
	}
	json_end_array(j);
	json_end_object(j);
}

static void put_space(struct json *j, struct page *p)
{
	bins_sort(&p->space);
	json_object(j, "space");
	json_u64(j, "row_bytes", 4096ULL << p->space.row_shift);
	put_axis(j, &p->space);
	put_named(j, p, &p->space);
}

/* Series without rows: only when something was. */
static void put_times(struct json *j, const char *key, const struct page *p, struct bins *b)
{
	bins_sort(b);
	json_object(j, key);
	put_axis(j, b);
	put_named(j, p, b);
}

static void put_latency(struct json *j, struct page *p)
{
	static const char *const names[] = {
		[PAGE_FAULTS] = "page faults", [PAGE_EXITS] = "VM exits"
	};
	const struct bins *b = &p->latency;
	uint32_t i = 0;
	unsigned int row;

	bins_sort(&p->latency);
	json_object(j, "latency");
	json_array(j, "from_ns");
	for (row = 0; row <= page_latency_row(UINT64_MAX); row++)
		json_double(j, NULL, (double)page_latency_from(row));
	json_end_array(j);
	put_axis(j, b);
	while (i < b->nr) {
		json_object(j, NULL);
		json_str(j, "name", names[b->cells[i].series]);
		i = put_series(j, b, i);
		json_end_object(j);
	}
	json_end_array(j);
	json_end_object(j);
}

/* ---- call chains -------------------------------------------------------------------------------
 */

/* The number that a node or a name has in the page; it gets the next one when it has none yet. */
static uint32_t renumber(uint32_t *numbers, uint32_t old, uint32_t *next)
{
	if (numbers[old] == UINT32_MAX)
		numbers[old] = (*next)++;
	return numbers[old];
}

/* Parent, name, events of each node; those of callees that are left out are their caller's. */
static void put_nodes(struct json *j, const struct flame *f, uint32_t *nodes, uint32_t *names)
{
	uint64_t least = f->nodes[FLAME_ROOT].all / FLAME_PARTS;
	uint32_t i, nr_nodes = 0, nr_names = 0;

	json_array(j, "nodes");
	for (i = 0; i < f->nr; i++) {
		const struct flame_node *n = &f->nodes[i];

		if (i && n->all <= least)
			continue;
		renumber(nodes, i, &nr_nodes);
		json_u64(j, NULL, nodes[n->parent]);
		json_u64(j, NULL, renumber(names, n->name, &nr_names));
		json_u64(j, NULL, n->all);
	}
	json_end_array(j);
}

/* In the order of their new numbers. */
static int put_names(struct json *j, const struct page *p, const uint32_t *numbers)
{
	uint32_t n = (uint32_t)p->names.strings.n, i, used = 0;
	uint32_t *order = calloc(n, sizeof(*order));

	if (!order)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		if (numbers[i] != UINT32_MAX) {
			order[numbers[i]] = i;
			used++;
		}
	}
	json_array(j, "names");
	for (i = 0; i < used; i++)
		json_str(j, NULL, intern_text(&p->names, order[i]));
	json_end_array(j);
	free(order);
	return 0;
}

static int put_flame(struct json *j, struct page *p)
{
	size_t nr_names = p->names.strings.n;
	uint32_t *nodes = malloc(p->flame.nr * sizeof(*nodes));
	uint32_t *names = malloc(nr_names * sizeof(*names));
	int err = -ENOMEM;

	if (nodes && names) {
		memset(nodes, 0xff, p->flame.nr * sizeof(*nodes));
		memset(names, 0xff, nr_names * sizeof(*names));
		flame_sum(&p->flame);
		json_object(j, "flame");
		json_bool(j, "stacks", p->stacks);
		json_u64(j, "cut", p->flame.cut);
		put_nodes(j, &p->flame, nodes, names);
		err = put_names(j, p, names);
		json_end_object(j);
	}
	free(nodes);
	free(names);
	return err;
}

/* ---- single faults -----------------------------------------------------------------------------
 */

/* Each as `script --json` has it: one document a line. */
static void put_lines(struct json *j, const char *text, size_t len)
{
	const char *end;

	json_array(j, "slowest");
	while (len && (end = memchr(text, '\n', len))) {
		json_raw(j, NULL, text, (size_t)(end - text));
		len -= (size_t)(end - text) + 1;
		text = end + 1;
	}
	json_end_array(j);
}

static int print_faults(struct page *p, FILE *out)
{
	const struct script_opts opts = { .json = true, .out = out };
	struct sink *script = sink_script(&p->env, &opts);
	uint32_t i;
	int err = script ? 0 : -ENOMEM;

	slowest_sort(&p->slowest);
	for (i = 0; !err && i < p->slowest.nr; i++)
		err = script->fault(script, p->slowest.faults[i]);
	if (script)
		script->free(script);
	return err;
}

static int put_slowest(struct json *j, struct page *p)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int err;

	if (!out)
		return -ENOMEM;
	err = print_faults(p, out);
	if (fclose(out) && !err)
		err = -ENOMEM;
	if (!err)
		put_lines(j, text, len);
	free(text);
	return err;
}

/* ---- the file ----------------------------------------------------------------------------------
 */

static int put_document(struct json *j, struct page *p, const struct rec_totals *totals,
			bool complete)
{
	int err;

	json_object(j, NULL);
	put_machine(j, p, totals, complete);
	put_space(j, p);
	put_latency(j, p);
	put_times(j, "exits", p, &p->exits);
	put_times(j, "remaps", p, &p->remaps);
	err = put_tables(j, p) ?: put_flame(j, p) ?: put_slowest(j, p);
	json_end_object(j);
	return err;
}

/*
 * A \uXXXX at @s is of what may not be shown: a page shows '?', since the direction of text can
 * be turned in HTML, too.
 */
static bool is_hidden(const char *s, const char *end)
{
	char digits[5] = "";

	if (end - s < 6 || s[1] != 'u')
		return false;
	memcpy(digits, s + 2, 4);
	return !printable_code((uint32_t)strtoul(digits, NULL, 16));
}

/* HTML must find no tag in it, whatever names processes gave themselves: "<" is only in strings. */
static void write_document(FILE *out, const char *text, size_t len)
{
	const char *end = text + len;

	for (; text < end; text++) {
		if (*text == '<') {
			fputs("\\u003c", out);
		} else if (*text == '\\' && is_hidden(text, end)) {
			putc_unlocked('?', out);
			text += 5;
		} else {
			putc_unlocked(*text, out);
			if (*text == '\\' && text + 1 < end)
				putc_unlocked(*++text, out); /* which begins no escape */
		}
	}
}

static void write_page(FILE *out, const char *document, size_t len)
{
	fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
	      "<title>ptrace-pf report</title>\n<style>\n",
	      out);
	fputs(page_style, out);
	fputs("</style>\n</head>\n<body>\n", out);
	fputs(page_body, out);
	fputs("<script type=\"application/json\" id=\"data\">", out);
	write_document(out, document, len);
	fputs("</script>\n<script>\n", out);
	fputs(page_code, out);
	fputs("</script>\n</body>\n</html>\n", out);
}

int page_write(struct page *p, const struct rec_totals *totals, bool complete)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct json j;
	int err;

	if (!out)
		return -ENOMEM;
	json_init(&j, out);
	err = put_document(&j, p, totals, complete);
	if (fclose(out) && !err)
		err = -ENOMEM;
	if (!err)
		write_page(p->out, text, len);
	free(text);
	return err;
}
