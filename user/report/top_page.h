/* SPDX-License-Identifier: GPL-2.0 */
/* A live view as lines of text, for any terminal and for none. */
#ifndef REPORT_TOP_PAGE_H
#define REPORT_TOP_PAGE_H

#include "user/base/line.h"
#include "user/report/top_ui.h"

enum top_look { TOP_PLAIN, TOP_HEAD, TOP_ALARM, TOP_TITLE, TOP_STATUS };

struct top_line {
	struct line text;
	enum top_look look;
};

struct top_page { /* all zero: empty */
	struct top_line *lines;
	unsigned int n;
	size_t size;
	uint32_t rows; /* of the view that are on it */
	bool failed;   /* without memory: lines are missing */
};

struct top_shape {
	unsigned int width;  /* columns */
	unsigned int height; /* lines; 0: no end, nothing is cut, and nobody is at the keys */
	bool utf8;
};

/* What is to be told beside the model, of the moment of its last turn. */
struct top_facts {
	const struct top_model *model;
	struct rec_totals totals; /* so far: in_flight are not lost yet */
	uint64_t elapsed;	  /* ns */
};

/* Fills @page, whatever was there; ->scroll of @ui is kept within the rows that there are. */
void top_page_make(struct top_page *page, const struct top_facts *facts, struct top_ui *ui,
		   const struct top_shape *shape);
void top_page_free(struct top_page *page);

/* A new line, or one that is thrown away without memory; for those who fill a page. */
struct line *top_page_line(struct top_page *page, enum top_look look);

#endif
