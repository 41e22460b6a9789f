// SPDX-License-Identifier: GPL-2.0
#include "user/sym/procs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "user/sym/comms.h"
#include "user/sym/spaces.h"
#include "user/sym/strings.h"

struct procs {
	struct spaces spaces;
	struct comms comms;
	struct strings names; /* of mappings */
};

struct procs *procs_new(void)
{
	return calloc(1, sizeof(struct procs));
}

void procs_free(struct procs *p)
{
	if (!p)
		return;
	spaces_free(&p->spaces);
	comms_free(&p->comms);
	strings_free(&p->names);
	free(p);
}

static int feed_comm(struct procs *p, const struct ptev_task *r)
{
	char name[sizeof(r->comm) + 1] = "";
	int err;

	memcpy(name, r->comm, sizeof(r->comm));
	err = comms_set(&p->comms, r->tid, r->time, name);
	if (err)
		return err;
	if (r->exec)
		return spaces_exec(&p->spaces, r->pid, r->time);
	/* Only the main thread proves it: others may outlive it. */
	return r->tid == r->pid ? spaces_alive(&p->spaces, r->pid, r->time) : 0;
}

static int feed_fork(struct procs *p, const struct ptev_task *r)
{
	int err = comms_fork(&p->comms, r->tid, r->ptid, r->time);

	/* A thread shares the mappings of its process. */
	if (err || r->pid == r->ppid)
		return err;
	return spaces_fork(&p->spaces, r->pid, r->ppid, r->time);
}

static int feed_mmap(struct procs *p, const struct ptev_mmap *r)
{
	int64_t name = strings_add(&p->names, *r->name ? r->name : "//anon");
	struct proc_map map = {
		.start = r->start,
		.last = r->start + r->len - 1,
		.pgoff = r->pgoff,
		.ino = r->ino,
		.maj = r->maj,
		.min = r->min,
		.prot = r->prot,
		.flags = r->flags & (MAP_SHARED | MAP_PRIVATE),
		.name = (uint32_t)name,
	};

	if (name < 0)
		return (int)name;
	/* Nothing is mapped at the very end of the address space; wrapping is not sensible. */
	if (!r->len || r->start + r->len <= r->start)
		return 0;
	return spaces_map(&p->spaces, r->pid, r->time, &map);
}

int procs_feed(struct procs *p, const struct ptev_hdr *record)
{
	const struct ptev_task *task = (const struct ptev_task *)record;

	switch (record->type) {
	case PTEV_COMM:
		return feed_comm(p, task);
	case PTEV_FORK:
		return feed_fork(p, task);
	case PTEV_EXIT:
		if (task->tid == task->pid)
			spaces_exit(&p->spaces, task->pid, task->time);
		return 0;
	case PTEV_MMAP:
		return feed_mmap(p, (const struct ptev_mmap *)record);
	default:
		return 0;
	}
}

const char *procs_comm(struct procs *p, uint32_t pid, uint32_t tid, uint64_t time)
{
	const char *name = comms_get(&p->comms, tid, time);

	if (!name && tid != pid)
		name = comms_get(&p->comms, pid, time);
	return name ? name : "?";
}

const struct proc_map *procs_map(struct procs *p, uint32_t pid, uint64_t address, uint64_t time)
{
	return spaces_find(&p->spaces, pid, address, time);
}

const char *procs_map_name(const struct procs *p, const struct proc_map *map)
{
	return strings_get(&p->names, map->name);
}
