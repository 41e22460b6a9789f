// SPDX-License-Identifier: GPL-2.0
/*
 * header | program headers | the note | the tables, in order of their addresses | section header
 *
 * The section header is there when the program headers are too many for the header (gABI, PN_XNUM).
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "user/space/image_file.h"
#include "user/space/tables.h"

#define TABLE_BYTES 4096
#define NOTE_NAME   8 /* bytes of "QEMU", padded to a multiple of four */
#define NOTE_BYTES  (sizeof(Elf64_Nhdr) + NOTE_NAME + sizeof(struct image_cpu_note))
#define MAX_HEADERS (1U << 20) /* what image_open() takes */

struct table {
	uint64_t pa;
	const uint64_t *entries;
};

struct save {
	FILE *out;
	struct table *tables; /* by address */
	size_t nr, segments;
	uint64_t data; /* offset of the first table */
};

static int by_address(const void *a, const void *b)
{
	const struct table *x = a, *y = b;

	return x->pa < y->pa ? -1 : x->pa > y->pa;
}

static int sort_tables(struct save *s, const struct tables *t)
{
	size_t i;

	s->nr = tables_count(t);
	s->tables = calloc(s->nr + 1, sizeof(*s->tables));
	if (!s->tables)
		return -ENOMEM;
	for (i = 0; i < s->nr; i++)
		s->tables[i].entries = tables_entries(t, i, &s->tables[i].pa);
	qsort(s->tables, s->nr, sizeof(*s->tables), by_address);
	return 0;
}

/* Index of the first table of the segment behind the one that begins at @i. */
static size_t segment_end(const struct save *s, size_t i)
{
	for (i++; i < s->nr && s->tables[i].pa == s->tables[i - 1].pa + TABLE_BYTES; i++)
		;
	return i;
}

static size_t count_segments(const struct save *s)
{
	size_t i, n = 0;

	for (i = 0; i < s->nr; i = segment_end(s, i))
		n++;
	return n;
}

static size_t nr_headers(const struct save *s)
{
	return s->segments + 1;
}

static bool is_long(const struct save *s)
{
	return nr_headers(s) >= PN_XNUM;
}

static void put(const struct save *s, const void *bytes, size_t n)
{
	fwrite(bytes, 1, n, s->out);
}

static void put_header(const struct save *s)
{
	Elf64_Ehdr e = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(e),
		.e_ehsize = sizeof(e),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)nr_headers(s),
		.e_shentsize = sizeof(Elf64_Shdr),
	};

	if (is_long(s)) {
		e.e_phnum = PN_XNUM;
		e.e_shnum = 1;
		e.e_shoff = s->data + s->nr * TABLE_BYTES;
	}
	put(s, &e, sizeof(e));
}

static void put_segments(const struct save *s)
{
	uint64_t offset = s->data;
	Elf64_Phdr p = {
		.p_type = PT_NOTE,
		.p_offset = sizeof(Elf64_Ehdr) + nr_headers(s) * sizeof(p),
		.p_filesz = NOTE_BYTES,
	};
	size_t i, end;

	put(s, &p, sizeof(p));
	for (i = 0; i < s->nr; i = end) {
		end = segment_end(s, i);
		p = (Elf64_Phdr){
			.p_type = PT_LOAD,
			.p_flags = PF_R,
			.p_offset = offset,
			.p_paddr = s->tables[i].pa,
			.p_filesz = (end - i) * TABLE_BYTES,
			.p_memsz = (end - i) * TABLE_BYTES,
		};
		put(s, &p, sizeof(p));
		offset += p.p_filesz;
	}
}

static void put_note(const struct save *s, const struct pt_cregs *regs)
{
	static const char name[NOTE_NAME] = "QEMU";
	struct image_cpu_note cpu = {
		.version = 1,
		.size = sizeof(cpu),
		.cr = { [0] = regs->cr0, [3] = regs->cr3, [4] = regs->cr4 },
	};
	Elf64_Nhdr hdr = { .n_namesz = sizeof("QEMU"), .n_descsz = sizeof(cpu) };

	put(s, &hdr, sizeof(hdr));
	put(s, name, sizeof(name));
	put(s, &cpu, sizeof(cpu));
}

static void put_section(const struct save *s)
{
	Elf64_Shdr h = { .sh_info = (Elf64_Word)nr_headers(s) };

	if (is_long(s))
		put(s, &h, sizeof(h));
}

static int write_all(struct save *s, const struct pt_cregs *regs)
{
	size_t i;

	s->segments = count_segments(s);
	if (nr_headers(s) > MAX_HEADERS)
		return -E2BIG;
	s->data = sizeof(Elf64_Ehdr) + nr_headers(s) * sizeof(Elf64_Phdr) + NOTE_BYTES;
	put_header(s);
	put_segments(s);
	put_note(s, regs);
	for (i = 0; i < s->nr; i++)
		put(s, s->tables[i].entries, TABLE_BYTES);
	put_section(s);
	return ferror(s->out) ? errno ? -errno : -EIO : 0;
}

int tables_save(const struct tables *t, const struct pt_cregs *regs, FILE *out)
{
	struct save s = { .out = out };
	int err = sort_tables(&s, t);

	if (err)
		return err;
	errno = 0;
	err = write_all(&s, regs);
	if (fflush(out) && !err)
		err = errno ? -errno : -EIO;
	free(s.tables);
	return err;
}
