// SPDX-License-Identifier: GPL-2.0
#include "user/space/phys_mem.h"

#include <errno.h>

#include "user/kernel/helper.h"

static int read_phys(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	struct phys_mem *p = (struct phys_mem *)mem;
	uint64_t done;
	int err = ptremap_phys(p->fd, 0, 0, addr, buf, len, &done);

	return err == -ENXIO || err == -ERANGE ? -EFAULT : err;
}

void phys_mem_init(struct phys_mem *p, int fd)
{
	static const struct pt_mem_ops ops = { .read = read_phys };

	*p = (struct phys_mem){ .mem = { .ops = &ops }, .fd = fd };
}
