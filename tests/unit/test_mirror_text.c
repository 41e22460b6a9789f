// SPDX-License-Identifier: GPL-2.0
/* Mirrors as list shows them. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "user/show/mirror_text.h"

static const struct ptremap_mirror_info mirror = {
	.flags = PTREMAP_MIRROR_RDONLY | PTREMAP_MIRROR_AD,
	.pid = 42,
	.ram_pid = 43,
	.mode = PTREMAP_MIRROR_PAE,
	.va = 0x100000000,
	.len = 0x100000000,
	.held = 12,
	.nr_ranges = 2,
	.nr_roots = 2,
	.roots = { { 0x5000, 3, PTREMAP_MIRROR_USER }, { 0x1000, 0, 0 } },
};
static const struct ptremap_mirror_range ranges[10] = {
	{ .gpa = 0, .len = 0xa0000, .hva = 0x7f0000000000 },
	{ .gpa = 0xc0000, .len = 0x1000, .hva = 0x7f0000100000, .flags = PTREMAP_MIRROR_RANGE_RO },
	{ .len = 1 },
	{ .len = 1 },
	{ .len = 1 },
	{ .len = 1 },
	{ .len = 1 },
	{ .len = 1 },
	{ .len = 1 },
	{ .len = 1 },
};

Test(mirror_text, window_layout_and_roots)
{
	struct line l = { 0 };

	mirror_text(&l, &mirror, ranges);
	line_char(&l, 0);
	cr_assert_str_eq(l.buf, "mirror 42:0x100000000-0x1ffffffff\n"
				"  shows  0x0-0xffffffff of pid 43, pae, read only, A and D kept, "
				"12 pages held\n"
				"  root   0x5000 tag 3, as a user, now\n"
				"  root   0x1000 tag 0\n"
				"  memory 0x0-0x9ffff at 0x7f0000000000\n"
				"  memory 0xc0000-0xc0fff at 0x7f0000100000, read only\n");
	line_free(&l);
}

Test(mirror_text, long_layouts_are_cut)
{
	struct ptremap_mirror_info many = mirror;
	struct line l = { 0 };

	many.nr_ranges = 10;
	many.mode = 77;
	mirror_text(&l, &many, ranges);
	line_char(&l, 0);
	cr_assert(strstr(l.buf, "  memory ... and 2 ranges more\n"), "%s", l.buf);
	cr_assert(strstr(l.buf, ", unknown,"), "%s", l.buf);
	line_free(&l);
}

Test(mirror_text, json_has_all)
{
	struct json j;
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	json_init(&j, f);
	mirror_json(&j, &mirror, ranges);
	fclose(f);
	cr_assert_str_eq(
		text,
		"{\"what\":\"mirror\",\"pid\":42,\"address\":\"0x100000000\","
		"\"length\":4294967296,\"gva\":\"0x0\",\"memory_pid\":43,\"mode\":\"pae\","
		"\"read_only\":true,\"execute\":false,\"accessed_dirty\":true,\"sync\":false,"
		"\"held\":12,\"roots\":[{\"root\":\"0x5000\",\"tag\":3,\"user\":true,\"now\":true},"
		"{\"root\":\"0x1000\",\"tag\":0,\"user\":false,\"now\":false}],\"memory\":["
		"{\"gpa\":\"0x0\",\"length\":655360,\"hva\":\"0x7f0000000000\",\"read_only\":false},"
		"{\"gpa\":\"0xc0000\",\"length\":4096,\"hva\":\"0x7f0000100000\",\"read_only\":true}"
		"]}\n");
	free(text);
}
