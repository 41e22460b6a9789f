/* SPDX-License-Identifier: GPL-2.0 */
/* Functions of the running kernel and its modules: /proc/kallsyms (kernel/kallsyms.c). */
#ifndef SYM_KALLSYMS_H
#define SYM_KALLSYMS_H

#include <stdint.h>

struct kallsyms;

/*
 * Reads @path, "/proc/kallsyms". 0 and *@k; -EPERM: the file is there, but its addresses are
 * hidden (kptr_restrict); -ENODATA: no functions in it; other -errno.
 */
int kallsyms_load(struct kallsyms **k, const char *path);
/*
 * Function that holds @address: its name, its module as "[kvm_amd]" or "[kernel]", and its start.
 * Both strings are valid until kallsyms_free(). Returns 0, or -ENOENT.
 */
int kallsyms_find(const struct kallsyms *k, uint64_t address, const char **name,
		  const char **module, uint64_t *start);
void kallsyms_free(struct kallsyms *k);

#endif
