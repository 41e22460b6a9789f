// SPDX-License-Identifier: GPL-2.0
/*
 * Physical memory, read and written through the direct map (RAM) or a mapping made for the call
 * (MMIO). RAM is accessed with faults handled: pages that were taken out of the direct map, or
 * that are read-only in it, are an error and not an oops. No reference to a page is taken: a frame
 * may change its owner at any moment, which is what a caller who names frames has to know.
 */
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "ptremap.h"

bool phys_is_ram(u64 pa)
{
	return pfn_to_online_page(pa >> PAGE_SHIFT) && page_is_ram(pa >> PAGE_SHIFT);
}

/* As copy_to_kernel_nofault(), which modules cannot call. */
static int write_nofault(void *to, const void *from, size_t len)
{
	const u8 *src = from;
	u8 *dst = to;

	pagefault_disable();
	for (; len >= 8 && !((unsigned long)dst & 7); len -= 8, dst += 8, src += 8)
		__put_kernel_nofault(dst, src, u64, fault);
	for (; len; len--, dst++, src++)
		__put_kernel_nofault(dst, src, u8, fault);
	pagefault_enable();
	return 0;
fault:
	pagefault_enable();
	return -EROFS;
}

int phys_ram(u64 pa, void *buf, size_t len, bool write)
{
	if (PageHWPoison(pfn_to_page(pa >> PAGE_SHIFT)))
		return -EIO;
	if (write)
		return write_nofault(__va(pa), buf, len);
	return copy_from_kernel_nofault(buf, __va(pa), len) ? -EIO : 0;
}

/* Up to one page of RAM by way of @bounce. */
static int ram_piece(const struct ptremap_phys *req, u64 pa, void __user *user, size_t len,
		     void *bounce)
{
	bool write = req->flags & PTREMAP_PHYS_WRITE;
	int err;

	if (!phys_is_ram(pa))
		return -ENXIO;
	if (write && copy_from_user(bounce, user, len))
		return -EFAULT;
	err = phys_ram(pa, bounce, len, write);
	if (err || write)
		return err;
	return copy_to_user(user, bounce, len) ? -EFAULT : 0;
}

static u64 mmio_load(const void __iomem *at, u32 width)
{
	switch (width) {
	case 1:
		return readb(at);
	case 2:
		return readw(at);
	case 4:
		return readl(at);
	default:
		return readq(at);
	}
}

static void mmio_store(void __iomem *at, u32 width, u64 value)
{
	switch (width) {
	case 1:
		writeb(value, at);
		break;
	case 2:
		writew(value, at);
		break;
	case 4:
		writel(value, at);
		break;
	default:
		writeq(value, at);
		break;
	}
}

static int mmio_words(const struct ptremap_phys *req, void __iomem *at, void __user *user,
		      size_t len)
{
	u64 value;
	size_t i;

	for (i = 0; i < len; i += req->width) {
		value = 0;
		if (req->flags & PTREMAP_PHYS_WRITE) {
			if (copy_from_user(&value, user + i, req->width))
				return -EFAULT;
			mmio_store(at + i, req->width, value);
			continue;
		}
		value = mmio_load(at + i, req->width);
		if (copy_to_user(user + i, &value, req->width))
			return -EFAULT;
	}
	return 0;
}

/* Up to one page of device memory, mapped uncached for as long as this takes. */
static int mmio_piece(const struct ptremap_phys *req, u64 pa, void __user *user, size_t len)
{
	void __iomem *map;
	int err;

	if (pfn_to_online_page(pa >> PAGE_SHIFT) || page_is_ram(pa >> PAGE_SHIFT))
		return -ENXIO;
	map = ioremap(pa & PAGE_MASK, PAGE_SIZE);
	if (!map)
		return -EIO;
	err = mmio_words(req, map + offset_in_page(pa), user, len);
	iounmap(map);
	return err;
}

static int check_va(const struct ptremap_phys *req)
{
	u64 end = TASK_SIZE_MAX;

	if (req->flags & PTREMAP_PHYS_MMIO || req->width)
		return -EINVAL;
	if (req->flags & PTREMAP_PHYS_FORCE && !(req->flags & PTREMAP_PHYS_WRITE))
		return -EINVAL;
	if (req->pa >= end || req->len > end - req->pa)
		return -EDOM;
	return target_check(req->pid, req->flags);
}

