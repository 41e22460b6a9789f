/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a report can be grouped by: a table of keys, each of which makes one number out of an
 * event and gives its text back at the end.
 */
#ifndef REPORT_SORT_KEYS_H
#define REPORT_SORT_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/report/frames.h"
#include "user/report/intern.h"
#include "user/report/learned.h"
#include "user/report/sink.h"
#include "user/report/vma_ids.h"
#include "user/report/walk_text.h"

#define SORT_KEYS_MAX 23 /* rows of the table */

struct sort_ctx {
	struct sink_env env;
	const struct abi *abi; /* NULL: no key may need it */
	struct pt_fmt fmt;
	struct intern names;
	struct vma_ids vmas;
	struct learned learned; /* names of hypercalls */
	/* Function that stands for the event's own, and who called it; NULL: none does. */
	const struct frame *frame, *caller;
	struct frames frames; /* room */
	int err;	      /* -ENOMEM: the ids since then mean nothing */
};

/* The id of an event that has no such thing. */
#define SORT_NOTHING UINT64_MAX

/* What an id is in the context of another thread. */
enum sort_join {
	SORT_ALONE = 0, /* nothing: the key needs all events in their order */
	SORT_NUMBER,	/* the same */
	SORT_NAME,	/* a name, which has a number of its own in ->names */
};

/* Without ->enum_text and ->text the id is the number itself. */
struct sort_key {
	const char *name;
	bool needs_symbols, needs_abi;
	enum sort_join join; /* of all three kinds of ids */
	/* NULL: events of that kind have no such thing. */
	uint64_t (*id)(struct sort_ctx *ctx, const struct ptev_fault *f);
	uint64_t (*vmexit_id)(struct sort_ctx *ctx, const struct ptev_vmexit *e);
	uint64_t (*remap_id)(struct sort_ctx *ctx, const struct ptev_remap *r);
	const char *(*enum_text)(unsigned int id);
	/* Shared text, or written to @buf. */
	const char *(*text)(const struct sort_ctx *ctx, uint64_t id, char *buf, size_t size);
};

#define SORT_TEXT_MAX 4352 /* of a path and an address range */

/*
 * Parses "comm,symbol,outcome" into @keys. Returns how many, or -EINVAL after msg_error() for a
 * word that is no key or is there twice.
 */
int sort_keys_parse(const char *list, const struct sort_key *keys[SORT_KEYS_MAX]);
bool sort_key_is_number(const struct sort_key *key);
/* Text of a value: shared, or in @buf (SORT_TEXT_MAX bytes). */
const char *sort_key_text(const struct sort_ctx *ctx, const struct sort_key *key, uint64_t id,
			  char *buf);
/* strcmp() of the texts; numbers by value. */
int sort_key_compare(const struct sort_ctx *ctx, const struct sort_key *key, uint64_t a,
		     uint64_t b);

void sort_ctx_init(struct sort_ctx *ctx, const struct sink_env *env);
void sort_ctx_free(struct sort_ctx *ctx);

#endif
