// SPDX-License-Identifier: GPL-2.0
/* perf's own recordings, made by hand: VM exits and what follows them, in perf's order. */
#include <criterion/criterion.h>

#include <errno.h>

#include "tests/unit/record_files.h"
#include "user/record/blob.h"
#include "user/report/feed.h"

TestSuite(record_foreign, .init = enter, .fini = leave);

/* Ids of the events, and of their samples. */
enum { EXIT = 10, ENTRY, CALL, VIOLATION, LAST_EVENT = VIOLATION };

static const char *const formats[] = {
	"name: kvm_exit\nID: 10\nformat:\n"
	"\tfield:unsigned int exit_reason;\toffset:0;\tsize:8;\n"
	"\tfield:unsigned long guest_rip;\toffset:8;\tsize:8;\n"
	"\tfield:u32 isa;\toffset:16;\tsize:8;\n"
	"\tfield:u64 info1;\toffset:24;\tsize:8;\n",
	"name: kvm_entry\nID: 11\nformat:\n",
	"name: kvm_hypercall\nID: 12\nformat:\n"
	"\tfield:unsigned long nr;\toffset:0;\tsize:8;\n"
	"\tfield:unsigned long a0;\toffset:8;\tsize:8;\n",
	"name: kvm_page_fault\nID: 13\nformat:\n"
	"\tfield:u64 fault_address;\toffset:0;\tsize:8;\n"
	"\tfield:u64 error_code;\toffset:8;\tsize:8;\n",
};

struct sample {
	struct perf_event_header header;
	uint64_t id;
	uint32_t pid, tid;
	uint64_t time, cpu;
	uint32_t raw_size;
	char raw[52];
};

static void put_number(struct blob *out, uint64_t number, size_t size)
{
	blob_put(out, &number, size);
}

static void put_formats(struct blob *data)
{
	static const char front[] = "\027\010\104tracing0.6";
	size_t i;

	blob_put(data, front, sizeof(front));
	put_number(data, 0, 6);
	blob_put(data, "header_page", sizeof("header_page"));
	put_number(data, 0, 8);
	blob_put(data, "header_event", sizeof("header_event"));
	put_number(data, 0, 8);
	put_number(data, 0, 4);
	put_number(data, 1, 4);
	blob_put(data, "kvm", sizeof("kvm"));
	put_number(data, LAST_EVENT - EXIT + 1, 4);
	for (i = 0; i <= LAST_EVENT - EXIT; i++) {
		put_number(data, strlen(formats[i]), 8);
		blob_put(data, formats[i], strlen(formats[i]));
	}
}

static void put_tracing_data(struct blob *out)
{
	struct perf_event_header h = { .type = PERF_HEADER_TRACING_DATA, .size = 16 };
	struct blob data = { 0 };

	put_formats(&data);
	put_number(&data, 0, 8 - data.size % 8);
	blob_put(out, &h, sizeof(h));
	put_number(out, data.size, 8);
	blob_put(out, data.data, data.size);
	blob_free(&data);
}

static void put_attrs(struct blob *out)
{
	struct {
		struct perf_event_header header;
		struct perf_event_attr attr;
		uint64_t id;
	} a = { .header = { .type = PERF_HEADER_ATTR, .size = sizeof(a) } };

	for (a.id = EXIT; a.id <= LAST_EVENT; a.id++) {
		a.attr = (struct perf_event_attr){
			.size = sizeof(a.attr),
			.type = PERF_TYPE_TRACEPOINT,
			.config = a.id,
			.sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
				       PERF_SAMPLE_CPU | PERF_SAMPLE_RAW,
		};
		blob_put(out, &a, sizeof(a));
	}
}

/* A stream up to its data. */
static struct blob begin_stream(void)
{
	struct perf_pipe_header h = { .magic = PERF_MAGIC, .size = sizeof(h) };
	struct blob out = { 0 };

	blob_put(&out, &h, sizeof(h));
	put_attrs(&out);
	put_tracing_data(&out);
	return out;
}

static void put_sample(struct blob *out, uint64_t event, uint32_t tid, uint64_t time,
		       const uint64_t raw[4])
{
	struct sample s = {
		.header = { .type = PERF_RECORD_SAMPLE, .size = sizeof(s) },
		.id = event,
		.pid = 1,
		.tid = tid,
		.time = time,
		.raw_size = sizeof(s.raw),
	};

	if (raw)
		memcpy(s.raw, raw, 4 * sizeof(*raw));
	blob_put(out, &s, sizeof(s));
}

static void put_exit(struct blob *out, uint32_t tid, uint64_t time, uint64_t reason, uint64_t isa,
		     uint64_t info1)
{
	put_sample(out, EXIT, tid, time, (uint64_t[4]){ reason, 0, isa, info1 });
}

