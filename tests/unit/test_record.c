// SPDX-License-Identifier: GPL-2.0
/* The record file: what is written comes back, through files, pipes and devices. */
#include <criterion/criterion.h>

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/record_files.h"

TestSuite(record, .init = enter, .fini = leave);

static unsigned int random_seed(const char *test)
{
	unsigned int seed = (unsigned int)time(NULL) ^ (unsigned int)getpid() << 16;

	fprintf(stderr, "%s: seed %u\n", test, seed);
	srandom(seed);
	return seed;
}

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
	rec->fault.hdr.pad = 0;
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

/* A name and zeros behind it. */
static void random_name(char *name, size_t size)
{
	size_t len = (size_t)random() % size;

	memset(name, 0, size);
	while (len--)
		name[len] = (char)(1 + random() % 255);
}

static void random_task(union record *rec)
{
	random_words(rec, sizeof(struct ptev_task));
	rec->hdr.type = (uint8_t)(PTEV_COMM + random() % 4);
	if (rec->hdr.type == PTEV_MMAP)
		rec->hdr.type = PTEV_FORK;
	rec->hdr.pad = 0;
	rec->task.exec = rec->hdr.type == PTEV_COMM ? rec->task.exec % 2 : 0;
	memset(rec->task.comm, 0, sizeof(rec->task.comm));
	if (rec->hdr.type != PTEV_COMM)
		return;
	rec->task.ppid = rec->task.ptid = 0;
	random_name(rec->task.comm, sizeof(rec->task.comm));
}

static void random_map(union record *rec)
{
	size_t len = 8 * (1 + (size_t)random() % 20);

	random_words(rec, sizeof(struct ptev_mmap) + len);
	rec->hdr.type = PTEV_MMAP;
	rec->hdr.pad = 0;
	rec->map.pad = 0;
	memset(rec->map.name, 0, len);
	/* The name's room is no larger than it needs to be. */
	memset(rec->map.name, 'n', len - 8);
	random_name(rec->map.name + len - 8, 8);
}

static void random_ksym(union record *rec)
{
	size_t len = 8 * (1 + (size_t)random() % 20);

	random_words(rec, sizeof(struct ptev_ksym) + len);
	rec->hdr.type = PTEV_KSYM;
	rec->hdr.pad = 0;
	rec->ksym.pad = 0;
	memset(rec->ksym.name, 0, len);
	memset(rec->ksym.name, 'n', len - 8);
	random_name(rec->ksym.name + len - 8, 8);
}

static void random_exit(union record *rec)
{
	static const size_t sizes[] = { sizeof(struct ptev_vmexit), sizeof(struct ptev_hypercall),
					sizeof(struct ptev_violation) };
	struct ptev_violation *v = (struct ptev_violation *)rec;
	long kind = random() % 3;

	random_words(rec, sizes[kind]);
	rec->hdr.type = (uint8_t)(PTEV_KVM_EXIT + kind);
	rec->hdr.pad = 0;
	v->exit.isa = (uint8_t)(1 + random() % 2);
	v->exit.mode = (uint8_t)(random() % PTEV_NR_MODES);
	v->exit.cpl %= 4;
	v->exit.flags &= (uint16_t)~PTEV_K_BUFFERS;
	if (kind < 2)
		return;
	v->access = (uint8_t)(random() % PTEV_NR_ACCESSES);
	v->outcome = (uint8_t)(random() % PTEV_NR_VIO);
	v->levels = (uint8_t)(4 + random() % 2);
}

static void random_record(union record *rec)
{
	switch (random() % 9) {
	case 0:
		random_task(rec);
		break;
	case 1:
		random_map(rec);
		break;
	case 2:
		random_exit(rec);
		break;
	case 3:
		random_ksym(rec);
		break;
	default:
		random_fault(rec);
	}
}

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
	cr_assert_gt(rec_file_size(r), sizeof(struct rec_session));
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
		totals.events += ptev_is_event(rec.hdr.type);
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
	uint64_t events = 0;
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
		rec.hdr.size = (uint16_t)size;
		cr_assert_eq(memcmp(hdr, &rec, size), 0, "record %d", i);
		events += ptev_is_event(rec.hdr.type);
	}
	cr_assert_eq(rec_next(r, &hdr), 0);
	cr_assert(rec_totals(r, &totals));
	cr_assert_eq(totals.events, events);
	rec_reader_close(r);
}

Test(record, random_records_through_a_file)
{
	unsigned int seed = random_seed("random_records_through_a_file");

	write_random(create("x"), seed, 20000);
	check_random("x", seed, 20000);
}

Test(record, random_records_compressed)
{
	unsigned int seed = random_seed("random_records_compressed");

	write_random(create_zstd("x", 1), seed, 20000);
	check_random("x", seed, 20000);
}

Test(record, random_records_through_a_fifo)
{
	unsigned int seed = random_seed("random_records_through_a_fifo");
	struct stat st;
	pid_t pid;
	int status;

	cr_assert_eq(mkfifo("fifo", 0600), 0);
	alarm(60); /* when one side fails, the other waits for it in open() */
	pid = fork();
	if (!pid) {
		struct rec_info info = { .levels = 4, .stacks = 1, .kvm = 7, .zstd = 1 };
		struct rec_writer *w;

		alarm(60);
		close(STDERR_FILENO);
		/* Without a reader the fifo cannot be opened; it comes in a moment. */
		while (rec_create(&w, "fifo", &info) == -ENXIO)
			usleep(1000);
		write_random(w, seed, 5000);
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
	cr_assert_eq(rec_create(&w, "dangling", &info), -ENOENT);
	check_message("dangling: cannot create: No such file");
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

Test(record, discard_gives_an_older_recording_its_name_back)
{
	struct rec_info info = { .levels = 4 };
	struct rec_totals totals = { 0 };
	struct rec_writer *w;
	struct stat before, after;

	cr_assert_eq(rec_create(&w, "x", &info), 0);
	cr_assert_eq(rec_close(w, &totals), 0);
	cr_assert_eq(stat("x", &before), 0);
	cr_assert_eq(rec_create(&w, "x", &info), 0);
	rec_discard(w);
	cr_assert_eq(stat("x", &after), 0);
	cr_assert_eq(before.st_ino, after.st_ino);
	cr_assert_neq(access("x.old", F_OK), 0);
	cr_assert_eq(rec_create(&w, "y", &info), 0);
	rec_discard(w);
	cr_assert_neq(access("y", F_OK), 0);
}
