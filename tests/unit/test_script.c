// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/report/sink.h"

#define FILE_BASE  0x7f0000000000ull
#define FRAMES	   3
#define NO_SUCH_ID "00000000-0000-0000-0000-000000000000"

static const struct rec_info info = {
	.levels = 4,
	.maxphyaddr = 46,
	.addr_mask = 0x3ffffffff000ull,
};

/* One event with everything. */
struct full {
	struct ptev_fault fault;
	uint64_t counts;
	uint64_t frames[FRAMES];
};

static struct full full_record(void)
{
	struct full r = {
		.fault = {
			.hdr = { .size = sizeof(r), .type = PTEV_FAULT },
			.error_code = PTEV_EC_W | PTEV_EC_U,
			.time = 12345000006789,
			.address = FILE_BASE + 0x1234,
			.ip = 0x401000,
			.pid = 100,
			.tid = 101,
			.cpu = 2,
			.flags = PTEV_F_BEFORE | PTEV_F_EXIT | PTEV_F_VMA | PTEV_F_AFTER |
				 PTEV_F_STACKS | PTEV_F_MAJOR,
			.origin = PTEV_USER,
			.access = PTEV_WRITE,
			.outcome = PTEV_OUT_COW,
			.levels = 4,
			.before = { { 0, 0x3067, 0x2067, 0x1067 } },
			.x = {
				.latency = 1234,
				.vm_fault = 0x4,
				.vma_start = FILE_BASE,
				.vma_end = FILE_BASE + 0x5000,
				.vma_flags = 0x73,
				.vma_pgoff = 2,
				.ino = 42,
				.dev = 0xfe << 20 | 1,
				.vma_tgid = 100,
				.after = { { 0x80000000deadb867, 0x3067, 0x2067, 0x1067 } },
			},
		},
		.counts = 2ull << 32 | 1,
		.frames = { 0xffffffff81000000, 0x401000, 0x402000 },
	};
	return r;
}

static void feed_comm(struct procs *procs, uint32_t tid, const char *comm)
{
	struct ptev_task r = { .hdr = { .size = sizeof(r), .type = PTEV_COMM }, .pid = 100 };

	r.tid = tid;
	strncpy(r.comm, comm, sizeof(r.comm) - 1);
	cr_assert_eq(procs_feed(procs, &r.hdr), 0);
}

static void feed_mmap(struct procs *procs, uint64_t start, const char *name, uint64_t ino)
{
	union {
		struct ptev_mmap mmap;
		char bytes[sizeof(struct ptev_mmap) + 64];
	} r = { .mmap = { .hdr = { .size = sizeof(r), .type = PTEV_MMAP } } };

	r.mmap.prot = 5;
	r.mmap.pid = r.mmap.tid = 100;
	r.mmap.start = start;
	r.mmap.len = 0x5000;
	r.mmap.ino = ino;
	r.mmap.maj = 0xfe;
	r.mmap.min = 1;
	r.mmap.pgoff = 0x2000;
	strcpy(r.bytes + sizeof(struct ptev_mmap), name);
	cr_assert_eq(procs_feed(procs, &r.mmap.hdr), 0);
}

/* Runs one record through a sink and returns what it printed. */
static char *run(const struct ptev_fault *f, struct script_opts opts, const struct rec_totals *t,
		 bool complete)
{
	struct sink_env env = { .info = &info };
	struct sink *sink;
	size_t len;
	char *text;

	env.procs = procs_new();
	env.symbols = symbols_new(NO_SUCH_ID);
	feed_comm(env.procs, 100, "main");
	feed_comm(env.procs, 101, "work er\n");
	feed_mmap(env.procs, FILE_BASE, "/no/such/file", 42);
	opts.out = open_memstream(&text, &len);
	sink = sink_script(&env, &opts);
	cr_assert_not_null(sink);
	if (f)
		cr_assert_eq(sink->fault(sink, f), 0);
	if (t)
		cr_assert_eq(sink->finish(sink, t, complete), 0);
	sink->free(sink);
	fclose(opts.out);
	symbols_free(env.symbols);
	procs_free(env.procs);
	return text;
}

static void expect(const struct ptev_fault *f, struct script_opts opts, const char *expected)
{
	char *text = run(f, opts, NULL, true);

	cr_assert_str_eq(text, expected);
	free(text);
}

