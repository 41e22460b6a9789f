/* SPDX-License-Identifier: GPL-2.0 */
/* Capabilities of this process: capabilities(7). */
#ifndef BASE_CAPS_H
#define BASE_CAPS_H

#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>

#define CAP_BIT(cap) (1ULL << (cap))

/* Which of @caps are in force for this process; 0 if that cannot be told. */
uint64_t caps_have(uint64_t caps);

/*
 * Gives up all others for good: none comes back, by a system call or by a program that is run
 * (no_new_privs). What the process has not got of @keep stays away. The calling thread's; children
 * that were forked before keep theirs. 0 or -errno.
 */
int caps_keep(uint64_t keep);

#endif
