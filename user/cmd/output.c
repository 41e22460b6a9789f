// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/base/msg.h"
#include "user/cmd/program.h"

int output_error(void)
{
	if (!ferror_unlocked(stdout))
		return 0;
	return errno ? -errno : -EIO;
}

int output_status(int err)
{
	if (!err || err == -EPIPE)
		return EXIT_DONE;
	msg_error("stdout: %s", strerror(-err));
	return EXIT_FAILED;
}
