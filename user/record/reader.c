// SPDX-License-Identifier: GPL-2.0
/*
 * Reads a recording front to back through one bounded window, from files and pipes alike. Nothing
 * in the file is believed before it has been checked: sizes, types, flags, strings.
 */
#include "user/record/record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/msg.h"
#include "user/record/format.h"
#include "user/record/kvm_check.h"

/* What fill() and those above it return besides -errno. */
enum { END = 0, OK = 1 };

struct rec_reader {
	int fd;
	char *path; /* for messages */
	int state;  /* OK, or what rec_next() goes on to return */
	struct rec_info info;
	struct rec_end end;
	uint64_t file_size; /* 0: not a regular file */
	uint64_t offset;    /* in the file, of window + pos */
	uint64_t events;
	uint64_t unknown;	 /* records of types that this version does not have */
	struct rec_chunk chunk;	 /* ->bytes and ->records: what is left of it */
	struct ptev_fault fault; /* a short one, padded */
	size_t pos, len;	 /* of the unread part of window[] */
	unsigned char *window;	 /* REC_BUFFER bytes */
};

/* Makes @need bytes (at most REC_BUFFER) readable at peek(). END: the file is over before. */
static int fill(struct rec_reader *r, size_t need)
{
	ssize_t n;

	if (r->len - r->pos >= need)
		return OK;
	/* pos is a multiple of 8, so what moves to the front stays aligned. */
	r->len -= r->pos;
	memmove(r->window, r->window + r->pos, r->len);
	r->pos = 0;
	while (r->len < need) {
		n = read(r->fd, r->window + r->len, REC_BUFFER - r->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			n = -errno;
			msg_error("%s: cannot read: %s", r->path, strerror((int)-n));
			return (int)n;
		}
		if (!n)
			return END;
		r->len += (size_t)n;
	}
	return OK;
}

static const void *peek(const struct rec_reader *r)
{
	return r->window + r->pos;
}

static void consume(struct rec_reader *r, size_t size)
{
	r->pos += size;
	r->offset += size;
}

static int corrupt(const struct rec_reader *r, const char *what)
{
	msg_error("%s: corrupt at byte %" PRIu64 ": %s", r->path, r->offset, what);
	return -EINVAL;
}

/* Whether the parts that @f's flags speak of fit a record of @size bytes without stacks. */
static bool parts_ok(const struct ptev_fault *f, size_t size)
{
	const unsigned int before = PTEV_F_BEFORE | PTEV_F_BEFORE_CUT;
	const unsigned int handled = PTEV_F_EXIT | PTEV_F_VMA | PTEV_F_AFTER | PTEV_F_AFTER_CUT |
				     PTEV_F_VMA_ANON | PTEV_F_MAJOR | PTEV_F_RETRIED | PTEV_F_DONE;

	switch (size) {
	case PTEV_FAULT_BASE:
		return !(f->flags & (before | handled));
	case PTEV_FAULT_BEFORE:
		return !(f->flags & handled);
	default:
		return size == PTEV_FAULT_FULL;
	}
}

static bool stacks_ok(const struct ptev_fault *f, size_t size)
{
	const uint64_t *counts = (const uint64_t *)(f + 1);
	uint64_t kernel, user;

	if (size < sizeof(*f) + sizeof(*counts))
		return false;
	kernel = *counts & UINT32_MAX;
	user = *counts >> 32;
	return kernel <= PTEV_MAX_STACK && user <= PTEV_MAX_STACK &&
	       size == sizeof(*f) + (1 + kernel + user) * sizeof(*counts);
}

static bool fault_ok(const struct ptev_fault *f, size_t size)
{
	if (size < PTEV_FAULT_BASE)
		return false;
	if (f->origin >= PTEV_NR_ORIGINS || f->access >= PTEV_NR_ACCESSES ||
	    f->outcome >= PTEV_NR_OUTCOMES || f->levels > PTEV_LEVELS)
		return false;
	/* A session that looks at no tables may not know how deep they are. */
	if ((f->flags & (PTEV_F_BEFORE | PTEV_F_AFTER)) && f->levels < PTEV_LEVELS - 1)
		return false;
	return f->flags & PTEV_F_STACKS ? stacks_ok(f, size) : parts_ok(f, size);
}

