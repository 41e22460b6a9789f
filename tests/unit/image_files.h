/* SPDX-License-Identifier: GPL-2.0 */
/* Images of memory, made byte by byte in a file of the test's own. */
#ifndef TESTS_IMAGE_FILES_H
#define TESTS_IMAGE_FILES_H

#include <elf.h>
#include <errno.h>
#include <stdint.h>

#include "tests/unit/record_files.h"
#include "user/space/image.h"

#define DATA_AT 0x2000 /* in a core: where its memory begins */
#define PATH	"core"

/* Of one test: Criterion runs each in a process of its own. */
static uint8_t bytes[64 << 10] __attribute__((aligned(8)));
static size_t size;

static inline void put(uint64_t at, const void *data, size_t len)
{
	cr_assert(at + len <= sizeof(bytes));
	memcpy(bytes + at, data, len);
}

/* An ELF core of @headers program headers, all zero; its bytes differ from place to place. */
static inline Elf64_Ehdr *new_core(uint16_t headers)
{
	const Elf64_Ehdr e = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, 1 },
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_ehsize = 8, /* as QEMU has it */
		.e_phoff = sizeof(e),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = headers,
	};
	size_t i;

	size = sizeof(bytes);
	for (i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i * 167 + (i >> 8) * 13);
	memset(bytes, 0, DATA_AT);
	put(0, &e, sizeof(e));
	return (Elf64_Ehdr *)bytes;
}

static inline Elf64_Phdr *header(unsigned int i)
{
	return (Elf64_Phdr *)(bytes + sizeof(Elf64_Ehdr)) + i;
}

static inline Elf64_Phdr *segment(unsigned int i, uint64_t paddr, uint64_t offset, uint64_t len)
{
	*header(i) = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_offset = offset,
		.p_paddr = paddr,
		.p_filesz = len,
		.p_memsz = len,
	};
	return header(i);
}

static inline struct image *open_image(void)
{
	struct image *image;

	store(PATH, bytes, size);
	cr_assert_eq(image_open(&image, PATH, 0), 0);
	return image;
}

/* The file is refused with one line that has @words in it. */
static inline void refused(const char *words)
{
	struct image *image;

	store(PATH, bytes, size);
	cr_assert_eq(image_open(&image, PATH, 0), -EINVAL, "%s", words);
	cr_assert_null(image);
	check_message(words);
}

/* @len bytes at @pa are those at @offset of the file, with the window and without it. */
static inline void shows(struct image *image, uint64_t pa, uint64_t offset, uint32_t len)
{
	struct pt_mem *mem = image_mem(image);
	uint8_t got[256];

	cr_assert_eq(pt_mem_read(mem, pa, got, len), 0, "0x%lx", pa);
	cr_assert_arr_eq(got, bytes + offset, len);
	memset(got, 0, len);
	cr_assert_eq(mem->ops->read(mem, pa, got, len), 0);
	cr_assert_arr_eq(got, bytes + offset, len);
}

static inline void lacks(struct image *image, uint64_t pa, uint32_t len)
{
	struct pt_mem *mem = image_mem(image);
	uint8_t got[256];

	cr_assert_eq(pt_mem_read(mem, pa, got, len), -EFAULT, "0x%lx", pa);
	cr_assert_eq(mem->ops->read(mem, pa, got, len), -EFAULT);
}

static inline void range_is(struct image *image, unsigned int i, uint64_t first, uint64_t end)
{
	uint64_t start, last;

	cr_assert(image_range(image, i, &start, &last), "%u", i);
	cr_assert_eq(start, first, "%u: 0x%lx", i, start);
	cr_assert_eq(last, end, "%u: 0x%lx", i, last);
}

static inline void no_range(struct image *image, unsigned int i)
{
	uint64_t start, last;

	cr_assert_not(image_range(image, i, &start, &last));
}

#endif
