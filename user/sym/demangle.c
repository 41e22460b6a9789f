// SPDX-License-Identifier: GPL-2.0
#include "user/sym/demangle.h"

#include <libiberty/demangle.h>
#include <stddef.h>
#include <string.h>

/* Templates make long names; beyond this nobody reads them, and the file may want to do harm. */
#define NAME_MAX_SIZE 8192

char *demangle(const char *name)
{
	if (name[0] != '_' || (name[1] != 'Z' && name[1] != 'R') ||
	    strnlen(name, NAME_MAX_SIZE) == NAME_MAX_SIZE)
		return NULL;
	return cplus_demangle(name, DMGL_AUTO);
}
