/* SPDX-License-Identifier: GPL-2.0 */
/* The call chain of an event as functions, those that compilers have inlined among them. */
#ifndef REPORT_FRAMES_H
#define REPORT_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "user/report/sink.h"

struct frame {
	const char *name; /* "[unknown]" where only ->dso is known, or not even that */
	const char *dso;
	uint64_t offset;  /* from the start of the function that it is inlined in, or is */
	const char *file; /* of the source, without its folder; NULL: unknown */
	uint32_t line;
	bool inlined;
};

struct frames {		  /* starts as zeros */
	struct frame *at; /* innermost first */
	uint32_t nr, room;
	uint32_t own; /* so many of these are the instruction's own function; the rest called it */
};

enum {
	FRAMES_INLINED = 1, /* with those that are inlined */
	FRAMES_LINES = 2,   /* with ->file and ->line */
};

/*
 * The frames of a fault, by FRAMES_*: of its call chain if it has one, else of its instruction
 * alone; none of one without (GUP without a chain). Whether there was a chain. -ENOMEM.
 */
int frames_of_fault(struct frames *f, const struct sink_env *env, const struct ptev_fault *fault,
		    unsigned int what);
/* The innermost frame alone. */
int frames_top(struct frames *f, const struct sink_env *env, const struct ptev_fault *fault,
	       unsigned int what);
void frames_free(struct frames *f);

#endif
