// SPDX-License-Identifier: GPL-2.0
/* The record file's reader on files that are cut, foreign or corrupt: nothing in them is trusted.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/record_files.h"
#include "user/record/check.h"
#include "user/record/kinds.h"

TestSuite(record_broken, .init = enter, .fini = leave);

#define FILE_MAX 32768

/* Three chunks of two faults each; returns the size. */
static size_t small_file(const char *path, uint32_t level, char *buf)
{
	struct rec_totals totals = { .events = 6 };
	struct rec_writer *w = create_zstd(path, level);
	uint64_t i;

	unlink("x.old");
	for (i = 0; i < 6; i += 2) {
		put_faults(w, i, 2);
		cr_assert_eq(rec_flush(w), 0);
	}
	cr_assert_eq(rec_close(w, &totals), 0);
	return load(path, buf, FILE_MAX);
}

static uint64_t data_end(const char *file)
{
	const struct perf_file_header *h = (const struct perf_file_header *)file;

	return h->data.offset + h->data.size;
}

/* Cut anywhere in its data, a file still gives the events before the cut, and says so. */
static void cut_at_every_byte(uint32_t level)
{
	char buf[FILE_MAX];
	size_t cut, size = small_file("x", level, buf), first;
	struct rec_totals totals;
	uint64_t n, before = 0;
	bool complete;

	first = (size_t)((char *)session_in(buf) - buf) + sizeof(struct rec_session);
	for (cut = first; cut < data_end(buf); cut++) {
		store("cut", buf, cut);
		n = count_faults("cut", &totals, &complete); /* their numbers are checked */
		cr_assert(!complete, "cut at %zu", cut);
		cr_assert_eq(totals.events, n);
		cr_assert(n == before || n == before + 1 || level, "cut at %zu", cut);
		cr_assert_geq(n, before, "cut at %zu", cut);
		before = n;
	}
	/* What is packed comes out a piece at a time. */
	cr_assert_eq(before, level ? 4 : 6);
	for (; cut <= size; cut += 64) {
		store("cut", buf, cut);
		cr_assert_eq(count_faults("cut", &totals, &complete), 6);
		cr_assert(complete, "what is behind the data is perf's");
	}
}

Test(record_broken, cut_at_every_byte_of_the_data)
{
	cut_at_every_byte(0);
}

Test(record_broken, cut_at_every_byte_of_compressed_data)
{
	cut_at_every_byte(1);
}

Test(record_broken, cut_in_front_of_the_data)
{
	char buf[FILE_MAX];
	struct rec_reader *r;
	size_t cut, first;

	small_file("x", 0, buf);
	first = (size_t)((char *)session_in(buf) - buf) + sizeof(struct rec_session);
	capture_stderr();
	for (cut = 0; cut < first; cut++) {
		store("cut", buf, cut);
		cr_assert_eq(rec_open(&r, "cut"), -EINVAL, "cut at %zu", cut);
		check_message(cut ? "cut: " : "cut: empty, not a perf.data file");
	}
}

/* A whole file with one word changed cannot be opened. */
static void refused(const char *file, size_t size, size_t at, uint64_t value, const char *why)
{
	char buf[FILE_MAX];
	struct rec_reader *r;

	memcpy(buf, file, size);
	memcpy(buf + at, &value, sizeof(value));
	store("one", buf, size);
	cr_assert_eq(rec_open(&r, "one"), -EINVAL, "%s", why);
	check_message(why);
}

