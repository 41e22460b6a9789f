// SPDX-License-Identifier: GPL-2.0
/* Writer and reader of the record file: round trips, cut and broken files, full disks. */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/record/format.h"
#include "user/record/record.h"

/* Every test has a directory of its own as its working directory. */
static char dir[32];
static int messages; /* what went to stderr */

static void enter(void)
{
	strcpy(dir, "/tmp/test_record.XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(chdir(dir), 0);
}

static void leave(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(chdir("/"), 0);
	cr_assert_eq(system(command), 0);
}

TestSuite(record, .init = enter, .fini = leave);

static void capture_stderr(void)
{
	messages = memfd_create("stderr", 0);
	cr_assert(messages >= 0 && dup2(messages, STDERR_FILENO) == STDERR_FILENO);
}

/* One line on stderr that has @words in it. */
static void check_message(const char *words)
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

static unsigned int random_seed(const char *test)
{
	unsigned int seed = (unsigned int)time(NULL) ^ (unsigned int)getpid() << 16;

	fprintf(stderr, "%s: seed %u\n", test, seed);
	srandom(seed);
	return seed;
}

/* ---- records -------------------------------------------------------------------------------- */

union record {
	struct ptev_hdr hdr;
	struct ptev_fault fault;
	struct ptev_task task;
	struct ptev_mmap map;
	uint64_t words[512];
	char bytes[4096];
};

static void random_words(union record *rec, size_t size)
{
	size_t i;

	memset(rec, 0, sizeof(*rec));
	for (i = 0; i < size / 8; i++)
		rec->words[i] = (uint64_t)random() << 33 ^ (uint64_t)random();
	rec->hdr.size = (uint16_t)size;
}

static void random_fault(union record *rec)
{
	static const size_t sizes[] = { PTEV_FAULT_BASE, PTEV_FAULT_BEFORE, PTEV_FAULT_FULL };
	uint64_t kernel = (uint64_t)random() % (PTEV_MAX_STACK + 1);
	uint64_t user = (uint64_t)random() % (PTEV_MAX_STACK + 1);
	int kind = (int)(random() % 4);

	random_words(rec, kind < 3 ? sizes[kind] : PTEV_FAULT_FULL + 8 * (1 + kernel + user));
	rec->hdr.type = PTEV_FAULT;
	rec->fault.origin = (uint8_t)(random() % PTEV_NR_ORIGINS);
	rec->fault.access = (uint8_t)(random() % PTEV_NR_ACCESSES);
	rec->fault.outcome = (uint8_t)(random() % PTEV_NR_OUTCOMES);
	rec->fault.levels = (uint8_t)(4 + random() % 2);
	rec->fault.flags = 0;
	if (kind >= 1)
		rec->fault.flags |= PTEV_F_BEFORE;
	if (kind >= 2)
		rec->fault.flags |= PTEV_F_EXIT | PTEV_F_VMA | PTEV_F_AFTER | PTEV_F_MAJOR;
	if (kind == 3) {
		rec->fault.flags |= PTEV_F_STACKS;
		rec->words[PTEV_FAULT_FULL / 8] = kernel | user << 32;
	}
}

static void random_task(union record *rec)
{
	random_words(rec, sizeof(struct ptev_task));
	rec->hdr.type = (uint8_t)(random() % 2 ? PTEV_COMM : PTEV_EXIT);
	rec->task.comm[random() % 16] = 0;
}

static void random_map(union record *rec)
{
	size_t len = 8 * (1 + (size_t)random() % 20);

	random_words(rec, sizeof(struct ptev_mmap) + len);
	rec->hdr.type = PTEV_MMAP;
	rec->map.name[(size_t)random() % len] = 0;
}

static void random_record(union record *rec)
{
	switch (random() % 8) {
	case 0:
		random_task(rec);
		break;
	case 1:
		random_map(rec);
		break;
	default:
		random_fault(rec);
	}
}

static struct ptev_fault simple_fault(uint64_t number)
{
	return (struct ptev_fault){
		.hdr = { .size = sizeof(struct ptev_fault), .type = PTEV_FAULT },
		.address = number,
		.levels = 4,
	};
}

static void put_faults(struct rec_writer *w, uint64_t first, uint64_t n)
{
	struct ptev_fault f;
	uint64_t i;

	for (i = first; i < first + n; i++) {
		f = simple_fault(i);
		cr_assert_eq(rec_put(w, &f, sizeof(f)), 0);
	}
}

static struct rec_writer *create(const char *path)
{
	struct rec_info info = { .levels = 4, .va_bits = 48, .command = "record", .boot_id = "id" };
	struct rec_writer *w = NULL;

	cr_assert_eq(rec_create(&w, path, &info), 0);
	return w;
}

static struct rec_reader *open_ok(const char *path)
{
	struct rec_reader *r = NULL;

	cr_assert_eq(rec_open(&r, path), 0);
	return r;
}

/* Reads faults numbered from @first; returns how many, *@ret is the last value of rec_next(). */
static uint64_t read_faults(struct rec_reader *r, uint64_t first, int *ret)
{
	const struct ptev_hdr *hdr;
	uint64_t n;

	for (n = 0; (*ret = rec_next(r, &hdr)) > 0; n++) {
		cr_assert_eq(hdr->type, PTEV_FAULT);
		cr_assert_eq(((const struct ptev_fault *)hdr)->address, first + n);
	}
	return n;
}

static uint64_t count_faults(const char *path, struct rec_totals *totals, bool *complete)
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

/* ---- round trips ---------------------------------------------------------------------------- */

Test(record, information_and_totals_come_back)
{
	struct rec_info info = { .start_mono = 1, .va_bits = 57, .levels = 5, .target_pid = 7 };
	struct rec_totals in = {
		.events = 0, .lost = { 1, 2, 3, 4 }, .filtered = 5, .end_mono = 6
	};
	struct rec_totals out;
	const struct ptev_hdr *hdr;
	struct rec_writer *w;
	struct rec_reader *r;

	memset(info.command, 'c', sizeof(info.command)); /* not terminated */
	strcpy(info.hostname, "host");
	cr_assert_eq(rec_create(&w, "x", &info), 0);
	cr_assert_eq(rec_close(w, &in), 0);
	r = open_ok("x");
	cr_assert_eq(strlen(rec_info(r)->command), sizeof(info.command) - 1);
	info.command[sizeof(info.command) - 1] = 0;
	cr_assert_eq(memcmp(rec_info(r), &info, sizeof(info)), 0);
	cr_assert(!rec_totals(r, &out), "not before the end");
	cr_assert_eq(rec_next(r, &hdr), 0);
	cr_assert_eq(rec_next(r, &hdr), 0);
	cr_assert(rec_totals(r, &out));
	cr_assert_eq(memcmp(&in, &out, sizeof(in)), 0);
	cr_assert_eq(rec_file_size(r), sizeof(struct rec_header));
	rec_reader_close(r);
}

/* The same seed gives the same records again: nothing has to be remembered. */
static void write_random(struct rec_writer *w, unsigned int seed, int n)
{
	struct rec_totals totals = { 0 };
	union record rec;
	int i;

	srandom(seed);
	for (i = 0; i < n; i++) {
		random_record(&rec);
		cr_assert_eq(rec_put(w, &rec, rec.hdr.size), 0);
		totals.events += rec.hdr.type == PTEV_FAULT;
		if (random() % 1000 == 0)
			cr_assert_eq(rec_flush(w), 0);
	}
	cr_assert_eq(rec_unwritten(w), 0);
	cr_assert_eq(rec_close(w, &totals), 0);
}

static void check_random(const char *path, unsigned int seed, int n)
{
	struct rec_reader *r = open_ok(path);
	const struct ptev_hdr *hdr;
	struct rec_totals totals;
	union record rec;
	uint64_t faults = 0;
	size_t size;
	int i;

	srandom(seed);
	for (i = 0; i < n; i++) {
		random_record(&rec);
		(void)random(); /* the flush */
		cr_assert_eq(rec_next(r, &hdr), 1);
		size = rec.hdr.size;
		if (rec.hdr.type == PTEV_FAULT && size < PTEV_FAULT_FULL)
			size = PTEV_FAULT_FULL; /* the rest reads as zero */
		cr_assert_eq(memcmp(hdr, &rec, size), 0, "record %d", i);
		faults += rec.hdr.type == PTEV_FAULT;
	}
	cr_assert_eq(rec_next(r, &hdr), 0);
	cr_assert(rec_totals(r, &totals));
	cr_assert_eq(totals.events, faults);
	rec_reader_close(r);
}

Test(record, random_records_through_a_file)
{
	unsigned int seed = random_seed("random_records_through_a_file");

	write_random(create("x"), seed, 20000);
	check_random("x", seed, 20000);
}

Test(record, random_records_through_a_fifo)
{
	unsigned int seed = random_seed("random_records_through_a_fifo");
	struct stat st;
	pid_t pid;
	int status;

	cr_assert_eq(mkfifo("fifo", 0600), 0);
	pid = fork();
	if (!pid) {
		write_random(create("fifo"), seed, 5000);
		_exit(0);
	}
	check_random("fifo", seed, 5000);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
	cr_assert(!stat("fifo", &st) && S_ISFIFO(st.st_mode), "not moved away");
}

Test(record, stdout_to_stdin)
{
	struct rec_totals totals = { .events = 10, .end_mono = 42 };
	struct rec_writer *w;
	bool complete;
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	cr_assert_eq(dup2(fds[1], STDOUT_FILENO), STDOUT_FILENO);
	cr_assert_eq(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
	w = create("-");
	put_faults(w, 0, 10);
	cr_assert_eq(rec_close(w, &totals), 0);
	close(fds[1]);
	cr_assert_eq(close(STDOUT_FILENO), 0, "stays open for its owner");
	memset(&totals, 0, sizeof(totals));
	cr_assert_eq(count_faults("-", &totals, &complete), 10);
	cr_assert(complete);
	cr_assert_eq(totals.end_mono, 42);
}

Test(record, an_old_file_is_kept)
{
	struct rec_totals totals = { 0 };
	struct rec_writer *w;
	bool complete;
	struct stat st;
	uint64_t i;

	for (i = 1; i <= 3; i++) {
		w = create("x");
		put_faults(w, 0, i);
		totals.events = i;
		cr_assert_eq(rec_close(w, &totals), 0);
	}
	cr_assert_eq(count_faults("x", &totals, &complete), 3);
	cr_assert_eq(count_faults("x.old", &totals, &complete), 2);
	cr_assert(!stat("x", &st) && (st.st_mode & 0777) == 0600);
}

Test(record, devices_are_not_replaced)
{
	struct rec_totals totals = { .events = 1 };
	struct rec_writer *w;
	struct stat st;

	cr_assert_eq(symlink("/dev/null", "null"), 0);
	w = create("null");
	put_faults(w, 0, 1);
	cr_assert_eq(rec_close(w, &totals), 0);
	cr_assert(!stat("/dev/null", &st) && S_ISCHR(st.st_mode));
	cr_assert(!lstat("null", &st) && S_ISLNK(st.st_mode));
	cr_assert_eq(access("null.old", F_OK), -1);
}

Test(record, cannot_create)
{
	struct rec_info info = { 0 };
	struct rec_writer *w;

	capture_stderr();
	cr_assert_eq(rec_create(&w, "no/such/dir", &info), -ENOENT);
	check_message("no/such/dir: cannot create: No such file");
	cr_assert_eq(rec_create(&w, ".", &info), -EISDIR);
	check_message(".: cannot create: Is a directory");
	cr_assert_eq(symlink("nowhere", "dangling"), 0);
	cr_assert_eq(rec_create(&w, "dangling", &info), -EEXIST);
	check_message("dangling: cannot create: File exists");
}

Test(record, only_whole_records_are_taken)
{
	struct rec_totals totals = { 0 };
	struct rec_writer *w = create("x");
	struct ptev_fault f = simple_fault(0);
	bool complete;

	cr_assert_eq(rec_put(w, &f, sizeof(f) - 8), -EINVAL);
	cr_assert_eq(rec_put(w, &f, 2), -EINVAL);
	f.hdr.size = 50;
	cr_assert_eq(rec_put(w, &f, 50), -EINVAL);
	cr_assert_eq(rec_close(w, &totals), 0);
	cr_assert_eq(count_faults("x", &totals, &complete), 0);
}

/* ---- files that are not, or no longer, recordings ------------------------------------------- */

static size_t load(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, buf, size);

	cr_assert(fd >= 0 && n >= 0);
	close(fd);
	return (size_t)n;
}

static void store(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, data, size), (ssize_t)size);
	close(fd);
}

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
Test(record, cut_at_every_byte)
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

