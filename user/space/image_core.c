// SPDX-License-Identifier: GPL-2.0
/*
 * ELF cores of machines: what is where in the file. Parsed by hand and not with libelf, which
 * believes too much: it shortens a program header table that reaches beyond the file without a
 * word, and wants section headers right that nothing here needs (gABI, "ELF Header", "Program
 * Header"; the tools that write such files: QEMU dump/dump.c, Linux fs/proc/vmcore.c and kcore.c).
 */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/space/image_file.h"

/* A dump with one segment per mapping (QEMU's "-p") has some 10,000s. */
#define MAX_HEADERS (1U << 20)

struct core {
	struct image *image;
	Elf64_Ehdr ehdr; /* of an ELF32 file, widened */
	bool wide;	 /* ELF64 */
	uint64_t headers;
	bool placed; /* some segment has a physical address that is not 0 */
};

int image_corrupt(const struct image *image, const char *what)
{
	msg_error("%s: corrupt ELF core: %s", image->path, what);
	return -EINVAL;
}

static const struct {
	char magic[16];
	size_t len;
	const char *name;
} unsupported[] = {
	{ "KDUMP   ", 8, "compressed dump (kdump)" },
	{ "DISKDUMP", 8, "compressed dump (diskdump)" },
	{ "makedumpfile", 16, "compressed dump (kdump, flattened)" },
	{ "PAGEDUMP", 8, "Windows crash dump" },
	{ "PAGEDU64", 8, "Windows crash dump" },
};

const char *image_unsupported(const struct image *image)
{
	char magic[16];
	size_t i;

	if (image_fetch(image, 0, magic, sizeof(magic)))
		return NULL;
	for (i = 0; i < sizeof(unsupported) / sizeof(unsupported[0]); i++) {
		if (!memcmp(magic, unsupported[i].magic, unsupported[i].len))
			return unsupported[i].name;
	}
	return NULL;
}

/* In either byte order, so that the wrong one can be told. */
bool image_is_core(const struct image *image)
{
	uint16_t type;
	char magic[SELFMAG];

	if (image_fetch(image, 0, magic, sizeof(magic)) ||
	    image_fetch(image, offsetof(Elf64_Ehdr, e_type), &type, sizeof(type)))
		return false;
	return !memcmp(magic, ELFMAG, SELFMAG) &&
	       (type == ET_CORE || type == __builtin_bswap16(ET_CORE));
}

static int fetch_ehdr(const struct core *core, Elf64_Ehdr *out)
{
	Elf32_Ehdr narrow;

	if (core->wide)
		return image_fetch(core->image, 0, out, sizeof(*out));
	if (image_fetch(core->image, 0, &narrow, sizeof(narrow)))
		return -EFAULT;
	*out = (Elf64_Ehdr){
		.e_machine = narrow.e_machine,
		.e_phoff = narrow.e_phoff,
		.e_shoff = narrow.e_shoff,
		.e_phentsize = narrow.e_phentsize,
		.e_phnum = narrow.e_phnum,
		.e_shentsize = narrow.e_shentsize,
	};
	return 0;
}

static int fetch_phdr(const struct core *core, uint64_t i, Elf64_Phdr *out)
{
	const Elf64_Ehdr *e = &core->ehdr;
	Elf32_Phdr narrow;

	if (core->wide)
		return image_fetch(core->image, e->e_phoff + i * sizeof(*out), out, sizeof(*out));
	if (image_fetch(core->image, e->e_phoff + i * sizeof(narrow), &narrow, sizeof(narrow)))
		return -EFAULT;
	*out = (Elf64_Phdr){
		.p_type = narrow.p_type,
		.p_offset = narrow.p_offset,
		.p_paddr = narrow.p_paddr,
		.p_filesz = narrow.p_filesz,
	};
	return 0;
}

static int read_ident(struct core *core)
{
	unsigned char ident[EI_NIDENT];

	if (image_fetch(core->image, 0, ident, sizeof(ident)))
		return image_corrupt(core->image, "cut off within its header");
	if (ident[EI_DATA] != ELFDATA2LSB)
		return image_corrupt(core->image, "not little-endian, as x86 is");
	if (ident[EI_CLASS] != ELFCLASS32 && ident[EI_CLASS] != ELFCLASS64)
		return image_corrupt(core->image, "of neither 32 nor 64 bits");
	core->wide = ident[EI_CLASS] == ELFCLASS64;
	return 0;
}

/* gABI: with PN_XNUM (65,535 headers or more) sh_info of section header 0 is the number. */
static int count_headers(struct core *core)
{
	const uint64_t field =
		core->wide ? offsetof(Elf64_Shdr, sh_info) : offsetof(Elf32_Shdr, sh_info);
	const Elf64_Ehdr *e = &core->ehdr;
	uint32_t number;

	core->headers = e->e_phnum;
	if (e->e_phnum != PN_XNUM)
		return 0;
	if (!e->e_shoff || e->e_shoff > UINT64_MAX - field ||
	    image_fetch(core->image, e->e_shoff + field, &number, sizeof(number)))
		return image_corrupt(core->image, "the number of its segments is missing");
	core->headers = number;
	return 0;
}

