// SPDX-License-Identifier: GPL-2.0
/* ELF cores: headers of all kinds, broken ones above all, and QEMU's notes. */
#include "tests/unit/image_files.h"

#define NOTES_AT 0x1000

/* The one that a test breaks: a note segment and two of memory. */
static Elf64_Ehdr *good_core(void)
{
	Elf64_Ehdr *e = new_core(3);

	segment(0, 0, NOTES_AT, 0)->p_type = PT_NOTE;
	segment(1, 0, DATA_AT, 0x1000);
	segment(2, 0x100000, DATA_AT + 0x1000, 0x1000);
	return e;
}

TestSuite(image_core, .init = enter, .fini = leave);

Test(image_core, headers_that_are_wrong)
{
	capture_stderr();
	good_core()->e_ident[EI_DATA] = ELFDATA2MSB;
	refused("core: corrupt ELF core: not little-endian");
	((Elf64_Ehdr *)bytes)->e_type = __builtin_bswap16(ET_CORE);
	refused("not little-endian");
	good_core()->e_ident[EI_CLASS] = ELFCLASSNONE;
	refused("of neither 32 nor 64 bits");
	good_core()->e_machine = EM_AARCH64;
	refused("another machine (e_machine 183), not of x86");
	good_core()->e_phentsize = sizeof(Elf32_Phdr);
	refused("program headers of a wrong size");
	good_core()->e_phoff = sizeof(bytes) - 3 * sizeof(Elf64_Phdr) + 1;
	refused("program headers outside of the file");
	good_core()->e_phoff = UINT64_MAX - 8;
	refused("program headers outside of the file");
	good_core()->e_phnum = 60000;
	refused("program headers outside of the file");
	good_core()->e_phnum = 0;
	refused("no memory is in it");
	good_core()->e_phnum = 1;
	refused("no memory is in it");
}

Test(image_core, segments_that_are_wrong)
{
	const struct {
		uint64_t paddr, offset, len;
		const char *words;
	} cases[] = {
		{ 0, sizeof(bytes), 1, "a segment outside of the file" },
		{ 0, sizeof(bytes) - 1, 2, "a segment outside of the file" },
		{ 0, DATA_AT, UINT64_MAX, "a segment outside of the file" },
		{ 0, UINT64_MAX, 2, "a segment outside of the file" },
		{ 0, UINT64_MAX - 0xfff, 0x1000, "a segment outside of the file" },
		{ UINT64_MAX - 0xffe, DATA_AT, 0x1000, "a segment reaches beyond 64 bits" },
		{ UINT64_MAX - 1, DATA_AT, 3, "a segment reaches beyond 64 bits" },
	};
	unsigned int i;

	capture_stderr();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		good_core();
		segment(2, cases[i].paddr, cases[i].offset, cases[i].len);
		refused(cases[i].words);
		good_core();
		segment(0, cases[i].paddr, cases[i].offset, cases[i].len);
		if (i < 5) {
			header(0)->p_type = PT_NOTE;
			refused(cases[i].words);
		}
	}
}

/* Linux's kcore: -1 is no physical address. A process's core has zeros only. */
Test(image_core, segments_without_an_address)
{
	struct image *image;

	good_core();
	segment(2, UINT64_MAX, DATA_AT, 0x1000);
	image = open_image();
	range_is(image, 0, 0, 0xfff);
	no_range(image, 1);
	image_close(image);
	capture_stderr();
	good_core();
	segment(2, 0, DATA_AT, 0x800);
	refused("the core of a process and not of a machine");
}

/* Cut anywhere, it is refused; but with less than its type it cannot be told from a raw file. */
Test(image_core, cut_anywhere)
{
	struct image *image;

	good_core();
	header(2)->p_filesz = sizeof(bytes) - header(2)->p_offset;
	image_close(open_image());
	capture_stderr();
	for (size = 1; size < sizeof(bytes); size += size < 300 ? 1 : 997) {
		if (size >= offsetof(Elf64_Ehdr, e_machine)) {
			refused("core: corrupt ELF core: ");
			continue;
		}
		image = open_image();
		range_is(image, 0, 0, size - 1);
		image_close(image);
	}
}