static int check_pa(const struct ptremap_phys *req)
{
	u64 end = PT_BIT(boot_cpu_data.x86_phys_bits);

	if (req->flags & (PTREMAP_PHYS_FORCE | PTREMAP_PIDFD) || req->pid)
		return -EINVAL;
	if (req->pa >= end || req->len > end - req->pa)
		return -ERANGE;
	if (!(req->flags & PTREMAP_PHYS_MMIO))
		return req->width ? -EINVAL : 0;
	if (req->width != 1 && req->width != 2 && req->width != 4 && req->width != 8)
		return -EINVAL;
	return (req->pa | req->len) & (req->width - 1) ? -EINVAL : 0;
}

/* Reads have the addresses of the VM's process, where nothing has to be told. */
static int check_gpa(const struct ptremap_phys *req)
{
	if ((req->flags & ~PTREMAP_PHYS_CHECK) != (PTREMAP_PHYS_GPA | PTREMAP_PHYS_WRITE) ||
	    req->width || req->fd < -1)
		return -EINVAL;
	if (req->len > ~0ULL - req->pa)
		return -ERANGE;
	return target_check(req->pid, 0);
}

static int phys_check(const struct ptremap_phys *req)
{
	if (req->flags &
	    ~(PTREMAP_PHYS_WRITE | PTREMAP_PHYS_MMIO | PTREMAP_PHYS_VA | PTREMAP_PHYS_FORCE |
	      PTREMAP_PHYS_GPA | PTREMAP_PHYS_CHECK | PTREMAP_PIDFD))
		return -EINVAL;
	if (req->len > PTREMAP_PHYS_MAX)
		return -EMSGSIZE;
	if (req->reserved)
		return -EINVAL;
	if (req->flags & PTREMAP_PHYS_GPA)
		return check_gpa(req);
	if (req->flags & PTREMAP_PHYS_CHECK || req->fd)
		return -EINVAL;
	return req->flags & PTREMAP_PHYS_VA ? check_va(req) : check_pa(req);
}

/* *@len becomes what was transferred of it: up to one page, or what of a process comes at once. */
static int phys_piece(const struct target *t, const struct ptremap_phys *req, size_t *len,
		      void *bounce)
{
	void __user *user = u64_to_user_ptr(req->buf + req->done);
	u64 at = req->pa + req->done;

	if (t && !(req->flags & PTREMAP_PHYS_WRITE))
		return memory_read_piece(t, at, user, len, bounce);
	*len = min_t(size_t, *len, PAGE_SIZE - offset_in_page(at));
	if (t)
		return memory_write_piece(t, req, at, user, *len, bounce);
	if (req->flags & PTREMAP_PHYS_MMIO)
		return mmio_piece(req, at, user, *len);
	return ram_piece(req, at, user, *len, bounce);
}

/* @t: whose memory; NULL: nobody's. */
static int phys_pieces(const struct target *t, struct ptremap_phys *req)
{
	void *bounce = (void *)__get_free_page(GFP_KERNEL);
	size_t len;
	int err = 0;

	if (!bounce)
		return -ENOMEM;
	while (req->done < req->len && !err) {
		len = req->len - req->done;
		err = phys_piece(t, req, &len, bounce);
		if (!err)
			req->done += len;
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	free_page((unsigned long)bounce);
	return err;
}

int call_phys(void *arg, struct file *file)
{
	struct ptremap_phys *req = arg;
	struct target t;
	int err = phys_check(req);

	req->done = 0;
	if (err)
		return err;
	if (req->flags & PTREMAP_PHYS_GPA)
		return vm_write(req);
	if (!(req->flags & PTREMAP_PHYS_VA))
		return phys_pieces(NULL, req);
	err = target_get(&t, req->pid, req->flags & PTREMAP_PIDFD);
	if (err)
		return err;
	err = phys_pieces(&t, req);
	target_put(&t);
	return err;
}

/*
 * read() and pread() of RAM: the position is the physical address. As much as there is without a
 * gap, -ENXIO if there is nothing at *@pos, and 0 at the end of the physical address space.
 */
ssize_t phys_read(char __user *buf, size_t len, loff_t *pos)
{
	struct ptremap_phys req = {
		.pa = *pos,
		.len = min_t(size_t, len, PTREMAP_PHYS_MAX),
		.buf = (uintptr_t)buf,
	};
	u64 end = PT_BIT(boot_cpu_data.x86_phys_bits);
	int err;

	if (*pos < 0)
		return -EINVAL;
	if (req.pa >= end)
		return 0;
	req.len = min(req.len, end - req.pa);
	err = call_phys(&req, NULL);
	*pos += req.done;
	return req.done ? req.done : err;
}
