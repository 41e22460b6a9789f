// SPDX-License-Identifier: GPL-2.0
/* perf's records one by one, made by hand: what the reader takes, steps over and refuses. */
#include <criterion/criterion.h>

#include <errno.h>
#include <unistd.h>

#include "tests/unit/record_files.h"
#include "user/record/header.h"
#include "user/record/input.h"
#include "user/record/kinds.h"
#include "user/record/zip.h"

TestSuite(record_stream, .init = enter, .fini = leave);

static const struct rec_info info = { .levels = 4, .kvm = 7 };

/* A stream of this tool with @data behind its session. What rec_next() says in the end, or events.
 */
static int read_stream(const void *data, size_t size)
{
	struct blob out = { 0 };
	struct rec_session session;
	const struct ptev_hdr *hdr;
	struct rec_reader *r;
	int ret, n = 0;

	header_stream(&out, &info);
	header_session(&session, &info);
	blob_put(&out, &session, sizeof(session));
	blob_put(&out, data, size);
	cr_assert(!out.failed);
	store("one", out.data, out.size);
	blob_free(&out);
	r = open_ok("one");
	while ((ret = rec_next(r, &hdr)) > 0)
		n++;
	cr_assert_eq(rec_next(r, &hdr), ret, "the answer stays");
	rec_reader_close(r);
	return ret ? ret : n;
}

/* A sample of a fault with its raw data. */
struct fault_sample {
	struct perf_event_header header;
	uint64_t id, ip;
	uint32_t pid, tid;
	uint64_t time, addr, cpu;
	uint32_t raw_size;
	uint8_t raw[172];
};

static struct fault_sample make_sample(void)
{
	struct fault_sample s = { .header = { .type = PERF_RECORD_SAMPLE, .size = sizeof(s) },
				  .id = HEADER_KIND_ID(0),
				  .raw_size = sizeof(s.raw) };
	struct ptev_fault f = simple_fault(0);

	cr_assert_eq(kind_raw_size(&rec_kinds[0], sizeof(f)), sizeof(s.raw));
	kind_pack(&rec_kinds[0], &f.hdr, 0, s.raw);
	return s;
}

static int read_sample(const struct fault_sample *s)
{
	return read_stream(s, s->header.size);
}

Test(record_stream, samples)
{
	struct fault_sample s = make_sample();

	capture_stderr();
	cr_assert_eq(read_sample(&s), 1);
	s.raw[kind_raw_offset(&rec_kinds[0], offsetof(struct ptev_fault, origin))] = 9;
	cr_assert_eq(read_sample(&s), -EINVAL);
	check_message("a record contradicts itself");
	s = make_sample();
	s.raw_size = UINT32_MAX - 3;
	cr_assert_eq(read_sample(&s), -EINVAL);
	check_message("a sample is shorter than its parts");
	s.raw_size = sizeof(s.raw) - 8;
	cr_assert_eq(read_sample(&s), -EINVAL);
	check_message("raw data have the wrong size");
	s.raw_size = 0;
	cr_assert_eq(read_sample(&s), -EINVAL);
	check_message("raw data have the wrong size");
	s = make_sample();
	s.header.size = 48;
	cr_assert_eq(read_sample(&s), -EINVAL);
	check_message("a sample is shorter than its parts");
	s.header.size = 52;
	cr_assert_eq(read_sample(&s), -EINVAL);
	check_message("a record of an odd size");
	s = make_sample();
	s.id = 77;
	cr_assert_eq(read_sample(&s), 0);
	check_message("1 samples of other events left out");
}

Test(record_stream, other_records)
{
	struct {
		struct perf_event_header header;
		uint64_t rest[8];
	} r = { .header = { .type = 200, .size = sizeof(r) } };

	capture_stderr();
	cr_assert_eq(read_stream(&r, sizeof(r)), 0);
	check_message("1 records of unknown types left out");
	r.header.type = PERF_RECORD_SWITCH;
	cr_assert_eq(read_stream(&r, sizeof(r)), 0, "known, of no use");
	cr_assert_eq(read_stream(&r, sizeof(r) - 8), 0, "cut");
	cr_assert_eq(read_stream(&r, 4), 0, "cut in its header");
	r.header.size = 0;
	cr_assert_eq(read_stream(&r, sizeof(r)), -EINVAL, "does not loop");
	check_message("shorter than its header");
	r.header = (struct perf_event_header){ .type = PERF_RECORD_COMM, .size = 48 };
	cr_assert_eq(read_stream(&r, sizeof(r)), -EINVAL);
	check_message("shorter than its parts");
	r.header = (struct perf_event_header){ .type = PERF_RECORD_MMAP2, .size = 32 };
	cr_assert_eq(read_stream(&r, sizeof(r)), -EINVAL);
	check_message("shorter than its tail");
	r.header = (struct perf_event_header){ .type = PERF_AUXTRACE, .size = 16 };
	r.rest[0] = UINT64_MAX;
	cr_assert_eq(read_stream(&r, sizeof(r)), -EINVAL);
	check_message("more than there can be");
	r.rest[0] = 1000;
	cr_assert_eq(read_stream(&r, sizeof(r)), 0, "what it tells of is not there");
}

