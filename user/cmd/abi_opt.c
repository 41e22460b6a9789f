// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/abi_opt.h"

#include <errno.h>
#include <string.h>

#include "user/abi/abi_find.h"
#include "user/base/msg.h"
#include "user/cmd/program.h"

static int list_names(const struct abi_dirs *dirs)
{
	struct line l = { 0 };
	int err = abi_names(&l, dirs, "\n");

	if (l.len)
		line_char(&l, '\n');
	if (!err)
		line_write(&l, stdout); /* program_main() tells of trouble with stdout */
	line_free(&l);
	return err ? EXIT_FAILED : EXIT_DONE;
}

static int no_such(const struct abi_dirs *dirs, const char *name)
{
	struct line l = { 0 };
	int err = abi_names(&l, dirs, ", ");

	line_char(&l, '\0');
	msg_error("abi '%s' is not one of %s; a file's name has a '/' or ends in " ABI_SUFFIX, name,
		  err || l.failed ? "those installed" : l.buf);
	line_free(&l);
	return EXIT_USAGE;
}

static int read_file(struct abi **abi, const char *path)
{
	FILE *in = fopen(path, "re");
	int err;

	if (!in) {
		msg_error("%s: %s", path, strerror(errno));
		return EXIT_FAILED;
	}
	err = abi_read(abi, in, path);
	fclose(in);
	return err ? EXIT_FAILED : EXIT_DONE;
}

bool abi_opt_open(struct abi **abi, const char *name, int *status)
{
	struct abi_dirs dirs;
	char path[PATH_MAX];

	*abi = NULL;
	if (!name)
		return true;
	abi_dirs(&dirs);
	if (!strcmp(name, "help")) {
		*status = list_names(&dirs);
		return false;
	}
	if (abi_is_path(name))
		*status = read_file(abi, name);
	else if (abi_find(path, &dirs, name))
		*status = no_such(&dirs, name);
	else
		*status = read_file(abi, path);
	return *status == EXIT_DONE;
}
