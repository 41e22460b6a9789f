/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device that stands for /dev/ptremap, for tests of what talks to it: a small memory with real
 * page tables, which calls read and change as the module would. The unit tests' open() and ioctl()
 * lead here (--wrap); all others' files and calls are the kernel's.
 */
#ifndef FAKE_DEVICE_H
#define FAKE_DEVICE_H

#include <stdint.h>

#include "kmod-helper/uapi/ptremap.h"

/*
 * The process is the test's own: FAKE_PAGES pages are mapped from FAKE_VA on, of which page N is at
 * physical address FAKE_FRAME + N pages by the fake's tables. The VM's memory, one slot from
 * guest-physical 0 on, is the same memory, which the process has from FAKE_HVA on; its own tables
 * are the process', and NPT maps each page of it to itself. The kernel's half has FAKE_KERNEL_VA.
 */
#define FAKE_VA	       0x10000000ULL
#define FAKE_KERNEL_VA 0xffff800010000000ULL
#define FAKE_HVA       0x20000000ULL
#define FAKE_PAGES     16
#define FAKE_FRAME     0x10000ULL
#define FAKE_MEMORY    (1U << 20)
#define FAKE_FRESH     0x80000ULL /* the next new page of zeros */

/* From now on /dev/ptremap is there. */
void fake_device_plug(void);
/* Call @nr (the number in its request) fails with errno @error; 0: it works again. */
void fake_device_fail(unsigned int nr, int error);
/* The entry that leads to the page of @va, or NULL. */
uint64_t *fake_device_entry(uint64_t va);
/* Transactions that are in force. */
unsigned int fake_device_active(void);

#endif
