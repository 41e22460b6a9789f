/* SPDX-License-Identifier: GPL-2.0 */
/* What this kernel lets the tracer do; each answer comes from trying it. */
#ifndef KERNEL_FEATURES_H
#define KERNEL_FEATURES_H

#include <stddef.h>

/* One kind of program: 0 when it loads and attaches, else -errno and where it failed. */
struct feature {
	const char *name; /* of the stub in bpf/probe.bpf.c */
	const char *what; /* what it is */
	const char *cost; /* what is lost without it */
	int error;
	const char *stage; /* "load" or "attach"; NULL when it works */
};

#define NR_FEATURES	5
#define NR_FEATURES_KVM 6

/* Tries them all, one by one, and takes each off again. */
void features_try(struct feature features[NR_FEATURES]);
/* Those of KVM; only worth it where kvm_here() is not KVM_NONE. */
void features_try_kvm(struct feature features[NR_FEATURES_KVM]);

/* Text of /sys/kernel/security/lockdown's chosen mode, "none" or "unknown". */
void features_lockdown(char *buf, size_t size);

#endif
