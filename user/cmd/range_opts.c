// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/range_opts.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/base/units.h"
#include "user/cmd/program.h"

#define START_SIZE 32 /* longer ones are no numbers of 64 bits */

struct range_style range_style_of(const struct range_opts *o, const struct pt_fmt *fmt)
{
	return (struct range_style){ .fmt = fmt, .perms_only = o->perms, .ad = o->ad };
}

unsigned int range_merge(const struct range_style *style)
{
	if (style->perms_only)
		return PT_MERGE_AD | PT_MERGE_ATTR | PT_MERGE_ANY_LEVEL;
	return style->ad ? 0 : PT_MERGE_AD;
}

int range_parse(const char *s, uint64_t *start, uint64_t *last)
{
	size_t len = strcspn(s, "-");
	char first[START_SIZE];

	if (len >= sizeof(first))
		return -EINVAL;
	memcpy(first, s, len);
	first[len] = 0;
	if (units_parse_u64(first, start))
		return -EINVAL;
	*last = *start;
	if (!s[len])
		return 0;
	return units_parse_u64(s + len + 1, last) || *last < *start ? -EINVAL : 0;
}

int range_check(int argc, char **argv, int rest, const char *usage)
{
	uint64_t start, last;

	for (; rest < argc; rest++) {
		if (!range_parse(argv[rest], &start, &last))
			continue;
		msg_usage(usage, "'%s' is not a range like 0x1000-0x1fff", argv[rest]);
		return -EINVAL;
	}
	return 0;
}

int range_limit_reached(const struct range_opts *o, uint64_t address)
{
	msg_error("stopped at 0x%" PRIx64 ": %" PRIu64 " entries were read; --limit allows more",
		  address, o->limit);
	return EXIT_FAILED;
}
