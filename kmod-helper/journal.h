/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <linux/types.h>

/* Undoes what the transactions of the file with this number changed, but for those that are kept.
 */
void journal_close(u64 number);
/* Undoes everything: the module goes away, and nobody has it open. */
void journal_exit(void);

#endif
