/* SPDX-License-Identifier: GPL-2.0 */
/* Bytes as hexadecimal digits, to be read by people and from them. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stddef.h>
#include <stdint.h>

#include "user/base/line.h"

#define HEX_ROW 16 /* bytes of a line */

/* Lines of up to HEX_ROW of the @n @bytes at address @at: the address, digits, characters. */
void hex_rows(struct line *l, uint64_t at, const void *bytes, size_t n);

/*
 * Reads "de ad be ef" or "deadbeef"; blanks, commas and colons may stand between. Returns how many
 * bytes it is; 0: it is none, or more than @max. @buf, of @max bytes, may be NULL.
 */
size_t hex_parse(const char *s, char *buf, size_t max);

#endif
