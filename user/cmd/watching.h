/* SPDX-License-Identifier: GPL-2.0 */
/* What the forms of watch have in common: events of a descriptor, until somebody has had enough. */
#ifndef CMD_WATCHING_H
#define CMD_WATCHING_H

#include <stdbool.h>
#include <stdint.h>

struct watching {
	int fd;	      /* of the watch */
	uint64_t end; /* CLOCK_MONOTONIC, ns; 0: none */
	/*
	 * Prints what there is. 0, or -errno of stdout; *@error is -errno of the watch, and *@done
	 * says that no more is wanted, or will come.
	 */
	int (*take)(struct watching *w, int *error, bool *done);
	const char *(*explain)(int error);
};

/* Until a signal, the time, or ->take says so; or nobody reads what is printed. Exit status. */
int watching_run(struct watching *w);

#endif
