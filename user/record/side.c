// SPDX-License-Identifier: GPL-2.0
#include "user/record/side.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define NO_PROCESS UINT32_MAX /* of the kernel's own mappings */

/* perf_event_open(2); each is followed by the tail. */
struct perf_mmap2 {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t addr, len, pgoff;
	union {
		struct {
			uint32_t maj, min;
			uint64_t ino, ino_generation;
		};
		uint8_t build_id[24]; /* PERF_RECORD_MISC_MMAP_BUILD_ID */
	};
	uint32_t prot, flags;
	char filename[];
};

struct perf_comm {
	struct perf_event_header header;
	uint32_t pid, tid;
	char comm[];
};

/* FORK, EXIT */
struct perf_task {
	struct perf_event_header header;
	uint32_t pid, ppid, tid, ptid;
	uint64_t time;
};

struct perf_ksymbol {
	struct perf_event_header header;
	uint64_t addr;
	uint32_t len;
	uint16_t type, flags;
	char name[];
};

static int take_mmap(struct side_record *out, const struct perf_mmap2 *m, size_t room,
		     uint64_t time)
{
	size_t len = strnlen(m->filename, room < PERF_NAME_MAX ? room : PERF_NAME_MAX - 1);
	struct ptev_mmap *map = (struct ptev_mmap *)out->room;
	size_t size = (sizeof(*map) + len + 1 + 7) & ~7ul;

	if (m->pid == NO_PROCESS)
		return 0;
	memset(map, 0, size);
	*map = (struct ptev_mmap){
		.hdr = { .size = (uint16_t)size, .type = PTEV_MMAP },
		.prot = m->prot,
		.time = time,
		.pid = m->pid,
		.tid = m->tid,
		.start = m->addr,
		.len = m->len,
		.pgoff = m->pgoff,
		.flags = m->flags,
	};
	if (!(m->header.misc & PERF_RECORD_MISC_MMAP_BUILD_ID)) {
		map->ino = m->ino;
		map->maj = m->maj;
		map->min = m->min;
	}
	memcpy(map->name, m->filename, len);
	return 1;
}

static int take_comm(struct side_record *out, const struct perf_comm *c, size_t room, uint64_t time)
{
	struct ptev_task *task = (struct ptev_task *)out->room;

	*task = (struct ptev_task){
		.hdr = { .size = sizeof(*task), .type = PTEV_COMM },
		.exec = !!(c->header.misc & PERF_RECORD_MISC_COMM_EXEC),
		.time = time,
		.pid = c->pid,
		.tid = c->tid,
	};
	memcpy(task->comm, c->comm, strnlen(c->comm, room < 15 ? room : 15));
	return c->pid != NO_PROCESS;
}

static int take_task(struct side_record *out, const struct perf_task *t)
{
	struct ptev_task *task = (struct ptev_task *)out->room;

	*task = (struct ptev_task){
		.hdr = { .size = sizeof(*task),
			 .type = t->header.type == PERF_RECORD_FORK ? PTEV_FORK : PTEV_EXIT },
		.time = t->time,
		.pid = t->pid,
		.tid = t->tid,
		.ppid = t->ppid,
		.ptid = t->ptid,
	};
	return 1;
}

static int take_ksym(struct side_record *out, const struct perf_ksymbol *k, size_t room,
		     uint64_t time)
{
	size_t len = strnlen(k->name, room < PERF_NAME_MAX ? room : PERF_NAME_MAX - 1);
	struct ptev_ksym *sym = (struct ptev_ksym *)out->room;
	size_t size = (sizeof(*sym) + len + 1 + 7) & ~7ul;

	memset(sym, 0, size);
	*sym = (struct ptev_ksym){
		.hdr = { .size = (uint16_t)size, .type = PTEV_KSYM },
		.len = k->len,
		.time = time,
		.addr = k->addr,
		.ksym_type = k->type,
		.flags = k->flags,
	};
	memcpy(sym->name, k->name, len);
	return 1;
}

