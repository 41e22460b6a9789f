/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a program under test knows about the faults that it makes: the frame, from its own
 * pagemap, and the level at which the walk must have stopped before. The latter is exact below
 * ORACLE_BASE: nobody else maps anything there, and nothing there is ever unmapped, so a table
 * exists if and only if a fault has been made below it.
 */
#ifndef TESTS_ORACLE_H
#define TESTS_ORACLE_H

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE	      4096ul
#define HUGE	      (2ul << 20)
#define GIB	      (1ul << 30)
#define ZONE_SHIFT    39 /* one entry of a level 4 table each */
#define ORACLE_BASE   (1ul << 44)
#define ORACLE_ZONES  32
#define ZONE_GIBS     16	 /* of a zone, how much is used at most */
#define ORACLE_NO_PFN UINT64_MAX /* the event has no walk after the fault */

struct fault {
	uint64_t address, pfn;
	const char *origin, *access, *outcome;
	char stop;  /* h: hole, l: leaf */
	char level; /* at which the walk before the fault stops; 0: not known */
};

struct oracle {
	struct fault *faults;
	size_t nr, room;
	int pagemap;
	unsigned int zones; /* handed out */
	bool zone[ORACLE_ZONES], gib[ORACLE_ZONES][ZONE_GIBS];
	bool huge[ORACLE_ZONES][ZONE_GIBS * GIB / HUGE];
};

static inline void die(const char *what)
{
	perror(what);
	exit(1);
}

static inline void oracle_init(struct oracle *o, size_t room)
{
	memset(o, 0, sizeof(*o)); /* no faults on it later */
	o->room = room;
	o->faults = mmap(NULL, room * sizeof(*o->faults), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	o->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (o->faults == MAP_FAILED || o->pagemap < 0)
		die("oracle");
}

/* Maps @size bytes at the start of a zone that nobody has used. */
static inline char *oracle_map(struct oracle *o, size_t size, int prot, int flags, int fd)
{
	void *want = (void *)(ORACLE_BASE + ((uint64_t)o->zones << ZONE_SHIFT));

	if (o->zones++ == ORACLE_ZONES || size > ZONE_GIBS * GIB ||
	    mmap(want, size, prot, flags | MAP_FIXED_NOREPLACE, fd, 0) != want)
		die("oracle_map");
	return want;
}

/* Documentation/admin-guide/mm/pagemap.rst */
static inline uint64_t oracle_pagemap(const struct oracle *o, uint64_t address)
{
	uint64_t entry;

	if (pread(o->pagemap, &entry, sizeof(entry), (off_t)(address / PAGE * 8)) != sizeof(entry))
		die("pagemap");
	return entry;
}

static inline uint64_t oracle_pfn(const struct oracle *o, uint64_t address)
{
	uint64_t entry = oracle_pagemap(o, address);

	return entry >> 63 ? entry & ((1ul << 55) - 1) : 0;
}

/* Where a walk finds nothing, as long as no leaf is there. */
static inline int oracle_hole(const struct oracle *o, uint64_t address)
{
	uint64_t offset = address - ORACLE_BASE, zone = offset >> ZONE_SHIFT;
	uint64_t below = offset & ((1ul << ZONE_SHIFT) - 1);

	if (!o->zone[zone])
		return 4;
	if (!o->gib[zone][below / GIB])
		return 3;
	return o->huge[zone][below / HUGE] ? 1 : 2;
}

/* A leaf of level @leaf has been made at @address: so there are all tables above it. */
static inline void oracle_filled(struct oracle *o, uint64_t address, int leaf)
{
	uint64_t offset = address - ORACLE_BASE, zone = offset >> ZONE_SHIFT;
	uint64_t below = offset & ((1ul << ZONE_SHIFT) - 1);

	o->zone[zone] = o->gib[zone][below / GIB] = true;
	if (leaf == 1)
		o->huge[zone][below / HUGE] = true;
}

/* Where to write down the next fault. */
static inline struct fault *oracle_next(struct oracle *o)
{
	if (o->nr == o->room) {
		fputs("oracle: too many faults\n", stderr);
		exit(1);
	}
	return &o->faults[o->nr++];
}

/* "ADDRESS ORIGIN ACCESS OUTCOME PFN STOP", one line each; - for what is not known. */
static inline void oracle_write(const struct oracle *o, const char *path)
{
	FILE *out = fopen(path, "we");
	const struct fault *f;

	if (!out)
		die(path);
	for (f = o->faults; f < o->faults + o->nr; f++) {
		fprintf(out, "%" PRIx64 " %s %s %s ", f->address, f->origin, f->access, f->outcome);
		if (f->pfn == ORACLE_NO_PFN)
			fputs("- ", out);
		else
			fprintf(out, "%" PRIx64 " ", f->pfn);
		if (f->level)
			fprintf(out, "%c%d\n", f->stop, f->level);
		else
			fputs("-\n", out);
	}
	if (fclose(out))
		die(path);
}

#endif
