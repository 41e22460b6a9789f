// SPDX-License-Identifier: GPL-2.0
/*
 * Makes an image of memory with page tables in it, at random but the same for each seed, and
 * prints what they map, from a plain recursion over them. It shares no code with what it tests.
 *
 * usage: mkimage FORMAT SEED FILE [elf]
 *
 * FORMAT: 32bit, pae, 4level, 5level, ept4, ept5; nested: a guest's 4-level tables that lie behind
 * an EPT; loop: a top table all of whose entries lead to itself; noise: any bytes, but most entries
 * lead to somewhere in the image. With "elf" the file is an ELF core
 * with QEMU's note of the control registers. Lines on stdout: "root ADDR" ("guest-root ADDR" of
 * nested), then for each page in the order of addresses "VA PA SIZE PERM"; nested: "GVA HPA".
 */
#include <elf.h>
#include <errno.h>
#include <error.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE	    4096u
#define MAX_PAGES   8192u
#define GUEST_PAGES 4096u	 /* of a guest's memory */
#define FAR	    (1ull << 40) /* where pages that are no tables lie */

struct format {
	const char *name;
	unsigned int levels, index_bits, entry_bytes, top_entries, va_bits;
	bool sign, ept, nx;
	unsigned int max_leaf; /* level */
	uint64_t addr_bits;
	uint64_t cr4;
	uint16_t machine;
};

static const struct format formats[] = {
	{ "32bit", 2, 10, 4, 1024, 32, false, false, false, 2, 32, 0x10, EM_386 },
	{ "pae", 3, 9, 8, 4, 32, false, false, true, 2, 46, 0x20, EM_386 },
	{ "4level", 4, 9, 8, 512, 48, true, false, true, 3, 46, 0x20, EM_X86_64 },
	{ "5level", 5, 9, 8, 512, 57, true, false, true, 3, 52, 0x1020, EM_X86_64 },
	{ "ept4", 4, 9, 8, 512, 48, false, true, false, 3, 46, 0, EM_X86_64 },
	{ "ept5", 5, 9, 8, 512, 57, false, true, false, 3, 46, 0, EM_X86_64 },
};

static uint8_t image[MAX_PAGES][PAGE];
static uint32_t nr_pages = 1; /* page 0 stays empty */
static uint64_t state;

static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static uint64_t below(uint64_t n)
{
	return rnd() % n;
}

static uint64_t new_page(void)
{
	if (nr_pages == MAX_PAGES)
		error(1, 0, "the image is full");
	return (uint64_t)nr_pages++ * PAGE;
}

static uint64_t get(const struct format *f, uint64_t table, unsigned int i)
{
	uint64_t entry = 0;

	memcpy(&entry, &image[table / PAGE][i * f->entry_bytes], f->entry_bytes);
	return entry;
}

static void set(const struct format *f, uint64_t table, unsigned int i, uint64_t entry)
{
	memcpy(&image[table / PAGE][i * f->entry_bytes], &entry, f->entry_bytes);
}

static unsigned int shift_of(const struct format *f, unsigned int level)
{
	return 12 + f->index_bits * (level - 1);
}

static unsigned int entries_of(const struct format *f, unsigned int level)
{
	return level == f->levels ? f->top_entries : 1u << f->index_bits;
}

static bool is_pdpte(const struct format *f, unsigned int level)
{
	return f->top_entries == 4 && level == f->levels;
}

/* ---- making ----------------------------------------------------------------------------- */

/* Rights of an entry, as the format has them. */
static uint64_t some_rights(const struct format *f, unsigned int level)
{
	static const uint64_t ept[] = { 1, 3, 5, 7 };

	if (is_pdpte(f, level))
		return 1;
	if (f->ept)
		return ept[below(4)];
	return 1 | (rnd() & 6) | (f->nx && !below(3) ? 1ull << 63 : 0);
}

static uint64_t some_page(const struct format *f, unsigned int level)
{
	return rnd() & ((1ull << f->addr_bits) - 1) & ~((1ull << shift_of(f, level)) - 1);
}

