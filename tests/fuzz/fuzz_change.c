// SPDX-License-Identifier: GPL-2.0
/*
 * Any bytes as a line of a file of changes. What is a change in words is the same one again when
 * its text is read, and has nothing in it that the helper module's ABI does not know.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "user/remap/change.h"

#define LINE_SIZE 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int good)
{
	if (!good)
		abort();
}

static void check_again(const struct ptremap_item *item)
{
	char why[CHANGE_WHY_LEN];
	struct ptremap_item again;
	struct line l = { 0 };

	change_text(&l, item);
	line_char(&l, '\0');
	check(!change_parse(&again, l.buf, why));
	check(!memcmp(item, &again, sizeof(again)));
	line_free(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char line[LINE_SIZE], why[CHANGE_WHY_LEN] = "";
	struct ptremap_item item;
	uint64_t bits;

	if (size >= sizeof(line))
		return 0;
	memcpy(line, data, size);
	line[size] = 0;
	if (change_parse(&item, line, why)) {
		check(why[0] && strlen(why) < sizeof(why));
		return 0;
	}
	check(item.what >= PTREMAP_PROTECT && item.what <= PTREMAP_MMIO && item.pid > 0);
	check(!(item.flags & ~(PTREMAP_ITEM_EXPECT | PTREMAP_ITEM_FORCE)) && !item.status &&
	      !item.old && !item.new);
	bits = item.level == 2 ? PTREMAP_PROTECT_BITS_2M : PTREMAP_PROTECT_BITS;
	check(!(item.set & item.clear) && !((item.set | item.clear) & ~bits));
	check_again(&item);
	return 0;
}
