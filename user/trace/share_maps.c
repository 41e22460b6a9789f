// SPDX-License-Identifier: GPL-2.0
#include "user/trace/share_maps.h"

int share_maps(struct bpf_object *object, const struct bpf_object *maps)
{
	static const char *const shared[] = { "ring", "counters", "stats", "targets" };
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(shared) / sizeof(shared[0]) && !err; i++)
		err = bpf_map__reuse_fd(bpf_object__find_map_by_name(object, shared[i]),
					bpf_object__find_map_fd_by_name(maps, shared[i]));
	return err;
}
