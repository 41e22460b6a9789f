/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of dso.h share. */
#ifndef SYM_DSO_PRIV_H
#define SYM_DSO_PRIV_H

#include <elfutils/libdwfl.h>
#include <gelf.h>
#include <stdint.h>

struct dso {
	Dwfl *dwfl;
	Dwfl_Module *module;
	Elf *elf;
	GElf_Addr bias; /* of the module's addresses over those in the file */
	uint64_t changed;
};

/* Where the file says that the byte at @offset is to be mapped. 0 or -ENOENT. */
int dso_address(const struct dso *d, uint64_t offset, GElf_Addr *address);
/* Searches for a debug file: Dwfl_Callbacks.find_debuginfo. */
int dso_find_debuginfo(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base,
		       const char *file, const char *link, GElf_Word crc, char **debug_file);

#endif
