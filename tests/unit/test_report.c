// SPDX-License-Identifier: GPL-2.0
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/pt/pt_fmt.h"
#include "user/report/sink.h"
#include "user/trace/names.h"

#define HEAP	   0x550000000000ull
#define STACK_END  0x7ffffffff000ull
#define NO_SUCH_ID "00000000-0000-0000-0000-000000000000"

static const struct rec_info info = {
	.start_mono = 1000000,
	.levels = 4,
	.maxphyaddr = 46,
	.addr_mask = 0x3ffffffff000ull,
	.hook = HOOK_FENTRY,
	.walks = 1,
	.release = "6.1.0-test",
	.hostname = "lab",
	.command = "ptrace-pf record -- ./app",
};

static const struct rec_totals clean = { .events = 6, .end_mono = 3500000 };

/* Feeds records and keeps what the report printed. */
struct fixture {
	struct sink_env env;
	struct report_opts opts;
	struct sink *sink;
	char *text;
	size_t len;
};

static void feed_comm(struct fixture *x, uint32_t pid, uint32_t tid, const char *comm)
{
	struct ptev_task r = { .hdr = { .size = sizeof(r), .type = PTEV_COMM } };

	r.pid = pid;
	r.tid = tid;
	strncpy(r.comm, comm, sizeof(r.comm) - 1);
	cr_assert_eq(procs_feed(x->env.procs, &r.hdr), 0);
}

static void start(struct fixture *x, struct report_opts opts)
{
	*x = (struct fixture){ .env.info = &info, .opts = opts };
	x->env.procs = procs_new();
	x->env.symbols = symbols_new(NO_SUCH_ID);
	feed_comm(x, 10, 10, "app");
	feed_comm(x, 10, 11, "worker");
	feed_comm(x, 20, 20, "app");
	x->opts.out = open_memstream(&x->text, &x->len);
	x->sink = sink_report(&x->env, &x->opts);
	cr_assert_not_null(x->sink);
}

static const char *end(struct fixture *x, const struct rec_totals *totals, bool complete)
{
	cr_assert_eq(x->sink->finish(x->sink, totals, complete), 0);
	return x->text;
}

static void stop(struct fixture *x)
{
	x->sink->free(x->sink);
	fclose(x->opts.out);
	free(x->text);
	symbols_free(x->env.symbols);
	procs_free(x->env.procs);
}

static struct ptev_fault record(uint32_t pid, uint32_t tid, uint8_t outcome, uint64_t latency)
{
	return (struct ptev_fault){
		.hdr = { .size = PTEV_FAULT_FULL, .type = PTEV_FAULT },
		.time = 2000000,
		.address = 0x1234567,
		.ip = 0x401000,
		.pid = pid,
		.tid = tid,
		.flags = PTEV_F_BEFORE | PTEV_F_EXIT,
		.access = PTEV_WRITE,
		.outcome = outcome,
		.levels = 4,
		.before = { { 0, 0, 0x2067, 0x1067 } },
		.x.latency = latency,
	};
}

static void feed(struct fixture *x, uint32_t pid, uint32_t tid, uint8_t outcome, uint64_t latency)
{
	struct ptev_fault f = record(pid, tid, outcome, latency);

	cr_assert_eq(x->sink->fault(x->sink, &f), 0);
}

static void feed_six(struct fixture *x)
{
	feed(x, 10, 11, PTEV_OUT_ZERO, 100);
	feed(x, 10, 10, PTEV_OUT_ANON, 1000);
	feed(x, 20, 20, PTEV_OUT_ANON, 2000);
	feed(x, 20, 20, PTEV_OUT_ANON, 3000);
	feed(x, 20, 20, PTEV_OUT_COW, 500);
	feed(x, 20, 20, PTEV_OUT_COW, 700);
}

static const char *table_of(const char *text)
{
	const char *table = strstr(text, "\n\n");

	cr_assert_not_null(table, "%s", text);
	return table + 2;
}

static void expect_table(struct report_opts opts, const char *expected)
{
	struct fixture x;

	start(&x, opts);
	feed_six(&x);
	cr_assert_str_eq(table_of(end(&x, &clean, true)), expected);
	stop(&x);
}