static bool record_ok(const struct ptev_hdr *hdr)
{
	const struct ptev_task *task = (const struct ptev_task *)hdr;
	const struct ptev_mmap *map = (const struct ptev_mmap *)hdr;

	switch (hdr->type) {
	case PTEV_FAULT:
		return fault_ok((const struct ptev_fault *)hdr, hdr->size);
	case PTEV_COMM:
	case PTEV_FORK:
	case PTEV_EXIT:
		return hdr->size == sizeof(*task) && memchr(task->comm, 0, sizeof(task->comm));
	case PTEV_MMAP:
		return hdr->size > sizeof(*map) && memchr(map->name, 0, hdr->size - sizeof(*map));
	case PTEV_KVM_EXIT:
	case PTEV_HYPERCALL:
	case PTEV_VIOLATION:
		return rec_kvm_ok(hdr);
	default:
		return true;
	}
}

/* The fault as a whole struct: parts that it does not have read as zero. */
static const struct ptev_hdr *pad_fault(struct rec_reader *r, const struct ptev_hdr *hdr)
{
	if (hdr->size >= sizeof(r->fault))
		return hdr;
	memcpy(&r->fault, hdr, hdr->size);
	memset((char *)&r->fault + hdr->size, 0, sizeof(r->fault) - hdr->size);
	return &r->fault.hdr;
}

/* Takes the next record of the current chunk; *@record stays NULL for an unknown type. */
static int next_record(struct rec_reader *r, const struct ptev_hdr **record)
{
	const struct ptev_hdr *hdr;
	int ret = fill(r, 8); /* the smallest that a chunk has left */

	if (ret != OK)
		return ret;
	hdr = peek(r);
	if (hdr->size < 8 || hdr->size % 8 || hdr->size > r->chunk.bytes || !r->chunk.records)
		return corrupt(r, "a record does not fit its chunk");
	ret = fill(r, hdr->size);
	if (ret != OK)
		return ret;
	hdr = peek(r);
	if (!record_ok(hdr))
		return corrupt(r, "a record contradicts itself");
	consume(r, hdr->size);
	r->chunk.bytes -= hdr->size;
	r->chunk.records--;
	if (hdr->type == PTEV_FAULT)
		*record = pad_fault(r, hdr);
	else if (hdr->type > PTEV_FAULT && hdr->type < PTEV_NR_TYPES)
		*record = hdr;
	else
		r->unknown++;
	r->events += ptev_is_event(hdr->type);
	return OK;
}

/* The end of a recording that came through a pipe. Not consumed: offset is where chunks end. */
static int end_chunk(struct rec_reader *r, const struct rec_chunk *chunk)
{
	int ret;

	if (chunk->bytes < sizeof(r->end) || chunk->bytes > REC_HEADER_MAX)
		return corrupt(r, "bad end");
	ret = fill(r, sizeof(*chunk) + sizeof(r->end));
	if (ret == OK)
		memcpy(&r->end, (const char *)peek(r) + sizeof(*chunk), sizeof(r->end));
	return ret < 0 ? ret : END;
}

static int next_chunk(struct rec_reader *r)
{
	struct rec_chunk chunk;
	int ret;

	if (r->chunk.records)
		return corrupt(r, "a chunk has fewer records than it says");
	/* What a writer could not take back may lie behind the end. */
	if (r->end.complete && r->offset >= r->end.bytes)
		return END;
	ret = fill(r, sizeof(chunk));
	if (ret != OK)
		return ret;
	memcpy(&chunk, peek(r), sizeof(chunk));
	if (chunk.magic == REC_CHUNK_END)
		return end_chunk(r, &chunk);
	if (chunk.magic != REC_CHUNK_RECORDS || chunk.bytes > REC_CHUNK_MAX || chunk.bytes % 8)
		return corrupt(r, "not a chunk of records");
	consume(r, sizeof(chunk));
	r->chunk = chunk;
	return OK;
}

