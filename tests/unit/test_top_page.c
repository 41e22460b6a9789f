// SPDX-License-Identifier: GPL-2.0
#include "tests/unit/top_feed.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "user/report/top_page.h"
#include "user/report/top_text.h"

static const struct top_shape batch = { .width = 80 };

/* All lines of a page, each with its newline. */
static char *text_of(const struct top_page *p)
{
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);
	unsigned int i;

	for (i = 0; i < p->n; i++)
		fprintf(out, "%.*s\n", (int)p->lines[i].text.len, p->lines[i].text.buf);
	fclose(out);
	return text;
}

static void feed_some(struct top_fixture *x)
{
	int i;

	for (i = 0; i < 1500; i++)
		top_fault(x, 10, 0x10000 + (uint64_t)(i % 4) * 0x1000, 1000);
	top_fault(x, 20, 0x7fff00000000, 64000);
	cr_assert_eq(top_model_turn(x->model, TOP_SECOND), 0);
}

Test(top_page, batch)
{
	struct top_fixture x;
	struct top_page page = { 0 };
	struct top_facts facts = { .elapsed = 5 * TOP_SECOND };
	struct top_ui ui = { 0 };
	char *text;

	top_start(&x, (struct top_model_opts){ 0 });
	feed_some(&x);
	facts.model = x.model;
	top_page_make(&page, &facts, &ui, &batch);
	text = text_of(&page);
	cr_assert_str_eq(text,
			 "ptrace-pf top: 5.00s, hook fentry, last 1.00s\n"
			 "events 1,501, 1,501/s  user 1,501/s\n"
			 "lost 0\n"
			 "latency 512ns @     : 65.5us  p50 1.01us  p99 1.01us  max 64.0us\n"
			 "addresses 10000-7fff00000fff, a character is 4.0 KiB\n"
			 "@@@@|:\n"
			 "[1 process] 2 vma  3 outcome  4 vm  5 latency  6 address\n"
			 "  *rate/s        total      p50      p99      max   pid  comm\n"
			 "    1,500        1,500   1.00us   1.00us   1.00us    10  app\n"
			 "      1.0            1   64.0us   64.0us   64.0us    20  other\n",
			 "%s", text);
	free(text);
	top_page_free(&page);
	top_stop(&x);
}

Test(top_page, losses_are_told)
{
	struct top_fixture x;
	struct top_page page = { 0 };
	struct top_facts facts = {
		.totals = { .events = 90, .lost = { 10 }, .filtered = 7, .lost_children = 1 }
	};
	struct top_ui ui = { 0 };

	top_start(&x, (struct top_model_opts){ 0 });
	facts.model = x.model;
	top_page_make(&page, &facts, &ui, &batch);
	cr_assert_eq(page.lines[2].look, TOP_ALARM);
	cr_assert_eq(strncmp(page.lines[2].text.buf,
			     "lost 10 of 100 events: ring_full 10, filtered 7, "
			     "children not followed 1",
			     page.lines[2].text.len),
		     0);
	top_page_free(&page);
	top_stop(&x);
}

/* Whatever the size: that many lines, none too wide, the status last, rows where there is room. */
Test(top_page, every_size)
{
	struct top_fixture x;
	struct top_page page = { 0 };
	struct top_facts facts = { 0 };
	struct top_ui ui = { 0 };
	struct top_shape shape;
	unsigned int i;

	top_start(&x, (struct top_model_opts){ 0 });
	feed_some(&x);
	facts.model = x.model;
	for (shape.height = 1; shape.height <= 60; shape.height++) {
		for (shape.width = 1; shape.width <= 210; shape.width += 11) {
			ui.view = (enum top_view_id)(shape.height % TOP_VIEWS);
			ui.help = shape.width % 2;
			shape.utf8 = false;
			top_page_make(&page, &facts, &ui, &shape);
			cr_assert_not(page.failed);
			cr_assert_eq(page.n, shape.height);
			for (i = 0; i < page.n; i++)
				cr_assert_eq(page.lines[i].text.len, shape.width);
			if (shape.height > 1)
				cr_assert_eq(page.lines[page.n - 1].look, TOP_STATUS);
		}
	}
	top_page_free(&page);
	top_stop(&x);
}

Test(top_page, scrolls_within_its_rows)
{
	struct top_fixture x;
	struct top_page page = { 0 };
	struct top_facts facts = { 0 };
	struct top_ui ui = { .scroll = UINT32_MAX };
	struct top_shape shape = { .width = 80, .height = 24 };
	char *text;
	uint64_t i;

	top_start(&x, (struct top_model_opts){ .sort = "page" });
	for (i = 0; i < 100; i++)
		top_fault(&x, 10, i << 12, 0);
	cr_assert_eq(top_model_turn(x.model, TOP_SECOND), 0);
	facts.model = x.model;
	top_page_make(&page, &facts, &ui, &shape);
	cr_assert_eq(page.rows, 15);
	cr_assert_eq(ui.scroll, 85);
	text = text_of(&page);
	cr_assert_not_null(strstr(text, " 0x63000 "), "the last one is there:\n%s", text);
	free(text);
	ui.scroll = 0;
	top_page_make(&page, &facts, &ui, &shape);
	text = text_of(&page);
	cr_assert_not_null(strstr(text, " 0x0 "), "%s", text);
	cr_assert_null(strstr(text, " 0x63000 "));
	free(text);
	top_page_free(&page);
	top_stop(&x);
}

