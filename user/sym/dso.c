// SPDX-License-Identifier: GPL-2.0
#include "user/sym/dso.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/in_file.h"
#include "user/kernel/proc_maps.h"
#include "user/sym/dso_priv.h"

#define NSEC_PER_SEC 1000000000ull

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dso_find_debuginfo,
	.section_address = dwfl_offline_section_address,
};

void dso_close(struct dso *d)
{
	if (!d)
		return;
	dwfl_end(d->dwfl);
	free(d);
}

/* Takes over @fd when it succeeds. */
static int open_elf(struct dso *d, const char *path, int fd)
{
	d->dwfl = dwfl_begin(&callbacks);
	if (!d->dwfl)
		return -ENOMEM;
	d->module = dwfl_report_offline(d->dwfl, path, path, fd);
	if (!d->module)
		return -ENOEXEC;
	dwfl_report_end(d->dwfl, NULL, NULL);
	d->elf = dwfl_module_getelf(d->module, &d->bias);
	return 0;
}

static int open_fd(struct dso **d, const char *path, int fd)
{
	struct dso *new = calloc(1, sizeof(*new));
	int err = new ? open_elf(new, path, fd) : -ENOMEM;

	if (err) {
		dso_close(new);
		close(fd);
		return err;
	}
	*d = new;
	return 0;
}

struct lookup {
	uint64_t address;
	bool found;
	struct proc_maps_entry entry; /* but for its name */
};

static int match_address(void *ctx, const struct proc_maps_entry *entry)
{
	struct lookup *l = ctx;

	l->found = entry->start <= l->address && l->address < entry->end;
	l->entry = *entry;
	l->entry.name = NULL;
	return l->found;
}

/* The line of our own maps that holds @address. */
static int own_mapping(const void *address, struct proc_maps_entry *entry)
{
	struct lookup l = { .address = (uintptr_t)address };
	int err = proc_maps_each((uint32_t)getpid(), match_address, &l);

	if (err < 0)
		return err;
	*entry = l.entry;
	return l.found ? 0 : -ENOENT;
}

static int check_identity(int fd, uint32_t maj, uint32_t min, uint64_t ino)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	struct proc_maps_entry entry;
	int err;

	if (page == MAP_FAILED)
		return -errno;
	err = own_mapping(page, &entry);
	munmap(page, size);
	if (err)
		return err;
	return entry.maj == maj && entry.min == min && entry.ino == ino ? 0 : -ESTALE;
}

static uint64_t stamp_ns(const struct statx_timestamp *t)
{
	return t->tv_sec < 0 ? 0 : (uint64_t)t->tv_sec * NSEC_PER_SEC + t->tv_nsec;
}

/* An inode number is used again; packages carry old mtimes. So look at both times. */
static uint64_t change_time(int fd)
{
	struct statx st = { 0 };
	uint64_t birth, written;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME | STATX_MTIME, &st))
		return 0;
	birth = st.stx_mask & STATX_BTIME ? stamp_ns(&st.stx_btime) : 0;
	written = st.stx_mask & STATX_MTIME ? stamp_ns(&st.stx_mtime) : 0;
	return birth > written ? birth : written;
}

int dso_open(struct dso **d, const char *path, uint32_t maj, uint32_t min, uint64_t ino)
{
	int fd = in_file_open(path);
	uint64_t changed;
	int err;

	if (fd < 0)
		return fd;
	err = check_identity(fd, maj, min, ino);
	if (err) {
		close(fd);
		return err;
	}
	changed = change_time(fd);
	err = open_fd(d, path, fd);
	if (!err)
		(*d)->changed = changed;
	return err;
}

int dso_open_by_id(struct dso **d, const char *path, const struct build_id *id)
{
	struct build_id found;
	int fd = in_file_open(path);

	if (fd < 0)
		return fd;
	if (!build_id_read(&found, fd) && build_id_equal(&found, id))
		return open_fd(d, path, fd);
	close(fd);
	return -ESTALE;
}

int dso_open_cached(struct dso **d, const char *path, const struct build_id *id)
{
	int fd = build_id_open(id, "elf");

	return fd < 0 ? fd : open_fd(d, path, fd);
}

int dso_open_vdso(struct dso **d)
{
	const void *image = (const void *)getauxval(AT_SYSINFO_EHDR);
	struct proc_maps_entry entry;
	size_t size;
	int fd;

	if (!image || own_mapping(image, &entry))
		return -ENOENT;
	fd = memfd_create("vdso", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	size = entry.end - entry.start;
	if (write(fd, image, size) != (ssize_t)size) {
		close(fd);
		return -EIO;
	}
	return open_fd(d, "[vdso]", fd);
}

int dso_address(const struct dso *d, uint64_t offset, GElf_Addr *address)
{
	size_t i, n;
	GElf_Phdr ph;

	if (elf_getphdrnum(d->elf, &n))
		return -ENOENT;
	for (i = 0; i < n; i++) {
		if (!gelf_getphdr(d->elf, (int)i, &ph) || ph.p_type != PT_LOAD)
			continue;
		if (offset >= ph.p_offset && offset - ph.p_offset < ph.p_filesz) {
			*address = ph.p_vaddr + (offset - ph.p_offset);
			return 0;
		}
	}
	return -ENOENT;
}

int dso_find(const struct dso *d, uint64_t offset, const char **name, uint64_t *into)
{
	GElf_Addr address;
	GElf_Sym sym;

	if (!d->elf || dso_address(d, offset, &address))
		return -ENOENT;
	*name = dwfl_module_addrinfo(d->module, address + d->bias, into, &sym, NULL, NULL, NULL);
	return *name && **name ? 0 : -ENOENT;
}

uint64_t dso_changed(const struct dso *d)
{
	return d->changed;
}
