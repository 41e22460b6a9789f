/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The record file: one writer, one reader. Nothing outside user/record/ knows that it is a
 * perf.data file. What is written and read is the stream of records of bpf/events.h, side band
 * first within a flush.
 */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/events.h"

/* What a recording says about the machine and the session; fixed size, all little-endian. */
struct rec_info {
	uint64_t start_mono;  /* CLOCK_MONOTONIC ns when tracing began */
	uint64_t start_real;  /* CLOCK_REALTIME ns at the same moment */
	uint64_t kernel_text; /* address of _text, 0 if hidden: tells one boot's KASLR from
				 another's */
	uint64_t page_offset; /* start of the direct map */
	uint64_t addr_mask;   /* address bits of an entry */
	uint64_t va_bits;     /* 48 or 57 */
	uint32_t levels;      /* 4 or 5 */
	uint32_t maxphyaddr;
	uint32_t cpus;
	uint32_t hook;	     /* enum fault_hook, user/trace/names.h */
	uint32_t walks;	     /* walks were recorded */
	uint32_t enc_bit;    /* position of the memory encryption bit, 0: none */
	uint32_t target_pid; /* the launched command, or 0 */
	char boot_id[40];    /* /proc/sys/kernel/random/boot_id */
	char release[72];    /* uname -r */
	char hostname[72];
	char command[236];  /* the tracer's command line, cut */
	uint32_t stacks;    /* call chains were recorded */
	uint32_t zstd;	    /* level of the compression, 1 to 22; 0: none */
	uint32_t kvm;	    /* enum ptev_kvm_want: which VM exits were recorded; 0: none */
	uint16_t no_faults; /* 1: page faults were not recorded. 0 in files older than KVM's events
			     */
	uint16_t remaps;    /* 1: what ptremap changes was recorded. 0 in files older than that */
};

/* What became of everything that happened. */
struct rec_totals {
	uint64_t events; /* in the output */
	uint64_t lost[PTEV_NR_LOST];
	uint64_t filtered;    /* ended, but kept out by an outcome or latency filter */
	uint64_t missed_exit; /* events whose end was not seen */
	uint64_t
		missed_runs; /* BPF programs that the kernel did not run (recursion), any process */
	uint64_t lost_children; /* children of targets that could not be followed */
	uint64_t lost_sideband; /* side-band records that perf dropped: names may be missing */
	uint64_t end_mono;
};

struct rec_writer;
struct rec_reader;

/*
 * Creates @path ("-": stdout); an old recording there is kept as PATH.old, as perf does. Anything
 * that is not a regular file (/dev/null, a fifo) is opened as it is. Returns 0 and *@w, or -errno
 * after msg_error().
 */
int rec_create(struct rec_writer **w, const char *path, const struct rec_info *info);
/*
 * Adds one record of @size bytes (hdr.size). -EINVAL: it is none that rec_next() would give, or of
 * a kind that the session (@info) has not. Records reach the file when the buffer (1 MiB) is full
 * or at rec_flush(). Returns 0, or -errno when what was buffered before could not be written:
 * @record itself is in the buffer all the same. A file then still ends in the last whole flush and
 * later flushes are tried again; rec_unwritten() counts the events that could not be kept. A stream
 * is finished by its first error. rec_flush() is for moments at which all that had happened was
 * put: readers may put in order what came between two of them.
 */
int rec_put(struct rec_writer *w, const void *record, size_t size);
int rec_flush(struct rec_writer *w);
uint64_t rec_bytes(const struct rec_writer *w);	    /* size of the file so far */
uint64_t rec_unwritten(const struct rec_writer *w); /* events that could not be stored */
/*
 * Flushes, writes the totals and closes; lost[PTEV_LOST_WRITE] must be in @totals already (what
 * only this last flush loses is moved there from events). Frees @w in any case. In a file the
 * totals' space is reserved at creation, so that they fit on a full disk. 0 or -errno.
 */
int rec_close(struct rec_writer *w, const struct rec_totals *totals);
/* Undoes rec_create(): the file is removed, an older one gets its name back. Frees @w. */
void rec_discard(struct rec_writer *w);

/*
 * Opens ("-": stdin) and checks; -errno after msg_error() ("x: not a perf.data file"). perf's own
 * recordings are read, too, when they have events of use (exceptions:page_fault_*, kvm:kvm_exit);
 * their ->boot_id is empty.
 */
int rec_open(struct rec_reader **r, const char *path);
/* Numbers as recorded, unchecked; strings are terminated. */
const struct rec_info *rec_info(const struct rec_reader *r);
/*
 * Next record, valid until the following call; checked: type known, size right for its type and
 * flags, enumerations in range, strings terminated. A PTEV_FAULT is always a whole struct
 * ptev_fault: parts that were not recorded are zero, and without their flag. 1, 0 at the
 * end (also of a cut file), -errno (file unusable from here, said on stderr). Unknown types are
 * skipped, and their number is told on stderr at the end.
 */
int rec_next(struct rec_reader *r, const struct ptev_hdr **record);
/*
 * After the end: the totals. False: the recording was cut (killed recorder); @totals then has
 * what can be counted, the events.
 */
bool rec_totals(const struct rec_reader *r, struct rec_totals *totals);
/*
 * Tells @put of each build ID that the file has: of which path, 1 to 20 bytes. A path may be there
 * more than once. Nothing for pipes and recordings that were cut. 0, or what @put says.
 */
typedef int (*rec_build_id)(void *ctx, const char *path, const void *id, size_t size);
int rec_build_ids(const struct rec_reader *r, rec_build_id put, void *ctx);
uint64_t rec_file_size(const struct rec_reader *r); /* bytes; of a pipe: read so far */
void rec_reader_close(struct rec_reader *r);

/*
 * One recording by several readers at once, each of which has opened it: rec_next() then hands out
 * a part of the events, and COMM, MMAP, FORK and EXIT records up to the last of them, in the order
 * in which one reader has them. Whatever is not as it should be ends all readers with -ECANCELED or
 * another -errno, which nobody is told of: the file is then to be read by one.
 */
struct rec_board;

struct rec_board *rec_board_new(unsigned int nr); /* for @nr readers; NULL: no memory */
void rec_board_free(struct rec_board *b);	  /* when all of them are closed */
void rec_board_stop(struct rec_board *b);	  /* rec_next() of all of them fails soon */
/* Whether there can be parts: a file of this tool's own, compressed. */
bool rec_has_parts(const struct rec_reader *r);
/* @self: below the number of readers, another one for each. 0 or -ENOMEM. */
int rec_take_part(struct rec_reader *r, struct rec_board *b, unsigned int self);
/* After the end: whether the recording is complete, and nothing had to be left out of the part. */
bool rec_part_whole(const struct rec_reader *r);

#endif