static void expect_part(const struct ptev_fault *f, struct script_opts opts, const char *part)
{
	char *text = run(f, opts, NULL, true);

	cr_assert_not_null(strstr(text, part), "%s", text);
	free(text);
}

Test(script, text_of_a_full_record)
{
	struct full r = full_record();

	expect(&r.fault, (struct script_opts){ 0 },
	       "        work er? 100/101 [002] 12345.000006789: user write error=W|U "
	       "addr=0x7f0000001234 ip=0x401000 [unknown] ([unknown]) outcome=cow lat=1.23us "
	       "major=1 vm_fault=0x4 vma=7f0000000000-7f0000005000 rw-p+0x2000 /no/such/file "
	       "[before: pgd:1067 pud:2067 pmd:3067 pte:0 -> hole at pte] "
	       "[after: pgd:1067 pud:2067 pmd:3067 pte:80000000deadb867 -> 4K pfn 0xdeadb]\n");
}

Test(script, text_of_a_session_without_anything)
{
	struct full r = full_record();

	r.fault.hdr.size = PTEV_FAULT_BASE;
	r.fault.flags = 0;
	r.fault.outcome = PTEV_OUT_UNKNOWN;
	r.fault.address = 0x10;
	r.fault.ip = 0;
	r.fault.origin = PTEV_GUP;
	expect(&r.fault, (struct script_opts){ 0 },
	       "        work er? 100/101 [002] 12345.000006789: gup write error=W|U addr=0x10\n");
}

Test(script, flags_beyond_the_size_are_not_believed)
{
	void *r = malloc(PTEV_FAULT_BASE); /* so that ASan sees a read behind it */
	struct full all = full_record();
	char *text;

	all.fault.hdr.size = PTEV_FAULT_BASE;
	memcpy(r, &all, PTEV_FAULT_BASE);
	text = run(r, (struct script_opts){ .stacks = true }, NULL, true);
	cr_assert_null(strstr(text, "before"));
	cr_assert_null(strstr(text, "lat="));
	free(text);
	text = run(r, (struct script_opts){ .json = true }, NULL, true);
	cr_assert_not_null(strstr(text, "\"walk_before\":null"));
	free(text);
	free(r);
}

Test(script, stack_counts_beyond_the_record_are_not_believed)
{
	struct full r = full_record();

	r.counts = 0xffffffffffffffff;
	expect_part(&r.fault, (struct script_opts){ .json = true }, "\"stack_user\":null");
	r.counts = 4;
	expect_part(&r.fault, (struct script_opts){ .json = true }, "\"stack_user\":null");
}

Test(script, vma_from_the_timeline)
{
	struct full r = full_record();

	r.fault.flags = 0;
	expect_part(&r.fault, (struct script_opts){ 0 },
		    "vma=7f0000000000-7f0000005000 r-x?+0x2000 /no/such/file\n");
	expect_part(&r.fault, (struct script_opts){ .json = true },
		    "\"vma\":{\"source\":\"maps\",\"pid\":100,\"start\":\"0x7f0000000000\","
		    "\"end\":\"0x7f0000005000\",\"flags\":null,\"perms\":\"r-x?\",\"anon\":false,"
		    "\"pgoff\":\"0x2000\",\"dev\":\"fe:01\",\"ino\":42,"
		    "\"name\":\"/no/such/file\"}");
}

Test(script, a_name_of_another_file_is_not_taken)
{
	struct full r = full_record();

	r.fault.x.ino = 43;
	expect_part(&r.fault, (struct script_opts){ 0 }, " rw-p+0x2000 fe:01:43 ");
	r.fault.x.ino = 0;
	r.fault.flags |= PTEV_F_VMA_ANON;
	expect_part(&r.fault, (struct script_opts){ 0 }, " rw-p [anon] ");
}

Test(script, remote_mm_is_named)
{
	struct full r = full_record();

	r.fault.x.vma_tgid = 200;
	expect_part(&r.fault, (struct script_opts){ 0 }, " fe:01:42 mm=200 ");
}

Test(script, no_walk)
{
	struct full r = full_record();
	struct script_opts opts = { .no_walk = true };
	char *text = run(&r.fault, opts, NULL, true);

	cr_assert_null(strstr(text, "pgd"));
	free(text);
	opts.json = true;
	text = run(&r.fault, opts, NULL, true);
	cr_assert_null(strstr(text, "walk_"));
	free(text);
}