Test(record, cut_within_the_header)
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

Test(record, what_cannot_be_opened)
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

Test(record, unreadable_for_others)
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

/* A later writer's header may be longer; so may its totals at the end of a stream. */
Test(record, longer_headers_are_skipped)
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

/* ---- records that are not to be trusted ----------------------------------------------------- */

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

Test(record, fault_sizes_and_flags)
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

Test(record, stack_counts)
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

Test(record, fault_values_in_range)
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

Test(record, task_and_map_records)
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

Test(record, unknown_types_are_left_out)
{
	union record rec = { .hdr = { 16, 200, 0 } };

	capture_stderr();
	cr_assert_eq(read_record(&rec), 0);
	check_message("one: 1 records of unknown types left out");
}

Test(record, corrupt_chunks)
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
	cr_assert_eq(read_one(&rec, size, size - 4, 1), -EINVAL);
	cr_assert_eq(read_one(&rec, size, size, 0), -EINVAL);
	cr_assert_eq(read_one(&rec, size, size, 2), -EINVAL);
	cr_assert_eq(read_one(&rec, size + 8, size + 8, 1), -EINVAL);
	cr_assert_eq(read_one(&tiny, 64, 64, 1), -EINVAL, "size 0 does not loop");
}

/* ---- trouble while writing ------------------------------------------------------------------ */