Test(record_broken, what_cannot_be_opened)
{
	char buf[FILE_MAX];
	struct rec_reader *r;
	size_t size = small_file("x", 0, buf);
	size_t session = (size_t)((char *)session_in(buf) - buf);
	const struct perf_file_header *h = (const struct perf_file_header *)buf;

	capture_stderr();
	cr_assert_eq(rec_open(&r, "nothing"), -ENOENT);
	check_message("nothing: cannot open: No such file or directory");
	cr_assert_eq(rec_open(&r, "."), -EISDIR);
	check_message(".: cannot read: Is a directory");
	store("foreign", "#!/bin/sh\nexit 0\n", 17);
	cr_assert_eq(rec_open(&r, "foreign"), -EINVAL);
	check_message("foreign: not a perf.data file");
	refused(buf, size, offsetof(struct perf_file_header, size), 7, "of an unknown version");
	refused(buf, size, offsetof(struct perf_file_header, attr_size), 8, "attributes of events");
	refused(buf, size, offsetof(struct perf_file_header, attrs.size), UINT64_MAX,
		"more than there can be");
	refused(buf, size, offsetof(struct perf_file_header, data.offset), 8, "data are nowhere");
	refused(buf, size, offsetof(struct perf_file_header, data.size), INT64_MAX,
		"data are nowhere");
	refused(buf, size, h->attrs.offset + PERF_ATTR_SIZE + 8, UINT64_MAX,
		"more than there can be");
	refused(buf, size, session + offsetof(struct rec_session, version), 7,
		"one: recording of version 7, this program reads version 2");
	refused(buf, size, session, PERF_HEADER_EVENT_TYPE | 32ull << 48,
		"the session has the wrong size");
}

Test(record_broken, unreadable_for_others)
{
	struct rec_totals totals = { 0 };
	struct rec_reader *r;

	if (geteuid())
		cr_skip_test("needs root to become somebody else");
	cr_assert_eq(chmod(".", 0755), 0);
	cr_assert_eq(rec_close(create("x"), &totals), 0);
	capture_stderr();
	cr_assert_eq(seteuid(65534), 0);
	cr_assert_eq(rec_open(&r, "x"), -EACCES);
	cr_assert_eq(seteuid(0), 0);
	check_message("x: cannot open: Permission denied");
}

/* 1, or -EINVAL: what the reader would not take, the writer does not write. */
static int checked(const union record *rec)
{
	struct rec_totals totals = { 0 };
	struct rec_writer *w;
	int err;

	unlink("one");
	w = create("one");
	err = rec_put(w, rec, rec->hdr.size);
	cr_assert_eq(rec_close(w, &totals), 0);
	cr_assert_eq(record_ok(&rec->hdr), !err);
	return err ? err : 1;
}

static int check_fault(size_t size, unsigned int flags)
{
	union record rec = { .fault = simple_fault(0) };

	rec.hdr.size = (uint16_t)size;
	rec.fault.flags = (uint16_t)flags;
	return checked(&rec);
}

Test(record_broken, fault_sizes_and_flags)
{
	capture_stderr();
	cr_assert_eq(check_fault(PTEV_FAULT_BASE, 0), 1);
	cr_assert_eq(check_fault(PTEV_FAULT_BEFORE, 0), 1);
	cr_assert_eq(check_fault(PTEV_FAULT_BEFORE, PTEV_F_BEFORE | PTEV_F_BEFORE_CUT), 1);
	cr_assert_eq(check_fault(PTEV_FAULT_FULL, PTEV_F_EXIT | PTEV_F_AFTER), 1);
	cr_assert_eq(check_fault(PTEV_FAULT_FULL + 8, PTEV_F_STACKS), 1);

	cr_assert_eq(check_fault(PTEV_FAULT_BASE, PTEV_F_BEFORE), -EINVAL);
	cr_assert_eq(check_fault(PTEV_FAULT_BEFORE, PTEV_F_EXIT), -EINVAL);
	cr_assert_eq(check_fault(PTEV_FAULT_BEFORE, PTEV_F_AFTER), -EINVAL);
	cr_assert_eq(check_fault(PTEV_FAULT_BEFORE, PTEV_F_VMA), -EINVAL);
	cr_assert_eq(check_fault(PTEV_FAULT_BASE - 8, 0), -EINVAL);
	cr_assert_eq(check_fault(PTEV_FAULT_BASE + 8, 0), -EINVAL);
	cr_assert_eq(check_fault(PTEV_FAULT_FULL + 8, 0), -EINVAL);
	cr_assert_eq(check_fault(PTEV_FAULT_FULL, PTEV_F_STACKS), -EINVAL);
	cr_assert_eq(check_fault(PTEV_FAULT_BASE, PTEV_F_STACKS), -EINVAL);
	cr_assert_eq(check_fault(PTEV_FAULT_FULL + 16, PTEV_F_STACKS), -EINVAL);
}

