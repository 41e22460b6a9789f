/* SPDX-License-Identifier: GPL-2.0 */
/* An open image, for the files that make one. */
#ifndef SPACE_IMAGE_FILE_H
#define SPACE_IMAGE_FILE_H

#include <stddef.h>

#include "user/space/image.h"

/* Physical addresses and where their bytes lie in the file. */
struct image_segment {
	uint64_t start, last;
	uint64_t offset;
};

struct image {
	struct pt_mem mem;
	const char *path; /* for messages, while it is opened */
	int fd;
	const uint8_t *map; /* the whole file; NULL: it is read with pread() */
	uint64_t size;	    /* of the file; of a device INT64_MAX */
	struct image_segment *segs;
	unsigned int nr_segs;
	struct pt_cregs *cpus;
	unsigned int nr_cpus;
	unsigned int nr_notes; /* that were looked at */
};

/* QEMU target/i386/arch_dump.c, QEMUCPUState; what follows there is of no use here. */
struct image_cpu_note {
	uint32_t version; /* 1 */
	uint32_t size;
	uint64_t regs[18]; /* rax rbx rcx rdx rsi rdi rsp rbp r8..r15 rip rflags */
	struct {
		uint32_t selector, limit, flags, pad;
		uint64_t base;
	} segs[10]; /* cs ds es fs gs ss ldt tr gdt idt */
	uint64_t cr[5];
};

/* @len bytes of the file at @offset, all or nothing. 0, -EFAULT outside of the file, or -errno. */
int image_fetch(const struct image *image, uint64_t offset, void *buf, size_t len);

/* What the file is called when it starts so and can only be refused; NULL: it does not. */
const char *image_unsupported(const struct image *image);
bool image_is_core(const struct image *image);

/* Segments and registers of an ELF core. 0, or -errno after msg_error(). */
int image_load_core(struct image *image);
/* The registers in [@offset, @offset + @size) of the file, a segment of notes; the same. */
int image_load_notes(struct image *image, uint64_t offset, uint64_t size, bool long_mode);

/* "PATH: corrupt ELF core: WHAT"; returns -EINVAL. */
int image_corrupt(const struct image *image, const char *what);
/* "PATH: Cannot allocate memory"; returns -ENOMEM. */
int image_no_memory(const struct image *image);

#endif
