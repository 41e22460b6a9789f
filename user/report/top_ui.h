/* SPDX-License-Identifier: GPL-2.0 */
/* What somebody at the keys of a live view has chosen: keys in, state out, no terminal. */
#ifndef REPORT_TOP_UI_H
#define REPORT_TOP_UI_H

#include "user/report/top_rows.h"

/* Beyond the characters, which stand for themselves. */
enum top_key {
	TOP_KEY_NONE = 0,
	TOP_KEY_BACKSPACE = 8,
	TOP_KEY_TAB = 9,
	TOP_KEY_ENTER = 10,
	TOP_KEY_ESCAPE = 27,
	TOP_KEY_UP = 256,
	TOP_KEY_DOWN,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME,
	TOP_KEY_END,
	TOP_KEY_BACKTAB,
	TOP_KEY_OTHER, /* does nothing, as every one that is not known */
};

#define TOP_FILTER_MAX 64

struct top_ui {
	enum top_view_id view;
	enum top_column column;
	bool reverse;
	bool paused;			 /* the picture stands, counting goes on */
	bool help;			 /* shown in place of the rows */
	bool editing;			 /* the filter is being typed */
	uint32_t scroll;		 /* rows left out at the top */
	char filter[TOP_FILTER_MAX];	 /* "": none */
	char old_filter[TOP_FILTER_MAX]; /* what Escape goes back to */
};

/* What the caller has to do. */
enum top_action { TOP_DRAW, TOP_QUIT, TOP_ZERO };

/* @page: how many rows are shown now, for keys that go a page up or down. */
enum top_action top_ui_key(struct top_ui *ui, int key, uint32_t page);

/* A line of what the keys are, for people; NULL behind the last one. */
const char *top_ui_help(unsigned int line);

#endif
