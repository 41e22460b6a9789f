// SPDX-License-Identifier: GPL-2.0
/*
 * Any bytes as a recording: the reader must end, stay within its window, and hand out only
 * records that keep record.h's promises. What begins as a perf.data file does is one (run.sh gives
 * real ones to begin with, of ours and of perf); else the first byte chooses one of our own, which
 * the rest changes.
 * Run with -close_fd_mask=2: the reader tells every broken file on stderr.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/record/perf_format.h"
#include "user/record/record.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

/* A file, the same compressed, and as a stream. */
enum { PLAIN, PACKED, STREAM, NR_BASES };
static struct image bases[NR_BASES];

static void put_fault(struct rec_writer *w, uint16_t flags, uint64_t frames)
{
	struct {
		struct ptev_fault fault;
		uint64_t frames, stack[2 * PTEV_MAX_STACK];
	} rec = {
		.fault = {
			.hdr = { .size = sizeof(rec.fault), .type = PTEV_FAULT },
			.flags = flags,
			.levels = 4,
			.ip = 0x401000,
		},
		.frames = frames,
		.stack = { 1, 2, 3, 4, 5 },
	};

	if (flags & PTEV_F_STACKS)
		rec.fault.hdr.size += 8 * (1 + 5);
	CHECK(!rec_put(w, &rec, rec.fault.hdr.size));
}

static void put_exits(struct rec_writer *w)
{
	struct {
		struct ptev_violation v;
		uint64_t room[8];
	} r = { .v = { .exit = { .isa = PTEV_ISA_SVM, .flags = PTEV_K_GPA | PTEV_K_BEFORE },
		       .levels = 4 } };

	r.v.exit.hdr = (struct ptev_hdr){ sizeof(struct ptev_vmexit), PTEV_KVM_EXIT, 0 };
	CHECK(!rec_put(w, &r, r.v.exit.hdr.size));
	r.v.exit.hdr = (struct ptev_hdr){ sizeof(struct ptev_hypercall), PTEV_HYPERCALL, 0 };
	CHECK(!rec_put(w, &r, r.v.exit.hdr.size));
	r.v.exit.hdr = (struct ptev_hdr){ sizeof(r.v), PTEV_VIOLATION, 0 };
	CHECK(!rec_put(w, &r, r.v.exit.hdr.size));
}

/* A call with a string that is whole, and with bytes whose second page is absent. */
static void put_buffers(struct rec_writer *w)
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
	CHECK(!rec_put(w, &r, sizeof(r)));
}

static void put_side_band(struct rec_writer *w)
{
	struct ptev_task task = { .hdr = { sizeof(task), PTEV_COMM, 0 }, .comm = "comm" };
	union {
		struct ptev_mmap map;
		uint64_t words[sizeof(struct ptev_mmap) / 8 + 1];
	} map = { .map = { .hdr = { sizeof(map), PTEV_MMAP, 0 }, .prot = 5 } };

	memcpy(map.map.name, "/bin/ls", 8);
	CHECK(!rec_put(w, &task, sizeof(task)));
	task.hdr.type = PTEV_FORK;
	CHECK(!rec_put(w, &task, sizeof(task)));
	CHECK(!rec_put(w, &map, sizeof(map)));
}

static void record(const char *path, uint32_t level)
{
	const uint16_t full = PTEV_F_BEFORE | PTEV_F_EXIT | PTEV_F_VMA | PTEV_F_AFTER;
	struct rec_info info = { .levels = 4, .kvm = 7, .stacks = 1, .zstd = level };
	struct rec_totals totals = { .events = 8, .lost = { 1, 2 } };
	struct rec_writer *w;

	CHECK(!rec_create(&w, path, &info));
	put_side_band(w);
	put_fault(w, 0, 0);
	put_fault(w, full, 0);
	CHECK(!rec_flush(w));
	put_fault(w, full | PTEV_F_STACKS, 2 | UINT64_C(3) << 32);
	put_exits(w);
	put_buffers(w);
	CHECK(!rec_flush(w));
	put_fault(w, PTEV_F_BEFORE, 0);
	CHECK(!rec_close(w, &totals));
}