/* What was flushed before a SIGKILL is there. */
Test(record, killed_recorder)
{
	struct rec_totals totals;
	struct rec_writer *w;
	bool complete;
	int status;
	pid_t pid = fork();

	if (!pid) {
		w = create("x");
		put_faults(w, 0, 20000); /* several full buffers */
		if (rec_flush(w))
			_exit(1);
		put_faults(w, 20000, 10);
		raise(SIGKILL);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	cr_assert_eq(count_faults("x", &totals, &complete), 20000);
	cr_assert(!complete);
	cr_assert_eq(totals.events, 20000);
}

/* A small file system at "small"; a namespace of our own takes it away even if the test fails. */
static void mount_small(const char *size)
{
	cr_assert_eq(mkdir("small", 0700), 0);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "small", "tmpfs", 0, size))
		cr_skip_test("cannot mount a tmpfs");
}

/* Puts @n faults whatever happens. Returns how many times it was told of an error. */
static int put_on_full(struct rec_writer *w, uint64_t n)
{
	struct ptev_fault f;
	int err, errors = 0;
	uint64_t i;

	for (i = 0; i < n; i++) {
		f = simple_fault(i);
		err = rec_put(w, &f, sizeof(f));
		cr_assert(err == 0 || err == -ENOSPC);
		errors += err != 0;
	}
	return errors;
}

