// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/show/facts_text.h"

static struct facts *sample(void)
{
	struct facts *f = calloc(1, sizeof(*f));

	cr_assert(f);
	f->has_frame = true;
	f->frame = (struct ptremap_page){ .pfn = 0x1234, .valid = 1, .refcount = 2, .node = -1 };
	f->page = (struct page_info){ .has_flags = true,
				      .flags = 1ULL << KPF_BIT_ANON | 1ULL << 60,
				      .has_mapcount = true,
				      .mapcount = 1 };
	f->vma.start = 0x7000;
	f->vma.end = 0x9000;
	f->vma.flags = VMA_BIT(VMA_READ) | VMA_BIT(VMA_SHARED);
	f->vma.pgoff = 0x2000;
	f->vma.pkey = 1;
	strcpy(f->vma.other, "zz");
	strcpy(f->vma.name, "/a\nb");
	f->has_verdict = true;
	f->verdict = (struct vma_verdict){ .legal = true, .why = "because" };
	return f;
}

static void expect_text(const struct facts *f, const char *want)
{
	struct line l = { 0 };

	facts_text(&l, f);
	line_char(&l, '\0');
	cr_expect_str_eq(l.buf, want);
	line_free(&l);
}

Test(facts_text, all)
{
	struct facts *f = sample();

	expect_text(f, "  page: pfn 0x1234, anon bit60, mapcount 1, refcount 2, node -1\n"
		       "  mapping: 0x7000-0x8fff r--s offset 0x2000 pkey 1 /a?b\n"
		       "    VM_READ VM_SHARED zz\n"
		       "  permissions: as the VMA calls for: because\n");
	f->verdict = (struct vma_verdict){ .why = "of that" };
	f->vma.pkey = 0;
	f->vma.name[0] = 0;
	f->page.has_flags = false;
	f->page.has_mapcount = false;
	f->frame.valid = 0;
	f->not_ram = true;
	expect_text(f, "  page: pfn 0x1234, not this kernel's RAM (no struct page)\n"
		       "  mapping: 0x7000-0x8fff r--s offset 0x2000 (anonymous)\n"
		       "    VM_READ VM_SHARED zz\n"
		       "  permissions: not as the VMA calls for: of that\n");
	free(f);
}

Test(facts_text, less)
{
	struct facts *f = sample();

	f->has_frame = false;
	f->has_verdict = false;
	f->vma_error = -ENOENT;
	expect_text(f, "  mapping: none\n");
	f->vma_error = -EDOM;
	expect_text(f, "");
	free(f);
}

static void expect_json(const struct facts *f, const char *want)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct json j;

	json_init(&j, out);
	json_object(&j, NULL);
	facts_json(&j, f);
	json_end_object(&j);
	fclose(out);
	cr_expect_str_eq(text, want);
	free(text);
}

Test(facts_text, json)
{
	struct facts *f = sample();

	expect_json(f,
		    "{\"page\":{\"pfn\":\"0x1234\",\"flags\":[\"anon\",\"bit60\"],\"mapcount\":1,"
		    "\"refcount\":2,\"node\":-1},\"vma\":{\"start\":\"0x7000\",\"last\":\"0x8fff\","
		    "\"read\":true,\"write\":false,\"exec\":false,\"shared\":true,"
		    "\"offset\":\"0x2000\",\"name\":\"/a\\nb\",\"flags\":[\"VM_READ\","
		    "\"VM_SHARED\"],\"other_flags\":\"zz\",\"pkey\":1},\"as_vma_calls_for\":true,"
		    "\"vma_note\":\"because\"}");
	f->has_frame = false;
	f->has_verdict = false;
	f->vma_error = -ENOENT;
	expect_json(f, "{\"page\":null,\"vma\":null,\"as_vma_calls_for\":null}");
	free(f);
}

Test(facts_text, pagemap)
{
	struct pagemap_info info = { .present = true, .pfn = 0x12, .soft_dirty = true };
	struct line l = { 0 };

	pagemap_text(&l, 0x7123, &info);
	info = (struct pagemap_info){ .swapped = true, .swap_type = 1, .swap_offset = 0x20 };
	pagemap_text(&l, 0x8000, &info);
	line_char(&l, '\0');
	cr_expect_str_eq(l.buf, "0x7123: no walk\n  = 0x12123, present, soft-dirty\n"
				"0x8000: no walk\n  = not present, swap type 1 offset 0x20\n");
	line_free(&l);
}
