/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a live view counts, and nothing of how it is shown: events by kind, by the keys of each
 * view, by latency and by address; for the last whole window of time and in all. It is a sink of
 * the stream, and the caller says when a window ends. Memory is bounded: rows without events are
 * put away when there are too many.
 */
#ifndef REPORT_TOP_MODEL_H
#define REPORT_TOP_MODEL_H

#include "user/report/groups.h"
#include "user/report/percentile.h"
#include "user/report/sink.h"
#include "user/report/top_count.h"
#include "user/report/top_strip.h"

/* Those with rows by keys come first. */
enum top_view_id {
	TOP_PROCESS,
	TOP_VMA,
	TOP_OUTCOME,
	TOP_VM,
	TOP_GROUPED,
	TOP_LATENCY = TOP_GROUPED,
	TOP_ADDRESS,
	TOP_VIEWS,
};

/* Latencies and addresses of faults and of VM exits are nothing to be mixed. */
enum top_family { TOP_FAULTS, TOP_EXITS, TOP_FAMILIES };

/* The origins of faults, the kinds of exits behind them, and remaps, which are in no view. */
enum { TOP_HYPERCALL = PTEV_NR_ORIGINS, TOP_VIOLATION, TOP_EXIT, TOP_REMAP, TOP_KINDS };

#define TOP_SLOTS    64	    /* slot n has latencies in [2^n, 2^(n+1)) ns, slot 0 also 0 */
#define TOP_ROWS_MAX 65536  /* of a view */
#define TOP_NAMES    262144 /* texts, or mappings, after which a view begins anew */

struct top_row {
	struct top_count count;
	struct percentile now, last; /* latencies, by window */
};

struct top_view {
	const char *sort; /* keys */
	struct groups by;
	struct top_row *rows; /* [by.n] */
	uint32_t room;
	struct top_count others; /* events of rows that there was no room for, or are put away */
};

struct top_latency {
	uint64_t now[TOP_SLOTS], last[TOP_SLOTS];
	struct percentile p_now, p_last;
	bool any; /* at least one was ever known */
};

struct top_model {
	struct sink sink;
	struct sink_env env;
	const struct abi *abi;
	struct top_view views[TOP_GROUPED];
	struct top_count kinds[TOP_KINDS];
	struct top_latency latency[TOP_FAMILIES];
	struct top_strip where[TOP_FAMILIES]; /* virtual, and guest-physical addresses */
	uint64_t from;			      /* when the window that is filling began, ns */
	uint64_t window; /* length of the last whole one, ns; 0: there is none yet */
};

struct top_model_opts {
	const char *sort;      /* keys of the view TOP_PROCESS; NULL: "pid,comm" */
	const struct abi *abi; /* of hypercalls, or NULL; outlives the model */
};

/* NULL after msg_error() (a sort key that is none, or needs an ABI) or without memory. */
struct top_model *top_model_new(const struct sink_env *env, const struct top_model_opts *opts);
void top_model_free(struct top_model *m); /* NULL is fine */
/* The window ends @now (ns, of the clock that the caller likes) and the next begins. 0 or -ENOMEM
 */
int top_model_turn(struct top_model *m, uint64_t now);
/* Forgets all that was counted. @now: as above. 0 or -ENOMEM. */
int top_model_zero(struct top_model *m, uint64_t now);

/* All events up to the end of the last whole window, and those in it. */
uint64_t top_model_total(const struct top_model *m);
uint64_t top_model_last(const struct top_model *m);
/* Events in a second, of those in the last whole window. */
double top_rate(const struct top_model *m, uint64_t count);

#endif
