/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions of one ELF file, through elfutils: .symtab, .dynsym, and the debug files that belong to
 * it: on this machine by build ID (/usr/lib/debug/.build-id, perf's ~/.debug) or .gnu_debuglink,
 * else from the servers in DEBUGINFOD_URLS. Without that variable no server is asked.
 */
#ifndef SYM_DSO_H
#define SYM_DSO_H

#include <stdint.h>

#include "user/sym/build_id.h"

struct dso;

/*
 * Opens @path if it still is the file that was mapped: a mapping of it must show the same device
 * and inode. These are not what stat() says, on btrfs and overlayfs for one. 0 and *@d; -ESTALE:
 * another file; -ENOEXEC: not ELF; -EINVAL: not a regular file; other -errno.
 */
int dso_open(struct dso **d, const char *path, uint32_t maj, uint32_t min, uint64_t ino);
/* Opens @path if it has the build ID @id. 0, -ESTALE: it has not, other -errno as dso_open(). */
int dso_open_by_id(struct dso **d, const char *path, const struct build_id *id);
/* Opens the copy that perf's cache has of the file @path by its build ID. 0 or -errno. */
int dso_open_cached(struct dso **d, const char *path, const struct build_id *id);
/* Opens this process's own vDSO, which is that of every 64-bit process of this boot. */
int dso_open_vdso(struct dso **d);
/*
 * Function at @offset of the file, its name (valid until dso_close()) and how far into it that
 * is. 0 or -ENOENT.
 */
int dso_find(const struct dso *d, uint64_t offset, const char **name, uint64_t *into);
/* What debug information says of a place. Strings are valid until dso_close(). */
#define DSO_INLINED_MAX 64
struct dso_site {
	const char *file; /* of the source; NULL: unknown */
	int line;
	unsigned int
		nr; /* functions that are inlined there, innermost first, as linkers name them */
	const char *inlined[DSO_INLINED_MAX];
};
/* 0, or -ENOENT: there is none. */
int dso_site(const struct dso *d, uint64_t offset, struct dso_site *site);
/* When the file was created or last written, CLOCK_REALTIME ns; 0: unknown. */
uint64_t dso_changed(const struct dso *d);
void dso_close(struct dso *d);

#endif
