/* SPDX-License-Identifier: GPL-2.0 */
/* Build IDs of files by their names, as recordings tell them. */
#ifndef SYM_KNOWN_IDS_H
#define SYM_KNOWN_IDS_H

#include "user/sym/build_id.h"
#include "user/sym/strings.h"

struct known_ids { /* starts as zeros */
	struct strings names;
	struct known_id {
		struct build_id id; /* of none: the name stands for several files */
		uint32_t source;
	} * ids; /* [names.n] */
	size_t size;
};

/*
 * 0 or -ENOMEM. A name has no ID any more when it gets another one, or a second from one @source, a
 * number of the caller's: perf tells of a file that was replaced twice, but looks only at the end.
 */
int known_ids_add(struct known_ids *k, const char *name, const struct build_id *id,
		  uint32_t source);
/* NULL: not known. Valid until the next known_ids_add(). */
const struct build_id *known_ids_find(struct known_ids *k, const char *name);
void known_ids_free(struct known_ids *k);

#endif
