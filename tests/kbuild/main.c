// SPDX-License-Identifier: GPL-2.0
/* Loading fails with -EINVAL if a check does; the kernel log has the numbers. */
#include <linux/module.h>

#include "ptw_test.h"

static int __init ptw_test_init(void)
{
	struct results r = {};

	test_built(&r);
	test_live(&r);
	pr_info("ptw_test: %u checks, %u failed\n", r.checks, r.failed);
	return r.failed ? -EINVAL : 0;
}

static void __exit ptw_test_exit(void)
{
}

module_init(ptw_test_init);
module_exit(ptw_test_exit);
MODULE_DESCRIPTION("Self-check of the page-table core in the kernel");
MODULE_LICENSE("GPL");