static void put_entry(struct blob *out, uint32_t tid, uint64_t time)
{
	put_sample(out, ENTRY, tid, time, NULL);
}

static void put_round(struct blob *out)
{
	struct perf_event_header h = { .type = PERF_FINISHED_ROUND, .size = sizeof(h) };

	blob_put(out, &h, sizeof(h));
}

static struct rec_reader *open_stream(struct blob *out)
{
	cr_assert(!out->failed);
	store("perf", out->data, out->size);
	blob_free(out);
	return open_ok("perf");
}

/* The next record is an exit of @type at @time. */
static const struct ptev_vmexit *check_exit(struct rec_reader *r, uint8_t type, uint64_t time,
					    uint64_t latency)
{
	const struct ptev_hdr *hdr = NULL;
	const struct ptev_vmexit *e;

	cr_assert_eq(rec_next(r, &hdr), 1);
	cr_assert_eq(hdr->type, type, "%u", hdr->type);
	e = (const struct ptev_vmexit *)hdr;
	cr_assert_eq(e->time, time, "%lu", (unsigned long)e->time);
	cr_assert_eq(e->latency, latency, "%lu", (unsigned long)e->latency);
	cr_assert_eq(!(e->flags & PTEV_K_LATENCY), !latency);
	return e;
}

static void check_end(struct rec_reader *r)
{
	const struct ptev_hdr *hdr;
	struct rec_totals totals;

	cr_assert_eq(rec_next(r, &hdr), 0);
	cr_assert_eq(rec_next(r, &hdr), 0);
	cr_assert(rec_totals(r, &totals));
	rec_reader_close(r);
}

/* perf writes what it has of the first CPU, then of the second: a thread went from one to another.
 */
Test(record_foreign, exits_end_on_another_cpu)
{
	struct blob out = begin_stream();
	struct rec_reader *r;

	put_entry(&out, 5, 150);
	put_exit(&out, 5, 200, 30, PTEV_ISA_VMX, 0);
	put_sample(&out, CALL, 6, 120, (uint64_t[4]){ 77, 88 });
	put_exit(&out, 5, 100, 12, PTEV_ISA_VMX, 0);
	put_exit(&out, 6, 110, PTEV_VMX_VMCALL, PTEV_ISA_VMX, 0);
	put_entry(&out, 6, 140);
	put_entry(&out, 5, 250);
	put_round(&out);
	put_exit(&out, 6, 320, 1, PTEV_ISA_VMX, 0);
	put_exit(&out, 5, 310, 1, PTEV_ISA_VMX, 0);
	put_round(&out);
	r = open_stream(&out);
	cr_assert_eq(((const struct ptev_hypercall *)check_exit(r, PTEV_HYPERCALL, 110, 30))->rax,
		     77);
	cr_assert_eq(check_exit(r, PTEV_KVM_EXIT, 100, 50)->reason, 12);
	cr_assert_eq(check_exit(r, PTEV_KVM_EXIT, 200, 50)->reason, 30);
	check_exit(r, PTEV_KVM_EXIT, 310, 0);
	check_exit(r, PTEV_KVM_EXIT, 320, 0);
	check_end(r);
}

/* What Intel's exit qualification and AMD's error code say, and an exit that is no violation. */
Test(record_foreign, violations)
{
	static const struct {
		uint64_t reason, isa, code;
		uint8_t type, access;
	} cases[] = {
		{ PTEV_VMX_EPT_VIOLATION, PTEV_ISA_VMX, 0x184, PTEV_VIOLATION, PTEV_EXEC },
		{ PTEV_VMX_EPT_VIOLATION, PTEV_ISA_VMX, 0x191, PTEV_VIOLATION, PTEV_READ },
		{ PTEV_VMX_EPT_VIOLATION, PTEV_ISA_VMX, 0x182, PTEV_VIOLATION, PTEV_WRITE },
		{ PTEV_SVM_NPF, PTEV_ISA_SVM, 0x100000014, PTEV_VIOLATION, PTEV_EXEC },
		{ PTEV_SVM_NPF, PTEV_ISA_SVM, 0x100000004, PTEV_VIOLATION, PTEV_READ },
		{ 0, PTEV_ISA_VMX, PTEV_EC_W, PTEV_KVM_EXIT, 0 },
		{ 0x4e, PTEV_ISA_SVM, PTEV_EC_W, PTEV_KVM_EXIT, 0 },
	};
	struct blob out = begin_stream();
	const struct ptev_violation *v;
	struct rec_reader *r;
	size_t i, nr = sizeof(cases) / sizeof(cases[0]);

	for (i = 0; i < nr; i++) {
		put_exit(&out, 5, 10 * i + 1, cases[i].reason, cases[i].isa, 0);
		put_sample(&out, VIOLATION, 5, 10 * i + 2, (uint64_t[4]){ 4096, cases[i].code });
		put_entry(&out, 5, 10 * i + 3);
	}
	r = open_stream(&out);
	for (i = 0; i < nr; i++) {
		v = (const struct ptev_violation *)check_exit(r, cases[i].type, 10 * i + 1, 2);
		if (cases[i].type != PTEV_VIOLATION)
			continue;
		cr_assert_eq(v->gpa, 4096);
		cr_assert(v->exit.flags & PTEV_K_ACCESS);
		cr_assert_eq(v->access, cases[i].access, "case %zu", i);
	}
	check_end(r);
}

