/* SPDX-License-Identifier: GPL-2.0 */
/* Which recordings are read, and what part of them: for report and script. */
#ifndef CMD_INPUT_OPT_H
#define CMD_INPUT_OPT_H

#include "user/base/opts.h"
#include "user/report/feed.h"

#define INPUT_OPT_ROWS(type, field)                                                              \
	{ 'i',                                                                                   \
	  "input",                                                                               \
	  "FILE",                                                                                \
	  "recording to read (default " DEFAULT_FILE "); again: several of one boot, as one",    \
	  OPT_CALL,                                                                              \
	  offsetof(type, field),                                                                 \
	  input_opt_file },                                                                      \
	{                                                                                        \
		0, "time", "FROM,TO",                                                            \
			"only events that began then, in seconds as script prints them; either " \
			"may be left out",                                                       \
			OPT_CALL, offsetof(type, field), input_opt_time                          \
	}

int input_opt_file(void *target, const char *arg);
int input_opt_time(void *target, const char *arg);
/* Without -i: the default file. */
void input_opt_default(struct feed_input *in);

#endif
