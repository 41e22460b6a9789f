// SPDX-License-Identifier: GPL-2.0
/*
 * gib: takes one fault on a 1 GiB page and prints what it was, as JSON: the address touched and
 * the first frame of the page, from /proc/self/pagemap.
 */
#include <fcntl.h>
#include <linux/mman.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define GIB    (1UL << 30)
#define OFFSET 0x1234567UL

int main(void)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_1GB;
	char *page = mmap(NULL, GIB, PROT_READ | PROT_WRITE, flags, -1, 0);
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry;

	if (page == MAP_FAILED || fd < 0) {
		perror("gib");
		return 1;
	}
	page[OFFSET] = 1;
	if (pread(fd, &entry, sizeof(entry), (off_t)((uintptr_t)page / 4096 * 8)) !=
	    sizeof(entry)) {
		perror("pagemap");
		return 1;
	}
	printf("{\"address\":\"%p\",\"pfn\":%llu}\n", (void *)(page + OFFSET),
	       (unsigned long long)(entry & ((1ULL << 55) - 1)));
	return 0;
}
