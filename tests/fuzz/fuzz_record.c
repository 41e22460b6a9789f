// SPDX-License-Identifier: GPL-2.0
/*
 * Any bytes as a recording: the reader must end, stay within its window, and hand out only
 * records that keep record.h's promises. The first byte chooses what the rest is: a file, what
 * follows a valid header, or changes to a whole valid file; so no corpus is needed.
 * Run with -close_fd_mask=2: the reader tells every broken file on stderr.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/record/format.h"
#include "user/record/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RAW, BEHIND_HEADER, PATCHES, NR_MODES };

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

/* A file in memory. */
struct image {
	size_t size;
	uint8_t bytes[64 << 10];
};

static void add(struct image *f, const void *data, size_t size)
{
	if (size > sizeof(f->bytes) - f->size)
		size = sizeof(f->bytes) - f->size;
	memcpy(f->bytes + f->size, data, size);
	f->size += size;
}

static void add_header(struct image *f, uint32_t complete)
{
	struct rec_header header = {
		.magic = REC_MAGIC,
		.version = REC_VERSION,
		.size = sizeof(header),
		.end = { .complete = complete },
	};

	add(f, &header, sizeof(header));
}

static void add_fault(struct image *f, size_t size, uint16_t flags, uint64_t frames)
{
	struct {
		struct ptev_fault fault;
		uint64_t frames, stack[2 * PTEV_MAX_STACK];
	} rec = {
		.fault = {
			.hdr = { .size = (uint16_t)size, .type = PTEV_FAULT },
			.flags = flags,
			.levels = 4,
		},
		.frames = frames,
	};

	add(f, &rec, size);
}

static void add_faults(struct image *f)
{
	const uint16_t full = PTEV_F_BEFORE | PTEV_F_EXIT | PTEV_F_VMA | PTEV_F_AFTER;

	add_fault(f, PTEV_FAULT_BASE, 0, 0);
	add_fault(f, PTEV_FAULT_BEFORE, PTEV_F_BEFORE, 0);
	add_fault(f, PTEV_FAULT_FULL, full, 0);
	add_fault(f, PTEV_FAULT_FULL + 8 + 8 * 5, full | PTEV_F_STACKS, 2 | UINT64_C(3) << 32);
}

static void add_exits(struct image *f)
{
	struct ptev_violation v = {
		.exit = { .isa = PTEV_ISA_SVM, .flags = PTEV_K_GPA | PTEV_K_BEFORE },
		.levels = 4,
	};

	v.exit.hdr = (struct ptev_hdr){ sizeof(struct ptev_vmexit), PTEV_KVM_EXIT, 0 };
	add(f, &v, sizeof(struct ptev_vmexit));
	v.exit.hdr = (struct ptev_hdr){ sizeof(struct ptev_hypercall), PTEV_HYPERCALL, 0 };
	add(f, &v, sizeof(struct ptev_hypercall));
	v.exit.hdr = (struct ptev_hdr){ sizeof(v), PTEV_VIOLATION, 0 };
	add(f, &v, sizeof(v));
}

/* A call with a string that is whole, and with bytes whose second page is absent. */
static void add_buffers(struct image *f)
{
	struct {
		struct ptev_hypercall call;
		struct ptev_buffer name;
		char text[8];
		struct ptev_buffer data;
		char bytes[16];
	} r = {
		.call = { .exit = { .isa = PTEV_ISA_VMX, .flags = PTEV_K_ARGS | PTEV_K_BUFFERS } },
		.name = { .length = 64, .wanted = 64, .len = { 5 }, .virt = 1, .string = 1 },
		.text = "name",
		.data = { .address = 0xff0,
			  .length = 300,
			  .wanted = 256,
			  .len = { 16 },
			  .stop = { 0, PTEV_STOP_HOLE },
			  .level = { 0, 1 } },
		.bytes = "sixteen bytes..",
	};

	r.call.exit.hdr = (struct ptev_hdr){ sizeof(r), PTEV_HYPERCALL, 0 };
	add(f, &r, sizeof(r));
}

static void add_side_band(struct image *f)
{
	struct ptev_task task = { .hdr = { sizeof(task), PTEV_COMM, 0 }, .comm = "comm" };
	struct ptev_mmap map = { .hdr = { sizeof(map) + 8, PTEV_MMAP, 0 } };
	struct ptev_hdr unknown[2] = { { sizeof(unknown), 99, 0 } };

	add(f, &task, sizeof(task));
	add(f, &map, sizeof(map));
	add(f, "/bin/ls", 8);
	add(f, &unknown, sizeof(unknown));
}

static void add_chunk(struct image *f, uint32_t records, void (*fill)(struct image *))
{
	struct rec_chunk chunk = { .magic = REC_CHUNK_RECORDS, .records = records };
	size_t at = f->size;

	add(f, &chunk, sizeof(chunk));
	fill(f);
	chunk.bytes = (uint32_t)(f->size - at - sizeof(chunk));
	memcpy(f->bytes + at, &chunk, sizeof(chunk));
}

static void add_recording(struct image *f)
{
	struct rec_chunk chunk = { .magic = REC_CHUNK_END, .bytes = sizeof(struct rec_end) };
	struct rec_end end = { .complete = 1 };

	add_header(f, 0);
	add_chunk(f, 3, add_side_band);
	add_chunk(f, 4, add_faults);
	add_chunk(f, 3, add_exits);
	add_chunk(f, 1, add_buffers);
	add_chunk(f, 4, add_faults);
	end.bytes = f->size;
	add(f, &chunk, sizeof(chunk));
	add(f, &end, sizeof(end));
}

