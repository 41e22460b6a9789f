/* SPDX-License-Identifier: GPL-2.0 */
/* Names of the enumerations of bpf/events.h, for options and for every output. */
#ifndef TRACE_NAMES_H
#define TRACE_NAMES_H

#include <stddef.h>
#include <stdint.h>

enum fault_hook { HOOK_AUTO, HOOK_FENTRY, HOOK_KPROBE, HOOK_RAWTP, HOOK_NR };

/* Each returns "?" for a value out of range. */
const char *name_hook(unsigned int hook);     /* auto fentry kprobe rawtp */
const char *name_origin(unsigned int origin); /* user kernel gup */
const char *name_access(unsigned int access); /* read write exec */
const char *
name_outcome(unsigned int outcome);	    /* unknown anon zero file major cow ... sigsegv ... */
const char *name_remap(unsigned int event); /* made taken undone lost: enum ptev_remap_event */
const char *name_lost(unsigned int cause);  /* ring_full no_state in_flight write_error */

/* Index of @name, or -1. */
int name_find_hook(const char *name);
/* Comma list of names into a bit mask; 0 or -EINVAL with the bad word copied to @bad. */
int name_mask_accesses(const char *list, uint32_t *mask, char *bad, size_t bad_size);
int name_mask_outcomes(const char *list, uint32_t *mask, char *bad, size_t bad_size);

/* "P|W|U" style bits of a hardware error code, "-" for 0; @buf of 40 bytes. */
char *name_error_code(char *buf, uint32_t error_code);
/* "rw-p" of vm_flags (VM_READ..VM_SHARED); @buf of 5 bytes. */
char *name_vm_perms(char *buf, uint64_t vm_flags);

#endif
