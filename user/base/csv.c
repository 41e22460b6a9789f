// SPDX-License-Identifier: GPL-2.0
#include "user/base/csv.h"

#include <inttypes.h>
#include <string.h>

static void separate(struct csv *c)
{
	if (c->comma)
		putc(',', c->out);
	c->comma = true;
}

void csv_str(struct csv *c, const char *text)
{
	separate(c);
	if (!text)
		return;
	if (!text[strcspn(text, ",\"\r\n")]) {
		fputs(text, c->out);
		return;
	}
	putc('"', c->out);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', c->out);
		putc(*text, c->out);
	}
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
