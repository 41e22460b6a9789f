// SPDX-License-Identifier: GPL-2.0
#include "user/kernel/proc_task.h"

#include <stdio.h>

uint32_t proc_tgid(uint32_t tid)
{
	char path[40], line[128];
	unsigned int tgid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/status", tid);
	f = fopen(path, "re");
	while (f && !tgid && fgets(line, sizeof(line), f))
		if (sscanf(line, "Tgid: %u", &tgid) == 1)
			break;
	if (f)
		fclose(f);
	return tgid;
}
