// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
#include "pt_mem_nested.h"

#define PAGE PT_BIT(12)

/* A page's neighbours may lie anywhere, so each page is translated for itself. */
static int read_pages(const struct pt_space *under, pt_u64 addr, pt_u8 *buf, pt_u32 len)
{
	pt_u64 pa;
	pt_u32 n;
	int err;

	for (; len; addr += n, buf += n, len -= n) {
		n = (pt_u32)(PAGE - addr % PAGE);
		if (n > len)
			n = len;
		if (pt_translate(under, addr, &pa))
			return -EFAULT;
		err = pt_mem_read(under->mem, pa, buf, n);
		if (err)
			return err;
	}
	return 0;
}

static int nested_read(struct pt_mem *mem, pt_u64 addr, void *buf, pt_u32 len)
{
	struct pt_mem_nested *nested = pt_container_of(mem, struct pt_mem_nested, mem);
	int err;

	if (nested->busy)
		return -ELOOP;
	nested->busy = true;
	err = read_pages(nested->under, addr, buf, len);
	nested->busy = false;
	return err;
}

static int cmpxchg_entry(const struct pt_space *under, pt_u64 addr, pt_u32 size, pt_u64 *old,
			 pt_u64 new)
{
	pt_u64 pa;

	if (!under->mem->ops->cmpxchg)
		return -EROFS;
	if (pt_translate(under, addr, &pa))
		return -EFAULT;
	return under->mem->ops->cmpxchg(under->mem, pa, size, old, new);
}

/* An aligned entry lies in one page. */
static int nested_cmpxchg(struct pt_mem *mem, pt_u64 addr, pt_u32 size, pt_u64 *old, pt_u64 new)
{
	struct pt_mem_nested *nested = pt_container_of(mem, struct pt_mem_nested, mem);
	int err;

	if (nested->busy)
		return -ELOOP;
	nested->busy = true;
	err = cmpxchg_entry(nested->under, addr, size, old, new);
	nested->busy = false;
	return err;
}

static const struct pt_mem_ops nested_ops = {
	.read = nested_read,
	.cmpxchg = nested_cmpxchg,
};

int pt_mem_nested_init(struct pt_mem_nested *nested, const struct pt_space *under)
{
	if (under->recursive)
		return -EINVAL;
	*nested = (struct pt_mem_nested){ .mem = { .ops = &nested_ops }, .under = under };
	return 0;
}
