/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of the record file share: a directory per test, small recordings, messages. */
#ifndef TESTS_RECORD_FILES_H
#define TESTS_RECORD_FILES_H

#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/record/perf_format.h"
#include "user/record/record.h"

union record {
	struct ptev_hdr hdr;
	struct ptev_fault fault;
	struct ptev_task task;
	struct ptev_mmap map;
	struct ptev_ksym ksym;
	uint64_t words[512];
	char bytes[4096];
};

/* Of one test: Criterion runs each in a process of its own. */
static char dir[32];
static int messages; /* what went to stderr */

/* Every test has a directory of its own as its working directory. */
static inline void enter(void)
{
	strcpy(dir, "/tmp/test_record.XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(chdir(dir), 0);
}

static inline void leave(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(chdir("/"), 0);
	cr_assert_eq(system(command), 0);
}

static inline void capture_stderr(void)
{
	messages = memfd_create("stderr", 0);
	cr_assert(messages >= 0 && dup2(messages, STDERR_FILENO) == STDERR_FILENO);
}

/* One line on stderr that has @words in it. */
static inline void check_message(const char *words)
{
	char text[1024];
	ssize_t n = pread(messages, text, sizeof(text) - 1, 0);

	cr_assert(n > 0);
	text[n] = 0;
	cr_assert_not_null(strstr(text, words), "'%s' in '%s'", words, text);
	cr_assert_eq(strchr(text, '\n'), text + n - 1, "one line: '%s'", text);
	cr_assert_eq(ftruncate(messages, 0), 0);
	cr_assert_eq(lseek(messages, 0, SEEK_SET), 0);
}

static inline struct ptev_fault simple_fault(uint64_t number)
{
	return (struct ptev_fault){
		.hdr = { .size = sizeof(struct ptev_fault), .type = PTEV_FAULT },
		.address = number,
		.levels = 4,
	};
}

static inline void put_faults(struct rec_writer *w, uint64_t first, uint64_t n)
{
	struct ptev_fault f;
	uint64_t i;

	for (i = first; i < first + n; i++) {
		f = simple_fault(i);
		cr_assert_eq(rec_put(w, &f, sizeof(f)), 0);
	}
}

/* A session with everything, compressed at @level. */
static inline struct rec_writer *create_zstd(const char *path, uint32_t level)
{
	struct rec_info info = { .levels = 4,
				 .va_bits = 48,
				 .command = "record",
				 .boot_id = "id",
				 .kvm = 7,
				 .remaps = 1,
				 .stacks = 1,
				 .zstd = level };
	struct rec_writer *w = NULL;

	cr_assert_eq(rec_create(&w, path, &info), 0);
	return w;
}

static inline struct rec_writer *create(const char *path)
{
	return create_zstd(path, 0);
}

static inline struct rec_reader *open_ok(const char *path)
{
	struct rec_reader *r = NULL;

	cr_assert_eq(rec_open(&r, path), 0);
	return r;
}

/* Reads faults numbered from @first; returns how many, *@ret is the last value of rec_next(). */
static inline uint64_t read_faults(struct rec_reader *r, uint64_t first, int *ret)
{
	const struct ptev_hdr *hdr;
	uint64_t n;

	for (n = 0; (*ret = rec_next(r, &hdr)) > 0; n++) {
		cr_assert_eq(hdr->type, PTEV_FAULT);
		cr_assert_eq(((const struct ptev_fault *)hdr)->address, first + n);
	}
	return n;
}

static inline uint64_t count_faults(const char *path, struct rec_totals *totals, bool *complete)
{
	struct rec_reader *r = open_ok(path);
	uint64_t n;
	int ret;

	n = read_faults(r, 0, &ret);
	cr_assert_eq(ret, 0);
	*complete = rec_totals(r, totals);
	rec_reader_close(r);
	return n;
}

/* Of a file in memory. */
static inline struct rec_session *session_in(char *file)
{
	return (struct rec_session *)(file + ((struct perf_file_header *)file)->data.offset);
}

static inline size_t load(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, buf, size);

	cr_assert(fd >= 0 && n >= 0);
	close(fd);
	return (size_t)n;
}

static inline void store(const char *path, const void *data, size_t size)
{
	int fd;

	unlink(path); /* ext4 writes a file that was emptied to the disk at once */
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, data, size), (ssize_t)size);
	close(fd);
}

#endif
