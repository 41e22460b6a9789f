/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What /proc knows about processes that already run: threads, names, mappings, and the records
 * that perf would have sent about them, had it been there (Documentation/filesystems/proc.rst).
 */
#ifndef KERNEL_PROC_MAPS_H
#define KERNEL_PROC_MAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bpf/events.h"

/* One line of /proc/PID/maps. */
struct proc_maps_entry {
	uint64_t start, end; /* end is exclusive */
	uint32_t prot;	     /* PROT_* */
	bool shared;
	uint64_t pgoff; /* bytes */
	uint32_t maj, min;
	uint64_t ino;
	const char *name; /* "": anonymous; otherwise as the kernel says it, "(deleted)" included */
};

/* Returns 0, or anything else to stop. */
typedef int (*proc_maps_fn)(void *ctx, const struct proc_maps_entry *entry);
typedef int (*proc_task_fn)(void *ctx, uint32_t tid);
typedef int (*proc_put_fn)(void *ctx, const struct ptev_hdr *record);

/*
 * Takes @line apart, without its newline; it is written to, and e->name lies in it. False: it is
 * no mapping, as most lines of /proc/PID/smaps.
 */
bool proc_maps_parse(char *line, struct proc_maps_entry *e);

/*
 * Calls @fn for each mapping in the text @in. Names longer than PATH_MAX are cut, lines that make
 * no sense are left out. Returns 0, -ENOMEM or what @fn returned.
 */
int proc_maps_read(FILE *in, proc_maps_fn fn, void *ctx);
/* The same for a process. -ESRCH: no such process; otherwise also -errno of the open. */
int proc_maps_each(uint32_t pid, proc_maps_fn fn, void *ctx);
/* Calls @fn for each thread. 0, -ESRCH, or what @fn returned. */
int proc_tasks_each(uint32_t pid, proc_task_fn fn, void *ctx);
/* Name of a thread, NUL-terminated. 0 or -ESRCH. */
int proc_task_comm(uint32_t pid, uint32_t tid, char comm[16]);
/* Parent's pid, 0 for none or when the process is gone. */
uint32_t proc_ppid(uint32_t pid);

/*
 * Tells @put about a running process: a COMM record (exec 0) for each thread, then an MMAP record
 * for each mapping, all stamped @time (CLOCK_MONOTONIC ns). Kernel threads have no mappings, nor
 * has a process whose maps may not be read. Ending in between is no error. Returns 0, -ESRCH (no
 * such process), -ENOMEM or what @put returned.
 */
int proc_synthesise(uint32_t pid, uint64_t time, proc_put_fn put, void *ctx);
/* The same for every process there is. */
int proc_synthesise_all(uint64_t time, proc_put_fn put, void *ctx);

#endif