static uint64_t leaf(const struct format *f, unsigned int level, uint64_t pa)
{
	static const uint64_t memtypes[] = { 0, 1, 4, 5, 6 };
	uint64_t entry = pa | some_rights(f, level) | (level > 1 ? 0x80 : 0);

	if (f->ept)
		return entry | memtypes[below(5)] << 3 | (below(2) ? 0x40 : 0) |
		       (below(2) ? 0x100 : 0);
	return entry | (rnd() & 0x978) | (level == 1 && below(2) ? 0x80 : 0);
}

static uint64_t junk(const struct format *f)
{
	return rnd() & ~(f->ept ? 7ull : 1ull) & (f->entry_bytes == 4 ? UINT32_MAX : UINT64_MAX);
}

static uint64_t fill(const struct format *f, unsigned int level);

static void fill_run(const struct format *f, uint64_t table, unsigned int level, unsigned int i)
{
	unsigned int n = 1 + (unsigned int)below(8);
	uint64_t pa = some_page(f, level) >> 1 & ~((1ull << shift_of(f, level)) - 1);
	uint64_t entry = leaf(f, level, 0);

	for (; n && i < entries_of(f, level); n--, i++, pa += 1ull << shift_of(f, level))
		set(f, table, i, entry | pa);
}

static void fill_one(const struct format *f, uint64_t table, unsigned int level, unsigned int i)
{
	bool may_leaf = level <= f->max_leaf;

	if (level == 1 || (may_leaf && !below(3)))
		fill_run(f, table, level, i);
	else if (!below(8))
		set(f, table, i, junk(f));
	else
		set(f, table, i, fill(f, level - 1) | some_rights(f, level));
}

/* A table of @level with all below it; returns its address. */
static uint64_t fill(const struct format *f, unsigned int level)
{
	uint64_t table = new_page();
	unsigned int n = level == 1 ? 12 : 4;

	while (n--)
		fill_one(f, table, level, (unsigned int)below(entries_of(f, level)));
	return table;
}

/* ---- listing ---------------------------------------------------------------------------- */

static uint64_t extend(const struct format *f, uint64_t va)
{
	if (f->sign && va >> (f->va_bits - 1) & 1)
		va |= ~0ull << f->va_bits;
	return va;
}

/* rwx and u, as bits 0..3. */
static unsigned int rights_of(const struct format *f, unsigned int level, uint64_t e)
{
	if (is_pdpte(f, level))
		return 15;
	if (f->ept)
		return (unsigned int)(e & 7) | 8;
	return 1 | (unsigned int)(e & 2) | (f->nx && e >> 63 ? 0 : 4) | (unsigned int)(e & 4) << 1;
}

static const char *size_of(const struct format *f, unsigned int level)
{
	static const char *const sizes[] = { "", "4K", "2M", "1G" };

	return f->index_bits == 10 && level == 2 ? "4M" : sizes[level];
}

static void print_page(const struct format *f, unsigned int level, uint64_t va, uint64_t e,
		       unsigned int rights)
{
	uint64_t pa = e & ((1ull << 52) - 1) & ~((1ull << shift_of(f, level)) - 1);

	printf("0x%0*" PRIx64 " 0x%" PRIx64 " %s %c%c%c", f->va_bits > 32 ? 16 : 8, extend(f, va),
	       pa, size_of(f, level), rights & 1 ? 'r' : '-', rights & 2 ? 'w' : '-',
	       rights & 4 ? 'x' : '-');
	puts(f->ept ? "" : rights & 8 ? "u" : "s");
}

static void list(const struct format *f, uint64_t table, unsigned int level, uint64_t va,
		 unsigned int rights)
{
	unsigned int i, all;
	uint64_t e, here;

	for (i = 0; i < entries_of(f, level); i++) {
		e = get(f, table, i);
		here = va + ((uint64_t)i << shift_of(f, level));
		if (!(e & (f->ept ? 7 : 1)))
			continue;
		all = rights & rights_of(f, level, e);
		if (level == 1 || (level <= f->max_leaf && e & 0x80))
			print_page(f, level, here, e, all);
		else
			list(f, e & 0xffffffffff000ull, level - 1, here, all);
	}
}

