/* SPDX-License-Identifier: GPL-2.0 */
/* Words for the person at the terminal: always stderr, always "PROGRAM: text". */
#ifndef BASE_MSG_H
#define BASE_MSG_H

/*
 * Prints "ptrace-pf: <text>\n" in one write. An error names the thing, the reason and what to do:
 * msg_error("pid %d: no such process", pid).
 */
void msg_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void msg_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/*
 * The same for a command line that cannot be used: "ptrace-pf record: <text>; try --help\n", with
 * the command taken from @usage, "ptrace-pf record [OPTIONS] [-- COMMAND]".
 */
void msg_usage(const char *usage, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
