/* SPDX-License-Identifier: GPL-2.0 */
/* --linux VERSION: what Linux means by entries. */
#ifndef CMD_LINUX_OPT_H
#define CMD_LINUX_OPT_H

#include "user/base/opts.h"
#include "user/pt/pt_fmt.h"

/* A row for a command's own table; @field is a uint32_t for pt_linux_decode(), 0 if not given. */
#define LINUX_OPT_ROW(type, field)                                                      \
	{                                                                               \
		0, "linux", "VERSION", LINUX_OPT_HELP, OPT_CALL, offsetof(type, field), \
			linux_opt_version                                               \
	}

#define LINUX_OPT_HELP                                                               \
	"say what Linux of this version means by the entries: 6.1, for example, or " \
	"6.1+device-private if it was built with CONFIG_DEVICE_PRIVATE"

int linux_opt_version(void *target, const char *arg);

/* -EINVAL after a line on stderr when @version was given for tables that Linux' meaning is not
 * known of. @usage: as for msg_usage(). */
int linux_opt_check(unsigned int version, const struct pt_fmt *fmt, const char *usage);

#endif
