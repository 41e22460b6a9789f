// SPDX-License-Identifier: GPL-2.0
#include "user/cmd/rights.h"

#include <string.h>

#include "user/base/caps.h"
#include "user/base/msg.h"
#include "user/kernel/features.h"

bool rights_say_missing(void)
{
	const uint64_t least = CAP_BIT(CAP_BPF) | CAP_BIT(CAP_PERFMON);
	char lockdown[64];

	if (!caps_have(CAP_BIT(CAP_SYS_ADMIN)) && caps_have(least) != least) {
		msg_error("tracing needs root (CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN); use sudo");
		return true;
	}
	features_lockdown(lockdown, sizeof(lockdown));
	if (strcmp(lockdown, "confidentiality"))
		return false;
	msg_error("the kernel is locked down (%s): no program may read its memory, so nothing can "
		  "be traced; boot with lockdown=integrity, or none",
		  lockdown);
	return true;
}

/*
 * From here on names and files that others chose are read: /proc and the programs of other people's
 * processes, and the kernel's symbols; a command has to be ended; and on kernels before 5.19 the
 * counters of a session's own maps need CAP_BPF.
 */
void rights_drop(bool output)
{
	uint64_t keep = CAP_BIT(CAP_SYS_PTRACE) | CAP_BIT(CAP_DAC_READ_SEARCH) |
			CAP_BIT(CAP_SYSLOG) | CAP_BIT(CAP_KILL) | CAP_BIT(CAP_BPF);
	int err;

	if (output)
		keep |= CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FOWNER);
	err = caps_keep(keep);
	if (err)
		msg_note("privileges that are not needed any more cannot be given up: %s",
			 strerror(-err));
}
