// SPDX-License-Identifier: GPL-2.0
/* The record file's reader on files that are cut, foreign or corrupt: nothing in them is trusted.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/record_files.h"

TestSuite(record_broken, .init = enter, .fini = leave);

/* Three chunks of two faults each; returns the size. */
static size_t small_file(const char *path, char *buf, size_t size)
{
	struct rec_totals totals = { .events = 6 };
	struct rec_writer *w = create(path);
	uint64_t i;

	for (i = 0; i < 6; i += 2) {
		put_faults(w, i, 2);
		cr_assert_eq(rec_flush(w), 0);
	}
	cr_assert_eq(rec_bytes(w), sizeof(struct rec_header) + 3 * (16 + 2 * 192));
	cr_assert_eq(rec_close(w, &totals), 0);
	return load(path, buf, size);
}

/* Cut anywhere, a file still gives every whole record, and says that it was cut. */
Test(record_broken, cut_at_every_byte)
{
	const size_t header = sizeof(struct rec_header), chunk = 16 + 2 * 192;
	char buf[4096];
	size_t cut, in_chunk, size = small_file("x", buf, sizeof(buf));
	struct rec_totals totals;
	uint64_t expected;
	bool complete;

	for (cut = header; cut < size; cut++) {
		store("cut", buf, cut);
		in_chunk = (cut - header) % chunk;
		expected = (cut - header) / chunk * 2;
		expected += in_chunk < 16 ? 0 : (in_chunk - 16) / 192;
		cr_assert_eq(count_faults("cut", &totals, &complete), expected, "cut at %zu", cut);
		cr_assert(!complete, "cut at %zu", cut);
		cr_assert_eq(totals.events, expected);
	}
	cr_assert_eq(count_faults("x", &totals, &complete), 6);
	cr_assert(complete);
}

Test(record_broken, cut_within_the_header)
{
	char buf[4096];
	struct rec_reader *r;
	size_t cut;

	small_file("x", buf, sizeof(buf));
	capture_stderr();
	for (cut = 0; cut < sizeof(struct rec_header); cut++) {
		store("cut", buf, cut);
		cr_assert_eq(rec_open(&r, "cut"), -EINVAL);
		check_message(cut ? "cut: cut off within its header" : "cut: empty, not a");
	}
}

