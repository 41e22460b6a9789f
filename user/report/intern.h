/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Texts as small numbers, fast for texts that come by the same pointer again and again: equal
 * texts have equal numbers, whatever pointer they come by.
 */
#ifndef REPORT_INTERN_H
#define REPORT_INTERN_H

#include <stdint.h>

#include "user/sym/strings.h"

#define INTERN_MEMO 1024 /* power of two */

struct intern { /* all zero: empty */
	struct strings strings;
	/* Where a pointer led last time; checked by the text, since its owner may reuse it. */
	struct {
		const char *text;
		uint32_t id;
	} memo[INTERN_MEMO], shared[INTERN_MEMO]; /* shared: of intern_shared(), not checked */
};

/* Number of @text, from 0; or -ENOMEM. */
int64_t intern_id(struct intern *in, const char *text);
/* The same for a text that stays as it is and where it is for as long as @in does. */
int64_t intern_shared(struct intern *in, const char *text);
const char *intern_text(const struct intern *in, uint32_t id);
void intern_free(struct intern *in);

#endif
