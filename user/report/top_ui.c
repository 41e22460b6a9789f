// SPDX-License-Identifier: GPL-2.0
#include "user/report/top_ui.h"

#include <string.h>

static const char *const help[] = {
	"1 .. 6       views: process, vma, outcome, vm, latency, address",
	"Tab          the next view; Shift-Tab: the one before",
	"s S          the next column, the one before, to order by",
	"r            largest or smallest first",
	"/            show only rows with this text: Enter takes it, Escape does not",
	"\\            show all rows again",
	"j k Up Down  scroll; PgUp, PgDn, Home and End, too",
	"p Space      hold the picture; counting goes on",
	"z            count from zero",
	"? h          this help, or back",
	"q            quit; a COMMAND gets SIGTERM",
	"",
	"rate is events a second, p50, p99 and max are latencies: of the last",
	"whole interval. total is all since the beginning.",
	"In the strip of addresses each character is a stretch where something",
	"happened once, | is a gap, a dot is silent now, and more ink is more.",
};

const char *top_ui_help(unsigned int line)
{
	return line < sizeof(help) / sizeof(help[0]) ? help[line] : NULL;
}

static void show(struct top_ui *ui, unsigned int view)
{
	ui->view = (enum top_view_id)(view % TOP_VIEWS);
	ui->scroll = 0;
	ui->help = false;
}

static void order_by(struct top_ui *ui, unsigned int column)
{
	ui->column = (enum top_column)(column % TOP_COLUMNS);
	ui->scroll = 0;
}

static void edit(struct top_ui *ui, int key)
{
	size_t len = strlen(ui->filter);

	switch (key) {
	case TOP_KEY_ENTER:
		ui->editing = false;
		break;
	case TOP_KEY_ESCAPE:
		ui->editing = false;
		strcpy(ui->filter, ui->old_filter);
		break;
	case TOP_KEY_BACKSPACE:
		/* Of a character of several bytes all. */
		while (len && ((unsigned char)ui->filter[--len] & 0xc0) == 0x80)
			;
		ui->filter[len] = 0;
		break;
	default:
		if (key < ' ' || key > 255 || key == 0x7f || len + 1 >= sizeof(ui->filter))
			return;
		ui->filter[len] = (char)key;
		ui->filter[len + 1] = 0;
	}
	ui->scroll = 0;
}

/* The page keeps the number within what there is. */
static void scroll(struct top_ui *ui, int64_t by)
{
	int64_t to = (int64_t)ui->scroll + by;

	ui->scroll = to < 0 ? 0 : to > UINT32_MAX ? UINT32_MAX : (uint32_t)to;
}

static bool move(struct top_ui *ui, int key, uint32_t page)
{
	switch (key) {
	case 'k':
	case TOP_KEY_UP:
		scroll(ui, -1);
		return true;
	case 'j':
	case TOP_KEY_DOWN:
		scroll(ui, 1);
		return true;
	case TOP_KEY_PAGE_UP:
		scroll(ui, -(int64_t)page);
		return true;
	case TOP_KEY_PAGE_DOWN:
		scroll(ui, page);
		return true;
	case TOP_KEY_HOME:
		ui->scroll = 0;
		return true;
	case TOP_KEY_END:
		ui->scroll = UINT32_MAX;
		return true;
	default:
		return false;
	}
}

static void choose(struct top_ui *ui, int key)
{
	switch (key) {
	case TOP_KEY_TAB:
		show(ui, ui->view + 1);
		break;
	case TOP_KEY_BACKTAB:
		show(ui, ui->view + TOP_VIEWS - 1);
		break;
	case 's':
		order_by(ui, ui->column + 1);
		break;
	case 'S':
		order_by(ui, ui->column + TOP_COLUMNS - 1);
		break;
	case 'r':
		ui->reverse = !ui->reverse;
		break;
	case '/':
		strcpy(ui->old_filter, ui->filter);
		ui->editing = true;
		ui->help = false;
		break;
	case '\\':
		ui->filter[0] = 0;
		ui->scroll = 0;
		break;
	case 'p':
	case ' ':
		ui->paused = !ui->paused;
		break;
	case '?':
	case 'h':
		ui->help = !ui->help;
		break;
	default:
		break;
	}
}

enum top_action top_ui_key(struct top_ui *ui, int key, uint32_t page)
{
	if (ui->editing) {
		edit(ui, key);
		return TOP_DRAW;
	}
	if (key == 'q')
		return TOP_QUIT;
	if (key == 'z')
		return TOP_ZERO;
	if (key == TOP_KEY_ESCAPE)
		ui->help = false;
	else if (key >= '1' && key < '1' + TOP_VIEWS)
		show(ui, (unsigned int)(key - '1'));
	else if (!move(ui, key, page))
		choose(ui, key);
	return TOP_DRAW;
}