int rec_next(struct rec_reader *r, const struct ptev_hdr **record)
{
	*record = NULL;
	while (r->state == OK && !*record)
		r->state = r->chunk.bytes ? next_record(r, record) : next_chunk(r);
	if (*record)
		return OK;
	if (r->unknown)
		msg_note("%s: %" PRIu64 " records of unknown types left out", r->path, r->unknown);
	r->unknown = 0;
	return r->state;
}

bool rec_totals(const struct rec_reader *r, struct rec_totals *totals)
{
	bool complete = r->state == END && r->end.complete && r->offset == r->end.bytes;

	if (complete)
		*totals = r->end.totals;
	else
		*totals = (struct rec_totals){ .events = r->events };
	return complete;
}

const struct rec_info *rec_info(const struct rec_reader *r)
{
	return &r->info;
}

uint64_t rec_file_size(const struct rec_reader *r)
{
	return r->file_size ? r->file_size : r->offset;
}

/* Says why the window does not start with a header that can be read. */
static int check_header(const struct rec_reader *r)
{
	const struct rec_header *h = peek(r);
	size_t magic = r->len < REC_MAGIC_SIZE ? r->len : REC_MAGIC_SIZE;

	if (!r->len)
		msg_error("%s: empty, not a ptrace-pf recording", r->path);
	else if (memcmp(h->magic, REC_MAGIC, magic))
		msg_error("%s: not a ptrace-pf recording", r->path);
	else if (r->len < sizeof(*h))
		msg_error("%s: cut off within its header, nothing was recorded", r->path);
	else if (h->version != REC_VERSION)
		msg_error("%s: recording of version %" PRIu32 ", this program reads version %d",
			  r->path, h->version, REC_VERSION);
	else if (h->size < sizeof(*h) || h->size > REC_HEADER_MAX || h->size % 8)
		msg_error("%s: corrupt: a header of %" PRIu32 " bytes", r->path, h->size);
	else
		return 0;
	return -EINVAL;
}

static void take_info(struct rec_reader *r, const struct rec_header *h)
{
	struct rec_info *info = &r->info;

	*info = h->info;
	info->boot_id[sizeof(info->boot_id) - 1] = 0;
	info->release[sizeof(info->release) - 1] = 0;
	info->hostname[sizeof(info->hostname) - 1] = 0;
	info->command[sizeof(info->command) - 1] = 0;
	r->end = h->end;
}

static int read_header(struct rec_reader *r)
{
	const struct rec_header *h;
	uint32_t size;
	int ret = fill(r, sizeof(*h));

	if (ret < 0)
		return ret;
	ret = check_header(r);
	if (ret)
		return ret;
	h = peek(r);
	size = h->size;
	take_info(r, h);
	ret = fill(r, size);
	if (ret == END) {
		msg_error("%s: cut off within its header, nothing was recorded", r->path);
		return -EINVAL;
	}
	consume(r, size);
	return ret < 0 ? ret : 0;
}

static int open_file(struct rec_reader *r, const char *path)
{
	struct stat st;
	int err;

	if (strcmp(path, "-"))
		r->fd = open(path, O_RDONLY | O_CLOEXEC);
	else
		r->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (r->fd < 0 || fstat(r->fd, &st)) {
		err = -errno;
		msg_error("%s: cannot open: %s", path, strerror(-err));
		return err;
	}
	if (S_ISREG(st.st_mode))
		r->file_size = (uint64_t)st.st_size;
	return 0;
}

static struct rec_reader *reader_new(const char *path)
{
	struct rec_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->fd = -1;
	r->state = OK;
	r->window = malloc(REC_BUFFER);
	r->path = strdup(path);
	if (r->window && r->path)
		return r;
	rec_reader_close(r);
	return NULL;
}

int rec_open(struct rec_reader **out, const char *path)
{
	struct rec_reader *r = reader_new(path);
	int err;

	if (!r) {
		msg_error("%s: %s", path, strerror(ENOMEM));
		return -ENOMEM;
	}
	err = open_file(r, path);
	if (!err)
		err = read_header(r);
	if (err) {
		rec_reader_close(r);
		return err;
	}
	*out = r;
	return 0;
}

void rec_reader_close(struct rec_reader *r)
{
	if (!r)
		return;
	if (r->fd >= 0)
		close(r->fd);
	free(r->window);
	free(r->path);
	free(r);
}
