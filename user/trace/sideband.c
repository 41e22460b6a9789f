// SPDX-License-Identifier: GPL-2.0
#include "user/trace/sideband.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include "user/base/clock.h"
#include "user/record/merge.h"
#include "user/record/side.h"

#define DATA_PAGES 256 /* per CPU */

/* include/uapi/linux/perf_event.h: what sample_type below appends to every record. */
struct sample_id {
	uint32_t pid, tid;
	uint64_t time;
	uint32_t cpu, reserved;
};

struct perf_lost {
	struct perf_event_header header;
	uint64_t id, lost;
};

struct cpu_ring {
	int fd;
	struct perf_event_mmap_page *page;
	const uint8_t *data;
};

struct sideband {
	int epoll;
	unsigned int nr;
	size_t page_size, size;
	uint64_t lost;
	struct merge merge;
	/* A record that wraps is put together here; perf's size field is 16 bits wide. */
	_Alignas(8) uint8_t whole[1 << 16];
	struct side_record out;
	struct cpu_ring rings[];
};

static int open_event(int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU,
		.sample_id_all = 1,
		.mmap = 1,
		.mmap_data = 1,
		.mmap2 = 1,
		.comm = 1,
		.comm_exec = 1,
		.task = 1,
		.ksymbol = 1,
		.watermark = 1,
		.wakeup_watermark = DATA_PAGES / 2 * 4096,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};

	return (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

static int open_cpu(struct sideband *s, int cpu)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct cpu_ring *r = &s->rings[s->nr];

	r->fd = open_event(cpu);
	if (r->fd < 0)
		return errno == ENODEV ? 0 : -errno; /* an offline CPU */
	r->page = mmap(NULL, s->page_size + s->size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (r->page == MAP_FAILED || epoll_ctl(s->epoll, EPOLL_CTL_ADD, r->fd, &ev)) {
		int err = -errno;

		if (r->page != MAP_FAILED)
			munmap(r->page, s->page_size + s->size);
		close(r->fd);
		return err;
	}
	r->data = (const uint8_t *)r->page + s->page_size;
	s->nr++;
	return 0;
}

int sideband_open(struct sideband **sideband)
{
	long cpu, cpus = sysconf(_SC_NPROCESSORS_CONF);
	struct sideband *s = calloc(1, sizeof(*s) + (size_t)cpus * sizeof(s->rings[0]));
	int err = 0;

	if (!s)
		return -ENOMEM;
	s->page_size = (size_t)sysconf(_SC_PAGESIZE);
	s->size = DATA_PAGES * s->page_size;
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll < 0)
		err = -errno;
	for (cpu = 0; cpu < cpus && !err; cpu++)
		err = open_cpu(s, (int)cpu);
	if (err) {
		sideband_close(s);
		return err;
	}
	*sideband = s;
	return 0;
}

void sideband_close(struct sideband *s)
{
	if (!s)
		return;
	while (s->nr--) {
		munmap(s->rings[s->nr].page, s->page_size + s->size);
		close(s->rings[s->nr].fd);
	}
	if (s->epoll >= 0)
		close(s->epoll);
	merge_free(&s->merge);
	free(s);
}

int sideband_fd(const struct sideband *s)
{
	return s->epoll;
}

uint64_t sideband_lost(const struct sideband *s)
{
	return s->lost;
}

/* The sample_id at the end of every record (sample_id_all). */
static const struct sample_id *tail_of(const struct perf_event_header *h)
{
	return (const void *)((const uint8_t *)h + h->size - sizeof(struct sample_id));
}

static int take_record(struct sideband *s, const struct perf_event_header *h)
{
	if (h->type == PERF_RECORD_LOST) {
		s->lost += ((const struct perf_lost *)h)->lost;
		return 0;
	}
	if (side_from_perf(&s->out, h, sizeof(struct sample_id), tail_of(h)->time) != 1)
		return 0;
	return merge_add(&s->merge, (const struct ptev_hdr *)s->out.room);
}

/* The record at @pos; a copy where it wraps round the end of the buffer. */
static const struct perf_event_header *record_at(struct sideband *s, const struct cpu_ring *r,
						 uint64_t pos)
{
	size_t offset = pos & (s->size - 1);
	const struct perf_event_header *h = (const void *)(r->data + offset);
	size_t first = s->size - offset;

	if (h->size <= first)
		return h;
	memcpy(s->whole, h, first);
	memcpy(s->whole + first, r->data, h->size - first);
	return (const void *)s->whole;
}

static int drain_cpu(struct sideband *s, struct cpu_ring *r)
{
	uint64_t head = __atomic_load_n(&r->page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = r->page->data_tail;
	const struct perf_event_header *h;
	int err = 0;

	while (tail < head && !err) {
		h = record_at(s, r, tail);
		err = take_record(s, h);
		tail += h->size;
	}
	__atomic_store_n(&r->page->data_tail, tail, __ATOMIC_RELEASE);
	return err;
}

int sideband_drain(struct sideband *s, sideband_put put, void *ctx)
{
	/* What comes while the CPUs are read one by one waits for the next drain. */
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	unsigned int i;
	int err = 0;

	for (i = 0; i < s->nr && !err; i++)
		err = drain_cpu(s, &s->rings[i]);
	if (err)
		return err;
	return merge_flush(&s->merge, now, put, ctx);
}
