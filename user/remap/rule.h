/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A rule in words, as options and the lines of a file have it:
 *
 *	on TRIGGER do ACTION [WORD]...
 *
 * TRIGGER is one of
 *	hypercall:NUMBER[:REG=VALUE]...	a guest's call, with these values in its registers
 *	violation:FIRST-LAST[:ACCESS]	a guest's access that EPT or NPT does not allow
 *	fault:FIRST-LAST[:ACCESS]	a process' page fault in user mode
 * where a single ADDRESS stands for its page, and ACCESS is of "rwx"; ACTION is one of
 *	trace
 *	swap PAGE PAGE
 *	map PAGE PAGE			the first one leads to what the second one leads to
 *	map PAGE fresh
 *	protect PAGE clear=ACCESS [set=ACCESS]
 * with PAGE gpa=WHERE, of a fault va=WHERE, and WHERE a number, $REG or $page (of the address that
 * the violation or fault is at), with +NUMBER behind them if wanted; and WORD is one of
 *	level=2, once, rate=N (a second), return=VALUE, user
 * Numbers are decimal, or hexadecimal with 0x.
 *
 * Functions that can fail return 0, or -EINVAL with the reason in @why.
 */
#ifndef REMAP_RULE_H
#define REMAP_RULE_H

#include "kmod-helper/uapi/ptremap.h"
#include "user/base/line.h"

#define RULE_WHY_LEN 160

/* A line, which is written to. ->pid is 0 and ->fd -1, of a fault 0: a rule is of any VM. */
int rule_parse(struct ptremap_rule *r, char *line, char *why);

/* The rule in the same words. Of one that the module lists, too. */
void rule_text(struct line *l, const struct ptremap_rule *r);

#endif
