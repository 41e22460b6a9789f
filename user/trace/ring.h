/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reader of a BPF ring buffer that can stop at a position. libbpf's own consumer drains until
 * the ring is empty; here the position is taken first, then the side band is read, then the ring
 * up to that position, so that every name and mapping that an event needs is known before it.
 * Layout: Documentation/bpf/ringbuf.rst and kernel/bpf/ringbuf.c.
 */
#ifndef TRACE_RING_H
#define TRACE_RING_H

#include <stddef.h>
#include <stdint.h>

struct ring {
	int fd;
	size_t size; /* of the data area */
	volatile uint64_t *consumer;
	const volatile uint64_t *producer;
	const uint8_t *data; /* mapped twice in a row: no record wraps */
};

/* Called once per record; non-zero stops and is returned by ring_consume(). */
typedef int (*ring_put)(void *ctx, const void *record, size_t size);

/* Maps the ring of map @fd with @size bytes of data. 0 or -errno. */
int ring_open(struct ring *r, int fd, size_t size);
void ring_close(struct ring *r);
/* Position behind the newest record. */
uint64_t ring_position(const struct ring *r);
/* Hands on the records below @until. 0, or what @put returned (that record counts as read). */
int ring_consume(struct ring *r, uint64_t until, ring_put put, void *ctx);

#endif
