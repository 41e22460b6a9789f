// SPDX-License-Identifier: GPL-2.0
/*
 * Any bytes as an image of memory: it opens or is refused, and what it then shows is what a plain
 * search through its program headers says. The first byte chooses what the rest is: a raw file,
 * segments that are numbers out of the input, or changes to a valid core; so no corpus is needed.
 * Run with -close_fd_mask=2: every refusal has a line on stderr.
 */
#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/space/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RAW, SEGMENTS, SEGMENTS32, PATCHES, NR_MODES };

#define MAX_RANGES 64
#define NOTES_AT   0x2000
#define DATA_AT	   0x4000

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

/* A file in memory. */
static struct {
	uint64_t size;
	uint64_t base;
	bool core; /* it begins with the header of an ELF core */
	uint8_t bytes[64 << 10] __attribute__((aligned(8)));
} file;

/* Of a program header, what counts. */
struct segment {
	uint64_t start, offset, size;
};

static void put(uint64_t at, const void *data, size_t size)
{
	memcpy(file.bytes + at, data, size);
}

static void put_header(uint16_t segments, bool wide)
{
	Elf64_Ehdr e = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, 1 },
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_phoff = sizeof(e),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = segments,
	};
	Elf32_Ehdr narrow = {
		.e_type = ET_CORE,
		.e_machine = EM_386,
		.e_phoff = sizeof(narrow),
		.e_phentsize = sizeof(Elf32_Phdr),
		.e_phnum = segments,
	};

	if (wide) {
		put(0, &e, sizeof(e));
		return;
	}
	memcpy(narrow.e_ident, e.e_ident, EI_NIDENT);
	narrow.e_ident[EI_CLASS] = ELFCLASS32;
	put(0, &narrow, sizeof(narrow));
}

static void put_segment(unsigned int i, uint32_t type, const struct segment *s, bool wide)
{
	Elf64_Phdr p = {
		.p_type = type,
		.p_offset = s->offset,
		.p_paddr = s->start,
		.p_filesz = s->size,
	};
	Elf32_Phdr narrow = {
		.p_type = type,
		.p_offset = (uint32_t)s->offset,
		.p_paddr = (uint32_t)s->start,
		.p_filesz = (uint32_t)s->size,
	};

	if (wide)
		put(sizeof(Elf64_Ehdr) + i * sizeof(p), &p, sizeof(p));
	else
		put(sizeof(Elf32_Ehdr) + i * sizeof(narrow), &narrow, sizeof(narrow));
}

/* A file whose bytes differ from place to place. */
static void fill(void)
{
	uint64_t i;

	file.size = sizeof(file.bytes);
	for (i = 0; i < file.size; i++)
		file.bytes[i] = (uint8_t)(i * 167 + (i >> 8) * 13);
}

/* Four bytes a segment: so small that they meet often. */
static void add_segments(const uint8_t *data, size_t size, bool wide)
{
	uint16_t n = (uint16_t)(size / 4 < 256 ? size / 4 : 256), i;
	struct segment s;

	fill();
	put_header(n, wide);
	for (i = 0; i < n; i++, data += 4) {
		s.start = data[0] * 8 + (data[3] & 4 ? UINT32_MAX - 0x800 : 0);
		if (data[3] & 8 && wide)
			s.start -= 0x1000;
		s.offset = DATA_AT + data[1] * 8;
		s.size = data[2] * (data[3] & 2 ? 16U : 1U);
		put_segment(i, data[3] & 1 && data[3] & 16 ? PT_NOTE : PT_LOAD, &s, wide);
	}
}

static uint64_t put_note(uint64_t at, const char *name, uint32_t type, uint32_t size)
{
	Elf64_Nhdr hdr = { (uint32_t)strlen(name) + 1, size, type };
	uint32_t words[2] = { 1, size };

	put(at, &hdr, sizeof(hdr));
	at += sizeof(hdr);
	memcpy(file.bytes + at, name, hdr.n_namesz);
	at += (hdr.n_namesz + 3) & ~3U;
	put(at, words, sizeof(words));
	return at + size;
}