/* perf.data files with one event. */
struct file {
	struct perf_file_header header;
	struct perf_event_attr attr;
	struct perf_section ids;
	struct sample sample;
};

static struct file make_file(uint64_t data_size)
{
	const size_t attr_size = sizeof(struct perf_event_attr) + sizeof(struct perf_section);

	return (struct file){
		.header = { .magic = PERF_MAGIC,
			    .size = sizeof(struct perf_file_header),
			    .attr_size = attr_size,
			    .attrs = { sizeof(struct perf_file_header), attr_size },
			    .data = { offsetof(struct file, sample), data_size },
			    .features = { 1 << PERF_FEAT_TRACING_DATA | 1 << PERF_FEAT_HOSTNAME } },
		.attr = { .size = sizeof(struct perf_event_attr),
			  .type = PERF_TYPE_TRACEPOINT,
			  .config = EXIT },
		.sample = { .header = { .type = PERF_RECORD_SAMPLE, .size = sizeof(struct sample) },
			    .id = UINT64_MAX,
			    .tid = UINT32_MAX },
	};
}

/* Without features. */
static void store_file(const char *path, uint64_t data_size)
{
	struct file file = make_file(data_size);

	store(path, &file, sizeof(file));
}

/* Of a machine; its data are of no use. */
static void store_of_host(const char *path, const char *host)
{
	struct file file = make_file(sizeof(file.sample));
	struct perf_section table[2];
	struct blob out = { 0 }, data = { 0 };

	file.sample.header.type = PERF_RECORD_SWITCH;
	put_formats(&data);
	table[0] = (struct perf_section){ sizeof(file) + sizeof(table), data.size };
	table[1] = (struct perf_section){ table[0].offset + data.size, 4 + strlen(host) + 1 };
	blob_put(&out, &file, sizeof(file));
	blob_put(&out, table, sizeof(table));
	blob_put(&out, data.data, data.size);
	put_number(&out, strlen(host) + 1, 4);
	blob_put(&out, host, strlen(host) + 1);
	cr_assert(!out.failed);
	store(path, out.data, out.size);
	blob_free(&data);
	blob_free(&out);
}

static struct sink *null_sink(const struct sink_env *env, const void *out)
{
	return sink_folded(env, false, (FILE *)out);
}

Test(record_foreign, several_are_of_one_machine)
{
	struct feed_input in = FEED_INPUT_INIT;
	FILE *out = fopen("/dev/null", "w");

	capture_stderr();
	store_of_host("a", "one");
	store_of_host("b", "one");
	store_of_host("c", "other");
	in.paths[in.nr++] = "a";
	in.paths[in.nr++] = "b";
	cr_assert_eq(feed_files(&in, null_sink, out), 0);
	check_message("b: perf does not say of which boot it is: taken to be of that of a");
	in.paths[1] = "c";
	cr_assert_eq(feed_files(&in, null_sink, out), -EINVAL);
	check_message("c: not of the same machine and kernel as a");
	fclose(out);
}

Test(record_foreign, what_cannot_be_read)
{
	struct rec_reader *r;
	char file[4096];
	int ends[2];
	size_t n;

	capture_stderr();
	store_file("killed", 0);
	cr_assert_eq(rec_open(&r, "killed"), -EINVAL);
	check_message("killed: perf did not end this recording: the formats of its events are");
	store_file("file", sizeof(struct sample));
	cr_assert_eq(rec_open(&r, "file"), -EINVAL);
	check_message("file: a perf.data file without page faults");
	n = load("file", file, sizeof(file));
	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(write(ends[1], file, n), (ssize_t)n);
	close(ends[1]);
	cr_assert_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	cr_assert_eq(rec_open(&r, "-"), -EINVAL);
	check_message("-: this perf.data file cannot be read through a pipe");
}