/* 65,535 segments or more: the number is in section header 0. */
Test(image_core, number_in_a_section_header)
{
	const uint64_t at = 0x800;
	Elf64_Ehdr *e = good_core();
	Elf64_Shdr *s = (Elf64_Shdr *)(bytes + at);
	struct image *image;

	e->e_phnum = PN_XNUM;
	e->e_shoff = at;
	s->sh_info = 3;
	image = open_image();
	range_is(image, 1, 0x100000, 0x100fff);
	no_range(image, 2);
	image_close(image);
	capture_stderr();
	s->sh_info = 0;
	refused("no memory is in it");
	s->sh_info = 60000;
	refused("program headers outside of the file");
	s->sh_info = UINT32_MAX;
	refused("more than 1048576 segments");
	e->e_shoff = 0;
	refused("the number of its segments is missing");
	e->e_shoff = sizeof(bytes) - 8;
	refused("the number of its segments is missing");
	e->e_shoff = UINT64_MAX;
	refused("the number of its segments is missing");
}

static void put_narrow(unsigned int i, Elf32_Word type, Elf32_Addr paddr, Elf32_Off offset,
		       Elf32_Word len)
{
	const Elf32_Phdr p = {
		.p_type = type,
		.p_offset = offset,
		.p_paddr = paddr,
		.p_filesz = len,
	};

	put(sizeof(Elf32_Ehdr) + i * sizeof(p), &p, sizeof(p));
}

static Elf32_Ehdr *narrow_core(void)
{
	Elf32_Ehdr e = {
		.e_type = ET_CORE,
		.e_machine = EM_386,
		.e_phoff = sizeof(e),
		.e_phentsize = sizeof(Elf32_Phdr),
		.e_phnum = 2,
	};

	new_core(0);
	memcpy(e.e_ident, bytes, EI_NIDENT);
	e.e_ident[EI_CLASS] = ELFCLASS32;
	put(0, &e, sizeof(e));
	put_narrow(0, PT_LOAD, 0xfffff000, DATA_AT, 0x1000);
	put_narrow(1, PT_LOAD, 0x1000, DATA_AT + 0x1000, 0x2000);
	return (Elf32_Ehdr *)bytes;
}

Test(image_core, of_32_bits)
{
	Elf32_Ehdr *e = narrow_core();
	struct image *image = open_image();

	range_is(image, 0, 0x1000, 0x2fff);
	range_is(image, 1, 0xfffff000, 0xffffffff);
	shows(image, 0x2ff0, DATA_AT + 0x2ff0, 16);
	shows(image, 0xfffffff0, DATA_AT + 0xff0, 16);
	lacks(image, 0xfffffff0, 17);
	image_close(image);
	e->e_phnum = PN_XNUM;
	e->e_shoff = 0x800;
	((Elf32_Shdr *)(bytes + 0x800))->sh_info = 2;
	image_close(open_image());
	capture_stderr();
	narrow_core()->e_phentsize = sizeof(Elf64_Phdr);
	refused("program headers of a wrong size");
	narrow_core()->e_phoff = UINT32_MAX;
	refused("program headers outside of the file");
	narrow_core();
	size = sizeof(Elf32_Ehdr) - 1;
	refused("cut off within its header");
}

/* Of QEMU's 440 bytes: version, size, and cr0..cr4 at 392. */
static size_t put_note(size_t at, const char *name, uint32_t version, uint32_t len,
		       const uint64_t *cr)
{
	const Elf64_Nhdr hdr = { (uint32_t)strlen(name) + 1, len, 0 };
	const uint32_t head[2] = { version, len };

	put(at, &hdr, sizeof(hdr));
	at += sizeof(hdr);
	put(at, name, hdr.n_namesz);
	at += (hdr.n_namesz + 3) & ~3U;
	put(at, head, sizeof(head));
	put(at + 392, cr, 5 * sizeof(*cr));
	return at + ((len + 3) & ~3U);
}

static const uint64_t paging[5] = { 0x80050033, 1, 2, 0x2a10000, 0x751eb0 };
static const uint64_t pae_off[5] = { 0x80000011, 0, 0, 0x1000, 0x10 };
static const uint64_t paging_off[5] = { 0x11, 0, 0, 0x2000, 0x20 };

static void end_notes(size_t end)
{
	header(0)->p_filesz = end - NOTES_AT;
}

