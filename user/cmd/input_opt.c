// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/input_opt.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/cmd/cmd.h"

#define NSEC	    1000000000ull
#define NSEC_DIGITS 9

int input_opt_file(void *target, const char *arg)
{
	struct feed_input *in = target;

	if (in->nr == FEED_FILES_MAX) {
		msg_error("more than %d recordings", FEED_FILES_MAX);
		return -EINVAL;
	}
	in->paths[in->nr++] = arg;
	return 0;
}

/* Seconds with up to 9 decimals, exactly, for nobody wants another event because of a rounding. */
static const char *parse_seconds(const char *s, uint64_t *ns)
{
	uint64_t seconds = 0, part = 0;
	int digits = 0;

	if (!isdigit((unsigned char)*s))
		return NULL;
	for (; isdigit((unsigned char)*s); s++) {
		if (seconds >= UINT64_MAX / NSEC / 10)
			return NULL;
		seconds = seconds * 10 + (uint64_t)(*s - '0');
	}
	if (*s == '.')
		for (s++; isdigit((unsigned char)*s) && digits < NSEC_DIGITS; s++, digits++)
			part = part * 10 + (uint64_t)(*s - '0');
	for (; digits < NSEC_DIGITS; digits++)
		part *= 10;
	*ns = seconds * NSEC + part;
	return s;
}

int input_opt_time(void *target, const char *arg)
{
	struct feed_input *in = target;
	const char *s = arg;

	in->from = 0;
	in->to = UINT64_MAX;
	if (*s != ',')
		s = parse_seconds(s, &in->from);
	if (s && *s == ',')
		s = s[1] ? parse_seconds(s + 1, &in->to) : s + 1;
	else
		s = NULL;
	if (s && !*s && in->from <= in->to)
		return 0;
	msg_error("--time %s: not FROM,TO in seconds, such as 12.5,13 or 12.5,", arg);
	return -EINVAL;
}

void input_opt_default(struct feed_input *in)
{
	if (!in->nr)
		in->paths[in->nr++] = DEFAULT_FILE;
}
