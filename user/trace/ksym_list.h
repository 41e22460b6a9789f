/* SPDX-License-Identifier: GPL-2.0 */
/* The BPF programs that are loaded now, as KSYM records of bpf/events.h. */
#ifndef TRACE_KSYM_LIST_H
#define TRACE_KSYM_LIST_H

#include <stdint.h>

#include "bpf/events.h"
#include "user/trace/sideband.h"

/*
 * Tells @put of each function of each program, as of @time; programs that go meanwhile are left
 * out. 0, -ENOMEM, or what @put says. Nothing where programs are not to be seen.
 */
int ksyms_synthesise(uint64_t time, sideband_put put, void *ctx);

#endif
