// SPDX-License-Identifier: GPL-2.0
#include "user/base/text_file.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "user/base/line.h"
#include "user/base/msg.h"

/* The next line without its end. 0; 1: there is none. */
static int next_line(FILE *in, char buf[TEXT_FILE_MAX])
{
	size_t len = 0;
	int c;

	while ((c = getc_unlocked(in)) != EOF && c != '\n') {
		if (len == TEXT_FILE_MAX - 1)
			return -E2BIG;
		buf[len++] = c ? (char)c : '?'; /* a NUL is no end */
	}
	buf[len] = 0;
	if (ferror(in))
		return -EIO;
	return c == EOF && !len;
}

int text_file_lines(FILE *in, int (*take)(void *ctx, char *text), void *ctx, uint32_t *line)
{
	char text[TEXT_FILE_MAX];
	int err;

	for (*line = 1;; ++*line) {
		err = next_line(in, text);
		if (err)
			return err < 0 ? err : 0;
		text[strcspn(text, "#")] = 0;
		if (!text[strspn(text, " \t\r")])
			continue;
		err = take(ctx, text);
		if (err)
			return err;
	}
}

int text_file_error(const char *name, uint32_t line, int err, const char *why)
{
	struct line clean = { 0 };

	if (err == -EIO) {
		msg_error("%s: %s", name, strerror(EIO));
		return err;
	}
	line_text(&clean, err == -E2BIG ? "the line is too long" : why);
	line_char(&clean, '\0');
	msg_error("%s, line %" PRIu32 ": %s", name, line, clean.failed ? "" : clean.buf);
	line_free(&clean);
	return err == -ENOMEM ? err : -EINVAL;
}
