// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/numbers.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/base/units.h"
#include "user/cmd/output.h"
#include "user/cmd/program.h"

#define WORD_SIZE 256 /* of a number, zeros before it included */

static bool is_stdin(const char *word)
{
	return !strcmp(word, "-");
}

static int check_words(int argc, char **argv, int rest, const char *what, const char *usage)
{
	uint64_t number;
	int i;

	if (rest == argc) {
		msg_usage(usage, "%s is missing", what);
		return EXIT_USAGE;
	}
	for (i = rest; i < argc; i++) {
		if (is_stdin(argv[i]) || !units_parse_u64(argv[i], &number))
			continue;
		msg_usage(usage, "'%s' is not %s", argv[i], what);
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

/*
 * The next word of stdin; false at the end. Counts the lines. A word that is too long, or has a NUL
 * in it, becomes "?": its beginning could pass for a number.
 */
static bool next_word(char *word, uint64_t *line)
{
	bool whole = true;
	size_t len = 0;
	int c;

	while ((c = getc_unlocked(stdin)) != EOF && isspace(c))
		*line += c == '\n';
	for (; c != EOF && !isspace(c); c = getc_unlocked(stdin))
		if (c && len < WORD_SIZE - 1)
			word[len++] = (char)c;
		else
			whole = false;
	if (c != EOF)
		ungetc(c, stdin); /* a newline counts for the word behind it */
	word[len] = 0;
	if (!whole)
		strcpy(word, "?");
	return *word;
}

static int each_of_stdin(const char *what, numbers_fn each, void *ctx)
{
	char word[WORD_SIZE];
	uint64_t number, line = 1;
	int err;

	while (next_word(word, &line)) {
		if (units_parse_u64(word, &number)) {
			msg_error("stdin, line %" PRIu64 ": not %s", line, what);
			return EXIT_FAILED;
		}
		err = each(ctx, number);
		if (err)
			return output_status(err);
	}
	if (!ferror_unlocked(stdin))
		return EXIT_DONE;
	msg_error("stdin: %s", strerror(errno));
	return EXIT_FAILED;
}

int numbers_each(int argc, char **argv, int rest, const char *what, const char *usage,
		 numbers_fn each, void *ctx)
{
	int status = check_words(argc, argv, rest, what, usage);
	uint64_t number;

	for (; !status && rest < argc; rest++) {
		if (is_stdin(argv[rest]))
			status = each_of_stdin(what, each, ctx);
		else if (!units_parse_u64(argv[rest], &number))
			status = output_status(each(ctx, number));
	}
	return status;
}