/* What QEMU writes for two CPUs, and 200 bytes at most of each segment. */
static void add_core(void)
{
	const struct segment memory[] = {
		{ 0, DATA_AT, 0x100 },
		{ 0x1000, DATA_AT + 0x100, 0x2000 },
		{ 0x1800, DATA_AT, 0x100 },
		{ UINT64_C(1) << 32, DATA_AT + 0x2100, 0x1000 },
	};
	struct segment notes = { 0, NOTES_AT, 0 };
	uint64_t at = NOTES_AT;
	unsigned int i;

	fill();
	memset(file.bytes + NOTES_AT, 0, DATA_AT - NOTES_AT);
	put_header(5, true);
	at = put_note(at, "CORE", NT_PRSTATUS, 336);
	at = put_note(at, "QEMU", 0, 440);
	at = put_note(at, "QEMU", 0, 440);
	notes.size = at - NOTES_AT;
	put_segment(0, PT_NOTE, &notes, true);
	for (i = 0; i < 4; i++)
		put_segment(i + 1, PT_LOAD, &memory[i], true);
}

/* Four bytes each: where, what to do, value. Headers and notes are hit most. */
static void patch(const uint8_t *data, size_t size)
{
	uint16_t at;

	for (; size >= 4; data += 4, size -= 4) {
		memcpy(&at, data, sizeof(at));
		if (data[2] & 64)
			at %= (uint16_t)(sizeof(Elf64_Ehdr) + 5 * sizeof(Elf64_Phdr));
		else if (data[2] & 32)
			at = (uint16_t)(NOTES_AT + at % 1300);
		if (data[2] % 8 == 7 && at)
			file.size = at;
		else if (data[2] % 2)
			file.bytes[at] = (uint8_t)(file.bytes[at] + data[3]);
		else
			file.bytes[at] = data[3];
	}
}

static void make_input(const uint8_t *data, size_t size)
{
	unsigned int mode = size ? *data++ : RAW;
	uint16_t type;

	size -= size > 0;
	if (size > sizeof(file.bytes))
		size = sizeof(file.bytes);
	file.base = mode & 128 ? UINT64_MAX - mode : mode * UINT64_C(4096);
	switch (mode % NR_MODES) {
	case PATCHES:
		add_core();
		patch(data, size);
		break;
	case SEGMENTS:
	case SEGMENTS32:
		add_segments(data, size, mode % NR_MODES == SEGMENTS);
		break;
	default:
		memset(file.bytes, 0, sizeof(Elf64_Ehdr));
		memcpy(file.bytes, data, size);
		file.size = size;
	}
	memcpy(&type, file.bytes + offsetof(Elf64_Ehdr, e_type), sizeof(type));
	file.core = file.size >= EI_NIDENT + sizeof(type) && !memcmp(file.bytes, ELFMAG, SELFMAG) &&
		    type == ET_CORE;
	if (file.core) /* is refused with another */
		file.base = 0;
}

static bool is_wide(void)
{
	return file.bytes[EI_CLASS] == ELFCLASS64;
}

static uint64_t number_of_segments(void)
{
	const bool wide = is_wide();
	const Elf32_Ehdr *narrow = (const Elf32_Ehdr *)file.bytes;
	const Elf64_Ehdr *e = (const Elf64_Ehdr *)file.bytes;
	uint32_t n = wide ? e->e_phnum : narrow->e_phnum;

	if (n != PN_XNUM)
		return n;
	memcpy(&n,
	       file.bytes + (wide ? e->e_shoff + offsetof(Elf64_Shdr, sh_info)
				  : narrow->e_shoff + offsetof(Elf32_Shdr, sh_info)),
	       sizeof(n));
	return n;
}