static void expect_line(struct top_fixture *x, enum top_view_id view, const char *filter,
			const char *line)
{
	struct top_page page = { 0 };
	struct top_facts facts = { .model = x->model };
	struct top_ui ui = { .view = view };
	char *text;

	strcpy(ui.filter, filter);
	top_page_make(&page, &facts, &ui, &batch);
	text = text_of(&page);
	cr_assert_not_null(strstr(text, line), "no '%s' in\n%s", line, text);
	free(text);
	top_page_free(&page);
}

Test(top_page, views)
{
	struct top_fixture x;

	top_start(&x, (struct top_model_opts){ 0 });
	feed_some(&x);
	top_violation(&x, 20, 1, 0x123000);
	top_call(&x, 20, 1, 5);
	cr_assert_eq(top_model_turn(x.model, 2 * TOP_SECOND), 0);
	expect_line(&x, TOP_VM, "", "guest-physical 123000-123fff, a character is 4.0 KiB\n@\n");
	expect_line(&x, TOP_VM, "", "latency 512ns @  @ 8.19us  p50 700ns  p99 5.00us");
	expect_line(&x, TOP_VM, "",
		    "      1.0            1    700ns    700ns    700ns   20      1  hypercall  "
		    "vmmcall  0x5\n");
	expect_line(&x, TOP_VM, "VIOLATION", "   20      1  violation  npf      [none]\n");
	expect_line(&x, TOP_OUTCOME, "", "  fault      anon      write    user\n");
	expect_line(&x, TOP_OUTCOME, "nothing like it", "no row has the filter's text\n");
	expect_line(&x, TOP_VMA, "",
		    "        0        1,500        -        -        -    10  [none]");
	expect_line(&x, TOP_ADDRESS, "",
		    "0000000000010000-0000000000010fff          0          375\n");
	expect_line(&x, TOP_ADDRESS, "", "\n...\n00007fff00000000-00007fff00000fff");
	expect_line(&x, TOP_LATENCY, "", "latencies of the last interval\n");
	x.info.kvm = 0;
	expect_line(&x, TOP_VM, "", "ask with -e hypercall,violation,exit\n");
	x.info.no_faults = 1;
	expect_line(&x, TOP_VMA, "", "ask with -e fault\n");
	top_fault(&x, 10, 0, 1000);
	top_fault(&x, 10, 0, 1000);
	top_fault(&x, 10, 0, 3000);
	cr_assert_eq(top_model_turn(x.model, 3 * TOP_SECOND), 0);
	x.info.no_faults = 0;
	expect_line(
		&x, TOP_LATENCY, "",
		"  512ns   1.02us            2   66.67%  ########################################\n");
	expect_line(&x, TOP_LATENCY, "", " 1.02us   2.05us            0    0.00%\n");
	expect_line(&x, TOP_LATENCY, "",
		    " 2.05us   4.10us            1   33.33%  ####################\n");
	top_stop(&x);
}

/* A name cannot steer the terminal, and one of several bytes a character is not cut within. */
Test(top_text, characters)
{
	struct line l = { 0 };

	cr_assert_not_null(setlocale(LC_CTYPE, "C.UTF-8"));
	cr_assert_eq(top_text_columns("abc"), 3);
	cr_assert_eq(top_text_columns("\xe6\x97\xa5\xe6\x9c\xac"), 4); /* two, each two wide */
	cr_assert_eq(top_text_columns("\x1b[2J\xff"), 5);
	top_text_left(&l, "\xe6\x97\xa5\xe6\x9c\xac", 3);
	line_char(&l, '|');
	top_text_left(&l, "\x1b[2J\xff\n", 7);
	line_char(&l, '|');
	top_text_right(&l, "\xc3\xa9t\xc3\xa9", 5);
	line_char(&l, '|');
	top_text_left(&l, "whole", TOP_TEXT_ALL);
	line_char(&l, '\0');
	cr_assert_str_eq(l.buf, "\xe6\x97\xa5 |?[2J?? |  \xc3\xa9t\xc3\xa9|whole");
	line_free(&l);
	cr_assert_not_null(setlocale(LC_CTYPE, "C"));
	cr_assert_eq(top_text_columns("\xc3\xa9"), 2);
	top_text_left(&l, "\xc3\xa9", 2);
	line_char(&l, '\0');
	cr_assert_str_eq(l.buf, "??");
	line_free(&l);
}

