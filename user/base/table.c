// SPDX-License-Identifier: GPL-2.0
#include "user/base/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/printable.h"

#define GAP 2 /* spaces between columns */

struct column {
	const char *title;
	enum table_align align;
};

struct table {
	unsigned int nr_columns;
	bool no_memory; /* a cell is missing */
	size_t nr_cells, room;
	char **cells;
	struct column columns[];
};

struct table *table_new(unsigned int columns)
{
	struct table *t = calloc(1, sizeof(*t) + columns * sizeof(t->columns[0]));

	if (t)
		t->nr_columns = columns;
	return t;
}

void table_column(struct table *t, unsigned int column, const char *title, enum table_align align)
{
	t->columns[column].title = title;
	t->columns[column].align = align;
}

static int make_room(struct table *t)
{
	size_t room = t->room ? t->room * 2 : 64;
	char **cells;

	if (t->nr_cells < t->room)
		return 0;
	cells = realloc(t->cells, room * sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	t->cells = cells;
	t->room = room;
	return 0;
}

void table_cell(struct table *t, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		t->no_memory = true;
		return;
	}
	if (make_room(t)) {
		t->no_memory = true;
		free(text);
		return;
	}
	text[printable_copy(text, text, (size_t)len)] = 0;
	t->cells[t->nr_cells++] = text;
}

/* Characters, not bytes: UTF-8 continuation bytes take no place. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

static void widen(size_t *width, const char *text)
{
	size_t w = width_of(text);

	if (w > *width)
		*width = w;
}

/* Fills @widths; true when there are titles. */
static bool measure(const struct table *t, size_t *widths)
{
	bool titles = false;
	unsigned int c;
	size_t i;

	for (c = 0; c < t->nr_columns; c++) {
		if (!t->columns[c].title)
			continue;
		widen(&widths[c], t->columns[c].title);
		titles = true;
	}
	for (i = 0; i < t->nr_cells; i++)
		widen(&widths[i % t->nr_columns], t->cells[i]);
	return titles;
}

/* Writes one cell; *@spaces are owed from the cells before, so that no line ends in spaces. */
static void print_cell(FILE *out, enum table_align align, size_t width, const char *text,
		       size_t *spaces)
{
	size_t pad = width - width_of(text);

	if (!*text) {
		*spaces += width;
		return;
	}
	if (align == TABLE_RIGHT)
		*spaces += pad;
	fprintf(out, "%*s%s", (int)*spaces, "", text);
	*spaces = align == TABLE_LEFT ? pad : 0;
}

static const char *cell_or_title(const struct table *t, size_t row, unsigned int column)
{
	size_t i = (row - 1) * t->nr_columns + column;
	const char *text;

	if (!row)
		text = t->columns[column].title;
	else
		text = i < t->nr_cells ? t->cells[i] : NULL;
	return text ? text : "";
}

/* Row 0 are the titles. */
static void print_row(const struct table *t, FILE *out, size_t spaces, const size_t *widths,
		      size_t row)
{
	unsigned int c;

	for (c = 0; c < t->nr_columns; c++) {
		print_cell(out, t->columns[c].align, widths[c], cell_or_title(t, row, c), &spaces);
		spaces += GAP;
	}
	putc('\n', out);
}

int table_print(const struct table *t, FILE *out, unsigned int indent)
{
	size_t row, rows = (t->nr_cells + t->nr_columns - 1) / t->nr_columns;
	size_t *widths;

	if (t->no_memory)
		return -ENOMEM;
	widths = calloc(t->nr_columns, sizeof(*widths));
	if (!widths)
		return -ENOMEM;
	for (row = measure(t, widths) ? 0 : 1; row <= rows; row++)
		print_row(t, out, indent, widths, row);
	free(widths);
	return 0;
}

void table_free(struct table *t)
{
	size_t i;

	if (!t)
		return;
	for (i = 0; i < t->nr_cells; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}
