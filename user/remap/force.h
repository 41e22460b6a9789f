/* SPDX-License-Identifier: GPL-2.0 */
/* Kinds of pages that a change leads to only if it is told to, by name: PTREMAP_ITEM_FORCE_*. */
#ifndef REMAP_FORCE_H
#define REMAP_FORCE_H

#include <stdint.h>

#define FORCE_KINDS "free, table, slab, reserved, kernel"

/*
 * Adds the kinds of a comma list to *@flags. NULL, or where the word begins that is none of
 * FORCE_KINDS.
 */
const char *force_parse(const char *list, uint32_t *flags);

/* The name of the @i-th kind in @flags, in the order of FORCE_KINDS; NULL: there are no more. */
const char *force_name(uint32_t flags, unsigned int i);

#endif