Test(record_broken, stack_counts)
{
	union record rec = { .fault = simple_fault(0) };
	const size_t counts = PTEV_FAULT_FULL / 8;

	capture_stderr();
	rec.fault.flags = PTEV_F_STACKS;
	rec.hdr.size = PTEV_FAULT_FULL + 8 * (1 + PTEV_MAX_STACK);
	rec.words[counts] = (uint64_t)PTEV_MAX_STACK << 32;
	cr_assert_eq(checked(&rec), 1);
	rec.hdr.size += 8;
	cr_assert_eq(checked(&rec), -EINVAL);
	rec.words[counts] = (uint64_t)(PTEV_MAX_STACK + 1) << 32;
	cr_assert_eq(checked(&rec), -EINVAL);
	rec.words[counts] = UINT64_MAX;
	cr_assert_eq(checked(&rec), -EINVAL);
}

Test(record_broken, fault_values_in_range)
{
	const union record good = { .fault = simple_fault(0) };
	union record rec = good;

	capture_stderr();
	rec.fault.origin = PTEV_NR_ORIGINS;
	cr_assert_eq(checked(&rec), -EINVAL);
	rec = good;
	rec.fault.access = PTEV_NR_ACCESSES;
	cr_assert_eq(checked(&rec), -EINVAL);
	rec = good;
	rec.fault.outcome = PTEV_NR_OUTCOMES;
	cr_assert_eq(checked(&rec), -EINVAL);
	rec = good;
	rec.fault.levels = 6;
	cr_assert_eq(checked(&rec), -EINVAL);
	rec.fault.levels = 0;
	cr_assert_eq(checked(&rec), 1, "no walks: nobody needs to know");
	rec.fault.flags = PTEV_F_BEFORE;
	cr_assert_eq(checked(&rec), -EINVAL);
}

Test(record_broken, task_and_map_records)
{
	union record rec = { .task = { .hdr = { sizeof(rec.task), PTEV_FORK, 0 }, .comm = "x" } };

	capture_stderr();
	cr_assert_eq(checked(&rec), 1);
	memset(rec.task.comm, 'x', sizeof(rec.task.comm));
	cr_assert_eq(checked(&rec), -EINVAL);
	rec.task.comm[15] = 0;
	cr_assert_eq(checked(&rec), 1);
	rec.hdr.size += 8;
	cr_assert_eq(checked(&rec), -EINVAL);

	memset(&rec, 0, sizeof(rec));
	rec.hdr = (struct ptev_hdr){ sizeof(rec.map), PTEV_MMAP, 0 };
	cr_assert_eq(checked(&rec), -EINVAL, "no room for a name");
	rec.hdr.size += 8;
	memcpy(rec.map.name, "/bin/ls", 8);
	cr_assert_eq(checked(&rec), 1);
	rec.map.name[7] = 'x';
	cr_assert_eq(checked(&rec), -EINVAL);
}

Test(record_broken, samples_without_raw_data)
{
	static uint64_t room[65536 / 8];
	const struct rec_sample s = {};
	size_t i;

	for (i = 0; i < KINDS_NR; i++)
		cr_assert_eq(kind_unpack(&rec_kinds[i], &s, (struct ptev_hdr *)room), -EINVAL, "%s",
			     rec_kinds[i].name);
}
