// SPDX-License-Identifier: GPL-2.0
#include "user/record/blob.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRING_ALIGN 64 /* NAME_ALIGN, tools/perf/util/header.c */

static bool make_room(struct blob *b, size_t more)
{
	size_t room = b->room ? b->room : 1024;
	char *data;

	while (room - b->size < more)
		room *= 2;
	if (room == b->room || b->failed)
		return !b->failed;
	data = realloc(b->data, room);
	b->failed = !data;
	if (!data)
		return false;
	b->data = data;
	b->room = room;
	return true;
}

void blob_put(struct blob *b, const void *data, size_t size)
{
	if (!size || !make_room(b, size))
		return;
	if (data)
		memcpy(b->data + b->size, data, size);
	else
		memset(b->data + b->size, 0, size);
	b->size += size;
}

void blob_u32(struct blob *b, uint32_t value)
{
	blob_put(b, &value, sizeof(value));
}

void blob_u64(struct blob *b, uint64_t value)
{
	blob_put(b, &value, sizeof(value));
}

void blob_align(struct blob *b, size_t align)
{
	blob_put(b, NULL, (align - b->size % align) % align);
}

void blob_string(struct blob *b, const char *text)
{
	size_t len = strlen(text) + 1, padded = (len + STRING_ALIGN - 1) & ~(STRING_ALIGN - 1ul);

	blob_u32(b, (uint32_t)padded);
	blob_put(b, text, len);
	blob_put(b, NULL, padded - len);
}

void blob_printf(struct blob *b, const char *fmt, ...)
{
	char *text;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0) {
		b->failed = true;
		return;
	}
	blob_put(b, text, (size_t)len);
	free(text);
}

void blob_free(struct blob *b)
{
	free(b->data);
	*b = (struct blob){ 0 };
}