Test(script, user_root_of_pti)
{
	struct full r = full_record();

	r.fault.flags |= PTEV_F_USER_PGD;
	expect_part(&r.fault, (struct script_opts){ 0 }, " root=user [before: ");
	expect_part(&r.fault, (struct script_opts){ .json = true }, "\"user_pgd\":true");
}

Test(script, stacks_as_text)
{
	struct full r = full_record();

	r.fault.flags &= (uint16_t) ~(PTEV_F_BEFORE | PTEV_F_AFTER);
	expect_part(&r.fault, (struct script_opts){ .stacks = true },
		    "/no/such/file\n"
		    "\tffffffff81000000 [unknown] ([kernel])\n"
		    "\t401000 [unknown] ([unknown])\n"
		    "\t402000 [unknown] ([unknown])\n\n");
}

Test(script, json_of_a_full_record)
{
	struct full r = full_record();
	char *text = run(&r.fault, (struct script_opts){ .json = true }, NULL, true);
	char *stacks = strstr(text, ",\"stack_kernel\":[{\"ip\":\"0xffffffff81000000\",");

	cr_assert_not_null(stacks);
	cr_assert_not_null(strstr(stacks, "],\"stack_user\":[{\"ip\":\"0x401000\","));
	*stacks = 0;
	cr_assert_str_eq(
		text,
		"{\"type\":\"fault\",\"time\":12345000006789,\"cpu\":2,\"pid\":100,\"tid\":101,"
		"\"comm\":\"work er\\n\",\"origin\":\"user\",\"access\":\"write\","
		"\"error_code\":6,\"error_bits\":\"W|U\",\"address\":\"0x7f0000001234\","
		"\"ip\":\"0x401000\",\"symbol\":\"[unknown]\",\"symbol_offset\":0,"
		"\"dso\":\"[unknown]\",\"outcome\":\"cow\",\"latency_ns\":1234,\"major\":true,"
		"\"retried\":false,\"vm_fault\":\"0x4\",\"fault_flags\":\"0x0\","
		"\"vma\":{\"source\":\"record\",\"pid\":100,\"start\":\"0x7f0000000000\","
		"\"end\":\"0x7f0000005000\",\"flags\":\"0x73\",\"perms\":\"rw-p\","
		"\"anon\":false,\"pgoff\":\"0x2000\",\"dev\":\"fe:01\",\"ino\":42,"
		"\"name\":\"/no/such/file\"},\"user_pgd\":false,"
		"\"walk_before\":{\"levels\":[{\"level\":4,\"name\":\"pgd\",\"entry\":\"0x1067\"},"
		"{\"level\":3,\"name\":\"pud\",\"entry\":\"0x2067\"},"
		"{\"level\":2,\"name\":\"pmd\",\"entry\":\"0x3067\"},"
		"{\"level\":1,\"name\":\"pte\",\"entry\":\"0x0\"}],"
		"\"stop\":\"hole\",\"stop_level\":1,\"hole\":\"empty\"},"
		"\"walk_after\":{\"levels\":[{\"level\":4,\"name\":\"pgd\",\"entry\":\"0x1067\"},"
		"{\"level\":3,\"name\":\"pud\",\"entry\":\"0x2067\"},"
		"{\"level\":2,\"name\":\"pmd\",\"entry\":\"0x3067\"},"
		"{\"level\":1,\"name\":\"pte\",\"entry\":\"0x80000000deadb867\"}],"
		"\"stop\":\"leaf\",\"stop_level\":1,\"pfn\":912091,\"page_size\":4096}");
	free(text);
}

Test(script, json_of_a_session_without_anything)
{
	struct full r = full_record();
	char *text, *end;

	r.fault.hdr.size = PTEV_FAULT_BASE;
	r.fault.flags = 0;
	r.fault.outcome = PTEV_OUT_UNKNOWN;
	r.fault.address = 0x10;
	r.fault.ip = 0;
	text = run(&r.fault, (struct script_opts){ .json = true }, NULL, true);
	end = strstr(text, "\"address\"");
	cr_assert_not_null(end);
	cr_assert_str_eq(end, "\"address\":\"0x10\",\"ip\":null,\"symbol\":null,"
			      "\"symbol_offset\":null,\"dso\":null,\"outcome\":\"unknown\","
			      "\"latency_ns\":null,\"major\":null,\"retried\":null,"
			      "\"vm_fault\":null,\"fault_flags\":null,\"vma\":null,"
			      "\"user_pgd\":false,\"walk_before\":null,\"walk_after\":null,"
			      "\"stack_kernel\":null,\"stack_user\":null}\n");
	free(text);
}