static int read_header(struct core *core)
{
	const size_t entry = core->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	const struct image *image = core->image;
	Elf64_Ehdr *e = &core->ehdr;
	int err;

	if (fetch_ehdr(core, e))
		return image_corrupt(image, "cut off within its header");
	if (e->e_machine != EM_386 && e->e_machine != EM_X86_64) {
		msg_error("%s: an ELF core of another machine (e_machine %u), not of x86",
			  image->path, e->e_machine);
		return -EINVAL;
	}
	err = count_headers(core);
	if (err)
		return err;
	if (core->headers && e->e_phentsize != entry)
		return image_corrupt(image, "program headers of a wrong size");
	if (core->headers > MAX_HEADERS)
		return image_corrupt(image, "more than 1048576 segments");
	if (e->e_phoff > image->size || core->headers > (image->size - e->e_phoff) / entry)
		return image_corrupt(image, "program headers outside of the file; was it cut?");
	return 0;
}

/* Memory that the file holds no bytes of (left out by a filter) is not there. */
static int add_segment(struct core *core, const Elf64_Phdr *p)
{
	struct image *image = core->image;

	/* -1: Linux's kcore has segments of virtual addresses only. */
	if (p->p_paddr == UINT64_MAX)
		return 0;
	if (p->p_paddr + (p->p_filesz - 1) < p->p_paddr)
		return image_corrupt(image, "a segment reaches beyond 64 bits");
	core->placed |= p->p_paddr != 0;
	image->segs[image->nr_segs++] = (struct image_segment){
		.start = p->p_paddr,
		.last = p->p_paddr + (p->p_filesz - 1),
		.offset = p->p_offset,
	};
	return 0;
}

static int read_headers(struct core *core)
{
	const struct image *image = core->image;
	Elf64_Phdr p;
	uint64_t i;
	int err;

	for (i = 0; i < core->headers; i++) {
		if (fetch_phdr(core, i, &p))
			return image_corrupt(image, "program headers cannot be read");
		if ((p.p_type != PT_LOAD && p.p_type != PT_NOTE) || !p.p_filesz)
			continue;
		if (p.p_filesz > image->size || p.p_offset > image->size - p.p_filesz)
			return image_corrupt(image, "a segment outside of the file; was it cut?");
		if (p.p_type == PT_LOAD)
			err = add_segment(core, &p);
		else
			err = image_load_notes(core->image, p.p_offset, p.p_filesz,
					       core->ehdr.e_machine == EM_X86_64);
		if (err)
			return err;
	}
	return 0;
}

/* By address; of those that start together the longest first. */
static int compare(const void *a, const void *b)
{
	const struct image_segment *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->last != y->last)
		return x->last > y->last ? -1 : 1;
	return (x->offset > y->offset) - (x->offset < y->offset);
}

/*
 * Puts the segments in order, cuts off what a segment before has already and joins neighbours.
 * Overlaps are in honest files: with paging (QEMU's "-p") a page that is mapped twice is listed
 * twice, and kdump lists the kernel's text on its own.
 */
static void order(struct image *image)
{
	struct image_segment *segs = image->segs, *prev, s;
	unsigned int i, n = 0;

	qsort(segs, image->nr_segs, sizeof(*segs), compare);
	for (i = 0; i < image->nr_segs; i++) {
		s = segs[i];
		prev = n ? &segs[n - 1] : NULL;
		if (prev && s.last <= prev->last)
			continue;
		if (prev && s.start <= prev->last) {
			s.offset += prev->last + 1 - s.start;
			s.start = prev->last + 1;
		}
		if (prev && s.start == prev->last + 1 &&
		    s.offset - prev->offset == s.start - prev->start)
			prev->last = s.last;
		else
			segs[n++] = s;
	}
	image->nr_segs = n;
}

int image_load_core(struct image *image)
{
	struct core core = { .image = image };
	int err;

	err = read_ident(&core);
	if (!err)
		err = read_header(&core);
	if (err)
		return err;
	image->segs = calloc(core.headers + 1, sizeof(*image->segs));
	if (!image->segs)
		return image_no_memory(image);
	err = read_headers(&core);
	if (err)
		return err;
	if (!image->nr_segs)
		return image_corrupt(image, "no memory is in it");
	if (image->nr_segs > 1 && !core.placed) {
		msg_error("%s: no physical addresses in it; it is the core of a process and not "
			  "of a machine",
			  image->path);
		return -EINVAL;
	}
	order(image);
	return 0;
}
