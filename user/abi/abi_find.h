/* SPDX-License-Identifier: GPL-2.0 */
/* The ABI files that come with the program. */
#ifndef ABI_ABI_FIND_H
#define ABI_ABI_FIND_H

#include <limits.h>
#include <stdbool.h>

#include "user/base/line.h"

#define ABI_SUFFIX   ".abi"
#define ABI_MAX_DIRS 3

/* Folders of ABI files; those that are not there do no harm. */
struct abi_dirs {
	char path[ABI_MAX_DIRS][PATH_MAX];
	unsigned int nr;
};

/*
 * Where this program's files are, the first that counts first: in the source tree, if it is run
 * from a build folder there; beside the folder of the program; where `make install` puts them.
 */
void abi_dirs(struct abi_dirs *dirs);

/* Is that a path, and no name? It has a slash, or ends in .abi. */
bool abi_is_path(const char *name);

/* The file of ABI @name, in the first folder that has it. 0, -ENOENT or -ENAMETOOLONG. */
int abi_find(char path[PATH_MAX], const struct abi_dirs *dirs, const char *name);

/* The names of all there are, in order, each once, with @between between them. 0 or -ENOMEM. */
int abi_names(struct line *l, const struct abi_dirs *dirs, const char *between);

#endif
