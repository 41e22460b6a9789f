/* SPDX-License-Identifier: GPL-2.0 */
/* What the calls of the fuzzer can be good for, each in its own way. */
#ifndef TESTS_FUZZ_FORMS_H
#define TESTS_FUZZ_FORMS_H

#include "kmod-helper/uapi/ptremap.h"

enum fuzz_form {
	FORM_EDIT, /* one for each enum ptremap_what, from 1 on */
	FORM_EDIT_2M = FORM_EDIT + PTREMAP_MMIO,
	FORM_EDIT_EXPECTED,
	FORM_MAP, /* one for each enum ptremap_source */
	FORM_PHYS_READ = FORM_MAP + PTREMAP_MAP_MMIO,
	FORM_PHYS_MMIO,
	FORM_WATCH_READ,
	FORM_POLL,
	FORM_RULE_FAULT,
	FORM_RULE_ACTED,
	FORM_MIRROR_OF_OTHER,
	FORM_MIRROR_IN_OTHER,
	FORM_MIRROR_PAGE,
	FORM_MIRROR_RANGES,
	FORM_OF_VMS, /* the rest needs one */
	FORM_PHYS_GPA = FORM_OF_VMS,
	FORM_EPT, /* one for each enum ptremap_ept_what */
	FORM_EPT_REHEARSED = FORM_EPT + PTREMAP_EPT_FRESH - PTREMAP_EPT_PROTECT + 1,
	FORM_EPT_STICKY,
	FORM_RULE_HYPERCALL,
	FORM_RULE_VIOLATION,
	FORM_ACCESS_READ,
	FUZZ_FORMS,
};

static const char *const fuzz_forms[FUZZ_FORMS] = {
	[FORM_EDIT] = "protect",
	"frame",
	"swap",
	"fresh",
	"trap",
	"RAM",
	"device memory",
	[FORM_EDIT_2M] = "edits of 2 MiB",
	[FORM_EDIT_EXPECTED] = "edits of what was expected",
	[FORM_MAP] = "maps of frames",
	"maps of new pages",
	"maps of RAM",
	"maps of a device",
	[FORM_PHYS_READ] = "reads and writes",
	[FORM_PHYS_MMIO] = "reads of a device",
	[FORM_WATCH_READ] = "reads of watches",
	[FORM_POLL] = "polls",
	[FORM_RULE_FAULT] = "rules of faults",
	[FORM_RULE_ACTED] = "rules seen to have acted",
	[FORM_MIRROR_OF_OTHER] = "mirrors of another's memory",
	[FORM_MIRROR_IN_OTHER] = "windows of others",
	[FORM_MIRROR_PAGE] = "pages of mirrors",
	[FORM_MIRROR_RANGES] = "lists of mirrors with their ranges",
	[FORM_PHYS_GPA] = "writes to guests",
	[FORM_EPT] = "guest's protect",
	"guest's cache",
	"guest's frame",
	"guest's swap",
	"guest's fresh",
	[FORM_EPT_REHEARSED] = "rehearsed",
	[FORM_EPT_STICKY] = "sticky",
	[FORM_RULE_HYPERCALL] = "rules of hypercalls",
	[FORM_RULE_VIOLATION] = "rules of violations",
	[FORM_ACCESS_READ] = "reads of watches of accesses",
};

#endif
