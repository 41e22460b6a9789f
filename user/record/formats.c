// SPDX-License-Identifier: GPL-2.0
#include "user/record/formats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_LEN 512

/* What is left of the trace data. */
struct rest {
	const char *at;
	size_t len;
	bool ok;
};

static const char *take(struct rest *r, uint64_t size)
{
	const char *at = r->at;

	if (!r->ok || size > r->len) {
		r->ok = false;
		return NULL;
	}
	r->at += size;
	r->len -= (size_t)size;
	return at;
}

static uint64_t take_number(struct rest *r, size_t size)
{
	const char *at = take(r, size);
	uint64_t value = 0;

	if (at)
		memcpy(&value, at, size);
	return value;
}

static const char *take_string(struct rest *r)
{
	size_t len = r->ok ? strnlen(r->at, r->len) : 0;

	return take(r, len + 1);
}

/* The line of @text that begins behind blanks with @start; a copy in @line, or NULL. */
static char *find_line(const struct format *f, const char *start, const char *name, char *line)
{
	const char *at = f->text, *end = f->text + f->len, *eol;
	char *word;
	size_t len;

	for (; at < end; at = eol + 1) {
		eol = memchr(at, '\n', (size_t)(end - at));
		if (!eol)
			eol = end;
		len = (size_t)(eol - at) < LINE_MAX_LEN - 1 ? (size_t)(eol - at) : LINE_MAX_LEN - 1;
		memcpy(line, at, len);
		line[len] = 0;
		word = line + strspn(line, " \t");
		if (strncmp(word, start, strlen(start)))
			continue;
		word += strlen(start);
		if (!name)
			return word;
		/* "unsigned long address;\toffset:8;..." */
		len = strcspn(word, ";");
		if (len >= strlen(name) &&
		    !strncmp(word + len - strlen(name), name, strlen(name)) &&
		    (len == strlen(name) || word[len - strlen(name) - 1] == ' '))
			return word + len;
	}
	return NULL;
}

struct format_field format_find(const struct format *format, const char *name)
{
	struct format_field none = { 0 }, field;
	char line[LINE_MAX_LEN], *rest = find_line(format, "field:", name, line);

	if (!rest || sscanf(rest, "; offset:%u; size:%u;", &field.offset, &field.size) != 2)
		return none;
	if (field.size != 1 && field.size != 2 && field.size != 4 && field.size != 8)
		return none;
	return field;
}

uint64_t format_value(const struct format_field *field, const void *raw, size_t size)
{
	uint64_t value = 0;

	if (field->size && field->size <= size && field->offset <= size - field->size)
		memcpy(&value, (const char *)raw + field->offset, field->size);
	return value;
}

/* Name and id of the event. False: the text has none. */
static bool read_format(struct format *f)
{
	char line[LINE_MAX_LEN], *word = find_line(f, "name:", NULL, line);

	if (!word)
		return false;
	snprintf(f->name, sizeof(f->name), "%s", word + strspn(word, " "));
	word = find_line(f, "ID:", NULL, line);
	f->id = word ? strtoull(word, NULL, 10) : 0;
	return word;
}

/* What stands in front of the events. */
static void skip_front(struct rest *r)
{
	static const char magic[] = "\027\010\104tracing";
	const char *at = take(r, sizeof(magic) - 1);
	uint64_t i, n;

	r->ok = at && !memcmp(at, magic, sizeof(magic) - 1);
	take_string(r); /* version */
	take(r, 2 + 4); /* byte order, size of long, size of a page */
	take(r, sizeof("header_page"));
	take(r, take_number(r, 8));
	take(r, sizeof("header_event"));
	take(r, take_number(r, 8));
	n = take_number(r, 4);
	for (i = 0; i < n && r->ok; i++)
		take(r, take_number(r, 8));
}

int formats_each(const void *data, size_t size, format_each each, void *ctx)
{
	struct rest r = { data, size, true };
	uint64_t i, j, systems, events;
	int ret = 0;

	skip_front(&r);
	systems = take_number(&r, 4);
	for (i = 0; i < systems && r.ok && !ret; i++) {
		struct format f = { .system = take_string(&r) };

		events = take_number(&r, 4);
		for (j = 0; j < events && r.ok && !ret; j++) {
			f.len = (size_t)take_number(&r, 8);
			f.text = take(&r, f.len);
			if (f.text && read_format(&f))
				ret = each(ctx, &f);
		}
	}
	return ret;
}
