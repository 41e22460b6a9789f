// SPDX-License-Identifier: GPL-2.0
#include "user/kernel/region.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <bpf/btf.h>

#include "user/kernel/direct_map.h"
#include "user/kernel/helper.h"
#include "user/kernel/kinfo.h"

#define TIB	    (1ULL << 40)
#define PAGE_STRUCT 64 /* where BTF does not say it */

static const char *const names[REGION_NR_KINDS] = {
	[REGION_USER] = "user",
	[REGION_NONCANONICAL] = "non-canonical",
	[REGION_GUARD] = "guard hole",
	[REGION_LDT] = "LDT remap",
	[REGION_DIRECT] = "direct map",
	[REGION_VMALLOC] = "vmalloc",
	[REGION_VMEMMAP] = "vmemmap",
	[REGION_RANDOM] = "direct map, vmalloc or vmemmap",
	[REGION_KASAN] = "KASAN shadow",
	[REGION_CPU_ENTRY] = "cpu entry area",
	[REGION_ESPFIX] = "espfix stacks",
	[REGION_EFI] = "EFI",
	[REGION_TEXT] = "kernel image",
	[REGION_MODULES] = "modules",
	[REGION_FIXMAP] = "fixmap",
	[REGION_VSYSCALL] = "vsyscall",
	[REGION_UNUSED] = "unused",
};

/* mm.rst. The image's window is 1 GiB with CONFIG_RANDOMIZE_BASE, which all distributions have. */
static const struct region fixed_4[] = {
	{ 0x0000000000000000, 0x00007fffffffffff, REGION_USER },
	{ 0x0000800000000000, 0xffff7fffffffffff, REGION_NONCANONICAL },
	{ 0xffff800000000000, 0xffff87ffffffffff, REGION_GUARD },
	{ 0xffff880000000000, 0xffff887fffffffff, REGION_LDT },
};

static const struct region fixed_5[] = {
	{ 0x0000000000000000, 0x00ffffffffffffff, REGION_USER },
	{ 0x0100000000000000, 0xfeffffffffffffff, REGION_NONCANONICAL },
	{ 0xff00000000000000, 0xff0fffffffffffff, REGION_GUARD },
	{ 0xff10000000000000, 0xff10ffffffffffff, REGION_LDT },
};

static const struct region kasan_4 = { 0xffffec0000000000, 0xfffffbffffffffff, REGION_KASAN };
static const struct region kasan_5 = { 0xffdf000000000000, 0xfffffbffffffffff, REGION_KASAN };

static const struct region fixed_both[] = {
	{ 0xfffffe0000000000, 0xfffffe7fffffffff, REGION_CPU_ENTRY },
	{ 0xffffff0000000000, 0xffffff7fffffffff, REGION_ESPFIX },
	{ 0xffffffef00000000, 0xfffffffeffffffff, REGION_EFI },
	{ KERNEL_MAP, 0xffffffffbfffffff, REGION_TEXT },
	{ 0xffffffffc0000000, 0xfffffffffeffffff, REGION_MODULES },
	{ 0xffffffffff000000, 0xffffffffff5fffff, REGION_FIXMAP },
	{ 0xffffffffff600000, 0xffffffffff600fff, REGION_VSYSCALL },
	{ 0xffffffffff601000, 0xffffffffff7fffff, REGION_FIXMAP },
};

/* Where the parts that KASLR moves must end: before the CPU entry area. */
#define RANDOM_END 0xfffffe0000000000ULL

const char *region_name(enum region_kind kind)
{
	return kind < REGION_NR_KINDS ? names[kind] : "?";
}

/* ---- the layout ------------------------------------------------------------------------- */

static void add(struct layout *l, uint64_t start, uint64_t last, enum region_kind kind)
{
	if (l->nr_regions < REGION_MAX && start <= last)
		l->region[l->nr_regions++] = (struct region){ start, last, kind };
}

static void add_all(struct layout *l, const struct region *r, size_t nr)
{
	for (; nr--; r++)
		add(l, r->start, r->last, r->kind);
}

/* @size bytes, but not beyond @end. */
static void add_random(struct layout *l, uint64_t start, uint64_t size, uint64_t end,
		       enum region_kind kind)
{
	if (end > start)
		add(l, start, end - start < size ? end - 1 : start + size - 1, kind);
}

