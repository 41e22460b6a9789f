// SPDX-License-Identifier: GPL-2.0
/* Lines and inlined functions, from DWARF. */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "user/sym/dso.h"
#include "user/sym/dso_priv.h"

/* An address as DWARF has it, and the unit that it is in. */
struct spot {
	Dwarf_Die *unit;
	Dwarf_Addr address;
};

/* The unit of @address, of the module. Not all compilers write the table of units' addresses. */
static bool find_unit(const struct dso *d, Dwarf_Addr address, struct spot *spot)
{
	Dwarf_Addr bias;
	Dwarf_Die *unit = dwfl_module_addrdie(d->module, address, &bias);

	if (!unit)
		while ((unit = dwfl_module_nextcu(d->module, unit, &bias)))
			if (dwarf_haspc(unit, address - bias) > 0)
				break;
	if (!unit)
		return false;
	*spot = (struct spot){ unit, address - bias };
	return true;
}

static void find_line(const struct spot *spot, struct dso_site *site)
{
	Dwarf_Line *line = dwarf_getsrc_die(spot->unit, spot->address);

	if (!line || dwarf_lineno(line, &site->line))
		return;
	site->file = dwarf_linesrc(line, NULL, NULL);
}

static const char *name_of(Dwarf_Die *die)
{
	Dwarf_Attribute attr;

	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attr) ||
	    dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attr))
		return dwarf_formstring(&attr);
	return dwarf_diename(die);
}

/* What holds the address, innermost first. Of dwarf_getscopes(), only that is of this copy. */
static int find_scopes(const struct spot *spot, Dwarf_Die **scopes)
{
	Dwarf_Die *all, innermost;

	if (dwarf_getscopes(spot->unit, spot->address, &all) <= 0)
		return 0;
	innermost = *all;
	free(all);
	return dwarf_getscopes_die(&innermost, scopes);
}

static void find_inlined(const struct spot *spot, struct dso_site *site)
{
	Dwarf_Die *scopes = NULL;
	int i, n = find_scopes(spot, &scopes);
	const char *name;

	for (i = 0; i < n && site->nr < DSO_INLINED_MAX; i++) {
		if (dwarf_tag(&scopes[i]) == DW_TAG_subprogram)
			break;
		if (dwarf_tag(&scopes[i]) != DW_TAG_inlined_subroutine)
			continue;
		name = name_of(&scopes[i]);
		if (name)
			site->inlined[site->nr++] = name;
	}
	if (n > 0)
		free(scopes);
}

int dso_site(const struct dso *d, uint64_t offset, struct dso_site *site)
{
	GElf_Addr address;
	struct spot spot;

	*site = (struct dso_site){ 0 };
	if (!d->elf || dso_address(d, offset, &address) || !find_unit(d, address + d->bias, &spot))
		return -ENOENT;
	find_line(&spot, site);
	find_inlined(&spot, site);
	return 0;
}
