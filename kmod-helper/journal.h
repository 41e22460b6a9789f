/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JOURNAL_H
#define JOURNAL_H

struct file;

/* Undoes what this file's transactions changed, but for those that are kept. */
void journal_close(const struct file *file);
/* Undoes everything: the module goes away, and nobody has it open. */
void journal_exit(void);

#endif
