// SPDX-License-Identifier: GPL-2.0
#include "user/record/record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/msg.h"
#include "user/record/format.h"

struct rec_writer {
	int fd;
	bool own;   /* our own regular file: can be cut back and written again */
	bool kept;  /* an older file is there as PATH.old */
	char *path; /* of our own file */
	int broken; /* -errno that left a part of a chunk behind: nothing can follow it */
	uint64_t bytes;
	uint64_t unwritten;
	size_t chunk_events;
	struct rec_chunk *chunk; /* REC_BUFFER bytes: the chunk being filled */
};

static int write_all(int fd, const void *data, size_t size)
{
	const char *p = data;
	ssize_t n;

	while (size) {
		n = write(fd, p, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

/* Writes all of it or, in a file of our own, nothing. */
static int append(struct rec_writer *w, const void *data, size_t size)
{
	int err = w->broken ? w->broken : write_all(w->fd, data, size);

	if (!err) {
		w->bytes += size;
		return 0;
	}
	if (!w->own || ftruncate(w->fd, (off_t)w->bytes) ||
	    lseek(w->fd, (off_t)w->bytes, SEEK_SET) < 0)
		w->broken = err;
	return err;
}

static void chunk_reset(struct rec_writer *w)
{
	*w->chunk = (struct rec_chunk){ .magic = REC_CHUNK_RECORDS };
	w->chunk_events = 0;
}

static int old_name(char old[PATH_MAX], const char *path)
{
	return snprintf(old, PATH_MAX, "%s.old", path) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* An existing file is moved out of the way. */
static int keep_old(struct rec_writer *w, const char *path)
{
	char old[PATH_MAX];
	int err = old_name(old, path);

	if (!err && rename(path, old))
		err = -errno;
	if (err)
		msg_error("%s: cannot keep it as %s.old: %s", path, path, strerror(-err));
	w->kept = !err;
	return err;
}

/* Addresses of other people's processes are nobody else's business: 0600. */
static int create_own(struct rec_writer *w, const char *path, bool exists)
{
	int err = exists ? keep_old(w, path) : 0;

	if (err)
		return err;
	w->own = true;
	w->path = strdup(path);
	w->fd = w->path ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
	return w->fd < 0 ? -errno : 0;
}

/*
 * A fifo nobody reads is an error at once, and not a wait that no signal ends. A link is followed
 * and never replaced: it may be /dev/stdout.
 */
static int open_other(struct rec_writer *w, const char *path)
{
	w->fd = open(path, O_WRONLY | O_TRUNC | O_NONBLOCK | O_CLOEXEC);
	if (w->fd < 0)
		return -errno;
	return fcntl(w->fd, F_SETFL, 0) ? -errno : 0;
}

/* Creates a regular file, or opens what is there and is something else (/dev/null, a fifo). */
static int open_path(struct rec_writer *w, const char *path)
{
	struct stat st;
	bool exists = !lstat(path, &st);
	int err;

	if (!exists || S_ISREG(st.st_mode))
		err = create_own(w, path, exists);
	else
		err = open_other(w, path);
	if (err == -ENXIO)
		msg_error("%s: nobody reads this fifo", path);
	else if (err && !(exists && !w->own && S_ISREG(st.st_mode)))
		msg_error("%s: cannot create: %s", path, strerror(-err));
	return err;
}

static int open_stdout(struct rec_writer *w)
{
	int err;

	if (isatty(STDOUT_FILENO)) {
		msg_error("stdout is a terminal: name a file or redirect the recording");
		return -EINVAL;
	}
	w->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (w->fd >= 0)
		return 0;
	err = -errno;
	msg_error("stdout: %s", strerror(-err));
	return err;
}

static int write_header(struct rec_writer *w, const char *path, const struct rec_info *info)
{
	struct rec_header header = {
		.magic = REC_MAGIC,
		.version = REC_VERSION,
		.size = sizeof(header),
		.info = *info,
	};
	int err = append(w, &header, sizeof(header));

	if (!err)
		return 0;
	msg_error("%s: cannot write: %s", path, strerror(-err));
	if (w->own)
		unlink(path);
	return err;
}

static void writer_free(struct rec_writer *w)
{
	if (w->fd >= 0)
		close(w->fd);
	free(w->path);
	free(w->chunk);
	free(w);
}

void rec_discard(struct rec_writer *w)
{
	char old[PATH_MAX];

	if (w->own)
		unlink(w->path);
	if (w->kept && !old_name(old, w->path))
		rename(old, w->path);
	writer_free(w);
}

static struct rec_writer *writer_new(void)
{
	struct rec_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->fd = -1;
	w->chunk = malloc(REC_BUFFER);
	if (!w->chunk) {
		free(w);
		return NULL;
	}
	chunk_reset(w);
	return w;
}

int rec_create(struct rec_writer **out, const char *path, const struct rec_info *info)
{
	struct rec_writer *w = writer_new();
	int err;

	if (!w) {
		msg_error("%s: %s", path, strerror(ENOMEM));
		return -ENOMEM;
	}
	err = strcmp(path, "-") ? open_path(w, path) : open_stdout(w);
	if (!err)
		err = write_header(w, path, info);
	if (err) {
		writer_free(w);
		return err;
	}
	*out = w;
	return 0;
}

int rec_flush(struct rec_writer *w)
{
	int err;

	if (!w->chunk->records)
		return 0;
	err = append(w, w->chunk, sizeof(*w->chunk) + w->chunk->bytes);
	if (err)
		w->unwritten += w->chunk_events;
	chunk_reset(w);
	return err;
}

int rec_put(struct rec_writer *w, const void *record, size_t size)
{
	const struct ptev_hdr *hdr = record;
	int err = 0;

	if (size < sizeof(*hdr) || size != hdr->size || size % 8) {
		w->unwritten++;
		return -EINVAL;
	}
	if (sizeof(*w->chunk) + w->chunk->bytes + size > REC_BUFFER)
		err = rec_flush(w);
	memcpy((char *)(w->chunk + 1) + w->chunk->bytes, record, size);
	w->chunk->bytes += (uint32_t)size;
	w->chunk->records++;
	w->chunk_events += ptev_is_event(hdr->type);
	return err;
}

uint64_t rec_bytes(const struct rec_writer *w)
{
	return w->bytes;
}

uint64_t rec_unwritten(const struct rec_writer *w)
{
	return w->unwritten;
}

/* Over the reserved bytes of the header: needs no space. */
static int end_in_header(const struct rec_writer *w, const struct rec_end *end)
{
	ssize_t n = pwrite(w->fd, end, sizeof(*end), offsetof(struct rec_header, end));

	if (n < 0)
		return -errno;
	return n == sizeof(*end) ? 0 : -EIO;
}

static int end_in_stream(struct rec_writer *w, const struct rec_end *end)
{
	struct {
		struct rec_chunk chunk;
		struct rec_end end;
	} tail = {
		.chunk = { .magic = REC_CHUNK_END, .bytes = sizeof(*end) },
		.end = *end,
	};

	return append(w, &tail, sizeof(tail));
}

int rec_close(struct rec_writer *w, const struct rec_totals *totals)
{
	struct rec_end end = { .complete = 1, .totals = *totals };
	uint64_t unwritten = w->unwritten;
	int err, flush_err = rec_flush(w);

	/* The caller could not know of these. */
	end.totals.events -= w->unwritten - unwritten;
	end.totals.lost[PTEV_LOST_WRITE] += w->unwritten - unwritten;
	end.bytes = w->bytes;
	err = w->own ? end_in_header(w, &end) : end_in_stream(w, &end);
	if (close(w->fd) && !err)
		err = -errno;
	w->fd = -1;
	writer_free(w);
	return flush_err ? flush_err : err;
}
