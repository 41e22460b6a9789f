/* SPDX-License-Identifier: GPL-2.0 */
/* Who may trace, and what a session keeps of its rights. */
#ifndef CMD_RIGHTS_H
#define CMD_RIGHTS_H

#include <stdbool.h>

/*
 * After a session could not be started: says so on stderr if this user may not trace, or if under
 * lockdown nobody may. False: it was something else.
 */
bool rights_say_missing(void);

/*
 * When all of a session is open and its command runs: gives up what it does not need from here on,
 * for good. @output: it will still make a file.
 */
void rights_drop(bool output);

#endif
