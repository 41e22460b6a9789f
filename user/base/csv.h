/* SPDX-License-Identifier: GPL-2.0 */
/* Lines of comma-separated values (RFC 4180): fields are quoted where they have to be. */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct csv { /* starts with ->out alone */
	FILE *out;
	bool comma; /* a field is on the line already */
};

/*
 * NULL: empty. What may not be shown (printable.h) is '?', and text that a spreadsheet would take
 * for a formula has a "'" in front, so that names from outside do nothing there.
 */
void csv_str(struct csv *c, const char *text);
void csv_u64(struct csv *c, uint64_t value);
void csv_double(struct csv *c, double value);
void csv_end_line(struct csv *c);

#endif
