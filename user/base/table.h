/* SPDX-License-Identifier: GPL-2.0 */
/* Aligned text tables: cells are collected, columns are as wide as their widest cell. */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdio.h>

struct table;

enum table_align { TABLE_LEFT, TABLE_RIGHT };

/* Returns NULL without memory. Freed by table_free(). */
struct table *table_new(unsigned int columns);
/* @title is not copied; a table without any title has no title line. */
void table_column(struct table *t, unsigned int column, const char *title, enum table_align align);
/* Adds one cell, row by row, left to right. The text is copied; '?' is what may not be shown
 * (printable.h). */
void table_cell(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* @indent spaces before every line; no trailing spaces. Errors of malloc on the way: -ENOMEM. */
int table_print(const struct table *t, FILE *out, unsigned int indent);
void table_free(struct table *t);

#endif
