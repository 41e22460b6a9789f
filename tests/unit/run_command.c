// SPDX-License-Identifier: GPL-2.0
#include "tests/unit/run_command.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define WORDS_MAX 48

/* @word with the process' number in place of "PID"; allocated. */
static char *filled_in(const char *word)
{
	const char *at = strstr(word, "PID");
	char *out;
	int n;

	if (!at)
		n = asprintf(&out, "%s", word);
	else
		n = asprintf(&out, "%.*s%d%s", (int)(at - word), word, getpid(), at + 3);
	if (n < 0)
		abort();
	return out;
}

/* Twice, as a place may name two processes. */
static char *make_word(const char *word)
{
	char *once = filled_in(word), *twice = filled_in(once);

	free(once);
	return twice;
}

/* Stream @fd goes to a file in memory from now on; *@was is what stop() needs. */
static int start(int fd, int *was)
{
	int file = memfd_create("said", MFD_CLOEXEC);

	*was = dup(fd);
	if (file < 0 || *was < 0 || dup2(file, fd) < 0)
		abort();
	return file;
}

static void stop(int fd, int file, int was, char *said)
{
	ssize_t n;

	dup2(was, fd);
	close(was);
	n = pread(file, said, SAID_MAX - 1, 0);
	said[n > 0 ? n : 0] = '\0';
	close(file);
}

struct call {
	int (*command)(int argc, char **argv);
	int argc;
	char **argv;
	int status;
};

static void *run(void *ctx)
{
	struct call *c = ctx;

	c->status = c->command(c->argc, c->argv);
	return NULL;
}

/* The rights that a session gives up are those of its thread. */
static int run_in_thread(struct call call)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, &call) || pthread_join(thread, NULL))
		abort();
	return call.status;
}

void run_command(int (*command)(int argc, char **argv), const char *line, struct said *said)
{
	char *copy = strdup(line), *argv[WORDS_MAX + 1], *words[WORDS_MAX], *rest = copy, *word;
	int argc = 0, was_out, was_err, out, err;

	while ((word = strsep(&rest, " ")) && argc < WORDS_MAX)
		words[argc++] = make_word(word);
	/* The command may put its own in another order. */
	memcpy(argv, words, (size_t)argc * sizeof(argv[0]));
	argv[argc] = NULL;
	fflush(NULL);
	out = start(STDOUT_FILENO, &was_out);
	err = start(STDERR_FILENO, &was_err);
	said->status = run_in_thread((struct call){ command, argc, argv, -1 });
	fflush(NULL);
	stop(STDOUT_FILENO, out, was_out, said->out);
	stop(STDERR_FILENO, err, was_err, said->err);
	while (argc)
		free(words[--argc]);
	free(copy);
}

size_t nr_lines(const char *text)
{
	size_t nr = 0;

	for (; *text; text++)
		nr += *text == '\n';
	return nr;
}
