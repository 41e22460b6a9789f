/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* One pass over a range with callbacks; what they answer steers it. */
#ifndef PT_VISIT_H
#define PT_VISIT_H

#include "pt_edit.h"
#include "pt_iter.h"

enum pt_answer {
	PT_GO_ON,
	PT_SKIP, /* from table_pre: not below this table (table_post is not called either) */
	PT_STOP, /* pt_visit() returns 1 at once */
	PT_EDIT, /* store *new in place of the item's entry, see pt_visit() */
};

/* Each may be NULL. @new is the entry's value at first; @ctx is pt_visit()'s. */
struct pt_visitor {
	enum pt_answer (*table_pre)(void *ctx, const struct pt_item *item, pt_u64 *new);
	enum pt_answer (*table_post)(void *ctx, const struct pt_item *item, pt_u64 *new);
	enum pt_answer (*leaf)(void *ctx, const struct pt_item *item, pt_u64 *new);
	enum pt_answer (*hole)(void *ctx, const struct pt_item *item, pt_u64 *new);
	enum pt_answer (*bad)(void *ctx, const struct pt_item *item, pt_u64 *new);
	/* After an edit that the callbacks asked for: the record that undoes it, to be kept. */
	void (*edited)(void *ctx, const struct pt_edit *edit);
};

/*
 * Visits [@start, @last]. After PT_EDIT the entry is compared with the value seen and replaced; if
 * it has changed meanwhile, the callback that fits its new value is called. What was stored is not
 * shown again, but before table_post it is looked into as it is now, if it is a table. PT_EDIT is
 * -EINVAL where no entry was read (->level 0, PT_WHY_UNREADABLE) and without @visitor->edited.
 * @budget: as pt_iter_init(). 0, 1 when stopped, or -errno.
 */
int pt_visit(const struct pt_space *space, pt_u64 start, pt_u64 last,
	     const struct pt_visitor *visitor, void *ctx, pt_u64 budget);

#endif