/* Four bytes each: offset, what to do, value. */
static void patch(struct image *f, const uint8_t *data, size_t size)
{
	uint16_t at;

	for (; size >= 4; data += 4, size -= 4) {
		memcpy(&at, data, sizeof(at));
		at %= (uint16_t)f->size;
		if (data[2] % 8 == 7 && at)
			f->size = at;
		else if (data[2] % 2)
			f->bytes[at] = (uint8_t)(f->bytes[at] + data[3]);
		else
			f->bytes[at] = data[3];
	}
}

static void make_input(struct image *f, const uint8_t *data, size_t size)
{
	unsigned int mode = size ? *data++ : RAW;

	f->size = 0;
	if (size)
		size--;
	switch (mode % NR_MODES) {
	case PATCHES:
		add_recording(f);
		patch(f, data, size);
		break;
	case BEHIND_HEADER:
		add_header(f, mode / NR_MODES);
		add(f, data, size);
		break;
	default:
		add(f, data, size);
	}
}

static void check_fault(const struct ptev_fault *f)
{
	const uint64_t *counts = (const uint64_t *)(f + 1);
	uint64_t frames;

	CHECK(f->origin < PTEV_NR_ORIGINS && f->access < PTEV_NR_ACCESSES);
	CHECK(f->outcome < PTEV_NR_OUTCOMES && f->levels <= PTEV_LEVELS);
	if (f->hdr.size < PTEV_FAULT_FULL)
		CHECK(!(f->flags & PTEV_F_EXIT) && !f->x.latency && !f->x.after.entry[4]);
	if (f->hdr.size < PTEV_FAULT_BEFORE)
		CHECK(!(f->flags & PTEV_F_BEFORE) && !f->before.entry[0]);
	if (!(f->flags & PTEV_F_STACKS))
		return;
	frames = (*counts & UINT32_MAX) + (*counts >> 32);
	CHECK(frames <= 2 * PTEV_MAX_STACK && f->hdr.size == sizeof(*f) + 8 + 8 * frames);
}

static void check_exit(const struct ptev_vmexit *e, size_t size)
{
	CHECK(e->hdr.size == size && (e->isa == PTEV_ISA_VMX || e->isa == PTEV_ISA_SVM));
	CHECK(e->mode < PTEV_NR_MODES && e->cpl < 4);
}

static void check_buffer(const struct ptev_buffer *b)
{
	unsigned int i;

	CHECK(b->wanted <= PTEV_BUFFER_BYTES && b->virt < 2 && b->string < 2);
	for (i = 0; i < PTEV_BUFFER_PARTS; i++) {
		CHECK(b->stop[i] < PTEV_NR_STOPS && b->len[i] <= ptev_part_size(b, i));
		CHECK(!b->stop[i] || !b->len[i]);
	}
}

static void check_call(const struct ptev_hypercall *c)
{
	const char *at = (const char *)(c + 1), *end = (const char *)c + c->exit.hdr.size;
	unsigned int n = 0;

	check_exit(&c->exit, c->exit.flags & PTEV_K_BUFFERS ? c->exit.hdr.size : sizeof(*c));
	for (; at < end; at += ptev_buffer_size((const void *)at), n++) {
		CHECK((size_t)(end - at) >= sizeof(struct ptev_buffer));
		check_buffer((const void *)at);
	}
	CHECK(at == end && !n == !(c->exit.flags & PTEV_K_BUFFERS) && n <= PTEV_MAX_BUFFERS);
}

static void check_violation(const struct ptev_violation *v)
{
	check_exit(&v->exit, sizeof(*v));
	CHECK(v->access < PTEV_NR_ACCESSES && v->outcome < PTEV_NR_VIO && v->levels <= PTEV_LEVELS);
	CHECK(!(v->exit.flags & (PTEV_K_BEFORE | PTEV_K_AFTER)) || v->levels >= 4);
}

static void check_record(const struct ptev_hdr *hdr)
{
	const struct ptev_task *task = (const struct ptev_task *)hdr;
	const struct ptev_mmap *map = (const struct ptev_mmap *)hdr;

	CHECK((uintptr_t)hdr % 8 == 0);
	switch (hdr->type) {
	case PTEV_FAULT:
		check_fault((const struct ptev_fault *)hdr);
		break;
	case PTEV_COMM:
	case PTEV_FORK:
	case PTEV_EXIT:
		CHECK(hdr->size == sizeof(*task) && strlen(task->comm) < sizeof(task->comm));
		break;
	case PTEV_MMAP:
		CHECK(sizeof(*map) + strlen(map->name) < hdr->size);
		break;
	case PTEV_KVM_EXIT:
		check_exit((const struct ptev_vmexit *)hdr, sizeof(struct ptev_vmexit));
		break;
	case PTEV_HYPERCALL:
		check_call((const struct ptev_hypercall *)hdr);
		break;
	case PTEV_VIOLATION:
		check_violation((const struct ptev_violation *)hdr);
		break;
	default:
		abort();
	}
}

static void read_all(struct rec_reader *r)
{
	const struct ptev_hdr *record;
	struct rec_totals totals;
	uint64_t events = 0;
	int ret;

	CHECK(strlen(rec_info(r)->command) < sizeof(rec_info(r)->command));
	while ((ret = rec_next(r, &record)) > 0) {
		check_record(record);
		events += ptev_is_event(record->type);
	}
	CHECK(rec_next(r, &record) == ret && !record);
	if (!rec_totals(r, &totals))
		CHECK(totals.events == events);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	static struct image file;
	struct rec_reader *r;
	char path[32];

	make_input(&file, data, size);
	CHECK(fd >= 0 && write(fd, file.bytes, file.size) == (ssize_t)file.size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!rec_open(&r, path)) {
		read_all(r);
		rec_reader_close(r);
	}
	close(fd);
	return 0;
}
