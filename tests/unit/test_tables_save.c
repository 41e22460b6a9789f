// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/pt/pt_space.h"
#include "user/space/image.h"
#include "user/space/tables.h"

#define ENTRIES 512

static char *make_path(void)
{
	char *path = strdup("/tmp/tables.XXXXXX");
	int fd = mkstemp(path);

	cr_assert(fd >= 0);
	close(fd);
	return path;
}

static void put(struct tables *t, uint64_t pa, uint64_t seed)
{
	uint64_t entries[ENTRIES], i;

	for (i = 0; i < ENTRIES; i++)
		entries[i] = pa + seed * i;
	cr_assert_eq(tables_put(t, pa, 0, ENTRIES, entries), 0);
}

static const struct pt_cregs regs = { .cr0 = PT_CR0_PG | PT_CR0_WP,
				      .cr3 = 0x5000,
				      .cr4 = PT_CR4_PAE | PT_CR4_LA57,
				      .efer = PT_EFER_LMA | PT_EFER_NXE };

static int save(const struct tables *t, const char *path)
{
	FILE *out = fopen(path, "w");
	int err;

	cr_assert_not_null(out);
	err = tables_save(t, &regs, out);
	fclose(out);
	return err;
}

/* Neighbours, in no order, and one far away. */
Test(tables_save, image_has_the_same)
{
	static const uint64_t pas[] = { 0x7000, 0x5000, 0x6000, 0x123456789000, 0x9000 };
	struct tables *t = tables_new();
	char *path = make_path();
	struct image *image;
	struct pt_cregs got;
	uint64_t a[ENTRIES], b[ENTRIES], start, last;
	size_t i;

	for (i = 0; i < 5; i++)
		put(t, pas[i], i + 3);
	cr_assert_eq(save(t, path), 0);
	cr_assert_eq(image_open(&image, path, 0), 0);
	cr_assert_eq(image_cregs(image, 0, &got), 0);
	cr_expect_eq(memcmp(&got, &regs, sizeof(regs)), 0);
	cr_expect_eq(image_cregs(image, 1, &got), -ENOENT);
	for (i = 0; i < 5; i++) {
		cr_assert_eq(pt_mem_read(tables_mem(t), pas[i], a, sizeof(a)), 0);
		cr_assert_eq(pt_mem_read(image_mem(image), pas[i], b, sizeof(b)), 0);
		cr_expect_eq(memcmp(a, b, sizeof(a)), 0, "table %zu", i);
	}
	cr_expect_eq(pt_mem_read(image_mem(image), 0x8000, b, 8), -EFAULT);
	cr_expect_eq(pt_mem_read(image_mem(image), 0x4ff8, b, 8), -EFAULT);
	cr_assert(image_range(image, 0, &start, &last));
	cr_expect_eq(start, 0x5000);
	cr_expect_eq(last, 0x7fff);
	cr_expect_not(image_range(image, 3, &start, &last));
	image_close(image);
	tables_free(t);
	unlink(path);
	free(path);
}

Test(tables_save, errors)
{
	struct tables *t = tables_new();

	cr_expect_eq(save(t, "/dev/null"), 0); /* nothing: no error */
	put(t, 0x1000, 1);
	cr_expect_eq(save(t, "/dev/full"), -ENOSPC);
	tables_free(t);
}
