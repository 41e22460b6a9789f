// SPDX-License-Identifier: GPL-2.0
/* A recording by several threads: what is printed must be what one thread prints. */
#include <criterion/criterion.h>

#include "tests/unit/random.h"
#include "tests/unit/record_files.h"
#include "user/report/feed.h"

#define EVENTS	  20000
#define PIDS	  12
#define FILE_SIZE (4u << 20)

TestSuite(feed_parts, .init = enter, .fini = leave);

static void put(struct rec_writer *w, const void *record, size_t size)
{
	cr_assert_eq(rec_put(w, record, size), 0);
}

/* A thread gets another name, or a process a copy of another one's mappings. */
static void put_task(struct rec_writer *w, uint64_t time)
{
	struct ptev_task t = {
		.hdr = { .size = sizeof(t), .type = random() % 3 ? PTEV_COMM : PTEV_FORK },
		.time = time,
		.pid = 1 + (uint32_t)random() % PIDS,
		.ppid = 1 + (uint32_t)random() % PIDS,
		.exec = random() % 8 == 0,
	};

	t.tid = t.pid;
	t.ptid = t.ppid;
	if (t.hdr.type == PTEV_COMM)
		snprintf(t.comm, sizeof(t.comm), "name-%ld", random() % 30);
	put(w, &t, sizeof(t));
}

static void put_map(struct rec_writer *w, uint64_t time)
{
	struct {
		struct ptev_mmap map;
		char name[16];
	} m = { .map = { .hdr = { .size = sizeof(m), .type = PTEV_MMAP },
			 .time = time,
			 .start = (uint64_t)(random() % 16) << 16,
			 .len = 0x20000,
			 .pid = 1 + (uint32_t)random() % PIDS } };

	m.map.tid = m.map.pid;
	snprintf(m.name, sizeof(m.name), "/none/%ld", random() % 20);
	put(w, &m, sizeof(m));
}

static void put_fault(struct rec_writer *w, uint64_t time)
{
	struct ptev_fault f = simple_fault((uint64_t)random() % 0x100000);

	f.time = time;
	f.ip = (uint64_t)random() % 0x100000;
	f.pid = f.tid = 1 + (uint32_t)random() % PIDS;
	f.flags = random() % 2 ? PTEV_F_EXIT : 0;
	f.outcome = (uint8_t)(f.flags ? 1 + random() % 5 : 0);
	f.x.latency = f.flags ? (uint64_t)random() % 5000 : 0;
	put(w, &f, sizeof(f));
}

/* Names and mappings change all the time; a chunk, which is a frame, has about 50 events. */
static void make_recording(const char *path)
{
	struct rec_writer *w = create_zstd(path, 1);
	struct rec_totals totals = { .events = EVENTS };
	uint64_t time = 1000000, i;

	srandom(random_seed("feed_parts"));
	for (i = 0; i < EVENTS; i++) {
		time += 6000;
		if (random() % 20 == 0)
			put_task(w, time);
		if (random() % 20 == 0)
			put_map(w, time);
		put_fault(w, time);
		if (random() % 50 == 0)
			cr_assert_eq(rec_flush(w), 0);
	}
	cr_assert_eq(rec_close(w, &totals), 0);
}

static struct sink *make(const struct sink_env *env, const void *opts)
{
	return sink_report(env, opts);
}

/* What a report prints, behind what it says on stderr. To be freed. */
static char *report(const struct feed_input *in, const char *sort)
{
	struct report_opts opts = { .sort = sort };
	char said[512] = "", *text, *both;
	size_t len;

	opts.out = open_memstream(&text, &len);
	feed_files(in, make, &opts);
	fclose(opts.out);
	cr_assert(pread(messages, said, sizeof(said) - 1, 0) >= 0);
	cr_assert(!ftruncate(messages, 0) && !lseek(messages, 0, SEEK_SET));
	cr_assert(asprintf(&both, "%s%s", said, text) > 0);
	free(text);
	return both;
}

/* One thread's report, to be freed; those of more must be the same. */
static char *check(struct feed_input *in, const char *sort)
{
	char *one, *more;

	in->jobs = 1;
	one = report(in, sort);
	for (in->jobs = 2; in->jobs < 6; in->jobs++) {
		more = report(in, sort);
		cr_assert_str_eq(more, one, "%u threads, by %s", in->jobs, sort);
		free(more);
	}
	return one;
}

static void check_by(struct feed_input *in, const char *sort, const char *words)
{
	char *text = check(in, sort);

	cr_assert_not_null(strstr(text, words), "'%s' in '%.400s'", words, text);
	free(text);
}

Test(feed_parts, report_is_that_of_one_thread)
{
	struct feed_input in = FEED_INPUT_INIT;

	make_recording("x");
	capture_stderr();
	in.paths[in.nr++] = "x";
	check_by(&in, "comm,symbol,outcome", "recording: complete");
	check_by(&in, "dso,comm", "/none/7");
	check_by(&in, "file,pid", "/none/7");
	check_by(&in, "vma", "/none/7"); /* needs one thread */
	in.from = 30000000;
	in.to = 90000000;
	check_by(&in, "comm,outcome", "# events: 10000\n");
}

/* Where the first record behind the middle begins. */
static size_t middle_record(const char *file, size_t size)
{
	const struct perf_file_header *h = (const struct perf_file_header *)file;
	size_t at = h->data.offset;

	while (at < size / 2)
		at += ((const struct perf_event_header *)(file + at))->size;
	return at;
}

static void check_damage(struct feed_input *in, const char *file, size_t size, size_t at)
{
	static char damaged[FILE_SIZE];

	memcpy(damaged, file, size);
	memset(damaged + at, 0xff, 4096);
	store("y", damaged, size);
	check_by(in, "comm", "corrupt at byte");
}

Test(feed_parts, damaged_recordings_are_left_to_one_thread)
{
	static char file[FILE_SIZE];
	struct feed_input in = FEED_INPUT_INIT;
	size_t size;

	make_recording("x");
	capture_stderr();
	size = load("x", file, sizeof(file));
	cr_assert(size > 100000 && size < sizeof(file));
	in.paths[in.nr++] = "y";
	store("y", file, size / 2);
	check_by(&in, "comm", "INCOMPLETE");
	check_damage(&in, file, size, size / 2);
	check_damage(&in, file, size, middle_record(file, size));
}
