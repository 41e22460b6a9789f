/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text in columns of a terminal, in the encoding of the locale. Bytes that are no character there,
 * and those that would steer the terminal, are shown as '?'.
 */
#ifndef REPORT_TOP_TEXT_H
#define REPORT_TOP_TEXT_H

#include <stdbool.h>

#include "user/base/line.h"

#define TOP_TEXT_ALL SIZE_MAX

/* Columns that @s takes. */
size_t top_text_columns(const char *s);
/* At most @width columns of @s, then spaces up to @width (TOP_TEXT_ALL: all, and no spaces). */
void top_text_left(struct line *l, const char *s, size_t width);
/* The same with the spaces in front. */
void top_text_right(struct line *l, const char *s, size_t width);

#define TOP_INK_LEVELS 8

/* Characters with more and more ink, as the terminal can show them. @level: 1 .. TOP_INK_LEVELS. */
const char *top_ink(unsigned int level, bool utf8);
/* How much ink @value gets beside @max, by their logarithms: 0 for 0, TOP_INK_LEVELS for @max. */
unsigned int top_ink_level(uint64_t value, uint64_t max);

#endif
