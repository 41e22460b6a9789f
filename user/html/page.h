/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One HTML file out of a stream of events: what it shows is counted while they pass, so that its
 * size does not grow with them.
 */
#ifndef HTML_PAGE_H
#define HTML_PAGE_H

#include "user/html/bins.h"
#include "user/report/flame.h"
#include "user/html/slowest.h"
#include "user/report/intern.h"
#include "user/report/sink.h"

#define PAGE_TABLES_MAX 11

/* Series of page.latency. */
enum { PAGE_FAULTS, PAGE_EXITS, PAGE_SERIES_LATENCY };

struct page_table {
	const char *title;
	struct sink *report;
	FILE *out; /* where it is printed to: */
	char *text;
	size_t len;
};

struct page {
	struct sink sink;
	struct sink_env env;
	FILE *out;
	struct intern names;
	struct page_table tables[PAGE_TABLES_MAX];
	unsigned int nr_tables;
	struct bins space;   /* series: process and name of the mapping; rows: pages */
	struct bins latency; /* rows: see page_latency_row() */
	struct bins exits;   /* series: process and kind of the exit */
	struct bins remaps;  /* series: process whose memory it is and what was done */
	struct flame flame;
	struct slowest slowest;
	uint64_t faults, vmexits, remapped;
	uint64_t start, last_time;
	bool stacks; /* some event had a call chain */
};

struct html_opts {
	const struct abi *abi; /* of hypercalls, or NULL; outlives the sink */
	FILE *out;	       /* stays the caller's, who looks whether writing to it has failed */
};

/* Writes the page at the end. NULL: no memory. */
struct sink *sink_html(const struct sink_env *env, const struct html_opts *opts);

/* Rows of the latency map: 4 in each power of two; and the lowest latency of a row, in ns. */
unsigned int page_latency_row(uint64_t ns);
uint64_t page_latency_from(unsigned int row);

/* Series of ->space, ->exits and ->remaps. */
#define PAGE_SERIES(pid, name) ((uint64_t)(pid) << 32 | (name))

/* 0 or -ENOMEM. */
int page_write(struct page *page, const struct rec_totals *totals, bool complete);

#endif
