// SPDX-License-Identifier: GPL-2.0
#include "user/sym/demangle.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Templates make long names; beyond this nobody reads them, and the file may want to do harm. */
#define NAME_MAX_SIZE 8192
#define TEXT_MAX_SIZE 65536

struct text {
	jmp_buf too_long;
	size_t len;
	char bytes[TEXT_MAX_SIZE];
};

/* Some hundred bytes may stand for terabytes of text: each part is twice the one before. */
static void add(const char *part, size_t len, void *ctx)
{
	struct text *t = ctx;

	if (len >= sizeof(t->bytes) - t->len)
		longjmp(t->too_long, 1);
	memcpy(t->bytes + t->len, part, len);
	t->len += len;
	t->bytes[t->len] = '\0';
}

/* No parameters, as perf. */
static char *text_of(const char *name, struct text *t)
{
	/* The library has nothing on the heap while it prints. */
	if (setjmp(t->too_long))
		return NULL;
	if (rust_demangle_callback(name, DMGL_AUTO, add, t))
		return strdup(t->bytes);
	t->len = 0; /* what it said before it gave up */
	return cplus_demangle_v3_callback(name, DMGL_AUTO, add, t) ? strdup(t->bytes) : NULL;
}

char *demangle(const char *name)
{
	struct text *t;
	char *out;

	if (name[0] != '_' || (name[1] != 'Z' && name[1] != 'R') ||
	    strnlen(name, NAME_MAX_SIZE) == NAME_MAX_SIZE)
		return NULL;
	t = malloc(sizeof(*t));
	if (!t)
		return NULL;
	t->len = 0;
	t->bytes[0] = '\0';
	out = text_of(name, t);
	free(t);
	return out;
}
