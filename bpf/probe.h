/* SPDX-License-Identifier: GPL-2.0 */
/* What bpf/probe.bpf.c reports: values of kernel variables, 0 where kallsyms has no symbol. */
#ifndef PTSCOPE_PROBE_H
#define PTSCOPE_PROBE_H

#include <linux/types.h>

struct probe_values {
	__u64 page_offset_base, vmalloc_base, vmemmap_base, physical_mask, sme_me_mask;
};

#endif
