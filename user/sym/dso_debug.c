// SPDX-License-Identifier: GPL-2.0
/* Where debug files are looked for. */
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/sym/build_id.h"
#include "user/sym/dso_priv.h"

/* Is there a file for .gnu_debuglink in one of the places where debuggers look? */
static bool debuglink_exists(const char *file, const char *link)
{
	static const char *const formats[] = { "%.*s%s", "%.*s.debug/%s", "/usr/lib/debug%.*s%s" };
	const char *base = file ? strrchr(file, '/') : NULL;
	char path[2 * PATH_MAX];
	size_t i;

	if (!link || !base || base - file >= PATH_MAX)
		return false;
	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		snprintf(path, sizeof(path), formats[i], (int)(base + 1 - file), file, link);
		if (!access(path, R_OK))
			return true;
	}
	return false;
}

static bool servers_wanted(void)
{
	const char *urls = getenv("DEBUGINFOD_URLS");

	return urls && *urls;
}

/*
 * The standard search sets up a client for debuginfo servers when nothing is found here, which
 * takes its time also where it has nobody to ask. So it is used only where the user has named
 * servers, or where it will find something. By build ID is always local.
 */
int dso_find_debuginfo(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
		       const char *file, const char *link, GElf_Word crc, char **debug_file)
{
	struct build_id id = { 0 };
	const unsigned char *bits;
	GElf_Addr address;
	int size, fd;

	fd = dwfl_build_id_find_debuginfo(module, data, name, base, file, link, crc, debug_file);
	if (fd >= 0)
		return fd;
	size = dwfl_module_build_id(module, &bits, &address);
	if (size > 0 && !build_id_set(&id, bits, (size_t)size))
		fd = build_id_open(&id, "debug");
	if (fd >= 0 || !(servers_wanted() || debuglink_exists(file, link)))
		return fd;
	return dwfl_standard_find_debuginfo(module, data, name, base, file, link, crc, debug_file);
}