Test(top_text, ink)
{
	uint64_t v;

	cr_assert_eq(top_ink_level(0, 5), 0);
	cr_assert_eq(top_ink_level(1, 1), TOP_INK_LEVELS);
	cr_assert_eq(top_ink_level(UINT64_MAX, UINT64_MAX), TOP_INK_LEVELS);
	cr_assert_eq(top_ink_level(1, UINT64_MAX), 1);
	for (v = 1; v < 100000; v++) {
		cr_assert_leq(top_ink_level(v, 100000), top_ink_level(v + 1, 100000));
		cr_assert_geq(top_ink_level(v, 100000), 1);
		cr_assert_leq(top_ink_level(v, 100000), TOP_INK_LEVELS);
	}
	cr_assert_str_eq(top_ink(1, false), ":");
	cr_assert_str_eq(top_ink(TOP_INK_LEVELS, true), "\xe2\x96\x88");
}

static enum top_action press(struct top_ui *ui, const char *keys)
{
	enum top_action action = TOP_DRAW;

	for (; *keys; keys++)
		action = top_ui_key(ui, (unsigned char)*keys, 10);
	return action;
}

Test(top_ui, views_and_order)
{
	struct top_ui ui = { .scroll = 7 };

	press(&ui, "4");
	cr_assert_eq(ui.view, TOP_VM);
	cr_assert_eq(ui.scroll, 0);
	press(&ui, "\t\t\t");
	cr_assert_eq(ui.view, TOP_PROCESS);
	top_ui_key(&ui, TOP_KEY_BACKTAB, 10);
	cr_assert_eq(ui.view, TOP_ADDRESS);
	press(&ui, "7089"); /* no such views */
	cr_assert_eq(ui.view, TOP_ADDRESS);
	press(&ui, "s");
	cr_assert_eq(ui.column, TOP_BY_TOTAL);
	press(&ui, "SS");
	cr_assert_eq(ui.column, TOP_BY_KEYS);
	press(&ui, "sr");
	cr_assert_eq(ui.column, TOP_BY_RATE);
	cr_assert(ui.reverse);
	cr_assert_eq(press(&ui, "q"), TOP_QUIT);
	cr_assert_eq(press(&ui, "z"), TOP_ZERO);
	press(&ui, "p");
	cr_assert(ui.paused);
	press(&ui, " ");
	cr_assert_not(ui.paused);
	press(&ui, "?");
	cr_assert(ui.help);
	press(&ui, "\x1b");
	cr_assert_not(ui.help);
	top_ui_key(&ui, TOP_KEY_OTHER, 10);
	cr_assert_eq(top_ui_help(1000), NULL);
}

Test(top_ui, filter)
{
	struct top_ui ui = { 0 };
	int i;

	press(&ui, "/qz?1");
	cr_assert(ui.editing);
	cr_assert_str_eq(ui.filter, "qz?1", "keys are text now");
	cr_assert_eq(ui.view, TOP_PROCESS);
	press(&ui, "\xc3\xa9\b\b");
	cr_assert_str_eq(ui.filter, "qz?", "a character of two bytes went at once");
	press(&ui, "\n");
	cr_assert_not(ui.editing);
	press(&ui, "/new\x1b");
	cr_assert_str_eq(ui.filter, "qz?", "Escape goes back");
	press(&ui, "/\b\b\b\b\b\n");
	cr_assert_str_eq(ui.filter, "");
	press(&ui, "/");
	for (i = 0; i < 200; i++)
		press(&ui, "x");
	cr_assert_eq(strlen(ui.filter), TOP_FILTER_MAX - 1);
	press(&ui, "\n\\");
	cr_assert_str_eq(ui.filter, "");
}

Test(top_ui, scroll)
{
	struct top_ui ui = { 0 };

	top_ui_key(&ui, TOP_KEY_UP, 10);
	cr_assert_eq(ui.scroll, 0);
	press(&ui, "jj");
	top_ui_key(&ui, TOP_KEY_PAGE_DOWN, 10);
	cr_assert_eq(ui.scroll, 12);
	press(&ui, "k");
	top_ui_key(&ui, TOP_KEY_PAGE_UP, 10);
	cr_assert_eq(ui.scroll, 1);
	top_ui_key(&ui, TOP_KEY_PAGE_UP, 10);
	cr_assert_eq(ui.scroll, 0);
	top_ui_key(&ui, TOP_KEY_END, 10);
	top_ui_key(&ui, TOP_KEY_DOWN, 10);
	cr_assert_eq(ui.scroll, UINT32_MAX);
	top_ui_key(&ui, TOP_KEY_HOME, 10);
	cr_assert_eq(ui.scroll, 0);
}
