// SPDX-License-Identifier: GPL-2.0
/* Remaps: in the record file and in the sinks. */
#include <criterion/criterion.h>

#include <errno.h>

#include "kmod-helper/uapi/ptremap.h"
#include "tests/unit/record_files.h"
#include "user/record/check.h"
#include "user/report/feed.h"
#include "user/report/stat_metrics.h"

TestSuite(remap_record, .init = enter, .fini = leave);

static struct ptev_remap taken(void)
{
	return (struct ptev_remap){
		.hdr = { .size = sizeof(struct ptev_remap), .type = PTEV_REMAP },
		.id = 3,
		.time = 1000000002,
		.va = 0x7f0000001000,
		.old = 0x8000000012345867,
		.new = 0x8000000012345865,
		.pid = 7,
		.tid = 8,
		.of = 42,
		.cpu = 1,
		.what = PTREMAP_PROTECT,
		.event = PTEV_REMAP_TAKEN,
		.cause = PTREMAP_CAUSE_UNMAP,
		.level = 1,
		.comm = "ptremap",
	};
}

static struct ptev_remap of_guest(void)
{
	struct ptev_remap r = taken();

	r.flags = PTEV_R_VM | PTEV_R_STICKY | PTEV_R_KEEP;
	r.event = PTEV_REMAP_MADE;
	r.cause = PTREMAP_CAUSE_NONE;
	r.what = PTREMAP_EPT_PROTECT;
	r.vm_fd = 5;
	r.gpa = 0x40001000;
	r.level = 2;
	return r;
}

static int write_one(const struct ptev_remap *r)
{
	struct rec_totals totals = { .events = 1 };
	struct rec_writer *w;
	int err;

	unlink("x");
	w = create("x");
	err = rec_put(w, r, r->hdr.size);
	cr_assert_eq(rec_close(w, &totals), 0);
	return err;
}

Test(remap_record, comes_back)
{
	const struct ptev_remap all[] = { taken(), of_guest() };
	const struct ptev_hdr *hdr;
	struct rec_reader *reader;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		cr_assert_eq(write_one(&all[i]), 0);
		reader = open_ok("x");
		cr_assert_eq(rec_info(reader)->remaps, 1);
		cr_assert_eq(rec_next(reader, &hdr), 1);
		cr_assert_eq(memcmp(hdr, &all[i], sizeof(all[i])), 0);
		cr_assert_eq(rec_next(reader, &hdr), 0);
		rec_reader_close(reader);
	}
}

static void expect_bad(const struct ptev_remap *r, const char *what)
{
	cr_assert_not(record_ok(&r->hdr), "%s", what);
	cr_assert_eq(write_one(r), -EINVAL, "%s", what);
}

Test(remap_record, every_field_is_checked)
{
	struct ptev_remap r = taken();

	cr_assert(record_ok(&r.hdr));
	r.hdr.size -= 8;
	expect_bad(&r, "size");
	r = taken();
	r.event = PTEV_NR_REMAPS;
	expect_bad(&r, "event");
	r = taken();
	r.level = PTEV_LEVELS + 1;
	expect_bad(&r, "level");
	r = taken();
	r.flags = PTEV_R_ALL + 1;
	expect_bad(&r, "flags");
	r = taken();
	memset(r.comm, 'x', sizeof(r.comm));
	expect_bad(&r, "a name without an end");
}

/* A session without them has no place for them in its file. */
Test(remap_record, unwanted)
{
	const struct rec_info info = { .levels = 4, .kvm = 7 };
	const struct rec_totals totals = { 0 };
	const struct ptev_remap r = taken();
	struct rec_writer *w;

	cr_assert_eq(rec_create(&w, "x", &info), 0);
	cr_assert_eq(rec_put(w, &r, sizeof(r)), -EINVAL);
	cr_assert_eq(rec_close(w, &totals), 0);
}

/* ---- sinks ------------------------------------------------------------------------------- */

typedef struct sink *(*make_sink)(const struct sink_env *env, FILE *out, const void *arg);

static char *run(const struct ptev_remap *r, make_sink make, const void *arg)
{
	const struct rec_info info = { .remaps = 1, .no_faults = 1, .levels = 4 };
	const struct rec_totals totals = { .events = 1 };
	struct feed f;
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);

	cr_assert_eq(feed_init(&f, &info), 0);
	f.sink = make(&f.env, out, arg);
	cr_assert_not_null(f.sink);
	cr_assert_eq(feed_put(&f, &r->hdr), 0);
	cr_assert_eq(f.sink->finish(f.sink, &totals, true), 0);
	feed_end(&f);
	fclose(out);
	return text;
}

static struct sink *script(const struct sink_env *env, FILE *out, const void *json)
{
	const struct script_opts opts = { .out = out, .json = json };

	return sink_script(env, &opts);
}

static struct sink *report(const struct sink_env *env, FILE *out, const void *sort)
{
	const struct report_opts opts = { .out = out, .sort = sort, .json = true };

	return sink_report(env, &opts);
}