/* The report of one changed record, by @sort, in the last column. */
static void expect_key(const char *sort, const struct ptev_fault *f, const char *expected)
{
	struct fixture x;
	const char *table;

	start(&x, (struct report_opts){ .sort = sort });
	cr_assert_eq(x.sink->fault(x.sink, f), 0);
	table = table_of(end(&x, &clean, true));
	table = strchr(table, '\n') + 1;
	cr_assert_gt(strlen(table), strlen(expected) + 2);
	table += strlen(table) - 1 - strlen(expected);
	cr_assert(table[-1] == ' ' && !strncmp(table, expected, strlen(expected)), "%s", x.text);
	stop(&x);
}

Test(report, rows_by_count_then_key)
{
	expect_table((struct report_opts){ .sort = "comm,pid,outcome" },
		     " share  count     p50     p99     max  comm    pid  outcome\n"
		     "33.33%      2  2.02us  3.00us  3.00us  app      20  anon\n"
		     "33.33%      2   504ns   700ns   700ns  app      20  cow\n"
		     "16.67%      1  1.00us  1.00us  1.00us  app      10  anon\n"
		     "16.67%      1   100ns   100ns   100ns  worker   10  zero\n");
}

Test(report, numbers_are_compared_as_numbers)
{
	struct fixture x;

	start(&x, (struct report_opts){ .sort = "pid" });
	feed(&x, 100, 100, PTEV_OUT_ANON, 1);
	feed(&x, 9, 9, PTEV_OUT_ANON, 1);
	cr_assert_str_eq(table_of(end(&x, &clean, true)), " share  count  p50  p99  max  pid\n"
							  "50.00%      1  1ns  1ns  1ns    9\n"
							  "50.00%      1  1ns  1ns  1ns  100\n");
	stop(&x);
}

Test(report, limit)
{
	expect_table((struct report_opts){ .sort = "outcome", .limit = 1 },
		     " share  count     p50     p99     max  outcome\n"
		     "50.00%      3  2.02us  3.00us  3.00us  anon\n"
		     "# 2 more rows\n");
}

Test(report, no_latency_without_exit_hook)
{
	struct ptev_fault f = record(10, 10, PTEV_OUT_UNKNOWN, 0);
	struct fixture x;

	start(&x, (struct report_opts){ .sort = "comm" });
	f.hdr.size = PTEV_FAULT_BEFORE;
	f.flags = PTEV_F_BEFORE;
	cr_assert_eq(x.sink->fault(x.sink, &f), 0);
	cr_assert_str_eq(table_of(end(&x, &clean, true)), "  share  count  comm\n"
							  "100.00%      1  app\n");
	stop(&x);
}

Test(report, header)
{
	struct fixture x;

	start(&x, (struct report_opts){ .sort = "comm,outcome" });
	cr_assert_str_eq(end(&x, &clean, true), "# command: ptrace-pf record -- ./app\n"
						"# kernel: 6.1.0-test on lab\n"
						"# hook: fentry\n"
						"# walks: recorded\n"
						"# duration: 2.50ms\n"
						"# events: 6\n"
						"# lost: 0\n"
						"# recording: complete\n"
						"\n"
						"share  count  comm  outcome\n");
	stop(&x);
	/* The recording is of another boot: that is told when somebody asks for symbols. */
	start(&x, (struct report_opts){ .sort = "dso" });
	cr_assert_not_null(strstr(end(&x, &clean, true), "\n# note: kernel symbols: "));
	stop(&x);
}

Test(report, losses_and_a_cut_come_first)
{
	const struct rec_totals t = { .events = 6, .lost = { 3, 0, 1 }, .missed_runs = 2 };
	const char *lost = "# INCOMPLETE: lost 4 of 10 events: ring_full 3, in_flight 1\n";
	struct fixture x;

	start(&x, (struct report_opts){ 0 });
	cr_assert_eq(strstr(end(&x, &t, true), lost), x.text, "%s", x.text);
	cr_assert_not_null(strstr(x.text, "# lost: 4\n# program runs missed: 2\n"));
	stop(&x);
	start(&x, (struct report_opts){ 0 });
	feed_six(&x);
	cr_assert_eq(
		strstr(end(&x, &clean, false), "# INCOMPLETE: the recording does not end properly"),
		x.text);
	cr_assert_not_null(strstr(x.text, "# lost: not known\n# recording: cut\n"));
	cr_assert_not_null(strstr(x.text, "# duration: 1.00ms\n")); /* to the last event */
	stop(&x);
}