/* arch/x86/mm/kaslr.c keeps their order: direct map, vmalloc, vmemmap. */
static void add_moved(struct layout *l)
{
	bool five = l->levels == 5;

	if (!l->page_offset)
		return;
	if (!l->vmalloc_base || !l->vmemmap_base) {
		add(l, l->page_offset, RANDOM_END - 1, REGION_RANDOM);
		return;
	}
	add_random(l, l->page_offset, (five ? 32768 : 64) * TIB, l->vmalloc_base, REGION_DIRECT);
	add_random(l, l->vmalloc_base, (five ? 12800 : 32) * TIB, l->vmemmap_base, REGION_VMALLOC);
	add_random(l, l->vmemmap_base, (five ? 512 : 1) * TIB, RANDOM_END, REGION_VMEMMAP);
}

void layout_arrange(struct layout *l)
{
	l->nr_regions = 0;
	if (l->levels == 5)
		add_all(l, fixed_5, sizeof(fixed_5) / sizeof(fixed_5[0]));
	else
		add_all(l, fixed_4, sizeof(fixed_4) / sizeof(fixed_4[0]));
	add_moved(l);
	/* A kernel with KASAN leaves the three in their places. */
	if (l->kasan)
		add_all(l, l->levels == 5 ? &kasan_5 : &kasan_4, 1);
	add_all(l, fixed_both, sizeof(fixed_both) / sizeof(fixed_both[0]));
}

static void use_features(struct layout *l, const struct ptremap_features *f)
{
	l->levels = f->levels;
	l->page_offset = f->page_offset;
	l->vmalloc_base = f->vmalloc_base;
	l->vmemmap_base = f->vmemmap_base;
	l->phys_base = f->phys_base;
	l->has_phys_base = true;
}

static void use_kinfo(struct layout *l)
{
	struct kinfo k;

	kinfo_detect(&k);
	l->levels = k.fmt.top;
	l->page_offset = k.page_offset ? k.page_offset : k.page_offset_symbol;
	l->vmalloc_base = k.vmalloc_base;
	l->vmemmap_base = k.vmemmap_base;
}

static void read_symbols(struct layout *l)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	char line[512], name[64];
	uint64_t address;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%" SCNx64 " %*c %63s", &address, name) != 2)
			continue;
		if (!strcmp(name, "_text"))
			l->text = address;
		else if (!strcmp(name, "_etext"))
			l->etext = address;
		else if (!strcmp(name, "_end"))
			l->end = address;
		else if (!strcmp(name, "kasan_report"))
			l->kasan = true;
	}
	if (f)
		fclose(f);
}

static uint32_t page_struct_size(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int id = btf ? btf__find_by_name_kind(btf, "page", BTF_KIND_STRUCT) : -1;
	uint32_t size = id > 0 ? btf__type_by_id(btf, (uint32_t)id)->size : 0;

	btf__free(btf);
	return size ? size : PAGE_STRUCT;
}

void layout_detect(struct layout *l, int fd)
{
	struct ptremap_features f;

	memset(l, 0, sizeof(*l));
	if (fd >= 0 && !ptremap_features(fd, &f))
		use_features(l, &f);
	else
		use_kinfo(l);
	read_symbols(l);
	l->ram_last = direct_map_ram_last();
	l->page_struct = page_struct_size();
	layout_arrange(l);
}

/* ---- questions -------------------------------------------------------------------------- */

struct region layout_find(const struct layout *l, uint64_t va)
{
	struct region gap = { 0, UINT64_MAX, REGION_UNUSED };
	const struct region *r;

	for (r = l->region; r < l->region + l->nr_regions; r++) {
		if (va >= r->start && va <= r->last)
			return *r;
		if (r->last < va && r->last >= gap.start)
			gap.start = r->last + 1;
		if (r->start > va && r->start <= gap.last)
			gap.last = r->start - 1;
	}
	return gap;
}

bool layout_pa(const struct layout *l, uint64_t va, uint64_t *pa)
{
	switch (layout_find(l, va).kind) {
	case REGION_DIRECT:
		*pa = va - l->page_offset;
		return true;
	case REGION_TEXT:
		*pa = va - KERNEL_MAP + l->phys_base;
		return l->has_phys_base && va >= l->text && va < l->end;
	default:
		return false;
	}
}
