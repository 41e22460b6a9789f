// SPDX-License-Identifier: GPL-2.0
#include "user/kernel/page_info.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define PAGE_SHIFT 12
#define PAGE_MASK  ((1ULL << PAGE_SHIFT) - 1)

/* The bits up to 26 are ABI; those from 32 on (include/linux/kernel-page-flags.h) are for hackers.
 */
static const char *const flag_names[64] = {
	"locked",	 "error",	 "referenced",	"uptodate",
	"dirty",	 "lru",		 "active",	"slab",
	"writeback",	 "reclaim",	 "buddy",	"mmap",
	"anon",		 "swapcache",	 "swapbacked",	"compound_head",
	"compound_tail", "huge",	 "unevictable", "hwpoison",
	"nopage",	 "ksm",		 "thp",		"offline",
	"zero_page",	 "idle",	 "pgtable",	[32] = "reserved",
	"mlocked",	 "mappedtodisk", "private",	"private_2",
	"owner_private", "arch",	 "uncached",	"softdirty",
	"arch_2",	 "arch_3",
};

const char *page_flag_name(unsigned int bit)
{
	return bit < 64 ? flag_names[bit] : NULL;
}

/* One of the numbers of 8 bytes that @path is an array of. */
static int read_u64(const char *path, uint64_t index, uint64_t *value)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	int err = -errno;

	if (fd < 0)
		return err;
	n = pread(fd, value, sizeof(*value), (off_t)(index * sizeof(*value)));
	err = n < 0 ? -errno : n == sizeof(*value) ? 0 : -ENXIO;
	close(fd);
	return err;
}

void page_info_read(uint64_t pfn, struct page_info *info)
{
	info->has_flags = !read_u64("/proc/kpageflags", pfn, &info->flags);
	info->has_mapcount = !read_u64("/proc/kpagecount", pfn, &info->mapcount);
}

int pagemap_read(pid_t pid, uint64_t va, struct pagemap_info *info)
{
	char path[48];
	uint64_t e = 0;
	int err;

	*info = (struct pagemap_info){ 0 };
	if (va >> 56) /* no user half is that large */
		return -ENXIO;
	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	err = read_u64(path, va >> PAGE_SHIFT, &e);
	if (err)
		return err == -ENOENT ? -ESRCH : err;
	info->present = e >> 63 & 1;
	info->swapped = e >> 62 & 1;
	info->file = e >> 61 & 1;
	info->uffd_wp = e >> 57 & 1;
	info->exclusive = e >> 56 & 1;
	info->soft_dirty = e >> 55 & 1;
	e &= (1ULL << 55) - 1;
	if (info->present)
		info->pfn = e;
	if (info->swapped) {
		info->swap_type = (unsigned int)(e & 31);
		info->swap_offset = e >> 5;
	}
	return 0;
}

uint64_t pagemap_pa(const struct pagemap_info *info, uint64_t va)
{
	return info->pfn << PAGE_SHIFT | (va & PAGE_MASK);
}
