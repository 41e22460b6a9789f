/* SPDX-License-Identifier: GPL-2.0 */
/* Formats of tracepoints in perf's trace data: where the fields of an event are. */
#ifndef RECORD_FORMATS_H
#define RECORD_FORMATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A field as it was asked for by name. ->size 0: the event has no such field. */
struct format_field {
	uint32_t offset, size;
};

/* One event's format, the text of its file in tracefs. */
struct format {
	const char *system; /* terminated */
	const char *text;   /* not terminated */
	size_t len;
	uint64_t id;
	char name[64];
};

typedef int (*format_each)(void *ctx, const struct format *format);

/*
 * Calls @each for every event of the trace data (tools/perf/util/trace-event-info.c). Nothing in
 * them is trusted; what follows something that cannot be is left out. Non-zero stops and is
 * returned.
 */
int formats_each(const void *data, size_t size, format_each each, void *ctx);
/* Looks for a field of 1, 2, 4 or 8 bytes. */
struct format_field format_find(const struct format *format, const char *name);
/* Its value in the raw data of a sample; 0: not there, or beyond them. */
uint64_t format_value(const struct format_field *field, const void *raw, size_t size);

#endif