Test(record, full_disk)
{
	const uint64_t n = 60000; /* 11 MiB */
	struct rec_totals totals = { 0 };
	struct rec_writer *w;
	bool complete;
	uint64_t kept;

	mount_small("size=2500k");
	w = create("small/x");
	cr_assert_gt(put_on_full(w, n), 0);
	cr_assert_eq(rec_flush(w), -ENOSPC);
	totals.lost[PTEV_LOST_WRITE] = rec_unwritten(w);
	totals.events = n - rec_unwritten(w);
	cr_assert_eq(rec_close(w, &totals), 0, "the totals fit");
	kept = count_faults("small/x", &totals, &complete);
	cr_assert(complete);
	cr_assert_eq(kept, totals.events);
	cr_assert_eq(kept + totals.lost[PTEV_LOST_WRITE], n);
	cr_assert_gt(kept, 5000, "two buffers of 1 MiB fit");
	cr_assert_eq(umount("small"), 0);
}

/* Space that comes back is used again, and the account stays exact, side band apart. */
Test(record, full_disk_that_gets_room)
{
	struct ptev_task comm = { .hdr = { sizeof(comm), PTEV_COMM, 0 }, .comm = "x" };
	struct rec_totals totals = { 0 };
	const struct ptev_hdr *hdr;
	struct rec_writer *w;
	struct rec_reader *r;
	char ballast[256 << 10] = { 0 };
	int ret, n = 0;

	mount_small("size=512k");
	store("small/ballast", ballast, sizeof(ballast));
	w = create("small/x");
	put_faults(w, 0, 2000); /* 375 KiB */
	cr_assert_eq(rec_put(w, &comm, sizeof(comm)), 0);
	cr_assert_eq(rec_flush(w), -ENOSPC);
	cr_assert_eq(rec_unwritten(w), 2000);
	cr_assert_eq(unlink("small/ballast"), 0);
	put_faults(w, 2000, 100);
	cr_assert_eq(rec_flush(w), 0);
	put_faults(w, 2100, 1000);
	totals.events = 1100;
	totals.lost[PTEV_LOST_WRITE] = 2000;
	cr_assert_eq(rec_close(w, &totals), 0);
	r = open_ok("small/x");
	while ((ret = rec_next(r, &hdr)) > 0)
		cr_assert_eq(((const struct ptev_fault *)hdr)->address, 2000 + (uint64_t)n++);
	cr_assert_eq(ret, 0);
	cr_assert_eq(n, 1100);
	cr_assert(rec_totals(r, &totals));
	cr_assert_eq(totals.events, 1100);
	rec_reader_close(r);
	cr_assert_eq(umount("small"), 0);
}

