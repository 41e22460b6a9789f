/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RECORD_CHECK_H
#define RECORD_CHECK_H

#include <stdbool.h>

#include "bpf/events.h"

/*
 * Whether a record of bpf/events.h keeps what record.h promises: its size is right for its type and
 * flags, enumerations are in range, strings are terminated. @hdr->size bytes are readable. Types
 * that are not known are fine.
 */
bool record_ok(const struct ptev_hdr *hdr);

#endif