/* Packs @size bytes as a chunk of records; reads them. */
static int read_packed(const void *data, size_t size, size_t cut)
{
	struct zip_writer *z = zip_writer_new(1);
	const void *records;
	size_t packed = zip_pack(z, data, size, &records);
	int ret;

	cr_assert_gt(packed, cut);
	cr_assert_eq(packed % 8, 0);
	ret = read_stream(records, packed - cut);
	zip_writer_free(z);
	return ret;
}

/* The same as perf writes it since 6.16, with @more bytes in the size of what is packed. */
static int read_packed2(const void *data, size_t size, uint64_t more)
{
	struct zip_writer *z = zip_writer_new(1);
	struct blob out = { 0 };
	struct perf_event_header h;
	const void *records;
	size_t at, packed = zip_pack(z, data, size, &records);
	uint64_t body;
	int ret;

	for (at = 0; at < packed; at += body + sizeof(h)) {
		memcpy(&h, (const char *)records + at, sizeof(h));
		body = h.size - sizeof(h);
		h.type = PERF_COMPRESSED2;
		h.size += 16;
		blob_put(&out, &h, sizeof(h));
		body += more;
		blob_put(&out, &body, sizeof(body));
		body -= more;
		blob_put(&out, (const char *)records + at + sizeof(h), body);
		blob_put(&out, "padding", 8);
	}
	ret = read_stream(out.data, out.size);
	blob_free(&out);
	zip_writer_free(z);
	return ret;
}

Test(record_stream, compressed_with_a_size)
{
	struct perf_event_header empty = { .type = PERF_COMPRESSED2, .size = sizeof(empty) };
	struct fault_sample s[700];
	size_t i;

	capture_stderr();
	for (i = 0; i < 700; i++)
		s[i] = make_sample();
	cr_assert_eq(read_packed2(s, sizeof(s), 0), 700);
	cr_assert_eq(read_packed2(s, sizeof(s), 8), -EINVAL, "the padding is not zstd's");
	check_message("cannot be unpacked");
	cr_assert_eq(read_packed2(s, sizeof(s), 16), -EINVAL);
	check_message("a record is shorter than its parts");
	cr_assert_eq(read_packed2(s, sizeof(s), 1ull << 63), -EINVAL);
	check_message("a record is shorter than its parts");
	cr_assert_eq(read_stream(&empty, sizeof(empty)), -EINVAL);
	check_message("a record is shorter than its parts");
}

Test(record_stream, compressed)
{
	struct {
		struct perf_event_header header;
		uint64_t rest[4];
	} junk = { { PERF_COMPRESSED, 0, sizeof(junk) }, { 1, 2, 3, 4 } };
	struct fault_sample s[700];
	size_t i;

	capture_stderr();
	for (i = 0; i < 700; i++)
		s[i] = make_sample();
	cr_assert_eq(read_packed(s, sizeof(s), 0), 700, "in several pieces");
	cr_assert_lt(read_packed(s, sizeof(s), 8), 700);
	cr_assert_eq(read_packed(s, sizeof(s[0]) + 8, 0), 1, "the rest is a part of a record");
	cr_assert_eq(read_stream(&junk, sizeof(junk)), -EINVAL);
	check_message("cannot be unpacked");
	cr_assert_eq(read_packed(&junk, sizeof(junk), 0), -EINVAL);
	check_message("compressed twice");
	junk.header = (struct perf_event_header){ .type = 3, .size = 0 };
	cr_assert_eq(read_packed(&junk, sizeof(junk), 0), -EINVAL);
	check_message("cannot be unpacked");
}

/* What AUXTRACE tells of may lead behind the data, into the window or beyond it. */
Test(record_stream, nothing_is_read_behind_the_end)
{
	char bytes[4096] = "";
	struct input in;

	store("in", bytes, sizeof(bytes));
	cr_assert_eq(input_open(&in, "in"), 0);
	in.end = 100;
	cr_assert_eq(input_fill(&in, 8), INPUT_OK);
	cr_assert_eq(input_skip_to(&in, 101), INPUT_END);
	cr_assert_eq(input_skip_to(&in, 5000), INPUT_END);
	cr_assert_leq(in.offset, in.end);
	cr_assert_eq(input_skip_to(&in, 100), INPUT_OK);
	cr_assert_eq(input_fill(&in, 1), INPUT_END);
	input_close(&in);
}
