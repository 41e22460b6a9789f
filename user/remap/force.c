// SPDX-License-Identifier: GPL-2.0
#include "user/remap/force.h"

#include <stddef.h>
#include <string.h>

#include "kmod-helper/uapi/ptremap.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *name;
	uint32_t flag;
} kinds[] = {
	{ "free", PTREMAP_ITEM_FORCE_FREE },	 { "table", PTREMAP_ITEM_FORCE_TABLE },
	{ "slab", PTREMAP_ITEM_FORCE_SLAB },	 { "reserved", PTREMAP_ITEM_FORCE_RESERVED },
	{ "kernel", PTREMAP_ITEM_FORCE_KERNEL },
};

/* 0: it is none. */
static uint32_t flag_of(const char *word, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strlen(kinds[i].name) == len && !strncmp(kinds[i].name, word, len))
			return kinds[i].flag;
	return 0;
}

const char *force_parse(const char *list, uint32_t *flags)
{
	size_t len;

	do {
		uint32_t flag;

		len = strcspn(list, ",");
		flag = flag_of(list, len);
		if (!flag)
			return list;
		*flags |= flag;
		list += len;
	} while (*list++);
	return NULL;
}

const char *force_name(uint32_t flags, unsigned int i)
{
	size_t k;

	for (k = 0; k < ARRAY_SIZE(kinds); k++)
		if (flags & kinds[k].flag && !i--)
			return kinds[k].name;
	return NULL;
}
