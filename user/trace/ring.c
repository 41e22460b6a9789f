// SPDX-License-Identifier: GPL-2.0
#include "user/trace/ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/bpf.h>

int ring_open(struct ring *r, int fd, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *consumer, *producer;

	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (consumer == MAP_FAILED)
		return -errno;
	producer = mmap(NULL, page + 2 * size, PROT_READ, MAP_SHARED, fd, (off_t)page);
	if (producer == MAP_FAILED) {
		int err = -errno;

		munmap(consumer, page);
		return err;
	}
	r->fd = fd;
	r->size = size;
	r->consumer = consumer;
	r->producer = producer;
	r->data = (const uint8_t *)producer + page;
	return 0;
}

void ring_close(struct ring *r)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (!r->data)
		return;
	munmap((void *)r->consumer, page);
	munmap((void *)r->producer, page + 2 * r->size);
	memset(r, 0, sizeof(*r));
}

uint64_t ring_position(const struct ring *r)
{
	return __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
}

int ring_consume(struct ring *r, uint64_t until, ring_put put, void *ctx)
{
	uint64_t pos = *r->consumer;
	uint32_t head, len;
	const uint8_t *p;
	int err = 0;

	while (pos < until && !err) {
		p = r->data + (pos & (r->size - 1));
		head = __atomic_load_n((const uint32_t *)p, __ATOMIC_ACQUIRE);
		if (head & BPF_RINGBUF_BUSY_BIT)
			break; /* reserved, not yet written: the next call gets it */
		len = head & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
		if (!(head & BPF_RINGBUF_DISCARD_BIT))
			err = put(ctx, p + BPF_RINGBUF_HDR_SZ, len);
		pos += (len + BPF_RINGBUF_HDR_SZ + 7) & ~7ULL;
		__atomic_store_n(r->consumer, pos, __ATOMIC_RELEASE);
	}
	return err;
}
