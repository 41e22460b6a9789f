/* SPDX-License-Identifier: GPL-2.0 */
/* Names that calls gave to numbers, of each VM (BitVisor: call 0). */
#ifndef REPORT_LEARNED_H
#define REPORT_LEARNED_H

#include <stdint.h>

#include "user/base/hash.h"
#include "user/sym/strings.h"

#define LEARNED_MAX 65536 /* names and numbers: guests decide how many there are */

struct learned { /* all zero: empty */
	struct strings names;
	struct learned_number {
		uint64_t number;
		uint32_t vm, name;
	} * numbers;
	uint32_t nr, room;
	struct hash_index index;
};

/* The name of @number in the VM of process @vm, or NULL; valid until learned_free(). */
const char *learned_name(const struct learned *l, uint32_t vm, uint64_t number);
/* From now on; what does not fit is not learned. 0 or -ENOMEM. */
int learned_add(struct learned *l, uint32_t vm, uint64_t number, const char *name);
void learned_free(struct learned *l);

#endif
