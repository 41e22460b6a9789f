/* SPDX-License-Identifier: GPL-2.0 */
/* Are records of VM exits what they say? For the reader. */
#ifndef RECORD_KVM_CHECK_H
#define RECORD_KVM_CHECK_H

#include <stdbool.h>

#include "bpf/events.h"

/* @hdr is of a VM exit, a hypercall or a violation, and hdr->size bytes of it are there. */
bool rec_kvm_ok(const struct ptev_hdr *hdr);

#endif
