// SPDX-License-Identifier: GPL-2.0
/*
 * Several streams through the one debug port (0xe9) of the lab's Bochs machine: what the guest
 * writes there comes out of the emulator's stdout, among words of its own.
 *
 *	lab-wire send STREAM	in the guest: stdin goes to the port, in frames
 *	lab-wire receive DIR	on the host: frames on stdin are appended to DIR/STREAM
 *
 * A frame: MAGIC, one byte for the stream, two for the length (low first), the data.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/io.h>
#include <unistd.h>

#define PORT  0xe9
#define MAGIC "\001LABWIRE"
#define LOCK  "/run/lab/wire.lock"
#define HEAD  (sizeof(MAGIC) - 1)
#define COUNT (sizeof(streams) / sizeof(streams[0]))

static const char *const streams[] = { "out", "err", "end", "dmesg", "results" };

static int fail(const char *what)
{
	fprintf(stderr, "lab-wire: %s: %s\n", what, strerror(errno));
	return 1;
}

static void put(const void *data, size_t size)
{
	outsb(PORT, data, size);
}

/* Frames of several senders must not mix: the port is theirs while they hold the lock. */
static int send_frame(int lock, unsigned char stream, const char *data, size_t size)
{
	const unsigned char head[] = { stream, (unsigned char)size, (unsigned char)(size >> 8) };

	if (flock(lock, LOCK_EX))
		return fail(LOCK);
	put(MAGIC, HEAD);
	put(head, sizeof(head));
	put(data, size);
	return flock(lock, LOCK_UN) ? fail(LOCK) : 0;
}

static int send_stream(const char *name)
{
	char data[8192];
	unsigned char stream = 0;
	ssize_t size;
	int lock;

	while (stream < COUNT && strcmp(streams[stream], name))
		stream++;
	if (stream == COUNT) {
		errno = EINVAL;
		return fail(name);
	}
	if (ioperm(PORT, 1, 1))
		return fail("the debug port");
	lock = open(LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock < 0)
		return fail(LOCK);
	while ((size = read(STDIN_FILENO, data, sizeof(data))) > 0) {
		if (send_frame(lock, stream, data, (size_t)size))
			return 1;
	}
	return size ? fail("stdin") : 0;
}

/* find_magic - skips what is no frame; false at the end. No character of MAGIC but its first is
 * like its first, so a mismatch starts over with the character at hand.
 */
static int find_magic(void)
{
	size_t matched = 0;
	int c;

	while (matched < HEAD) {
		c = getchar_unlocked();
		if (c == EOF)
			return 0;
		if (c == MAGIC[matched])
			matched++;
		else
			matched = c == MAGIC[0];
	}
	return 1;
}

static int receive_frame(const int *files)
{
	unsigned char head[3];
	char data[65535];
	size_t size, done = 0;
	ssize_t n;

	if (fread(head, 1, sizeof(head), stdin) != sizeof(head))
		return 0;
	size = head[1] | (size_t)head[2] << 8;
	if (head[0] >= COUNT) {
		errno = EPROTO;
		return fail("frame");
	}
	size = fread(data, 1, size, stdin);
	while (done < size) {
		n = write(files[head[0]], data + done, size - done);
		if (n < 0)
			return fail(streams[head[0]]);
		done += (size_t)n;
	}
	return 0;
}

static int receive(const char *dir)
{
	int files[COUNT], folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	size_t i;

	if (folder < 0)
		return fail(dir);
	for (i = 0; i < COUNT; i++) {
		files[i] =
			openat(folder, streams[i], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (files[i] < 0)
			return fail(streams[i]);
	}
	while (find_magic()) {
		if (receive_frame(files))
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "send"))
		return send_stream(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "receive"))
		return receive(argv[2]);
	fprintf(stderr, "usage: lab-wire send STREAM | receive DIR\n");
	return 2;
}