static void cregs_are(uint16_t machine, unsigned int cpu, const uint64_t *cr, uint64_t efer)
{
	struct image *image;
	struct pt_cregs regs;

	((Elf64_Ehdr *)bytes)->e_machine = machine;
	image = open_image();
	cr_assert_eq(image_cregs(image, cpu, &regs), 0);
	cr_assert_eq(regs.cr0, cr[0]);
	cr_assert_eq(regs.cr3, cr[3]);
	cr_assert_eq(regs.cr4, cr[4]);
	cr_assert_eq(regs.efer, efer, "0x%lx", regs.efer);
	image_close(image);
}

static void has_cpus(unsigned int n)
{
	struct image *image = open_image();
	struct pt_cregs regs;

	cr_assert_eq(image_cregs(image, n, &regs), -ENOENT);
	cr_assert_eq(image_cregs(image, UINT32_MAX, &regs), -ENOENT);
	if (n)
		cr_assert_eq(image_cregs(image, n - 1, &regs), 0);
	image_close(image);
}

Test(image_core, registers_in_notes)
{
	size_t at = NOTES_AT;

	good_core();
	at = put_note(at, "CORE", 1, 433, paging_off);
	at = put_note(at, "QEMU", 1, 440, paging);
	at = put_note(at, "QEMU", 1, 432, pae_off);
	at = put_note(at, "QEMU", 1, 472, paging_off);
	end_notes(at);
	has_cpus(3);
	cregs_are(EM_X86_64, 0, paging, PT_EFER_LMA | PT_EFER_NXE);
	cregs_are(EM_386, 0, paging, PT_EFER_NXE);
	cregs_are(EM_X86_64, 1, pae_off, 0);
	cregs_are(EM_X86_64, 2, paging_off, 0);
	/* An empty note is the end, as is what is too short for one. */
	memset(bytes + at, 0, 12);
	put_note(at + 12, "QEMU", 1, 440, paging);
	end_notes(at + 12 + 460);
	has_cpus(3);
	end_notes(at + 11);
	has_cpus(3);
}

Test(image_core, notes_of_others)
{
	size_t at = NOTES_AT;

	good_core();
	at = put_note(at, "QEMUX", 1, 440, paging);
	at = put_note(at, "QEM", 1, 440, paging);
	at = put_note(at, "QEMU", 2, 440, paging);
	end_notes(at);
	has_cpus(0);
	good_core();
	put_note(NOTES_AT, "QEMU", 1, 440, paging);
	((Elf64_Nhdr *)(bytes + NOTES_AT))->n_type = 1;
	end_notes(NOTES_AT + 460);
	has_cpus(0);
	good_core();
	put_note(NOTES_AT, "QEMU", 1, 440, paging);
	((Elf64_Nhdr *)(bytes + NOTES_AT))->n_descsz = 428;
	end_notes(NOTES_AT + 448);
	has_cpus(0);
	good_core();
	put_note(NOTES_AT, "QEMU", 1, 440, paging);
	((uint32_t *)(bytes + NOTES_AT + 20))[1] = 431; /* its own idea of its size */
	end_notes(NOTES_AT + 460);
	has_cpus(0);
}

Test(image_core, notes_that_are_wrong)
{
	Elf64_Nhdr *hdr = (Elf64_Nhdr *)(bytes + NOTES_AT);
	size_t end = NOTES_AT + 460;

	capture_stderr();
	good_core();
	put_note(NOTES_AT, "QEMU", 1, 440, paging);
	end_notes(end - 1);
	refused("a note reaches beyond its segment");
	end_notes(end);
	hdr->n_descsz = UINT32_MAX;
	refused("a note reaches beyond its segment");
	hdr->n_descsz = 440;
	hdr->n_namesz = UINT32_MAX;
	refused("a note reaches beyond its segment");
}

/* Segments of notes that overlap are cheap to write and dear to read. */
Test(image_core, more_notes_than_cpus)
{
	const Elf64_Nhdr tiny = { 0, 4, 9 };
	unsigned int i;

	new_core(60);
	for (i = 0; i < 60; i++) {
		*header(i) = (Elf64_Phdr){
			.p_type = PT_NOTE,
			.p_offset = DATA_AT,
			.p_filesz = sizeof(bytes) - DATA_AT,
		};
	}
	for (i = DATA_AT; i + 16 <= sizeof(bytes); i += 16)
		put(i, &tiny, sizeof(tiny));
	capture_stderr();
	refused("more than 65536 notes");
}
