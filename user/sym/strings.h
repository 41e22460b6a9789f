/* SPDX-License-Identifier: GPL-2.0 */
/* Interned strings: equal strings have one number and one address. */
#ifndef SYM_STRINGS_H
#define SYM_STRINGS_H

#include <stddef.h>
#include <stdint.h>

#include "user/base/hash.h"

struct strings {
	char **text; /* [number] */
	size_t n, size;
	struct hash_index index;
};

/* Number of the string, added if new. Or -ENOMEM. */
int64_t strings_add(struct strings *s, const char *text);
/* Its number if it is there, or -1. */
int64_t strings_find(const struct strings *s, const char *text);
/* Valid until strings_free(). */
const char *strings_get(const struct strings *s, uint32_t number);
void strings_free(struct strings *s);

#endif
