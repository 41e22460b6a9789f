/* SPDX-License-Identifier: GPL-2.0 */
/* Files to write to, also in folders where others may put things. */
#ifndef BASE_OUT_FILE_H
#define BASE_OUT_FILE_H

#include <sys/types.h>

/* A new file, and never one that is there, nor what a link leads to. A descriptor or -errno. */
int out_file_create(const char *path, mode_t mode);

/*
 * Opens what is at @path and no regular file: a fifo, a device, or a link, which is followed, for
 * it may be /dev/stdout. In a folder that everybody may write to it must be this user's or the
 * folder's owner's, as with fs.protected_symlinks (proc(5)), whether the kernel has that on or not;
 * a fifo or a device may be root's, too. A fifo that nobody reads is -ENXIO. A descriptor or
 * -errno; with
 * *@why in words, or NULL where the number says it.
 */
int out_file_open(const char *path, const char **why);

#endif