Test(script, json_totals)
{
	const struct rec_totals t = { .events = 7, .lost = { 1, 2, 3, 4 }, .filtered = 5 };
	char *text = run(NULL, (struct script_opts){ .json = true }, &t, true);

	cr_assert_str_eq(
		text,
		"{\"type\":\"totals\",\"events\":7,\"lost\":{\"total\":10,"
		"\"ring_full\":1,\"no_state\":2,\"in_flight\":3,"
		"\"write_error\":4},\"filtered\":5,\"missed_exit\":0,"
		"\"missed_runs\":0,\"lost_children\":0,\"lost_sideband\":0,\"complete\":true}\n");
	free(text);
	text = run(NULL, (struct script_opts){ .json = true }, &t, false);
	cr_assert_not_null(strstr(text, "\"events\":7,\"lost\":{\"total\":null,"));
	cr_assert_not_null(strstr(text, "\"complete\":false}\n"));
	free(text);
}

Test(script, text_says_nothing_when_all_is_well, .init = cr_redirect_stderr)
{
	const struct rec_totals t = { .events = 7 };
	char *text = run(NULL, (struct script_opts){ 0 }, &t, true);

	cr_assert_str_empty(text);
	fflush(stderr);
	cr_assert_stderr_eq_str("");
	free(text);
}

Test(script, text_says_what_was_lost)
{
	const struct rec_totals t = { .events = 7, .lost = { 1, 0, 2 } };
	char said[4096];
	FILE *err = tmpfile();
	size_t n;

	cr_assert_not_null(err);
	dup2(fileno(err), STDERR_FILENO);
	free(run(NULL, (struct script_opts){ 0 }, &t, false));
	rewind(err);
	n = fread(said, 1, sizeof(said) - 1, err);
	said[n] = 0;
	cr_assert_not_null(strstr(said, "lost 3 of 10 events: ring_full 1, in_flight 2\n"), "%s",
			   said);
	cr_assert_not_null(strstr(said, "the recording does not end properly"), "%s", said);
	fclose(err);
}

Test(script, reader_gone)
{
	struct sink_env env = { .info = &info };
	struct script_opts opts = { 0 };
	struct full r = full_record();
	struct sink *sink;
	int fds[2], err, i, json;

	signal(SIGPIPE, SIG_IGN);
	env.procs = procs_new();
	env.symbols = symbols_new(NO_SUCH_ID);
	for (json = 0; json < 2; json++) {
		cr_assert_eq(pipe(fds), 0);
		close(fds[0]);
		opts.json = json;
		opts.out = fdopen(fds[1], "w");
		sink = sink_script(&env, &opts);
		for (i = 0, err = 0; !err && i < 1000; i++)
			err = sink->fault(sink, &r.fault);
		cr_assert_eq(err, -EPIPE);
		sink->free(sink);
		fclose(opts.out);
	}
	symbols_free(env.symbols);
	procs_free(env.procs);
}

Test(script, long_names_and_the_terminal)
{
	struct full r = full_record();
	struct sink_env env = { .info = &info };
	struct script_opts opts = { 0 };
	struct sink *sink;
	char *text;
	size_t len;

	env.procs = procs_new();
	env.symbols = symbols_new(NO_SUCH_ID);
	feed_comm(env.procs, 101, "\x1b[31m\xc2\x9bx");
	feed_mmap(env.procs, FILE_BASE, "/a\nb\x7f", 42);
	opts.out = open_memstream(&text, &len);
	sink = sink_script(&env, &opts);
	cr_assert_eq(sink->fault(sink, &r.fault), 0);
	sink->free(sink);
	fclose(opts.out);
	cr_assert_not_null(strstr(text, "?[31m?"), "%s", text);
	cr_assert_not_null(strstr(text, " /a?b? ["), "%s", text);
	cr_assert_eq(strchr(text, '\n'), text + len - 1);
	free(text);
	symbols_free(env.symbols);
	procs_free(env.procs);
}
