/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Code that the kernel made while it ran, over time: BPF programs, trampolines. As perf's KSYMBOL
 * records tell of it; its addresses are given to other code later.
 */
#ifndef SYM_KSYMS_H
#define SYM_KSYMS_H

#include <stdint.h>

#include "bpf/events.h"
#include "user/sym/map_log.h"
#include "user/sym/strings.h"

struct ksyms { /* starts as zeros */
	struct map_log log;
	struct strings names;
	uint64_t first, last; /* of all addresses that were ever told of */
	uint32_t seen;	      /* records */
};

struct ksym {
	const char *name; /* until ksyms_free() */
	uint64_t start;
	uint32_t number; /* of this piece of code, below 2^31 */
	uint16_t type;	 /* PERF_RECORD_KSYMBOL_TYPE_* */
};

/* Takes one record. 0 or -ENOMEM. */
int ksyms_feed(struct ksyms *k, const struct ptev_ksym *r);
/* What was at @address at @time. 0 or -ENOENT. */
int ksyms_find(struct ksyms *k, uint64_t address, uint64_t time, struct ksym *found);
void ksyms_free(struct ksyms *k);

#endif
