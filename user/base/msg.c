// SPDX-License-Identifier: GPL-2.0
#include "user/base/msg.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/base/printable.h"

/* Longer lines are cut: a message is read by a person. */
#define LINE_SIZE 4096

static size_t clamp(int printed, size_t room)
{
	if (printed < 0)
		return 0;
	return (size_t)printed < room ? (size_t)printed : room - 1;
}

/* One write, so that lines of several processes do not mix. */
static void put_line(const char *who, int who_len, const char *end, const char *fmt, va_list ap)
{
	char line[LINE_SIZE];
	size_t room = sizeof(line) - strlen(end);
	size_t len;

	len = clamp(snprintf(line, room, "%.*s: ", who_len, who), room);
	len += clamp(vsnprintf(line + len, room - len, fmt, ap), room - len);
	/* Names of files and processes in it may be anything. */
	len = printable_copy(line, line, len);
	memcpy(line + len, end, strlen(end));
	len += strlen(end);
	/* Nobody is left to be told when this fails. */
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}

void msg_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_line(program_invocation_short_name, INT_MAX, "\n", fmt, ap);
	va_end(ap);
}

void msg_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_line(program_invocation_short_name, INT_MAX, "\n", fmt, ap);
	va_end(ap);
}

/* "ptrace-pf record" of "ptrace-pf record [OPTIONS] ...": the words in small letters. */
static size_t command_len(const char *usage)
{
	size_t len = strcspn(usage, " ");

	while (usage[len] == ' ' && islower((unsigned char)usage[len + 1]))
		len += 1 + strcspn(usage + len + 1, " ");
	return len;
}

void msg_usage(const char *usage, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_line(usage, (int)command_len(usage), "; try --help\n", fmt, ap);
	va_end(ap);
}
