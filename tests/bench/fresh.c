// SPDX-License-Identifier: GPL-2.0
/*
 * faults PAGES: touches fresh anonymous pages one by one and prints how many nanoseconds that
 * took, to stderr or to the file named by BENCH_OUT.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

int main(int argc, char **argv)
{
	size_t pages = argc > 1 ? strtoul(argv[1], NULL, 10) : 200000, i;
	const char *path = getenv("BENCH_OUT");
	FILE *out = path ? fopen(path, "w") : stderr;
	struct timespec a, b;
	volatile char *p = mmap(NULL, pages * 4096, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED || !out || madvise((void *)p, pages * 4096, MADV_NOHUGEPAGE)) {
		perror("faults");
		return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < pages; i++)
		p[i * 4096] = 1;
	clock_gettime(CLOCK_MONOTONIC, &b);
	fprintf(out, "%lld\n",
		(long long)(b.tv_sec - a.tv_sec) * 1000000000 + (b.tv_nsec - a.tv_nsec));
	return fclose(out) ? 1 : 0;
}
