// SPDX-License-Identifier: GPL-2.0
#include "user/trace/remap_source.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "remap.skel.h"
#include "user/trace/share_maps.h"

struct remap_source {
	struct remap_bpf *skel;
	struct bpf_link *link;
};

bool remap_source_here(void)
{
	return !access("/sys/module/ptremap", F_OK);
}

int remap_source_load(struct remap_source **source, const struct fault_cfg *cfg,
		      const struct bpf_object *maps)
{
	struct remap_source *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->skel = remap_bpf__open();
	if (!s->skel) {
		free(s);
		return -errno;
	}
	s->skel->rodata->cfg = *cfg;
	err = share_maps(s->skel->obj, maps);
	if (!err)
		err = remap_bpf__load(s->skel);
	if (err) {
		remap_source_free(s);
		return err;
	}
	*source = s;
	return 0;
}

int remap_source_attach(struct remap_source *s)
{
	s->link = bpf_program__attach(s->skel->progs.remap_told);
	return s->link ? 0 : -errno;
}

void remap_source_stop(struct remap_source *s)
{
	bpf_link__destroy(s->link);
	s->link = NULL;
}

uint64_t remap_source_missed(const struct remap_source *s)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);
	int fd = bpf_program__fd(s->skel->progs.remap_told);

	return fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.recursion_misses;
}

void remap_source_free(struct remap_source *s)
{
	if (!s)
		return;
	remap_source_stop(s);
	remap_bpf__destroy(s->skel);
	free(s);
}
