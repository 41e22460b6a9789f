// SPDX-License-Identifier: GPL-2.0
#include "user/kernel/direct_map.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/pt/pt_walk.h"

#define GIB	 (1ULL << 30)
#define NR_PAGES 3

/* Documentation/arch/x86/x86_64/mm.rst: the places without KASLR. */
#define DIRECT_MAP_4LEVEL 0xffff888000000000ULL
#define DIRECT_MAP_5LEVEL 0xff11000000000000ULL

struct sample {
	uint64_t va, pfn;
};

struct search {
	direct_map_read read;
	void *ctx;
	uint64_t pgd;
	struct sample pages[NR_PAGES];
};

/* Documentation/admin-guide/mm/pagemap.rst: bit 63 present, bits 0-54 the frame. */
static int pagemap_pfn(int fd, uint64_t va, uint64_t *pfn)
{
	uint64_t entry;

	if (pread(fd, &entry, sizeof(entry), (off_t)(va / 4096 * 8)) != sizeof(entry))
		return -EIO;
	*pfn = entry & ((1ULL << 55) - 1);
	return *pfn && entry >> 63 ? 0 : -EPERM;
}

/* Pages of three kinds: stack, program text, fresh anonymous. */
static int take_samples(struct search *s, void *anon)
{
	uint64_t addresses[NR_PAGES] = { (uintptr_t)s, (uintptr_t)take_samples, (uintptr_t)anon };
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	int i, err = 0;

	if (fd < 0)
		return -errno;
	for (i = 0; i < NR_PAGES && !err; i++) {
		s->pages[i].va = addresses[i] & ~4095ULL;
		err = pagemap_pfn(fd, s->pages[i].va, &s->pages[i].pfn);
	}
	close(fd);
	return err;
}

static bool leads_to(const struct search *s, uint64_t base, const struct pt_fmt *fmt,
		     const struct sample *page)
{
	struct pt_walk w;
	uint64_t entry;

	pt_walk_start(&w, fmt, s->pgd - base, page->va);
	while (w.kind == PT_TABLE) {
		if (s->read(s->ctx, base + w.entry_pa, &entry))
			return false;
		pt_walk_feed(&w, fmt, entry);
	}
	return w.kind == PT_LEAF && w.pa >> 12 == page->pfn;
}

static bool guess_holds(const struct search *s, uint64_t base, const struct pt_fmt *fmt)
{
	int i;

	if (base > s->pgd)
		return false;
	for (i = 0; i < NR_PAGES; i++)
		if (!leads_to(s, base, fmt, &s->pages[i]))
			return false;
	return true;
}

uint64_t direct_map_ram_last(void)
{
	uint64_t start, last, end = 0;
	char line[256];
	FILE *f = fopen("/proc/iomem", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " %" SCNx64 "-%" SCNx64, &start, &last) == 2 &&
		    strstr(line, "System RAM") && last > end)
			end = last;
	if (f)
		fclose(f);
	return end ? end : (1ULL << 40) - 1;
}

static bool search_mode(const struct search *s, enum pt_mode mode, const struct pt_feat *feat,
			uint64_t *base, struct pt_fmt *fmt)
{
	uint64_t fixed = mode == PT_MODE_5LEVEL ? DIRECT_MAP_5LEVEL : DIRECT_MAP_4LEVEL;
	uint64_t guess = s->pgd & ~(GIB - 1);
	uint64_t steps = direct_map_ram_last() / GIB + 1;

	if (pt_fmt_init(fmt, mode, feat))
		return false;
	if (guess_holds(s, *base = fixed, fmt))
		return true;
	for (; steps--; guess -= GIB)
		if (guess_holds(s, *base = guess, fmt))
			return true;
	return false;
}

int direct_map_find(direct_map_read read, void *ctx, uint64_t pgd, const struct pt_feat *feat,
		    uint64_t *base, struct pt_fmt *fmt)
{
	struct search s = { .read = read, .ctx = ctx, .pgd = pgd };
	void *anon = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int err;

	if (anon == MAP_FAILED)
		return -errno;
	*(volatile char *)anon = 1;
	err = take_samples(&s, anon);
	if (!err && !search_mode(&s, PT_MODE_4LEVEL, feat, base, fmt) &&
	    !search_mode(&s, PT_MODE_5LEVEL, feat, base, fmt))
		err = -ENXIO;
	munmap(anon, 4096);
	return err;
}
