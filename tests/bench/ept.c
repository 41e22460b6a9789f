// SPDX-License-Identifier: GPL-2.0
/*
 * ept: how many guest-physical pages are led to other frames a second, and back: one call each, and
 * many in one; of a VM that rests, and under vCPUs that write to these pages.
 */
#include <time.h>

#include "tests/system/ept.h"
#include "tests/system/huge.h"

#define PAGES 2048u
#define ONES  256u

struct bench {
	struct checks c;
	struct tiny_vm vm;
	struct ptremap_ept_item items[PAGES / 2];
	uint32_t ids[ONES];
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void report(const char *what, uint32_t pages, double made, double undone)
{
	printf("%-44s %10.0f %10.0f\n", what, pages / made, pages / undone);
}

/* Neighbours change places. */
static void fill(struct bench *b)
{
	uint32_t i;

	for (i = 0; i < PAGES / 2; i++)
		b->items[i] = ept_item(PTREMAP_EPT_SWAP, TINY_GPA + 2 * i * PAGE,
				       TINY_GPA + (2 * i + 1) * PAGE, 1);
}

/* KVM has an entry of each page. */
static void touch(struct bench *b)
{
	uint32_t i;

	for (i = 0; i < PAGES; i += 8)
		tiny_read(&b->vm, 3, TINY_GPA + i * PAGE);
}

static void in_one_call(struct bench *b, const char *what)
{
	double start, made;
	uint32_t id;

	touch(b);
	start = now();
	if (ept_many(&b->c, getpid(), -1, b->items, PAGES / 2, 0, &id))
		die("PTREMAP_EPT");
	made = now();
	undo(&b->c, id);
	report(what, PAGES, made - start, now() - made);
}

static void rehearsed(struct bench *b, const char *what)
{
	double start;

	touch(b);
	start = now();
	if (ept_many(&b->c, getpid(), -1, b->items, PAGES / 2, PTREMAP_EPT_REHEARSE, NULL))
		die("PTREMAP_EPT");
	printf("%-44s %10.0f\n", what, PAGES / (now() - start));
}

static void one_by_one(struct bench *b, const char *what)
{
	double start, made;
	uint32_t i;

	touch(b);
	start = now();
	for (i = 0; i < ONES; i++)
		if (ept(&b->c, &b->items[i], &b->ids[i]))
			die("PTREMAP_EPT");
	made = now();
	for (i = 0; i < ONES; i++)
		undo(&b->c, b->ids[i]);
	report(what, 2 * ONES, made - start, now() - made);
}

int main(void)
{
	static struct bench b;
	char *p;
	unsigned int v;
	int fd;

	b.c.dev = open_device();
	p = make_huge(HUGE_ANON, PAGES / 512, &fd);
	madvise(p, PAGES * PAGE, MADV_NOHUGEPAGE);
	memset(p, 1, PAGES * PAGE);
	tiny_make(&b.vm, p, PAGES * PAGE);
	fill(&b);
	printf("%-44s %10s %10s\n", "guest-physical pages a second, in swaps", "made", "undone");
	in_one_call(&b, "2048 pages in one call");
	one_by_one(&b, "two pages each call");
	for (v = 0; v < 2; v++)
		tiny_start(&b.vm, v, tiny_look_code, TINY_GPA + v * PAGE,
			   TINY_GPA + (v + 2) * PAGE);
	in_one_call(&b, "2048 pages, under two vCPUs");
	one_by_one(&b, "two pages each call, under two vCPUs");
	rehearsed(&b, "2048 pages rehearsed, under two vCPUs");
	tiny_stop(&b.vm, 2);
	return 0;
}
