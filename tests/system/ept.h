/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs share that test changes of guest-physical pages. */
#ifndef TESTS_EPT_H
#define TESTS_EPT_H

#include "tests/system/edits.h"
#include "tests/system/tiny_vm.h"

static inline int ept_many(const struct checks *c, pid_t pid, int vm,
			   struct ptremap_ept_item *items, uint32_t nr, uint32_t flags,
			   uint32_t *id)
{
	struct ptremap_ept e = { .size = sizeof(e),
				 .flags = flags,
				 .pid = pid,
				 .fd = vm,
				 .items = at(items),
				 .nr = nr };
	int err = call(c, PTREMAP_EPT, &e);

	if (id)
		*id = e.id;
	return err;
}

/* Of the only VM of this process. */
static inline int ept(const struct checks *c, struct ptremap_ept_item *item, uint32_t *id)
{
	return ept_many(c, getpid(), -1, item, 1, 0, id);
}

static inline struct ptremap_ept_item ept_item(uint32_t what, uint64_t gpa, uint64_t other,
					       uint32_t level)
{
	return (struct ptremap_ept_item){
		.what = what, .gpa = gpa, .other = other, .level = level
	};
}

/* Of the transaction's first item; all 0: it is not there. */
static inline struct ptremap_record record_of(const struct checks *c, uint32_t id)
{
	struct ptremap_record r[64];
	int nr = list(c, r, 64), i;

	for (i = 0; i < nr && i < 64; i++)
		if (r[i].id == id)
			return r[i];
	return (struct ptremap_record){ 0 };
}

/* A VM that nobody has any more is noticed within a second. */
static inline bool comes_to_an_end(const struct checks *c, uint32_t id, uint8_t cause)
{
	struct ptremap_record r = { 0 };
	int tries;

	for (tries = 0; tries < 300; tries++) {
		r = record_of(c, id);
		if (r.state != PTREMAP_ACTIVE)
			break;
		usleep(10000);
	}
	return r.state == PTREMAP_TAKEN && r.cause == cause;
}

#endif
