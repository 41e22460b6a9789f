/* SPDX-License-Identifier: GPL-2.0 */
/* Memory of a process by its addresses: what "ptremap read" and "write" do with --pid and --va. */
#ifndef CMD_MEMORY_H
#define CMD_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

struct memory_opts {
	uint32_t pid;
	uint64_t va, len; /* ->len: of what is read, or of ->bytes */
	bool raw;	  /* read: the bytes themselves, zeros where there are none */
	bool force;	  /* write: also to pages that the process may only read */
	bool partial;	  /* write: what can be written, where not all can */
	const char *bytes;
};

/* Each returns the exit status, after a line on stderr for each range that was left out, and why.
 */
int memory_read(const struct memory_opts *o);
int memory_write(const struct memory_opts *o);

#endif
