/* SPDX-License-Identifier: GPL-2.0 */
/* What dump and diff share: how ranges are made of entries, and how many entries may be read. */
#ifndef CMD_RANGE_OPTS_H
#define CMD_RANGE_OPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "user/base/opts.h"
#include "user/show/range_text.h"

/* Starts as RANGE_OPTS_INIT. */
struct range_opts {
	bool perms, ad, json;
	uint64_t limit; /* 0: none */
};

/* So many 4 KiB pages are 1 TiB. Tables that loop end there. */
#define RANGE_OPTS_INIT          \
	{                        \
		.limit = 1 << 28 \
	}

#define RANGE_OPT_ROW(kind, name, arg, help, type, field, member)                         \
	{                                                                                 \
		0, name, arg, help, kind,                                                 \
			offsetof(type, field) + offsetof(struct range_opts, member), NULL \
	}

/* Rows for a command's own table: offsets are into @type, whose member @field is the above. */
#define RANGE_OPT_ROWS(type, field)                                                             \
	RANGE_OPT_ROW(OPT_FLAG, "perms", NULL, "only addresses and permissions count", type,    \
		      field, perms),                                                            \
		RANGE_OPT_ROW(OPT_FLAG, "ad", NULL, "accessed and dirty bits count, too", type, \
			      field, ad),                                                       \
		RANGE_OPT_ROW(                                                                  \
			OPT_U64, "limit", "N",                                                  \
			"stop after so many entries, with an error (default 2^28; 0: never)",   \
			type, field, limit),                                                    \
		RANGE_OPT_ROW(OPT_FLAG, "json", NULL, "one JSON object per line", type, field,  \
			      json)

struct range_style range_style_of(const struct range_opts *o, const struct pt_fmt *fmt);

/* PT_MERGE_* that fits @style: what it does not show may differ. */
unsigned int range_merge(const struct range_style *style);

/* "START" or "START-LAST", both included: 0, or -EINVAL. */
int range_parse(const char *s, uint64_t *start, uint64_t *last);

/* Are argv[@rest..] ranges? 0, or -EINVAL after a line on stderr. @usage: as for msg_usage(). */
int range_check(int argc, char **argv, int rest, const char *usage);

/* Says that the limit was reached at @address; returns EXIT_FAILED. */
int range_limit_reached(const struct range_opts *o, uint64_t address);

#endif