/* The @i-th header, of a core that was not refused. False: it is no memory. */
static bool get_segment(uint64_t i, struct segment *s)
{
	const Elf32_Ehdr *narrow = (const Elf32_Ehdr *)file.bytes;
	const Elf64_Ehdr *e = (const Elf64_Ehdr *)file.bytes;
	Elf32_Phdr q;
	Elf64_Phdr p;

	if (is_wide()) {
		memcpy(&p, file.bytes + e->e_phoff + i * sizeof(p), sizeof(p));
		*s = (struct segment){ p.p_paddr, p.p_offset, p.p_filesz };
		return p.p_type == PT_LOAD && s->start != UINT64_MAX;
	}
	memcpy(&q, file.bytes + narrow->e_phoff + i * sizeof(q), sizeof(q));
	*s = (struct segment){ q.p_paddr, q.p_offset, q.p_filesz };
	return q.p_type == PT_LOAD;
}

/* Of two that have an address: the lower start, the longer, the earlier in the file. */
static bool before(const struct segment *a, const struct segment *b)
{
	if (a->start != b->start)
		return a->start < b->start;
	if (a->size != b->size)
		return a->size > b->size;
	return a->offset < b->offset;
}

/* The byte at physical address @pa, or -1. */
static int model_byte(uint64_t pa)
{
	struct segment s, best = { 0, 0, 0 };
	uint64_t i, n;

	if (!file.core)
		return pa - file.base < file.size && pa >= file.base ? file.bytes[pa - file.base]
								     : -1;
	n = number_of_segments();
	for (i = 0; i < n; i++) {
		if (get_segment(i, &s) && pa - s.start < s.size &&
		    (!best.size || before(&s, &best)))
			best = s;
	}
	return best.size ? file.bytes[best.offset + (pa - best.start)] : -1;
}

/* All or nothing, with the window and without it. */
static void check_read(struct pt_mem *mem, uint64_t pa, uint32_t len)
{
	uint8_t got[16], again[16];
	int err = pt_mem_read(mem, pa, got, len), want;
	bool there = pa + (len - 1) >= pa;
	uint32_t i;

	CHECK(mem->ops->read(mem, pa, again, len) == err);
	CHECK(err ? err == -EFAULT : !memcmp(got, again, len));
	for (i = 0; i < len && there; i++) {
		want = model_byte(pa + i);
		there = want >= 0;
		CHECK(err || got[i] == want);
	}
	CHECK(there == !err);
}

static void check_around(struct pt_mem *mem, uint64_t pa)
{
	check_read(mem, pa - 8, 8);
	check_read(mem, pa - 1, 1);
	check_read(mem, pa, 1);
	check_read(mem, pa - 3, 8);
	check_read(mem, pa, 16);
}

static void check_ranges(struct image *image)
{
	uint64_t start, last, end = 0;
	unsigned int i;

	CHECK(image_range(image, 0, &start, &last));
	for (i = 0; image_range(image, i, &start, &last); i++) {
		CHECK(start <= last && (!i || start > end));
		end = last;
		if (i >= MAX_RANGES)
			continue;
		check_around(image_mem(image), start);
		check_around(image_mem(image), start + (last - start) / 2);
		check_around(image_mem(image), last + 1);
	}
	CHECK(!image_range(image, i + 1, &start, &last));
}

static void check_cregs(const struct image *image)
{
	struct pt_cregs regs;
	unsigned int i;

	for (i = 0; !image_cregs(image, i, &regs); i++)
		CHECK(!(regs.efer & ~(PT_EFER_LMA | PT_EFER_NXE)));
	CHECK(i <= file.size / 432 * (file.core ? number_of_segments() : 0));
	CHECK(image_cregs(image, i, &regs) == -ENOENT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct image *image;
	char path[32];

	make_input(data, size);
	CHECK(fd >= 0 && write(fd, file.bytes, file.size) == (ssize_t)file.size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!image_open(&image, path, file.base)) {
		check_ranges(image);
		check_cregs(image);
		image_close(image);
	} else {
		CHECK(!image);
	}
	close(fd);
	return 0;
}
