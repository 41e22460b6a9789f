/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names, mappings, births and deaths of processes as perf's side band tells them, turned into the
 * COMM, MMAP, FORK and EXIT records of bpf/events.h. Times are CLOCK_MONOTONIC, as in the ring.
 */
#ifndef TRACE_SIDEBAND_H
#define TRACE_SIDEBAND_H

#include <stdint.h>

#include "bpf/events.h"

struct sideband;

typedef int (*sideband_put)(void *ctx, const struct ptev_hdr *record);

/* Opens one event per online CPU, for all processes. 0 or -errno. */
int sideband_open(struct sideband **s);
void sideband_close(struct sideband *s);
/* One descriptor that becomes readable when a buffer is half full. */
int sideband_fd(const struct sideband *s);
/*
 * Hands on what happened until now, all CPUs in one order of time: a child's birth comes before
 * its name. @put's error stops and is returned.
 */
int sideband_drain(struct sideband *s, sideband_put put, void *ctx);
/* Records that perf had to drop. */
uint64_t sideband_lost(const struct sideband *s);

#endif
