/* SPDX-License-Identifier: GPL-2.0 */
/* ptremap watch --vm: what a guest does in ranges of its memory. */
#ifndef CMD_WATCH_ACCESS_H
#define CMD_WATCH_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of guest-physical memory, both included. */
struct gpa_range {
	uint64_t start, last;
};

/* Starts as zeros. ->range is allocated: watch_accesses_free(). */
struct access_opts {
	int pid, vm_fd; /* -1: the only one */
	struct gpa_range *range;
	size_t nr;
	uint32_t on;  /* PTREMAP_EPT_*; 0: all */
	uint64_t end; /* CLOCK_MONOTONIC, ns; 0: none */
	uint64_t count;
	bool json;
};

/* For OPT_CALL, of struct access_opts. */
int watch_parse_gpa(void *opts, const char *arg);
int watch_parse_on(void *opts, const char *arg);

/* Watches and prints; the exit status. Sorts the ranges. */
int watch_accesses(struct access_opts *o);
void watch_accesses_free(struct access_opts *o);

#endif