static void load(struct image *f, int fd)
{
	ssize_t n = pread(fd, f->bytes, sizeof(f->bytes), 0);

	CHECK(n > 0 && (size_t)n < sizeof(f->bytes));
	f->size = (size_t)n;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char dir[] = "/tmp/fuzz_record.XXXXXX", path[64];
	int i, fd = memfd_create("stream", MFD_CLOEXEC);

	(void)argc;
	(void)argv;
	CHECK(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
	for (i = PLAIN; i <= PACKED; i++) {
		FILE *file;

		record(path, (uint32_t)i);
		file = fopen(path, "re");
		CHECK(file);
		load(&bases[i], fileno(file));
		fclose(file);
		unlink(path);
	}
	rmdir(dir);
	/* Through a link it is no new file, but a stream. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	record(path, 1);
	load(&bases[STREAM], fd);
	close(fd);
	return 0;
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
	if (!size || *data == 'P') {
		f->size = size < sizeof(f->bytes) ? size : sizeof(f->bytes);
		memcpy(f->bytes, data, f->size);
		return;
	}
	*f = bases[*data % NR_BASES];
	patch(f, data + 1, size - 1);
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
	const struct ptev_ksym *sym = (const struct ptev_ksym *)hdr;

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
	case PTEV_KSYM:
		CHECK(sizeof(*sym) + strlen(sym->name) < hdr->size);
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
	case PTEV_REMAP:
		CHECK(hdr->size == sizeof(struct ptev_remap));
		CHECK(((const struct ptev_remap *)hdr)->event < PTEV_NR_REMAPS);
		break;
	default:
		abort();
	}
}

static int check_build_id(void *ctx __attribute__((unused)), const char *path, const void *id,
			  size_t size)
{
	unsigned char bytes[20];

	CHECK(*path == '/' && strlen(path) < UINT16_MAX && size && size <= sizeof(bytes));
	memcpy(bytes, id, size);
	return 0;
}

/* What was read of a file. */
struct seen {
	uint64_t events, hash; /* hash: of all records */
	bool whole;
};

static uint64_t hash_record(uint64_t hash, const struct ptev_hdr *record)
{
	const uint8_t *bytes = (const uint8_t *)record;
	size_t i;

	for (i = 0; i < record->size; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static struct seen read_all(struct rec_reader *r)
{
	const struct ptev_hdr *record;
	struct rec_totals totals;
	struct seen seen = { 0 };
	int ret;

	CHECK(strlen(rec_info(r)->command) < sizeof(rec_info(r)->command));
	CHECK(!rec_build_ids(r, check_build_id, NULL));
	while ((ret = rec_next(r, &record)) > 0) {
		check_record(record);
		seen.events += ptev_is_event(record->type);
		seen.hash = hash_record(seen.hash, record);
	}
	CHECK(rec_next(r, &record) == ret && !record);
	seen.whole = rec_totals(r, &totals);
	if (!seen.whole)
		CHECK(totals.events == seen.events);
	return seen;
}

/* By frames, as threads do, if that can be: a whole recording is then the same. */
static void read_part(const char *path, const struct seen *seen)
{
	struct rec_board *board = rec_board_new(1);
	struct rec_reader *r;
	struct seen part;

	CHECK(board && !rec_open(&r, path));
	if (rec_has_parts(r)) {
		CHECK(!rec_take_part(r, board, 0));
		part = read_all(r);
		if (rec_part_whole(r))
			CHECK(seen->whole && part.events == seen->events &&
			      part.hash == seen->hash);
	}
	rec_reader_close(r);
	rec_board_free(board);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	static struct image file;
	struct rec_reader *r;
	struct seen seen;
	char path[32];

	make_input(&file, data, size);
	CHECK(fd >= 0 && write(fd, file.bytes, file.size) == (ssize_t)file.size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!rec_open(&r, path)) {
		seen = read_all(r);
		rec_reader_close(r);
		read_part(path, &seen);
	}
	close(fd);
	return 0;
}
