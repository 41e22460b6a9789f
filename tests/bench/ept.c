// SPDX-License-Identifier: GPL-2.0
/*
 * ept: how many guest-physical pages are led to other frames a second, and back: one call each, and
 * many in one; of a VM that rests, and under vCPUs that write to these pages.
 */
#include "tests/bench/bench.h"
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

/* The nanoseconds of a page that it took to make them. */
static double report(const char *what, uint32_t pages, double made, double undone)
{
	printf("%-44s %10.0f %10.0f\n", what, pages / made, pages / undone);
	return made / pages * 1e9;
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

static double in_one_call(struct bench *b, const char *what)
{
	double start, made;
	uint32_t id;

	touch(b);
	start = now();
	if (ept_many(&b->c, getpid(), -1, b->items, PAGES / 2, 0, &id))
		die("PTREMAP_EPT");
	made = now();
	undo(&b->c, id);
	return report(what, PAGES, made - start, now() - made);
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

static double one_by_one(struct bench *b, const char *what)
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
	return report(what, 2 * ONES, made - start, now() - made);
}

/* Nothing else does it: what is compared with is the same, two pages to a call. */
static void compare_calls(struct bench *b, const char *under)
{
	char what[64];
	double once, each;

	snprintf(what, sizeof(what), "2048 pages in one call%s", under);
	once = in_one_call(b, what);
	snprintf(what, sizeof(what), "two pages each call%s", under);
	each = one_by_one(b, what);
	snprintf(what, sizeof(what), "a guest's page led to another frame%s", under);
	row(what, "ns", (struct cost){ "`ptremap`'s module, 2048 in a call", once },
	    (struct cost){ "(itself) two in a call", each });
}

int main(void)
{
	static struct bench b;
	unsigned int v;
	char *p;
	int fd;

	b.c.dev = open_device();
	p = make_huge(HUGE_ANON, PAGES / 512, &fd);
	madvise(p, PAGES * PAGE, MADV_NOHUGEPAGE);
	memset(p, 1, PAGES * PAGE);
	tiny_make(&b.vm, p, PAGES * PAGE);
	fill(&b);
	printf("%-44s %10s %10s\n", "guest-physical pages a second, in swaps", "made", "undone");
	rows_about("Pages of a KVM guest changed, and watched");
	compare_calls(&b, "");
	for (v = 0; v < 2; v++)
		tiny_start(&b.vm, v, tiny_look_code, TINY_GPA + v * PAGE,
			   TINY_GPA + (v + 2) * PAGE);
	compare_calls(&b, ", under two vCPUs");
	rehearsed(&b, "2048 pages rehearsed, under two vCPUs");
	tiny_stop(&b.vm, 2);
	return 0;
}
