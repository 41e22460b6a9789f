// SPDX-License-Identifier: GPL-2.0
/* Records of refused accesses, as a signal handler finds them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "user/kernel/mirror.h"

#define VA  0x100000000ull
#define GVA 0x400000ull
#define LEN 0x200000ull

static struct ptremap_mirror_page page;
static struct ptremap_mirror_window window;

static void setup(void)
{
	memset(&page, 0, sizeof(page));
	window = (struct ptremap_mirror_window){
		.page = &page,
		.va = VA,
		.len = LEN,
		.gva = GVA,
	};
}

TestSuite(mirror, .init = setup);

/* As the module writes them. */
static void put(uint64_t va, uint32_t tid, uint8_t why)
{
	struct ptremap_mirror_record *r = &page.record[(page.last + 1) % PTREMAP_MIRROR_RECORDS];

	*r = (struct ptremap_mirror_record){
		.seq = ++page.last,
		.va = va,
		.gva = va - VA + GVA,
		.tid = tid,
		.why = why,
	};
}

static int ask(uint64_t va, int code, uint32_t tid, struct ptremap_mirror_record *r)
{
	return ptremap_mirror_why(&window, (void *)(uintptr_t)va, code, tid, r);
}

Test(mirror, fits_a_page)
{
	cr_assert_leq(sizeof(page), 4096);
	cr_assert_eq(sizeof(page.record[0]), 64);
}

Test(mirror, newest_of_the_address)
{
	struct ptremap_mirror_record r;

	put(VA + 8, 1, PTREMAP_MIRROR_NOT_PRESENT);
	put(VA + 16, 1, PTREMAP_MIRROR_MMIO);
	put(VA + 8, 1, PTREMAP_MIRROR_PERMISSION);
	put(VA + 24, 1, PTREMAP_MIRROR_HOST);
	cr_assert_eq(ask(VA + 8, SEGV_MAPERR, 0, &r), 0);
	cr_assert_eq(r.why, PTREMAP_MIRROR_PERMISSION);
	cr_assert_eq(r.gva, GVA + 8);
	cr_assert_eq(ask(VA + 16, SEGV_MAPERR, 0, &r), 0);
	cr_assert_eq(r.why, PTREMAP_MIRROR_MMIO);
}

Test(mirror, of_the_thread)
{
	struct ptremap_mirror_record r;

	put(VA, 7, PTREMAP_MIRROR_MMIO);
	put(VA, 8, PTREMAP_MIRROR_RESERVED);
	cr_assert_eq(ask(VA, SEGV_MAPERR, 7, &r), 0);
	cr_assert_eq(r.why, PTREMAP_MIRROR_MMIO);
	cr_assert_eq(ask(VA, SEGV_MAPERR, 9, &r), -EAGAIN);
}

Test(mirror, outside_of_the_window)
{
	struct ptremap_mirror_record r;

	cr_assert_eq(ask(VA - 1, SEGV_MAPERR, 0, &r), -ENOENT);
	cr_assert_eq(ask(VA + LEN, SEGV_MAPERR, 0, &r), -ENOENT);
	cr_assert_eq(ask(VA + LEN - 1, SEGV_MAPERR, 0, &r), -EAGAIN);
}

/* The ring holds so many; those before are gone, and none is found in their place. */
Test(mirror, overwritten)
{
	struct ptremap_mirror_record r;
	unsigned int i;

	put(VA, 1, PTREMAP_MIRROR_MMIO);
	for (i = 1; i < PTREMAP_MIRROR_RECORDS; i++)
		put(VA + 0x1000, 1, PTREMAP_MIRROR_NOT_PRESENT);
	cr_assert_eq(ask(VA, SEGV_MAPERR, 0, &r), 0);
	put(VA + 0x1000, 1, PTREMAP_MIRROR_NOT_PRESENT);
	cr_assert_eq(ask(VA, SEGV_MAPERR, 0, &r), -EAGAIN);
}

/* One that is being written is none. */
Test(mirror, half_written)
{
	struct ptremap_mirror_record r;

	put(VA, 1, PTREMAP_MIRROR_MMIO);
	page.record[1].seq = 0;
	cr_assert_eq(ask(VA, SEGV_MAPERR, 0, &r), -EAGAIN);
}

/* The kernel's own refusal: without a record, a fetch, or what a window to be read has. */
Test(mirror, forbidden_by_the_mapping)
{
	struct ptremap_mirror_record r;

	cr_assert_eq(ask(VA + 8, SEGV_ACCERR, 0, &r), 0);
	cr_assert_eq(r.why, PTREMAP_MIRROR_PERMISSION);
	cr_assert_eq(r.access, PTREMAP_MAP_EXEC);
	cr_assert_eq(r.gva, GVA + 8);
	window.flags = PTREMAP_MIRROR_RDONLY;
	cr_assert_eq(ask(VA + 8, SEGV_ACCERR, 0, &r), 0);
	cr_assert_eq(r.access, PTREMAP_MAP_WRITE);
}

Test(mirror, words)
{
	unsigned int why;

	for (why = PTREMAP_MIRROR_NOT_PRESENT; why <= PTREMAP_MIRROR_HOST; why++)
		cr_assert_str_neq(ptremap_mirror_why_name(why), "unknown");
	cr_assert_str_eq(ptremap_mirror_why_name(0), "unknown");
	cr_assert_str_eq(ptremap_mirror_why_name(99), "unknown");
	cr_assert(strstr(ptremap_mirror_strerror(-EADDRNOTAVAIL), "mmap_min_addr"));
	cr_assert(strstr(ptremap_mirror_strerror(-EPERM), "root"));
}
