// SPDX-License-Identifier: GPL-2.0
/* The record file's writer in trouble: full disks, readers that go away, SIGKILL. */
#include <criterion/criterion.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/record_files.h"

TestSuite(record_full, .init = enter, .fini = leave);

static unsigned int bad_patches; /* as many writes at the place of the size of the data fail */

/* In place of libc's. */
ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	if (bad_patches && offset == offsetof(struct perf_file_header, data.size)) {
		bad_patches--;
		errno = EIO;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, data, size, offset);
}

/* What the header could not be made to tell of is not there; the rest is whole. */
Test(record_full, a_header_that_cannot_be_written)
{
	struct rec_totals totals = { 0 };
	struct rec_writer *w = create("x");
	uint64_t bytes;
	bool complete;

	put_faults(w, 0, 10);
	cr_assert_eq(rec_flush(w), 0);
	bytes = rec_bytes(w);
	bad_patches = 2; /* also when it is taken back */
	put_faults(w, 1000, 20);
	cr_assert_eq(rec_flush(w), -EIO);
	cr_assert_eq(bad_patches, 0);
	cr_assert_eq(rec_bytes(w), bytes, "cut back");
	cr_assert_eq(rec_unwritten(w), 20);
	put_faults(w, 10, 10);
	cr_assert_eq(rec_flush(w), 0);
	totals.events = 20;
	totals.lost[PTEV_LOST_WRITE] = 20;
	cr_assert_eq(rec_close(w, &totals), 0);
	cr_assert_eq(count_faults("x", &totals, &complete), 20);
	cr_assert(complete);
	cr_assert_eq(totals.events, 20);
	cr_assert_eq(totals.lost[PTEV_LOST_WRITE], 20);
}

/* What was flushed before a SIGKILL is there. */
Test(record_full, killed_recorder)
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

Test(record_full, full_disk)
{
	const uint64_t n = 60000; /* 11 MiB */
	struct rec_totals totals = { 0 };
	struct rec_writer *w;
	struct stat st;
	bool complete;
	uint64_t kept;

	mount_small("size=2500k");
	w = create("small/x");
	cr_assert_gt(put_on_full(w, n), 0);
	cr_assert_eq(rec_flush(w), -ENOSPC);
	cr_assert(!stat("small/x", &st) && (uint64_t)st.st_size == rec_bytes(w), "cut back");
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
Test(record_full, full_disk_that_gets_room)
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
Test(record_full, full_disk_at_close)
{
	struct rec_totals totals = { .events = 3100 };
	struct rec_writer *w;
	bool complete;

	mount_small("size=512k");
	w = create("small/x");
	put_faults(w, 0, 100);
	cr_assert_eq(rec_flush(w), 0);
	put_faults(w, 100, 3000);
	cr_assert_eq(rec_close(w, &totals), -ENOSPC);
	cr_assert_eq(count_faults("small/x", &totals, &complete), 100);
	cr_assert(complete);
	cr_assert_eq(totals.events, 100);
	cr_assert_eq(totals.lost[PTEV_LOST_WRITE], 3000);
	cr_assert_eq(umount("small"), 0);
}

Test(record_full, no_space_for_the_header)
{
	struct rec_info info = { 0 };
	struct rec_writer *w;

	capture_stderr();
	cr_assert_eq(symlink("/dev/full", "full"), 0);
	cr_assert_eq(rec_create(&w, "full", &info), -ENOSPC);
	check_message("full: cannot write: No space left on device");
	cr_assert_eq(access("full", F_OK), 0, "devices are not removed");
}

/* A reader that goes away ends a stream: everything from then on is counted. */
Test(record_full, reader_of_a_stream_goes_away)
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
