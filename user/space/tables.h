/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Copies of page tables, kept by their physical addresses: memory that holds nothing else. The
 * core's lookups and ranges run on it as on any other memory.
 */
#ifndef SPACE_TABLES_H
#define SPACE_TABLES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "user/pt/pt_mem.h"
#include "user/pt/pt_mode.h"

struct tables;

struct tables *tables_new(void); /* NULL without memory */
void tables_free(struct tables *t);

/*
 * Keeps @nr entries of 8 bytes, from index @first on, of the table at @pa (a multiple of 4096).
 * Others of it that were put before stay; those that never were are 0. 0, -ENOMEM, or -EINVAL for
 * another @pa and for entries beyond the table's end.
 */
int tables_put(struct tables *t, uint64_t pa, unsigned int first, unsigned int nr,
	       const uint64_t *entries);

/* For pt_space; read only. What is in no table is -EFAULT. */
struct pt_mem *tables_mem(struct tables *t);

/* Tables that are kept. */
size_t tables_count(const struct tables *t);

/* The 512 entries of table @i, less than that, and its address. */
const uint64_t *tables_entries(const struct tables *t, size_t i, uint64_t *pa);

/*
 * Writes to @out an ELF core with the tables, and the registers that tell where they begin, as
 * image_open() reads it (QEMU's note), and flushes it. 0; -E2BIG: more than an image may have; or
 * -errno.
 */
int tables_save(const struct tables *t, const struct pt_cregs *regs, FILE *out);

#endif
