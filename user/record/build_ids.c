// SPDX-License-Identifier: GPL-2.0
#include "user/record/build_ids.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/clock.h"
#include "user/base/in_file.h"
#include "user/record/perf_format.h"

#define ID_MAX	   20
#define NAME_ALIGN 64
/* tools/lib/perf/include/perf/event.h: the id's size is told. */
#define MISC_BUILD_ID_SIZE (1 << 15)
#define NO_PROCESS	   UINT32_MAX

struct build_file {
	uint64_t ino;
	uint64_t since; /* CLOCK_MONOTONIC, ns: mapped */
	char *name;
};

static bool same_file(const void *ctx, uint32_t slot, const void *key)
{
	const struct build_file *a = &((const struct build_ids *)ctx)->files[slot], *b = key;

	return a->ino == b->ino && !strcmp(a->name, b->name);
}

void build_ids_see(struct build_ids *b, const struct ptev_mmap *map)
{
	struct build_file file = { map->ino, map->time, (char *)map->name };
	uint64_t hash = hash_u64(map->ino ^ hash_bytes(map->name, strlen(map->name)));
	struct build_file *grown;

	if (!(map->prot & PROT_EXEC) || map->name[0] != '/' || b->nr == BUILD_IDS_MAX ||
	    hash_find(&b->index, hash, same_file, b, &file) >= 0)
		return;
	grown = reallocarray(b->files, b->nr + 1, sizeof(*grown));
	if (!grown)
		return;
	b->files = grown;
	file.name = strdup(map->name);
	if (!file.name || hash_add(&b->index, hash, b->nr)) {
		free(file.name);
		return;
	}
	b->files[b->nr++] = file;
}

void build_ids_free(struct build_ids *b)
{
	while (b->nr)
		free(b->files[--b->nr].name);
	free(b->files);
	hash_free(&b->index);
	*b = (struct build_ids){ 0 };
}

/* struct perf_record_header_build_id and the name behind it */
static void put_id(struct blob *out, const char *name, uint16_t mode, const void *id, size_t size)
{
	size_t len = strlen(name) + 1, padded = (len + NAME_ALIGN - 1) & ~(NAME_ALIGN - 1ul);
	struct {
		struct perf_event_header header;
		uint32_t pid;
		uint8_t id[ID_MAX];
		uint8_t size, reserved[3];
		uint32_t align;
	} record = {
		.header = { .misc = mode | MISC_BUILD_ID_SIZE,
			    .size = (uint16_t)(sizeof(record) - 4 + padded) },
		.pid = NO_PROCESS,
		.size = (uint8_t)size,
	};

	if (size > ID_MAX)
		return;
	memcpy(record.id, id, size);
	blob_put(out, &record, sizeof(record) - 4);
	blob_put(out, name, len);
	blob_put(out, NULL, padded - len);
}

/* The running kernel's, an ELF note of the name GNU. */
static void put_kernel(struct blob *out)
{
	struct {
		GElf_Nhdr header;
		char rest[4096];
	} notes;
	int fd = open("/sys/kernel/notes", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, &notes, sizeof(notes));
	const char *at = (const char *)&notes, *end = at + (n > 0 ? n : 0);
	GElf_Nhdr note;

	if (fd >= 0)
		close(fd);
	while ((size_t)(end - at) >= sizeof(note)) {
		size_t name, desc;

		memcpy(&note, at, sizeof(note));
		at += sizeof(note);
		name = (note.n_namesz + 3u) & ~3u;
		desc = (note.n_descsz + 3u) & ~3u;
		if (name > (size_t)(end - at) || desc > (size_t)(end - at) - name)
			return;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && !memcmp(at, "GNU", 4)) {
			put_id(out, "[kernel.kallsyms]", PERF_RECORD_MISC_KERNEL, at + name,
			       note.n_descsz);
			return;
		}
		at += name + desc;
	}
}

/*
 * Whether what the file has now may not be what was mapped. When it was written is told by the
 * clock of the kernel's ticks, which is behind.
 */
static bool was_changed(const struct build_file *file, const struct stat *st)
{
	const uint64_t tick = 10000000;
	uint64_t real = clock_ns(CLOCK_REALTIME), mono = clock_ns(CLOCK_MONOTONIC);
	uint64_t written =
		(uint64_t)st->st_mtim.tv_sec * 1000000000u + (uint64_t)st->st_mtim.tv_nsec;
	uint64_t age = real > written ? real - written : 0;

	return age < mono && mono - age + tick > file->since;
}

static void put_file(struct blob *out, const struct build_file *file)
{
	int fd = in_file_open(file->name);
	const void *id;
	struct stat st;
	ssize_t size;
	Elf *elf;

	if (fd < 0)
		return;
	if (!fstat(fd, &st) && st.st_ino == file->ino && !was_changed(file, &st)) {
		/* Not mapped: whoever shortens the file meanwhile must not end a recording. */
		elf = elf_begin(fd, ELF_C_READ, NULL);
		size = elf ? dwelf_elf_gnu_build_id(elf, &id) : 0;
		if (size > 0)
			put_id(out, file->name, PERF_RECORD_MISC_USER, id, (size_t)size);
		elf_end(elf);
	}
	close(fd);
}

static int by_name(const void *a, const void *b)
{
	const struct build_file *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/*
 * An ID is found by the path alone. Of paths that were more than one file, one after the other or
 * in several containers, there is none; nor of any if not all files are known.
 */
void build_ids_put(const struct build_ids *b, struct blob *out)
{
	const struct build_file **files = calloc(b->nr + 1ul, sizeof(*files));
	uint32_t i, end;

	elf_version(EV_CURRENT);
	put_kernel(out);
	for (i = 0; files && i < b->nr; i++)
		files[i] = &b->files[i];
	if (!files || b->nr == BUILD_IDS_MAX)
		goto out;
	qsort(files, b->nr, sizeof(*files), by_name);
	for (i = 0; i < b->nr; i = end) {
		for (end = i + 1; end < b->nr && !by_name(&files[i], &files[end]);)
			end++;
		if (end == i + 1)
			put_file(out, files[i]);
	}
out:
	free(files);
}