Test(report, csv)
{
	struct fixture x;
	struct ptev_fault f = record(10, 10, PTEV_OUT_ANON, 20);
	const char *text;

	start(&x, (struct report_opts){ .csv = true, .sort = "comm,outcome" });
	cr_assert_eq(x.sink->fault(x.sink, &f), 0);
	f.tid = 11;
	f.hdr.size = PTEV_FAULT_BASE;
	cr_assert_eq(x.sink->fault(x.sink, &f), 0);
	text = end(&x, &clean, true);
	cr_assert_str_eq(text, "comm,outcome,count,share,p50_ns,p90_ns,p99_ns,max_ns,total_ns\n"
			       "app,anon,1,0.5,20,20,20,20,20\n"
			       "worker,anon,1,0.5,,,,,\n");
	stop(&x);
}

Test(report, json)
{
	struct fixture x;

	start(&x, (struct report_opts){ .sort = "pid,outcome", .json = true, .limit = 1 });
	feed_six(&x);
	cr_assert_str_eq(
		end(&x, &clean, true),
		"{\"events\":6,\"lost\":{\"total\":0,\"ring_full\":0,\"no_state\":0,"
		"\"in_flight\":0,\"write_error\":0},\"filtered\":0,\"missed_exit\":0,"
		"\"missed_runs\":0,\"lost_children\":0,\"lost_sideband\":0,\"complete\":true,"
		"\"command\":\"ptrace-pf record -- ./app\",\"kernel\":\"6.1.0-test\","
		"\"hostname\":\"lab\",\"hook\":\"fentry\",\"walks\":true,\"duration_ns\":2500000,"
		"\"sort\":[\"pid\",\"outcome\"],\"groups_total\":4,\"groups\":[{\"pid\":20,"
		"\"outcome\":\"anon\",\"count\":2,\"share\":0.333333333333333,"
		"\"latency_ns\":{\"p50\":2016,\"p90\":3000,\"p99\":3000,\"max\":3000,"
		"\"total\":5000}}]}\n");
	stop(&x);
}

Test(report, json_without_events_and_cut)
{
	struct fixture x;

	start(&x, (struct report_opts){ .json = true });
	end(&x, &(struct rec_totals){ 0 }, false);
	cr_assert_not_null(strstr(x.text, "{\"events\":0,\"lost\":{\"total\":null,"));
	cr_assert_not_null(strstr(x.text, "\"complete\":false,"));
	cr_assert_not_null(strstr(x.text, "\"groups\":[]}\n"));
	stop(&x);
}

Test(report, keys)
{
	struct ptev_fault f = record(10, 11, PTEV_OUT_FILE, 1);

	f.cpu = 7;
	f.origin = PTEV_KERNEL;
	f.access = PTEV_EXEC;
	expect_key("comm", &f, "worker");
	expect_key("pid", &f, "10");
	expect_key("tid", &f, "11");
	expect_key("cpu", &f, "7");
	expect_key("origin", &f, "kernel");
	expect_key("access", &f, "exec");
	expect_key("outcome", &f, "file");
	expect_key("page", &f, "0x1234000");
	expect_key("symbol", &f, "[unknown]");
	expect_key("dso", &f, "[unknown]");
	expect_key("vma", &f, "[none]");
	expect_key("file", &f, "[none]");
	f.ip = 0;
	expect_key("symbol", &f, "[none]");
	expect_key("dso", &f, "[none]");
}

Test(report, levels)
{
	struct ptev_fault f = record(10, 10, PTEV_OUT_FILE, 1);

	expect_key("level", &f, "pmd");
	f.before.entry[2] = 0;
	expect_key("level", &f, "pud");
	f.flags |= PTEV_F_BEFORE_CUT;
	expect_key("level", &f, "cut");
	f.before.entry[2] = 0x80000000000000e7 & ~PT_BIT(63);
	expect_key("level", &f, "present");
	f.before.entry[2] |= 1ull << 50;
	expect_key("level", &f, "bad");
	f.flags = 0;
	expect_key("level", &f, "[none]");
}

