/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The terminal of a live view: pages out, keys in. The only file that knows ncurses. One screen at
 * a time: a process has one terminal, and signal handlers find it without an argument.
 */
#ifndef CMD_TOP_SCREEN_H
#define CMD_TOP_SCREEN_H

#include "user/report/top_page.h"

/*
 * Takes the terminal that stdin and stdout are. From here on it is given back whatever ends the
 * program, SIGKILL excepted: signals that kill restore it first. 0, or -errno after a line on
 * stderr.
 */
int top_screen_open(void);
/* Gives it back; does nothing where it was not taken. */
void top_screen_close(void);
/* The next key that waits (enum top_key or a character), or TOP_KEY_NONE. Never blocks. */
int top_screen_key(void);
/* False: whoever had the terminal has gone. */
bool top_screen_alive(void);
/* As it is now: it may have been resized. */
struct top_shape top_screen_shape(void);
void top_screen_draw(const struct top_page *page);

#endif