/* ---- nested ----------------------------------------------------------------------------- */

/* Maps one page in tables of 512 entries whose rights are all those that bits 0..2 give. */
static void map(const struct format *f, uint64_t root, uint64_t ia, uint64_t entry)
{
	unsigned int level, i;
	uint64_t table = root;

	for (level = f->levels; level > 1; level--) {
		i = (unsigned int)(ia >> shift_of(f, level)) & 511;
		if (!get(f, table, i))
			set(f, table, i, new_page() | 7);
		table = get(f, table, i) & 0xffffffffff000ull;
	}
	set(f, table, (unsigned int)(ia >> 12) & 511, entry);
}

struct guest {
	const struct format *f, *ept;
	uint64_t root, eptp;	     /* the first in the guest, the second in the host */
	uint64_t frame[GUEST_PAGES]; /* gpa to hpa, by page */
	uint32_t nr_tables;
};

/*
 * The guest's memory: its tables are pages of the image in an order of their own, the others lie
 * far away; every eighth of these is missing.
 */
static void make_guest_frames(struct guest *g)
{
	uint32_t i;

	for (i = 0; i < GUEST_PAGES; i++) {
		g->frame[i] = FAR + (uint64_t)(i * 37 % GUEST_PAGES) * PAGE;
		if (i >= GUEST_PAGES / 2 && i % 8 == 3)
			g->frame[i] = 0;
		else
			map(g->ept, g->eptp, (uint64_t)i * PAGE, g->frame[i] | 0x37);
	}
}

/* The hpa of the guest's page @gpa, which becomes one of the image. */
static uint64_t guest_table(struct guest *g, uint64_t gpa)
{
	uint64_t *frame = &g->frame[gpa / PAGE];

	if (*frame >= FAR) {
		*frame = new_page();
		map(g->ept, g->eptp, gpa, *frame | 0x37);
	}
	return *frame;
}

static void guest_map(struct guest *g, uint64_t gva, uint64_t gpa)
{
	unsigned int level, i;
	uint64_t table = guest_table(g, g->root), next;

	for (level = g->f->levels; level > 1; level--) {
		i = (unsigned int)(gva >> shift_of(g->f, level)) & 511;
		if (!get(g->f, table, i))
			set(g->f, table, i, (1 + (uint64_t)g->nr_tables++) * PAGE | 7);
		next = get(g->f, table, i) & 0xffffffffff000ull;
		table = guest_table(g, next);
	}
	set(g->f, table, (unsigned int)(gva >> 12) & 511, gpa | 7);
}

static void make_nested(const struct format *f, const struct format *ept)
{
	static struct guest g;
	uint64_t gva = 0x400000, gpa;
	unsigned int i;

	g.f = f;
	g.ept = ept;
	g.eptp = new_page();
	g.nr_tables = 7;
	g.root = g.nr_tables++ * PAGE;
	make_guest_frames(&g);
	printf("root 0x%" PRIx64 "\nguest-root 0x%" PRIx64 "\n", g.eptp, g.root);
	for (i = 0; i < 1000; i++) {
		gpa = (GUEST_PAGES / 2 + below(GUEST_PAGES / 2)) * PAGE;
		guest_map(&g, gva, gpa);
		printf("0x%" PRIx64, gva);
		if (g.frame[gpa / PAGE])
			printf(" 0x%" PRIx64 "\n", g.frame[gpa / PAGE]);
		else
			puts(" -");
		gva += (1 + below(40)) * PAGE + (below(50) ? 0 : 1ull << 30);
	}
}

/* ---- files ------------------------------------------------------------------------------ */

/* What QEMU writes of a CPU (its target/i386/arch_dump.c), with the note's head and name. */
struct qemu_note {
	Elf64_Nhdr head;
	char name[8];
	uint32_t version, size;
	uint64_t regs[18], segs[10][3], cr[5], kernel_gs_base;
} __attribute__((packed));

static void put(FILE *out, const void *data, size_t size)
{
	if (fwrite(data, 1, size, out) != size)
		error(1, errno, "write");
}

