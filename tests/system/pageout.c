// SPDX-License-Identifier: GPL-2.0
/* pageout PID VA - pushes the page at that address of a process into swap space, if it can be. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct iovec page = { .iov_len = 4096 };
	int pidfd;

	if (argc != 3)
		return 2;
	pidfd = (int)syscall(SYS_pidfd_open, atoi(argv[1]), 0);
	page.iov_base = (void *)(uintptr_t)strtoull(argv[2], NULL, 0);
	if (pidfd < 0 || syscall(SYS_process_madvise, pidfd, &page, 1, MADV_PAGEOUT, 0) < 0) {
		perror("pageout");
		return 1;
	}
	return 0;
}
