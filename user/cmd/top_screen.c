// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/top_screen.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <curses.h>

#include "user/base/msg.h"

#define ESCAPE_MS 25 /* that a lone Escape waits for the rest of a key's sequence */
#define ALARM	  1  /* pair of colours */

/*
 * What a signal handler needs to give the terminal back. Written by open and close only, which is
 * why it may be the one variable of this program that is neither constant nor somebody's own.
 */
static struct {
	SCREEN *screen; /* NULL: not taken */
	struct termios before;
	char reset[128]; /* what the terminal is told */
	size_t reset_len;
} terminal;

/* All that end a process and can be caught, but for those that the program takes by signalfd. */
static const int killers[] = { SIGABRT, SIGALRM, SIGBUS,  SIGFPE,  SIGILL,  SIGIO,
			       SIGPROF, SIGPWR,	 SIGQUIT, SIGSEGV, SIGSYS,  SIGSTKFLT,
			       SIGTRAP, SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ, SIGVTALRM };

/* Only what signal-safety(7) allows. The signal's own effect follows: its handler was for once. */
static void give_back(int sig)
{
	if (write(STDOUT_FILENO, terminal.reset, terminal.reset_len) < 0) {
		/* nothing is left to be told to */
	}
	tcsetattr(STDOUT_FILENO, TCSANOW, &terminal.before);
	raise(sig);
}

/* A capability of the terminal, without the delays that terminfo may have in it. */
static void add_reset(const char *capability)
{
	const char *s = tigetstr(capability);

	if (!s || s == (const char *)-1)
		return;
	for (; *s && terminal.reset_len < sizeof(terminal.reset); s++) {
		if (s[0] == '$' && s[1] == '<')
			s += strcspn(s, ">");
		else
			terminal.reset[terminal.reset_len++] = *s;
		if (!*s)
			return;
	}
}

/* Those that somebody has chosen to ignore stay ignored. */
static void catch_killers(void)
{
	const struct sigaction give = { .sa_handler = give_back,
					.sa_flags = SA_RESETHAND | SA_NODEFER };
	struct sigaction old;
	size_t i;

	for (i = 0; i < sizeof(killers) / sizeof(killers[0]); i++)
		if (!sigaction(killers[i], NULL, &old) && old.sa_handler == SIG_DFL)
			sigaction(killers[i], &give, NULL);
}

static void release_killers(void)
{
	struct sigaction old;
	size_t i;

	for (i = 0; i < sizeof(killers) / sizeof(killers[0]); i++)
		if (!sigaction(killers[i], NULL, &old) && old.sa_handler == give_back)
			signal(killers[i], SIG_DFL);
}

static void set_up(void)
{
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	if (has_colors() && start_color() == OK && use_default_colors() == OK)
		init_pair(ALARM, COLOR_RED, -1);
}

/* The terminal as ncurses sees it, if anything can be put at a place of it. */
static SCREEN *new_screen(void)
{
	SCREEN *screen = newterm(NULL, stdout, stdin);

	if (!screen || tigetstr("cup"))
		return screen;
	endwin();
	delscreen(screen);
	return NULL;
}

int top_screen_open(void)
{
	static const char *const capabilities[] = { "sgr0", "rmkx", "cnorm", "rmcup" };
	const char *term = getenv("TERM");
	size_t i;

	setlocale(LC_CTYPE, "");
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
	    tcgetattr(STDOUT_FILENO, &terminal.before)) {
		msg_error("stdin and stdout are no terminal; use --batch");
		return -ENOTTY;
	}
	terminal.screen = new_screen();
	if (!terminal.screen) {
		msg_error("TERM=%s: no such terminal is known, or it is too simple; use --batch",
			  term ? term : "");
		return -ENOTTY;
	}
	terminal.reset_len = 0;
	for (i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++)
		add_reset(capabilities[i]);
	catch_killers();
	set_up();
	return 0;
}

void top_screen_close(void)
{
	if (!terminal.screen)
		return;
	endwin();
	tcsetattr(STDOUT_FILENO, TCSADRAIN, &terminal.before);
	release_killers();
	delscreen(terminal.screen);
	terminal.screen = NULL;
}

bool top_screen_alive(void)
{
	struct pollfd fd = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&fd, 1, 0) < 0 || !(fd.revents & (POLLHUP | POLLERR | POLLNVAL));
}

int top_screen_key(void)
{
	static const struct {
		int theirs, ours;
	} keys[] = {
		{ ERR, TOP_KEY_NONE },
		{ KEY_UP, TOP_KEY_UP },
		{ KEY_DOWN, TOP_KEY_DOWN },
		{ KEY_PPAGE, TOP_KEY_PAGE_UP },
		{ KEY_NPAGE, TOP_KEY_PAGE_DOWN },
		{ KEY_HOME, TOP_KEY_HOME },
		{ KEY_END, TOP_KEY_END },
		{ KEY_BTAB, TOP_KEY_BACKTAB },
		{ KEY_BACKSPACE, TOP_KEY_BACKSPACE },
		{ 0x7f, TOP_KEY_BACKSPACE },
		{ KEY_ENTER, TOP_KEY_ENTER },
		{ '\r', TOP_KEY_ENTER },
	};
	int key = getch();
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].theirs == key)
			return keys[i].ours;
	if (key == 'L' - '@') /* Ctrl-L: something else wrote to the terminal */
		clearok(curscr, TRUE);
	return key > 0 && key < 256 ? key : TOP_KEY_OTHER;
}

struct top_shape top_screen_shape(void)
{
	return (struct top_shape){
		.width = COLS > 0 ? (unsigned int)COLS : 1,
		.height = LINES > 0 ? (unsigned int)LINES : 1,
		.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8"),
	};
}

static attr_t look_of(enum top_look look)
{
	switch (look) {
	case TOP_HEAD:
		return A_BOLD;
	case TOP_ALARM:
		return A_BOLD | (has_colors() ? (attr_t)COLOR_PAIR(ALARM) : A_REVERSE);
	case TOP_TITLE:
		return A_REVERSE;
	case TOP_STATUS:
		return A_DIM;
	default:
		return A_NORMAL;
	}
}

void top_screen_draw(const struct top_page *page)
{
	unsigned int i;

	erase();
	for (i = 0; i < page->n; i++) {
		const struct line *l = &page->lines[i].text;

		if (l->failed || !l->buf)
			continue;
		attrset((int)look_of(page->lines[i].look));
		mvaddnstr((int)i, 0, l->buf, (int)l->len);
	}
	attrset(A_NORMAL);
	refresh();
}