Test(record_broken, what_cannot_be_opened)
{
	char buf[4096];
	struct rec_reader *r;
	size_t size = small_file("x", buf, sizeof(buf));

	capture_stderr();
	cr_assert_eq(rec_open(&r, "nothing"), -ENOENT);
	check_message("nothing: cannot open: No such file or directory");
	cr_assert_eq(rec_open(&r, "."), -EISDIR);
	check_message(".: cannot read: Is a directory");
	store("foreign", "#!/bin/sh\nexit 0\n", 17);
	cr_assert_eq(rec_open(&r, "foreign"), -EINVAL);
	check_message("foreign: not a ptrace-pf recording");
	((struct rec_header *)buf)->version = 7;
	store("version", buf, size);
	cr_assert_eq(rec_open(&r, "version"), -EINVAL);
	check_message("version: recording of version 7, this program reads version 1");
	((struct rec_header *)buf)->version = REC_VERSION;
	((struct rec_header *)buf)->size = UINT32_MAX - 7;
	store("size", buf, size);
	cr_assert_eq(rec_open(&r, "size"), -EINVAL);
	check_message("size: corrupt: a header of 4294967288 bytes");
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

/* A later writer's header may be longer. */
Test(record_broken, longer_headers_are_skipped)
{
	char buf[4096], longer[8192] = { 0 };
	size_t size = small_file("x", buf, sizeof(buf)), header = sizeof(struct rec_header);
	struct rec_header *h = (struct rec_header *)longer;
	struct rec_totals totals;
	bool complete;

	memcpy(longer, buf, header);
	memcpy(longer + header + 1000, buf + header, size - header);
	h->size += 1000;
	h->end.bytes += 1000;
	store("longer", longer, size + 1000);
	cr_assert_eq(count_faults("longer", &totals, &complete), 6);
	cr_assert(complete);
}

/* A chunk that could not be taken back is behind the end, and no part of the recording. */
Test(record_broken, what_is_behind_the_end)
{
	char buf[4096];
	size_t size = small_file("x", buf, sizeof(buf));
	struct rec_totals totals;
	bool complete;

	memcpy(buf + size, buf + sizeof(struct rec_header), 100);
	store("behind", buf, size + 100);
	cr_assert_eq(count_faults("behind", &totals, &complete), 6);
	cr_assert(complete);
	cr_assert_eq(totals.events, 6);
}

/* One chunk with @rec in it, with the sizes and counts given. */
static int read_one(const union record *rec, size_t size, uint32_t bytes, uint32_t records)
{
	struct {
		struct rec_header header;
		struct rec_chunk chunk;
		union record rec;
	} file = {
		.header = { .magic = REC_MAGIC, .version = 1, .size = sizeof(file.header) },
		.chunk = { .magic = REC_CHUNK_RECORDS, .bytes = bytes, .records = records },
		.rec = *rec,
	};
	const struct ptev_hdr *hdr;
	struct rec_reader *r;
	int ret, n = 0;

	store("one", &file, offsetof(typeof(file), rec) + size);
	r = open_ok("one");
	while ((ret = rec_next(r, &hdr)) > 0)
		n++;
	cr_assert_eq(rec_next(r, &hdr), ret, "the answer stays");
	rec_reader_close(r);
	return ret ? ret : n;
}

static int read_record(const union record *rec)
{
	return read_one(rec, rec->hdr.size, rec->hdr.size, 1);
}

static int read_fault(size_t size, unsigned int flags)
{
	union record rec = { .fault = simple_fault(0) };

	rec.hdr.size = (uint16_t)size;
	rec.fault.flags = (uint16_t)flags;
	return read_record(&rec);
}

Test(record_broken, fault_sizes_and_flags)
{
	capture_stderr();
	cr_assert_eq(read_fault(PTEV_FAULT_BASE, 0), 1);
	cr_assert_eq(read_fault(PTEV_FAULT_BEFORE, 0), 1);
	cr_assert_eq(read_fault(PTEV_FAULT_BEFORE, PTEV_F_BEFORE | PTEV_F_BEFORE_CUT), 1);
	cr_assert_eq(read_fault(PTEV_FAULT_FULL, PTEV_F_EXIT | PTEV_F_AFTER), 1);
	cr_assert_eq(read_fault(PTEV_FAULT_FULL + 8, PTEV_F_STACKS), 1);

	cr_assert_eq(read_fault(PTEV_FAULT_BASE, PTEV_F_BEFORE), -EINVAL);
	cr_assert_eq(read_fault(PTEV_FAULT_BEFORE, PTEV_F_EXIT), -EINVAL);
	cr_assert_eq(read_fault(PTEV_FAULT_BEFORE, PTEV_F_AFTER), -EINVAL);
	cr_assert_eq(read_fault(PTEV_FAULT_BEFORE, PTEV_F_VMA), -EINVAL);
	cr_assert_eq(read_fault(PTEV_FAULT_BASE - 8, 0), -EINVAL);
	cr_assert_eq(read_fault(PTEV_FAULT_BASE + 8, 0), -EINVAL);
	cr_assert_eq(read_fault(PTEV_FAULT_FULL + 8, 0), -EINVAL);
	cr_assert_eq(read_fault(PTEV_FAULT_FULL, PTEV_F_STACKS), -EINVAL);
	cr_assert_eq(read_fault(PTEV_FAULT_BASE, PTEV_F_STACKS), -EINVAL);
	cr_assert_eq(read_fault(PTEV_FAULT_FULL + 16, PTEV_F_STACKS), -EINVAL);
}

Test(record_broken, stack_counts)
{
	union record rec = { .fault = simple_fault(0) };
	const size_t counts = PTEV_FAULT_FULL / 8;

	capture_stderr();
	rec.fault.flags = PTEV_F_STACKS;
	rec.hdr.size = PTEV_FAULT_FULL + 8 * (1 + PTEV_MAX_STACK);
	rec.words[counts] = (uint64_t)PTEV_MAX_STACK << 32;
	cr_assert_eq(read_record(&rec), 1);
	rec.hdr.size += 8;
	cr_assert_eq(read_record(&rec), -EINVAL);
	rec.words[counts] = (uint64_t)(PTEV_MAX_STACK + 1) << 32;
	cr_assert_eq(read_record(&rec), -EINVAL);
	rec.words[counts] = UINT64_MAX;
	cr_assert_eq(read_record(&rec), -EINVAL);
}

Test(record_broken, fault_values_in_range)
{
	const union record good = { .fault = simple_fault(0) };
	union record rec = good;

	capture_stderr();
	rec.fault.origin = PTEV_NR_ORIGINS;
	cr_assert_eq(read_record(&rec), -EINVAL);
	rec = good;
	rec.fault.access = PTEV_NR_ACCESSES;
	cr_assert_eq(read_record(&rec), -EINVAL);
	rec = good;
	rec.fault.outcome = PTEV_NR_OUTCOMES;
	cr_assert_eq(read_record(&rec), -EINVAL);
	rec = good;
	rec.fault.levels = 6;
	cr_assert_eq(read_record(&rec), -EINVAL);
	rec.fault.levels = 0;
	cr_assert_eq(read_record(&rec), 1, "no walks: nobody needs to know");
	rec.fault.flags = PTEV_F_BEFORE;
	cr_assert_eq(read_record(&rec), -EINVAL);
}

Test(record_broken, task_and_map_records)
{
	union record rec = { .task = { .hdr = { sizeof(rec.task), PTEV_FORK, 0 }, .comm = "x" } };

	capture_stderr();
	cr_assert_eq(read_record(&rec), 1);
	memset(rec.task.comm, 'x', sizeof(rec.task.comm));
	cr_assert_eq(read_record(&rec), -EINVAL);
	rec.task.comm[15] = 0;
	cr_assert_eq(read_record(&rec), 1);
	rec.hdr.size += 8;
	cr_assert_eq(read_record(&rec), -EINVAL);

	memset(&rec, 0, sizeof(rec));
	rec.hdr = (struct ptev_hdr){ sizeof(rec.map), PTEV_MMAP, 0 };
	cr_assert_eq(read_record(&rec), -EINVAL, "no room for a name");
	rec.hdr.size += 8;
	memcpy(rec.map.name, "/bin/ls", 8);
	cr_assert_eq(read_record(&rec), 1);
	rec.map.name[7] = 'x';
	cr_assert_eq(read_record(&rec), -EINVAL);
}

Test(record_broken, unknown_types_are_left_out)
{
	union record rec = { .hdr = { 16, 200, 0 } };

	capture_stderr();
	cr_assert_eq(read_record(&rec), 0);
	check_message("one: 1 records of unknown types left out");
}

Test(record_broken, corrupt_chunks)
{
	const union record rec = { .fault = simple_fault(0) };
	const uint32_t size = sizeof(rec.fault);
	union record tiny = { 0 };

	capture_stderr();
	cr_assert_eq(read_one(&rec, size, size, 1), 1);
	cr_assert_eq(read_one(&rec, size, REC_CHUNK_MAX, 100), 1, "cut, but not corrupt");
	cr_assert_eq(read_one(&rec, size, REC_CHUNK_MAX + 8, 1), -EINVAL);
	check_message("one: corrupt at byte 632: not a chunk of records");
	cr_assert_eq(read_one(&rec, size, size - 8, 1), -EINVAL);
	check_message("one: corrupt at byte 648: a record does not fit its chunk");
	cr_assert_eq(read_one(&rec, size, size, 0), -EINVAL);
	check_message("one: corrupt at byte 648: a record does not fit its chunk");
	cr_assert_eq(read_one(&rec, size, size - 4, 1), -EINVAL);
	check_message("one: corrupt at byte 632: not a chunk of records");
	cr_assert_eq(read_one(&rec, size, size, 2), -EINVAL);
	check_message("one: corrupt at byte 840: a chunk has fewer records than it says");
	cr_assert_eq(read_one(&rec, size + 8, size + 8, 1), -EINVAL);
	check_message("one: corrupt at byte 840: a record does not fit its chunk");
	cr_assert_eq(read_one(&tiny, 64, 64, 1), -EINVAL, "size 0 does not loop");
	check_message("one: corrupt at byte 648: a record does not fit its chunk");
}