/* Two segments: the halves of the memory, the upper one first in the file. */
static void write_elf(FILE *out, const struct format *f, uint64_t root)
{
	const uint64_t half = nr_pages / 2 * PAGE, all = (uint64_t)nr_pages * PAGE;
	const uint64_t start = sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr);
	struct qemu_note note = { .head = { 5, sizeof(note) - sizeof(Elf64_Nhdr) - 8, 0 },
				  .name = "QEMU",
				  .version = 1,
				  .size = sizeof(note) - sizeof(Elf64_Nhdr) - 8,
				  .cr = { 0x80010001, 0, 0, root, f->cr4 } };
	const Elf64_Ehdr elf = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1 },
				 .e_type = ET_CORE,
				 .e_machine = f->machine,
				 .e_version = 1,
				 .e_phoff = sizeof(elf),
				 .e_ehsize = sizeof(elf),
				 .e_phentsize = sizeof(Elf64_Phdr),
				 .e_phnum = 3 };
	const Elf64_Phdr segs[3] = {
		{ .p_type = PT_NOTE, .p_offset = start, .p_filesz = sizeof(note) },
		{ .p_type = PT_LOAD,
		  .p_offset = start + sizeof(note) + all - half,
		  .p_filesz = half,
		  .p_memsz = half },
		{ .p_type = PT_LOAD,
		  .p_offset = start + sizeof(note),
		  .p_paddr = half,
		  .p_filesz = all - half,
		  .p_memsz = all - half },
	};

	put(out, &elf, sizeof(elf));
	put(out, segs, sizeof(segs));
	put(out, &note, sizeof(note));
	put(out, &image[nr_pages / 2], all - half);
	put(out, image, half);
}

static void write_file(const char *path, const struct format *f, uint64_t root, bool elf)
{
	FILE *out = fopen(path, "we");

	if (!out)
		error(1, errno, "%s", path);
	if (elf)
		write_elf(out, f, root);
	else
		put(out, image, (size_t)nr_pages * PAGE);
	if (fclose(out))
		error(1, errno, "%s", path);
}

static const struct format *find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	error(2, 0, "no format '%s'", name);
	return NULL;
}

static uint64_t make_loop(const struct format *f)
{
	uint64_t root = new_page();
	unsigned int i;

	for (i = 0; i < 512; i++)
		set(f, root, i, root | 7);
	printf("root 0x%" PRIx64 "\n", root);
	return root;
}

static void make_noise(const struct format *f)
{
	uint64_t i, entry;

	for (nr_pages = 16, i = 0; i < nr_pages * 512; i++) {
		entry = rnd();
		if (below(8))
			entry &= 0xfff0000000000fffull | (uint64_t)(nr_pages - 1) << 12;
		if (below(4)) /* present, and no reserved bits */
			entry = (entry & 0xfff0000000000f7full) | (entry & 0xf000) | 1;
		set(f, i / 512 * PAGE, (unsigned int)(i % 512), entry);
	}
}

static uint64_t make_tree(const struct format *f)
{
	uint64_t root = fill(f, f->levels);

	printf("root 0x%" PRIx64 "\n", root);
	list(f, root, f->levels, 0, 15);
	return root;
}

int main(int argc, char **argv)
{
	const struct format *f;
	uint64_t root = 0;

	if (argc < 4)
		error(2, 0, "usage: mkimage FORMAT SEED FILE [elf]");
	state = strtoull(argv[2], NULL, 0) * 0x9e3779b97f4a7c15ull + 1;
	if (!strcmp(argv[1], "nested") || !strcmp(argv[1], "loop") || !strcmp(argv[1], "noise"))
		f = find("4level");
	else
		f = find(argv[1]);
	if (!strcmp(argv[1], "nested"))
		make_nested(f, find("ept4"));
	else if (!strcmp(argv[1], "loop"))
		root = make_loop(f);
	else if (!strcmp(argv[1], "noise"))
		make_noise(f);
	else
		root = make_tree(f);
	write_file(argv[3], f, root, argc > 4);
	return 0;
}
