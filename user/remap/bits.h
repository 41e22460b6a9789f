/* SPDX-License-Identifier: GPL-2.0 */
/* Lists of the bits of an entry that a change sets or clears: "RW,PK=3". */
#ifndef REMAP_BITS_H
#define REMAP_BITS_H

#include <stdbool.h>

#include "kmod-helper/uapi/ptremap.h"
#include "user/base/line.h"

/* @list goes into ->set or ->clear. -EINVAL, with the reason in @why, as of change_key(). */
int bits_add(struct ptremap_item *item, const char *list, bool set, char *why);

/* When all is known: PAT has another place in a 2 MiB leaf. The second call does nothing. */
void bits_place(struct ptremap_item *item);

/* Those that are set, or cleared, behind @key; nothing if there are none. */
void bits_text(struct line *l, const struct ptremap_item *item, const char *key, bool set);

#endif
