/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where events go. Live sessions and record files feed the same sinks; a sink never knows which.
 */
#ifndef REPORT_SINK_H
#define REPORT_SINK_H

#include <stdio.h>

#include "user/abi/abi.h"
#include "user/record/record.h"
#include "user/sym/procs.h"
#include "user/sym/symbols.h"

struct sink {
	/* One fault. 0, or -errno to stop (-EPIPE: reader of stdout is gone, no message). */
	int (*fault)(struct sink *sink, const struct ptev_fault *fault);
	/* One VM exit: by its hdr.type a whole ptev_vmexit, ptev_hypercall or ptev_violation. */
	int (*vmexit)(struct sink *sink, const struct ptev_vmexit *exit);
	/* One change by ptremap, or its end. */
	int (*remap)(struct sink *sink, const struct ptev_remap *remap);
	/* The end of the stream. @complete false: the recording was cut. */
	int (*finish)(struct sink *sink, const struct rec_totals *totals, bool complete);
	void (*free)(struct sink *sink);
	/*
	 * Adds what @part, made with the same options, was given of the same recording; neither has
	 * finished. 0 or -ENOMEM. NULL: it needs all events in their order.
	 */
	int (*join)(struct sink *sink, const struct sink *part);
	const char *output; /* what it writes, for messages; NULL: stdout */
};

/* What every sink may ask about an event. Owned by the caller, outlives the sink. */
struct sink_env {
	struct procs *procs;
	struct symbols *symbols;
	const struct rec_info *info;
};

struct script_opts {
	bool json;
	bool no_walk;	       /* leave the walks out */
	bool stacks;	       /* print call chains where recorded (JSON has them in any case) */
	const struct abi *abi; /* of hypercalls, or NULL; outlives the sink */
	FILE *out;	       /* NULL: stdout; stays the caller's */
};

enum call_order { CALL_NONE, CALL_CALLER, CALL_CALLEE }; /* the root: outermost, innermost */

/* Trees of call chains. */
struct call_opts {
	enum call_order order;
	double min;	/* per cent of all events: what is below is told of as a sum */
	bool no_inline; /* leave out functions that are inlined */
};

struct report_opts {
	const char *sort; /* comma list of keys; NULL: what suits the events of the recording */
	bool json, csv;
	uint32_t limit; /* rows; 0: all */
	struct call_opts calls;
	bool children;	       /* count callers, too, beside the functions themselves */
	const struct abi *abi; /* of hypercalls, or NULL; outlives the sink */
	FILE *out;	       /* NULL: stdout; stays the caller's */
};

struct trace_opts {
	const struct abi *abi; /* of hypercalls, or NULL; outlives the sink */
	FILE *out;	       /* stays the caller's */
	const char *name;      /* of ->out, for messages; NULL: stdout */
};

/* All return NULL after msg_error() (unknown sort key, or one that needs an ABI) or without
 * memory. */
struct sink *sink_script(const struct sink_env *env, const struct script_opts *opts);
struct sink *sink_report(const struct sink_env *env, const struct report_opts *opts);
/* The Trace Event Format, JSON object form, of Perfetto's and Chrome's viewers. */
struct sink *sink_trace(const struct sink_env *env, const struct trace_opts *opts);
/*
 * Each event's stack as a line, "comm;outermost;...;innermost count"; without a call chain the
 * instruction alone, of VM exits the reason, of a remap what was done. @no_inline: without
 * functions that are inlined. @out NULL: stdout. NULL without memory.
 */
struct sink *sink_folded(const struct sink_env *env, bool no_inline, FILE *out);

#endif
