/* SPDX-License-Identifier: GPL-2.0 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <linux/types.h>

struct ptremap_item;
struct txn;

/*
 * @t is in force: made with the device's file number @maker, and *@id from here on. -errno: there
 * is no room for it, and it stays the caller's. Sleeps.
 */
int journal_add(struct txn *t, u64 maker, bool keep, u32 *id);
/* One change, all of which is in kernel memory; as journal_add(). Sleeps. */
int journal_edit(struct ptremap_item *item, u64 maker, bool keep, u32 *id);
/* -ENOENT: there is none. Adds to *@restored the items that were active. */
int journal_undo(u32 id, u32 *restored);
/* Is an item of transaction @id active? Sleeps. */
bool journal_is_active(u32 id);
/* Undoes all that need ptremap_kvm. */
void journal_undo_vm(void);

/* Undoes what the transactions of the file with this number changed, but for those that are kept.
 */
void journal_close(u64 number);
/* Undoes everything: the module goes away, and nobody has it open. */
void journal_exit(void);

#endif
