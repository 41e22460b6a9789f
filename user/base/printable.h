/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which characters of names from outside (processes, files, symbols, guests) may be shown. Whoever
 * prints such text asks here, so that all outputs agree.
 */
#ifndef BASE_PRINTABLE_H
#define BASE_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * False for what would steer a terminal or a reader's eye: C0, DEL and C1, line and paragraph
 * separators, what turns the direction of text (Unicode Technical Report 36, "bidirectional text
 * spoofing"), and what takes no place at all.
 */
bool printable_code(uint32_t code);

/* Bytes of the valid UTF-8 sequence at @s (Unicode, table 3-7), which ends before @len; 0: none. */
size_t printable_utf8(const char *s, size_t len);

/* Code point of the valid sequence of @len bytes at @s. */
uint32_t printable_code_of(const char *s, size_t len);

/*
 * Bytes of the character at @s, 1 to 4 of @len, which is at least 1; 1 where it is not UTF-8.
 * *@shown: whether it may be shown as it is.
 */
size_t printable_next(const char *s, size_t len, bool *shown);

/*
 * Writes the @len bytes at @s to @to, '?' for each character that may not be shown; returns how
 * many bytes these are, at most @len. @to and @s may be the same.
 */
size_t printable_copy(char *to, const char *s, size_t len);

#endif
