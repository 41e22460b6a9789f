/* SPDX-License-Identifier: GPL-2.0 */
/* Names of what bpf/kvm_events.h numbers, and of the bits in what the CPU says of an exit. */
#ifndef TRACE_KVM_NAMES_H
#define TRACE_KVM_NAMES_H

#include <stddef.h>
#include <stdint.h>

/*
 * Intel SDM vol. 3, appendix C ("ept_violation"); AMD APM vol. 2, appendix C ("npf"). What is not
 * there is a hex number. @buf of 40 bytes; the name of a failed VM entry ends in "(entry failed)".
 */
const char *name_exit_reason(char *buf, unsigned int isa, uint32_t reason);
const char *name_isa(unsigned int isa);		/* vmx svm */
const char *name_guest_mode(unsigned int mode); /* unknown real 16 32 64 legacy */
/* unknown mapped changed spurious emulated mmio mmio_user user unresolved */
const char *name_violation(unsigned int outcome);
const char *name_event(unsigned int type); /* fault exit hypercall violation remap, of PTEV_* */

/* Why a part of a buffer is missing (PTEV_STOP_*, but NONE and END), in @buf of 64 bytes. */
const char *name_stop(char *buf, unsigned int stop, unsigned int level);

/*
 * Bits of a violation's ->info1, such as "write|gva|final" or "P|W|U|final"; "-" for none. For a
 * misconfiguration Intel defines none. @buf of 160 bytes.
 */
char *name_violation_bits(char *buf, unsigned int isa, uint32_t reason, uint64_t info1);

/* "fault", "exit" ... (list of -e): bits of fault_cfg.kvm; 0: not one of them. */
unsigned int name_kvm_want(const char *word, size_t len);

#endif
