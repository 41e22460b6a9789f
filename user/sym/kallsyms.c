// SPDX-License-Identifier: GPL-2.0
#include "user/sym/kallsyms.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/sym/array.h"
#include "user/sym/strings.h"

/* kallsyms has no sizes. No function is that long; behind it must be something without a name. */
#define MAX_SIZE (1 << 20)
/* KSYM_NAME_LEN is 512 at most; then "address type name\t[module]". */
#define LINE_SIZE 1024

struct kallsyms {
	struct kallsym {
		uint64_t address;
		uint32_t name;	 /* offset in ->text */
		uint32_t module; /* number in ->modules */
	} * symbols;		 /* by address, then by name */
	size_t n, size;
	char *text;
	size_t text_len, text_size;
	struct strings modules;
};

/* The parts of one line; @module is "[kernel]" when none is named. */
struct line {
	char buf[LINE_SIZE];
	uint64_t address;
	char type;
	const char *name;
	const char *module;
};

static bool parse_line(struct line *l)
{
	char *save, *address, *type, *name, *module, *end;

	address = strtok_r(l->buf, " \t\n", &save);
	type = strtok_r(NULL, " \t\n", &save);
	name = strtok_r(NULL, " \t\n", &save);
	module = strtok_r(NULL, " \t\n", &save);
	if (!name)
		return false;
	l->address = strtoull(address, &end, 16);
	l->type = *type;
	l->name = name;
	l->module = module ? module : "[kernel]";
	return *end == '\0' && strlen(type) == 1;
}

static int add_text(struct kallsyms *k, const char *name, uint32_t *offset)
{
	size_t len = strlen(name) + 1;

	if (k->text_len + len > k->text_size) {
		size_t size = k->text_size ? k->text_size * 2 : 1 << 20;
		char *text = realloc(k->text, size);

		if (!text)
			return -ENOMEM;
		k->text = text;
		k->text_size = size;
	}
	if (k->text_len + len > UINT32_MAX)
		return -EFBIG;
	memcpy(k->text + k->text_len, name, len);
	*offset = (uint32_t)k->text_len;
	k->text_len += len;
	return 0;
}

static int add_symbol(struct kallsyms *k, const struct line *l)
{
	struct kallsym *symbols = array_room(k->symbols, k->n, &k->size, sizeof(*symbols));
	int64_t module = strings_add(&k->modules, l->module);
	struct kallsym *new;
	int err;

	if (!symbols || module < 0)
		return -ENOMEM;
	k->symbols = symbols;
	new = &symbols[k->n];
	new->address = l->address;
	new->module = (uint32_t)module;
	err = add_text(k, l->name, &new->name);
	if (!err)
		k->n++;
	return err;
}

/* Functions only; adds up in @seen whether any address is shown. */
static int read_symbols(struct kallsyms *k, FILE *in, uint64_t *seen)
{
	struct line line;
	int err = 0;

	*seen = 0;
	while (!err && fgets(line.buf, sizeof(line.buf), in)) {
		if (!parse_line(&line) || !strchr("tTwW", line.type))
			continue;
		*seen |= line.address;
		err = add_symbol(k, &line);
	}
	return err;
}

/* Of several names of one function the first in the file comes first: names are in its order. */
static int compare(const void *a, const void *b)
{
	const struct kallsym *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

int kallsyms_load(struct kallsyms **k, const char *path)
{
	struct kallsyms *new = calloc(1, sizeof(*new));
	FILE *in = new ? fopen(path, "re") : NULL;
	uint64_t seen;
	int err;

	if (!in) {
		err = new ? -errno : -ENOMEM;
		free(new);
		return err;
	}
	err = read_symbols(new, in, &seen);
	fclose(in);
	if (!err && !new->n)
		err = -ENODATA;
	if (!err && !seen)
		err = -EPERM;
	if (err) {
		kallsyms_free(new);
		return err;
	}
	qsort(new->symbols, new->n, sizeof(*new->symbols), compare);
	*k = new;
	return 0;
}

int kallsyms_find(const struct kallsyms *k, uint64_t address, const char **name,
		  const char **module, uint64_t *start)
{
	const struct kallsym *s;
	size_t low = 0, high = k->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (k->symbols[mid].address <= address)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || address - k->symbols[low - 1].address >= MAX_SIZE)
		return -ENOENT;
	for (s = &k->symbols[low - 1]; s > k->symbols && s[-1].address == s->address; s--)
		;
	*name = k->text + s->name;
	*module = strings_get(&k->modules, s->module);
	*start = s->address;
	return 0;
}

void kallsyms_free(struct kallsyms *k)
{
	if (!k)
		return;
	free(k->symbols);
	free(k->text);
	strings_free(&k->modules);
	free(k);
}