static struct sink *folded(const struct sink_env *env, FILE *out,
			   const void *arg __attribute__((unused)))
{
	return sink_folded(env, false, out);
}

static struct sink *trace(const struct sink_env *env, FILE *out,
			  const void *arg __attribute__((unused)))
{
	const struct trace_opts opts = { .out = out };

	return sink_trace(env, &opts);
}

static void expect(const struct ptev_remap *r, make_sink make, const void *arg, const char *part)
{
	char *text = run(r, make, arg);

	cr_expect_not_null(strstr(text, part), "%s in %s", part, text);
	free(text);
}

Test(remap_record, text)
{
	struct ptev_remap r = taken();

	expect(&r, script, NULL,
	       "         ptremap 7/8 [001] 1.000000002: remap taken id=3 protect of=42 va=0x7f0000001000 level=1 "
	       "0x8000000012345865 -> 0x8000000012345867 cause=unmap\n");
	r.event = PTEV_REMAP_LOST;
	expect(&r, script, NULL,
	       "remap lost id=3 protect of=42 va=0x7f0000001000 level=1 "
	       "0x8000000012345865 -> ? cause=unmap\n");
	r = of_guest();
	expect(&r, script, NULL,
	       "remap made id=3 ept-protect of=42 vm_fd=5 gpa=0x40001000 va=0x7f0000001000 level=2 "
	       "0x8000000012345867 -> 0x8000000012345865 keep=1 sticky=1\n");
	r = taken();
	r.what = PTREMAP_MAPPED;
	r.old = 0x2000;
	r.new = 0x5000;
	expect(&r, script, NULL,
	       "mapped of=42 va=0x7f0000001000 len=0x2000 from=0x5000 cause=unmap\n");
}

Test(remap_record, json)
{
	struct ptev_remap r = taken();

	expect(&r, script, "json",
	       "\"event\":\"taken\",\"cause\":\"unmap\",\"id\":3,\"what\":\"protect\",\"of\":42,"
	       "\"va\":\"0x7f0000001000\",\"level\":1,\"old\":\"0x8000000012345867\","
	       "\"new\":\"0x8000000012345865\",\"len\":null,\"from\":null,\"vm_fd\":null,"
	       "\"gpa\":null,\"keep\":false,\"sticky\":false}");
	r = of_guest();
	expect(&r, script, "json",
	       "\"vm_fd\":5,\"gpa\":\"0x40001000\",\"keep\":true,\"sticky\":true}");
	r.what = PTREMAP_MAPPED;
	expect(&r, script, "json", "\"level\":null,\"old\":null,\"new\":null,\"len\":");
}

/* To whom the kernel would hide frames. */
Test(remap_record, hidden)
{
	struct ptev_remap r = taken();

	r.flags = PTEV_R_HIDDEN;
	r.old = r.new = 0;
	expect(&r, script, NULL, "protect of=42 va=0x7f0000001000 level=1 cause=unmap\n");
	expect(&r, script, "json", "\"level\":1,\"old\":null,\"new\":null,\"len\":null,");
	expect(&r, trace, NULL, "\"address\":\"0x7f0000001000\",\"cause\":\"unmap\"");
	r.what = PTREMAP_MAPPED;
	r.old = 0x2000;
	expect(&r, script, NULL, "mapped of=42 va=0x7f0000001000 len=0x2000 cause=unmap\n");
	expect(&r, script, "json", "\"len\":8192,\"from\":null");
}

Test(remap_record, groups)
{
	struct ptev_remap r = taken();

	expect(&r, report, "comm,pid,tid,cpu,event,what,outcome,cause,page,vm",
	       "{\"comm\":\"ptremap\",\"pid\":7,\"tid\":8,\"cpu\":1,\"event\":\"remap\",\"what\":\"protect\","
	       "\"outcome\":\"taken\",\"cause\":\"unmap\",\"page\":\"0x7f0000001000\",\"vm\":");
	r = of_guest();
	expect(&r, report, "what,outcome,cause,page,vm",
	       "{\"what\":\"ept-protect\",\"outcome\":\"made\",\"cause\":\"[none]\","
	       "\"page\":\"0x40001000\",\"vm\":42");
}

Test(remap_record, stacks_and_tracks)
{
	struct ptev_remap r = taken();

	expect(&r, folded, NULL, "ptremap;remap protect taken 1\n");
	expect(&r, trace, NULL, "\"cat\":\"remap\"");
}

Test(remap_record, metrics)
{
	const uint64_t remaps[PTEV_NR_REMAPS] = { [PTEV_REMAP_MADE] = 12, [PTEV_REMAP_UNDONE] = 5 };
	const struct rec_totals totals = { .events = 17 };
	const struct stat_metrics m = { .totals = &totals, .remaps = remaps, .hook = "rawtp" };
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);

	stat_metrics_print(out, &m);
	fclose(out);
	cr_expect_not_null(strstr(text, "ptrace_pf_remaps_total{event=\"made\"} 12\n"), "%s", text);
	cr_expect_not_null(strstr(text, "ptrace_pf_remaps_total{event=\"undone\"} 5\n"));
	free(text);
}
