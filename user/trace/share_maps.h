/* SPDX-License-Identifier: GPL-2.0 */
/* What the BPF objects of one session have in common. */
#ifndef TRACE_SHARE_MAPS_H
#define TRACE_SHARE_MAPS_H

#include <bpf/libbpf.h>

/* @object, open but not loaded, uses the ring, counters and targets of @maps, loaded. 0 or -errno.
 */
int share_maps(struct bpf_object *object, const struct bpf_object *maps);

#endif
