// SPDX-License-Identifier: GPL-2.0
#include "user/base/caps.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Two words of 32 bits each: capget(2). */
#define WORDS _LINUX_CAPABILITY_U32S_3

static int get(struct __user_cap_data_struct data[WORDS])
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capget, &head, data) ? -errno : 0;
}

uint64_t caps_have(uint64_t caps)
{
	struct __user_cap_data_struct data[WORDS];

	if (get(data))
		return 0;
	return caps & (data[0].effective | (uint64_t)data[1].effective << 32);
}

int caps_keep(uint64_t keep)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[WORDS];
	unsigned int i;
	int err = get(data);

	if (err)
		return err;
	for (i = 0; i < WORDS; i++) {
		data[i].permitted &= (uint32_t)(keep >> 32 * i);
		data[i].effective &= data[i].permitted;
		data[i].inheritable = 0; /* the ambient ones go with it */
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_capset, &head, data))
		return -errno;
	return 0;
}