/* Faults that only the flush within rec_close() loses are moved to lost[]. */
Test(record, full_disk_at_close)
{
	struct rec_totals totals = { .events = 5100 };
	struct rec_writer *w;
	bool complete;

	mount_small("size=512k");
	w = create("small/x");
	put_faults(w, 0, 100);
	cr_assert_eq(rec_flush(w), 0);
	put_faults(w, 100, 5000);
	cr_assert_eq(rec_close(w, &totals), -ENOSPC);
	cr_assert_eq(count_faults("small/x", &totals, &complete), 100);
	cr_assert(complete);
	cr_assert_eq(totals.events, 100);
	cr_assert_eq(totals.lost[PTEV_LOST_WRITE], 5000);
	cr_assert_eq(umount("small"), 0);
}

Test(record, no_space_for_the_header)
{
	struct rec_info info = { 0 };
	struct rec_writer *w;

	capture_stderr();
	cr_assert_eq(rec_create(&w, "/dev/full", &info), -ENOSPC);
	check_message("/dev/full: cannot write: No space left on device");
	cr_assert_eq(access("/dev/full", F_OK), 0, "devices are not removed");
}

/* A reader that goes away ends a stream: everything from then on is counted. */
Test(record, reader_of_a_stream_goes_away)
{
	struct rec_totals totals = { 0 };
	struct rec_writer *w;
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	cr_assert_eq(pipe(fds), 0);
	cr_assert_eq(dup2(fds[1], STDOUT_FILENO), STDOUT_FILENO);
	w = create("-");
	put_faults(w, 0, 10);
	cr_assert_eq(rec_flush(w), 0);
	close(fds[0]);
	put_faults(w, 10, 10);
	cr_assert_eq(rec_flush(w), -EPIPE);
	put_faults(w, 20, 10);
	cr_assert_eq(rec_flush(w), -EPIPE);
	cr_assert_eq(rec_unwritten(w), 20);
	cr_assert_eq(rec_close(w, &totals), -EPIPE);
}