/* A heap that grows up and a stack that grows down are one row each, with the widest range. */
Test(report, growing_vmas_are_one_row)
{
	struct ptev_fault f = record(10, 10, PTEV_OUT_ANON, 1);
	struct fixture x;
	int i;

	start(&x, (struct report_opts){ .sort = "vma" });
	f.flags |= PTEV_F_VMA | PTEV_F_VMA_ANON;
	for (i = 1; i <= 3; i++) {
		f.x.vma_flags = 0x100073;
		f.x.vma_start = HEAP;
		f.x.vma_end = HEAP + i * 0x1000ull;
		cr_assert_eq(x.sink->fault(x.sink, &f), 0);
	}
	for (i = 1; i <= 2; i++) {
		f.x.vma_flags = 0x100173; /* VM_GROWSDOWN */
		f.x.vma_start = STACK_END - i * 0x1000ull;
		f.x.vma_end = STACK_END;
		cr_assert_eq(x.sink->fault(x.sink, &f), 0);
	}
	cr_assert_str_eq(table_of(end(&x, &clean, true)),
			 " share  count  p50  p99  max  vma\n"
			 "60.00%      3  1ns  1ns  1ns  550000000000-550000003000 rw-p [anon]\n"
			 "40.00%      2  1ns  1ns  1ns  7fffffffd000-7ffffffff000 rw-p [anon]\n");
	stop(&x);
}

Test(report, files_without_a_name_have_their_inode)
{
	struct ptev_fault f = record(10, 10, PTEV_OUT_FILE, 1);

	f.flags |= PTEV_F_VMA;
	f.x.vma_flags = 0x71;
	f.x.vma_end = 0x2000000;
	f.x.ino = 77;
	f.x.dev = 8 << 20 | 1;
	expect_key("file", &f, "08:01:77");
	expect_key("vma", &f, "0-2000000 r--p 08:01:77");
}

Test(report, wrong_sort_keys)
{
	static const char *const wrong[] = { "bogus",	     "comm,bogus", "",	    "comm,",
					     "pid,comm,pid", "com",	   "commm", "pid,,tid" };
	struct sink_env env = { .info = &info };
	struct report_opts opts = { 0 };
	char said[2048];
	FILE *err = tmpfile();
	size_t i, n;

	cr_assert_not_null(err);
	dup2(fileno(err), STDERR_FILENO);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		opts.sort = wrong[i];
		cr_assert_null(sink_report(&env, &opts), "'%s'", wrong[i]);
	}
	rewind(err);
	n = fread(said, 1, sizeof(said) - 1, err);
	said[n] = 0;
	cr_assert_not_null(
		strstr(said,
		       "no sort key 'bogus'; there are: comm, pid, tid, cpu, vma, file, "
		       "symbol, dso, caller, srcline, access, outcome, level, origin, page, event, "
		       "vm, vcpu, reason, nr, call, what, cause\n"),
		"%s", said);
	fclose(err);
}

/* Enough to make every array and index grow; the same input gives the same output. */
Test(report, many_groups)
{
	struct ptev_fault f = record(10, 10, PTEV_OUT_ANON, 1);
	struct fixture x, y;
	uint64_t i;

	start(&x, (struct report_opts){ .sort = "page,tid,comm" });
	start(&y, (struct report_opts){ .sort = "page,tid,comm" });
	for (i = 0; i < 5000; i++) {
		f.address = i << 12;
		f.x.latency = i * i;
		cr_assert_eq(x.sink->fault(x.sink, &f), 0);
		f.address = (4999 - i) << 12;
		f.x.latency = (4999 - i) * (4999 - i);
		cr_assert_eq(y.sink->fault(y.sink, &f), 0);
	}
	cr_assert_str_eq(end(&x, &clean, true), end(&y, &clean, true));
	stop(&x);
	stop(&y);
}
