/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The program that sees what the module ptremap changes: bpf/remap.bpf.c. It puts its records into
 * the ring of the session's fault programs, and uses their targets and counters.
 */
#ifndef TRACE_REMAP_SOURCE_H
#define TRACE_REMAP_SOURCE_H

#include <stdbool.h>

#include <bpf/libbpf.h>

#include "bpf/config.h"

struct remap_source;

/* Is the module loaded? Without it there is nothing to attach to. */
bool remap_source_here(void);
/* Loads the program, with the maps of the same names in @maps. 0 or -errno; it does not run yet. */
int remap_source_load(struct remap_source **s, const struct fault_cfg *cfg,
		      const struct bpf_object *maps);
/*
 * -ENOENT: the module is not loaded, or is an older one without the tracepoint. From here to
 * remap_source_stop() the module cannot be unloaded.
 */
int remap_source_attach(struct remap_source *s);
void remap_source_stop(struct remap_source *s);
/* Runs of the program that the kernel skipped because it was active on that CPU. */
uint64_t remap_source_missed(const struct remap_source *s);
void remap_source_free(struct remap_source *s); /* NULL is fine */

#endif
