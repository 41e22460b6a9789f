// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/linux_opt.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/pt/pt_linux.h"

#define DEVICE_PRIVATE "device-private"
#define RELEASE_SIZE   65 /* of uname's release */

/* "6.1", also "6.1.0-56-cloud-amd64" as uname prints it. */
static int parse_version(const char *arg, uint32_t *version)
{
	unsigned int major, minor;
	int end = 0;

	if (sscanf(arg, "%3u.%3u%n", &major, &minor, &end) != 2 || !end || major < 1 ||
	    minor > 255 || isdigit((unsigned char)arg[end]))
		return -EINVAL;
	*version = PT_LINUX_VERSION(major, minor);
	return 0;
}

/* What stands behind a '+': our own word, or one of those that uname prints. */
static int parse_suffix(const char *suffix, uint32_t *version)
{
	static const char *const known[] = {
		"deb[0-9]*-*", "bpo-*", "unreleased-*", /* Debian */
		"rpt-*",				/* Raspberry Pi OS */
		"debug",       "rt",	"rt-debug",	/* Fedora */
	};
	size_t i;

	if (!strcmp(suffix, DEVICE_PRIVATE)) {
		*version |= PT_LINUX_DEVICE_PRIVATE;
		return 0;
	}
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!fnmatch(known[i], suffix, 0))
			return 0;
	return -EINVAL;
}

int linux_opt_version(void *target, const char *arg)
{
	char release[RELEASE_SIZE], *save = NULL, *suffix;
	uint32_t *version = target;

	if (parse_version(arg, version) || strlen(arg) >= sizeof(release)) {
		msg_error("linux '%s' is not a version like 6.1", arg);
		return -EINVAL;
	}
	strcpy(release, arg);
	strtok_r(release, "+", &save);
	while ((suffix = strtok_r(NULL, "+", &save))) {
		if (!parse_suffix(suffix, version))
			continue;
		msg_error("linux '%s': +%s is not known, +" DEVICE_PRIVATE " is", arg, suffix);
		return -EINVAL;
	}
	return 0;
}

int linux_opt_check(unsigned int version, const struct pt_fmt *fmt, const char *usage)
{
	if (!version || fmt->mode == PT_MODE_4LEVEL || fmt->mode == PT_MODE_5LEVEL)
		return 0;
	msg_usage(usage, "--linux is for the tables of 64-bit kernels");
	return -EINVAL;
}
