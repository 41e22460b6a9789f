/* SPDX-License-Identifier: GPL-2.0 */
/* What this kernel is: release, paging, KASLR bases; found out by asking it, never assumed. */
#ifndef KERNEL_KINFO_H
#define KERNEL_KINFO_H

#include <stdbool.h>
#include <stdint.h>

#include "user/pt/pt_fmt.h"

struct kinfo {
	char release[72];
	unsigned int version; /* KERNEL_VERSION(6, 1, 0) style: major << 16 | minor << 8 */
	struct pt_feat feat;
	struct pt_fmt fmt;    /* of the kernel's own page tables */
	uint64_t page_offset; /* start of the direct map; 0: not found, then there are no walks */
	uint64_t page_offset_symbol;	     /* what kallsyms has for it; 0: no variables there */
	uint64_t vmalloc_base, vmemmap_base; /* 0: not known */
	uint64_t sme_mask;		     /* memory encryption bit in entries; 0: none */
	uint64_t kernel_text;		     /* address of _text; 0: hidden */
	bool preemptible;    /* kernel code can be preempted (PREEMPT, preempt=full) */
	bool pti;	     /* user mode has its own top table */
	int error;	     /* -errno of the BPF probe; 0: it ran */
	uint64_t uffd_flags; /* VM_UFFD_* bits of vm_flags */
};

/*
 * Fills @k. Always returns what can be had: without privileges only the release and the CPU's
 * features (k->error says why).
 */
void kinfo_detect(struct kinfo *k);

/* Parts of it that need no rights and no time: ->version, and ->feat without the encryption bit. */
unsigned int kinfo_version(void);
void kinfo_cpu_features(struct pt_feat *feat);
/* Is @flag among those of /proc/cpuinfo: does the kernel use that feature? */
bool kinfo_cpu_flag(const char *flag);

#endif
