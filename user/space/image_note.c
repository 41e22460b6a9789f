// SPDX-License-Identifier: GPL-2.0
/* The notes of an ELF core: QEMU writes one with the registers of each virtual CPU. */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/space/image_file.h"

/* Two for each of QEMU's 4096 CPUs, and some. */
#define MAX_NOTES 65536

struct note {
	Elf64_Nhdr hdr; /* that of ELF32 is the same */
	uint64_t desc;	/* offset in the file */
	uint64_t next;
};

static uint64_t align4(uint32_t size)
{
	return ((uint64_t)size + 3) & ~UINT64_C(3);
}

/* The note at @offset of those that end at @end. */
static int fetch_note(const struct image *image, uint64_t offset, uint64_t end, struct note *note)
{
	const Elf64_Nhdr *hdr = &note->hdr;

	if (image_fetch(image, offset, &note->hdr, sizeof(note->hdr)))
		return -EFAULT;
	note->desc = offset + sizeof(*hdr) + align4(hdr->n_namesz);
	note->next = note->desc + align4(hdr->n_descsz);
	/* The last one need not be padded. */
	return note->desc + hdr->n_descsz > end ? -EFAULT : 0;
}

static bool is_qemu_cpu(const struct image *image, const struct note *note, uint64_t offset,
			struct image_cpu_note *cpu)
{
	static const char name[] = "QEMU";
	char buf[sizeof(name)];

	return !note->hdr.n_type && note->hdr.n_namesz == sizeof(name) &&
	       note->hdr.n_descsz >= sizeof(*cpu) &&
	       !image_fetch(image, offset + sizeof(note->hdr), buf, sizeof(buf)) &&
	       !memcmp(buf, name, sizeof(name)) &&
	       !image_fetch(image, note->desc, cpu, sizeof(*cpu)) && cpu->version == 1 &&
	       cpu->size >= sizeof(*cpu);
}

/* The machine type is that of the first CPU: others may not have paging on yet. */
static uint64_t guess_efer(const struct image_cpu_note *cpu, bool long_mode)
{
	if (!(cpu->cr[0] & PT_CR0_PG) || !(cpu->cr[4] & PT_CR4_PAE))
		return 0;
	return PT_EFER_NXE | (long_mode ? PT_EFER_LMA : 0);
}

static int add_cpu(struct image *image, const struct image_cpu_note *cpu, bool long_mode)
{
	struct pt_cregs *cpus;

	cpus = reallocarray(image->cpus, image->nr_cpus + 1, sizeof(*cpus));
	if (!cpus)
		return image_no_memory(image);
	cpus[image->nr_cpus++] = (struct pt_cregs){
		.cr0 = cpu->cr[0],
		.cr3 = cpu->cr[3],
		.cr4 = cpu->cr[4],
		.efer = guess_efer(cpu, long_mode),
	};
	image->cpus = cpus;
	return 0;
}

int image_load_notes(struct image *image, uint64_t offset, uint64_t size, bool long_mode)
{
	uint64_t end = offset + size;
	struct image_cpu_note cpu;
	struct note note;
	int err;

	while (offset < end && end - offset >= sizeof(note.hdr)) {
		if (fetch_note(image, offset, end, &note))
			return image_corrupt(image, "a note reaches beyond its segment");
		/* The kernel ends its notes with an empty one, and pads. */
		if (!note.hdr.n_namesz && !note.hdr.n_descsz)
			return 0;
		if (image->nr_notes++ == MAX_NOTES)
			return image_corrupt(image, "more than 65536 notes");
		if (is_qemu_cpu(image, &note, offset, &cpu)) {
			err = add_cpu(image, &cpu, long_mode);
			if (err)
				return err;
		}
		offset = note.next;
	}
	return 0;
}
