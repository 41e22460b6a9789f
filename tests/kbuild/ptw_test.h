/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PTW_TEST_H
#define PTW_TEST_H

#include <linux/printk.h>
#include <linux/types.h>

#include "pt/ptw.h"

struct results {
	unsigned int checks, failed;
};

/* Counts; tells what failed, in which part of the test. */
static inline void check_at(struct results *r, bool good, const char *part, const char *what)
{
	r->checks++;
	if (good)
		return;
	r->failed++;
	pr_err("ptw_test: %s: not so: %s\n", part, what);
}

#define CHECK(r, part, condition) check_at(r, condition, part, #condition)

/* Tables that the module builds in a buffer, in every format. */
void test_built(struct results *r);

/* The tables that this CPU uses. */
void test_live(struct results *r);

#endif
