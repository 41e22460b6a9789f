/* SPDX-License-Identifier: GPL-2.0 */
/* The rows of a live view's page: of keys, of latencies, of addresses. */
#ifndef REPORT_TOP_BODY_H
#define REPORT_TOP_BODY_H

#include "user/report/top_page.h"

#define TOP_CELLS_MAX 256 /* stretches of addresses on a page */

#define TOP_RATE_WIDTH	9
#define TOP_TOTAL_WIDTH 11
#define TOP_TIME_WIDTH	7

/* A table of a page: what its columns need, and its rows. */
struct top_body {
	struct top_page *page;
	const struct top_facts *facts;
	struct top_ui *ui;
	const struct top_shape *shape;
	unsigned int max; /* rows; 0: all */
};

/* The rows [*@first, returned) of @n are to be shown; keeps ->scroll within. */
uint32_t top_body_window(const struct top_body *b, uint32_t n, uint32_t *first);
/* The views without keys. */
void top_body_latencies(struct top_body *b);
void top_body_addresses(struct top_body *b);

/* Of whose latencies and addresses the page tells. */
enum top_family top_family_shown(const struct top_model *m, const struct top_ui *ui);

/* A title and up to @max rows (0: all) from ->scroll on, which is kept within. */
void top_body(struct top_page *page, const struct top_facts *facts, struct top_ui *ui,
	      const struct top_shape *shape, unsigned int max);

/* The two lines above the rows: latencies, and addresses as a strip below their range. */
void top_panel_latency(struct top_page *page, const struct top_latency *l,
		       const struct top_shape *shape);
void top_panel_addresses(struct top_page *page, const struct top_strip *strip,
			 enum top_family family, const struct top_shape *shape);

/* "1,234" or, of few, "0.5"; @buf of UNITS_LEN bytes. */
char *top_rate_text(char *buf, double rate);

#endif