int side_from_perf(struct side_record *out, const struct perf_event_header *h, size_t tail,
		   uint64_t time)
{
	size_t size = h->size - tail, room;

	switch (h->type) {
	case PERF_RECORD_MMAP2:
		room = size - sizeof(struct perf_mmap2);
		if (size <= sizeof(struct perf_mmap2))
			return -EINVAL;
		return take_mmap(out, (const struct perf_mmap2 *)h, room, time);
	case PERF_RECORD_COMM:
		room = size - sizeof(struct perf_comm);
		if (size <= sizeof(struct perf_comm))
			return -EINVAL;
		return take_comm(out, (const struct perf_comm *)h, room, time);
	case PERF_RECORD_FORK:
	case PERF_RECORD_EXIT:
		if (size < sizeof(struct perf_task))
			return -EINVAL;
		return take_task(out, (const struct perf_task *)h);
	case PERF_RECORD_KSYMBOL:
		room = size - sizeof(struct perf_ksymbol);
		if (size <= sizeof(struct perf_ksymbol))
			return -EINVAL;
		return take_ksym(out, (const struct perf_ksymbol *)h, room, time);
	default:
		return 0;
	}
}

static size_t put_mmap(struct perf_mmap2 *out, const struct ptev_mmap *m, size_t tail)
{
	size_t size = sizeof(*out) + m->hdr.size - sizeof(*m);

	/* Names are padded to 8 bytes in either. */
	*out = (struct perf_mmap2){
		.header = { .type = PERF_RECORD_MMAP2,
			    .misc = PERF_RECORD_MISC_USER,
			    .size = (uint16_t)(size + tail) },
		.pid = m->pid,
		.tid = m->tid,
		.addr = m->start,
		.len = m->len,
		.pgoff = m->pgoff,
		.maj = m->maj,
		.min = m->min,
		.ino = m->ino,
		.prot = m->prot,
		.flags = m->flags,
	};
	if (!(m->prot & PROT_EXEC))
		out->header.misc |= PERF_RECORD_MISC_MMAP_DATA;
	memcpy(out->filename, m->name, m->hdr.size - sizeof(*m));
	return size;
}

static size_t put_comm(struct perf_comm *out, const struct ptev_task *t, size_t tail)
{
	size_t size = sizeof(*out) + sizeof(t->comm);

	*out = (struct perf_comm){
		.header = { .type = PERF_RECORD_COMM,
			    .misc = t->exec ? PERF_RECORD_MISC_COMM_EXEC : 0,
			    .size = (uint16_t)(size + tail) },
		.pid = t->pid,
		.tid = t->tid,
	};
	memcpy(out->comm, t->comm, sizeof(t->comm));
	return size;
}

static size_t put_task(struct perf_task *out, const struct ptev_task *t, size_t tail)
{
	*out = (struct perf_task){
		.header = { .type = t->hdr.type == PTEV_FORK ? PERF_RECORD_FORK : PERF_RECORD_EXIT,
			    .size = (uint16_t)(sizeof(*out) + tail) },
		.pid = t->pid,
		.ppid = t->ppid,
		.tid = t->tid,
		.ptid = t->ptid,
		.time = t->time,
	};
	return sizeof(*out);
}

static size_t put_ksym(struct perf_ksymbol *out, const struct ptev_ksym *k, size_t tail)
{
	size_t name = k->hdr.size - sizeof(*k), size = sizeof(*out) + name;

	*out = (struct perf_ksymbol){
		.header = { .type = PERF_RECORD_KSYMBOL,
			    .misc = PERF_RECORD_MISC_KERNEL,
			    .size = (uint16_t)(size + tail) },
		.addr = k->addr,
		.len = k->len,
		.type = k->ksym_type,
		.flags = k->flags,
	};
	memcpy(out->name, k->name, name);
	return size;
}

size_t side_to_perf(void *out, const struct ptev_hdr *record, size_t tail, uint64_t *time)
{
	const struct ptev_task *task = (const struct ptev_task *)record;
	const struct ptev_mmap *map = (const struct ptev_mmap *)record;
	const struct ptev_ksym *sym = (const struct ptev_ksym *)record;

	*time = task->time;
	switch (record->type) {
	case PTEV_MMAP:
		*time = map->time;
		return map->hdr.size > sizeof(*map) ? put_mmap(out, map, tail) : 0;
	case PTEV_COMM:
		return put_comm(out, task, tail);
	case PTEV_FORK:
	case PTEV_EXIT:
		return put_task(out, task, tail);
	case PTEV_KSYM:
		return sym->hdr.size > sizeof(*sym) ? put_ksym(out, sym, tail) : 0;
	default:
		return 0;
	}
}
