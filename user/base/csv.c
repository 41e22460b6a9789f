// SPDX-License-Identifier: GPL-2.0
#include "user/base/csv.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "user/base/printable.h"

static void separate(struct csv *c)
{
	if (c->comma)
		putc(',', c->out);
	c->comma = true;
}

/* Spreadsheets take text that begins so for a formula, and run it. A lone "-" is none. */
static bool is_formula(const char *text)
{
	return text[0] && text[1] && strchr("=+-@", text[0]);
}

static void put_shown(struct csv *c, const char *text)
{
	size_t left = strlen(text), len;
	bool shown;

	for (; left; text += len, left -= len) {
		len = printable_next(text, left, &shown);
		if (*text == '"')
			putc('"', c->out);
		if (shown)
			fwrite(text, 1, len, c->out);
		else
			putc('?', c->out);
	}
}

void csv_str(struct csv *c, const char *text)
{
	bool quoted;

	separate(c);
	if (!text)
		return;
	quoted = text[strcspn(text, ",\"")];
	if (quoted)
		putc('"', c->out);
	if (is_formula(text))
		putc('\'', c->out);
	put_shown(c, text);
	if (quoted)
		putc('"', c->out);
}

void csv_u64(struct csv *c, uint64_t value)
{
	separate(c);
	fprintf(c->out, "%" PRIu64, value);
}

void csv_double(struct csv *c, double value)
{
	separate(c);
	fprintf(c->out, "%.15g", value);
}

void csv_end_line(struct csv *c)
{
	putc('\n', c->out);
	c->comma = false;
}
