// SPDX-License-Identifier: GPL-2.0
#include "user/abi/abi_find.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SUFFIX_LEN (sizeof(ABI_SUFFIX) - 1)
#define MAX_NAMES  256 /* that are listed */

static void add_dir(struct abi_dirs *dirs, const char *base, const char *rest)
{
	int len = snprintf(dirs->path[dirs->nr], PATH_MAX, "%s%s", base, rest);

	dirs->nr += len > 0 && len < PATH_MAX;
}

void abi_dirs(struct abi_dirs *dirs)
{
	char exe[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *end;

	dirs->nr = 0;
	if (len > 0) {
		exe[len] = 0;
		end = strrchr(exe, '/');
		exe[end ? end - exe + 1 : 0] = 0;
		add_dir(dirs, exe, "../user/abi");
		add_dir(dirs, exe, "../share/ptscope/abi");
	}
	add_dir(dirs, PTSCOPE_ABI_DIR, "");
}

static bool has_suffix(const char *name)
{
	size_t len = strlen(name);

	return len > SUFFIX_LEN && !strcmp(name + len - SUFFIX_LEN, ABI_SUFFIX);
}

bool abi_is_path(const char *name)
{
	return strchr(name, '/') || has_suffix(name);
}

int abi_find(char path[PATH_MAX], const struct abi_dirs *dirs, const char *name)
{
	unsigned int i;
	int len;

	for (i = 0; i < dirs->nr; i++) {
		len = snprintf(path, PATH_MAX, "%s/%s" ABI_SUFFIX, dirs->path[i], name);
		if (len < 0 || len >= PATH_MAX)
			return -ENAMETOOLONG;
		if (!access(path, F_OK))
			return 0;
	}
	return -ENOENT;
}

/* Adds the names of a folder; what cannot be opened has none. */
static int add_names(char *names[MAX_NAMES], unsigned int *nr, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *d;
	int err = 0;

	if (!dir)
		return 0;
	while (!err && *nr < MAX_NAMES && (d = readdir(dir))) {
		if (!has_suffix(d->d_name) || d->d_name[0] == '.')
			continue;
		names[*nr] = strndup(d->d_name, strlen(d->d_name) - SUFFIX_LEN);
		if (names[*nr])
			++*nr;
		else
			err = -ENOMEM;
	}
	closedir(dir);
	return err;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int abi_names(struct line *l, const struct abi_dirs *dirs, const char *between)
{
	char *names[MAX_NAMES] = { NULL };
	unsigned int i, nr = 0;
	int err = 0;

	for (i = 0; i < dirs->nr && !err; i++)
		err = add_names(names, &nr, dirs->path[i]);
	qsort(names, nr, sizeof(*names), compare);
	for (i = 0; i < nr && !err; i++) {
		if (i && !strcmp(names[i], names[i - 1]))
			continue;
		line_str(l, i ? between : "");
		line_text(l, names[i]);
	}
	for (i = 0; i < nr; i++)
		free(names[i]);
	return err ? err : l->failed ? -ENOMEM : 0;
}
