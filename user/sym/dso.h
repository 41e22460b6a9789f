/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Functions of one ELF file, through elfutils: .symtab, .dynsym, and the debug files on this
 * machine that belong to it. Debuginfo servers are never asked.
 */
#ifndef SYM_DSO_H
#define SYM_DSO_H

#include <stdint.h>

struct dso;

/*
 * Opens @path if it still is the file that was mapped: a mapping of it must show the same device
 * and inode. These are not what stat() says, on btrfs and overlayfs for one. 0 and *@d; -ESTALE:
 * another file; -ENOEXEC: not ELF; -EINVAL: not a regular file; other -errno.
 */
int dso_open(struct dso **d, const char *path, uint32_t maj, uint32_t min, uint64_t ino);
/* Opens this process's own vDSO, which is that of every 64-bit process of this boot. */
int dso_open_vdso(struct dso **d);
/*
 * Function at @offset of the file, its name (valid until dso_close()) and how far into it that
 * is. 0 or -ENOENT.
 */
int dso_find(const struct dso *d, uint64_t offset, const char **name, uint64_t *into);
/* When the file was created or last written, CLOCK_REALTIME ns; 0: unknown. */
uint64_t dso_changed(const struct dso *d);
void dso_close(struct dso *d);

#endif
