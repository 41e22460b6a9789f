/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the processes of the soak share: memory with their numbers, and logs of what each is doing,
 * by which a restore is explained.
 */
#ifndef TESTS_SOAK_H
#define TESTS_SOAK_H

/* A vCPU that looks all the time would have an emulator to itself. */
#define TINY_REST_US 4000

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/system/edits.h"
#include "tests/system/huge.h"

/* ---- what can take an edit back -------------------------------------------------------------- */

/* The names are those of what the kernel's users do; the module's causes are coarser. */
enum deed {
	DEED_NONE,
	DEED_MUNMAP,
	DEED_MPROTECT,
	DEED_MREMAP,
	DEED_FORK,
	DEED_EXEC,
	DEED_EXIT,
	DEED_KILL,
	DEED_RECLAIM,
	DEED_SPLIT,
	DEED_COLLAPSE,
	DEED_MIGRATE,
	DEED_KSM,
	DEED_SLOT,
	DEED_VM,
	DEED_RMMOD,
	DEED_REQUIRED = DEED_RMMOD, /* a soak that has none of one of those up to here has failed */
	DEED_COPY,
	DEED_ADVICE,
	DEED_UFFD,
	DEED_SOFT_DIRTY,
	DEED_SYNC,
	DEED_CALL, /* another call of the module's, which has a page copied or split */
	DEED_UNDO, /* also that of a file that is closed */
	DEED_GUEST,
	DEED_OTHER,   /* nothing that is in a log */
	DEED_UNCLEAR, /* several that are */
	DEEDS
};

#define CAUSE(name)	  (1u << PTREMAP_CAUSE_##name)
#define CAUSE_OF_ZAP	  (CAUSE(CLEAR) | CAUSE(UNMAP))
#define CAUSE_OF_PROTECT  (CAUSE(PROTECT) | CAUSE(SOFT_DIRTY))
#define CAUSE_OF_END	  (CAUSE(EXIT) | CAUSE(VM))
#define CAUSE_OF_VM_FRAME (CAUSE(SLOT) | CAUSE(ZAP) | CAUSE(VM))

/* Which of the module's causes fit. */
static const struct deed_row {
	const char *name;
	uint32_t causes;
} DEED[DEEDS] = {
	[DEED_NONE] = { "nothing", 0 },
	[DEED_MUNMAP] = { "munmap", CAUSE(UNMAP) },
	[DEED_MPROTECT] = { "mprotect", CAUSE(PROTECT) },
	[DEED_MREMAP] = { "mremap", CAUSE_OF_ZAP },
	[DEED_FORK] = { "fork", CAUSE(PROTECT) },
	[DEED_EXEC] = { "exec", CAUSE_OF_END },
	[DEED_EXIT] = { "exit", CAUSE_OF_END },
	[DEED_KILL] = { "kill -9", CAUSE_OF_END },
	[DEED_RECLAIM] = { "reclaim", CAUSE(CLEAR) },
	[DEED_SPLIT] = { "THP split", CAUSE(CLEAR) },
	[DEED_COLLAPSE] = { "THP collapse", CAUSE_OF_ZAP },
	[DEED_MIGRATE] = { "migration", CAUSE(CLEAR) | CAUSE(MIGRATE) },
	[DEED_KSM] = { "KSM", CAUSE(CLEAR) },
	[DEED_SLOT] = { "memory slots", CAUSE_OF_VM_FRAME },
	[DEED_VM] = { "death of the VM", CAUSE(VM) },
	[DEED_RMMOD] = { "rmmod", 0 },
	[DEED_COPY] = { "copy on write", CAUSE(CLEAR) },
	[DEED_ADVICE] = { "MADV_DONTNEED", CAUSE_OF_ZAP },
	[DEED_UFFD] = { "userfaultfd", CAUSE_OF_PROTECT | CAUSE(CLEAR) },
	[DEED_SOFT_DIRTY] = { "clear_refs", CAUSE_OF_PROTECT },
	[DEED_SYNC] = { "write-back", CAUSE_OF_PROTECT | CAUSE(CLEAR) },
	[DEED_CALL] = { "other calls", CAUSE(CLEAR) },
	[DEED_UNDO] = { "undo", CAUSE(UNDO) },
	[DEED_GUEST] = { "the guest, or KVM", CAUSE(ACCESS) | CAUSE(ZAP) | CAUSE(SLOT) },
	[DEED_OTHER] = { "what nobody here did", ~0u },
	[DEED_UNCLEAR] = { "one of several", ~0u },
};

/* ---- logs ------------------------------------------------------------------------------------ */

/* What one process has done of late, or is at. ->end 0: it still is. */
struct log_entry {
	_Atomic uint32_t deed;
	pid_t pid; /* whose memory; 0: of all */
	uint64_t first, last, begin;
	_Atomic uint64_t end;
};

#define LOG_ROOM 256

struct log {
	uint32_t nr; /* so far; only its process writes, or who waited for its end */
	struct log_entry entries[LOG_ROOM];
};

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline struct log_entry *log_begin(struct log *l, enum deed deed, pid_t pid, const void *p,
					  size_t len)
{
	struct log_entry *e = &l->entries[l->nr++ % LOG_ROOM];

	e->deed = DEED_NONE;
	e->pid = pid;
	e->first = at(p);
	e->last = len ? at(p) + len - 1 : ~0ull;
	e->begin = now_ns();
	e->end = 0;
	e->deed = deed;
	return e;
}

static inline void log_end(struct log_entry *e)
{
	e->end = now_ns();
}

/* Of a process that has ended. */
static inline void log_close(struct log *l)
{
	unsigned int i;

	for (i = 0; i < LOG_ROOM; i++)
		if (l->entries[i].deed && !l->entries[i].end)
			log_end(&l->entries[i]);
}

/* ---- shared memory --------------------------------------------------------------------------- */

#define TARGETS	    4 /* processes without a VM */
#define VMS	    2 /* with one */
#define CONTROLLERS 3
#define ALL_TARGETS (TARGETS + VMS)
#define ERRNOS	    134

/*
 * A target's memory: 4 KiB pages of each kind in the first 2 MiB, then huge pages. That of a VM is
 * ANON and SHARED alone, which the guest has, too.
 */
#define ANON_PAGES   48
#define TWINS	     16 /* of these, at the end: the same in all targets */
#define SHARED_AT    (1u << 20)
#define SHARED_PAGES 24
#define FILE_AT	     (3u << 19)
#define FILE_PAGES   8
#define HUGE_AT	     HUGE
#define HUGE_NR	     3
#define HUGE_SHARED  2 /* its index: of tmpfs, the others are anonymous */
#define MEMORY	     (HUGE_AT + HUGE_NR * HUGE)

enum phase { PHASE_RUN, PHASE_CALM, PHASE_OVER };

struct target {
	_Atomic int pid; /* 0: not ready yet */
	char *_Atomic base;
	_Atomic int calm; /* the last round of calm in which it has looked at its memory */
	bool has_vm;
};

/* What a run counts. */
struct numbers {
	_Atomic uint32_t edits, items, huge_items, guest_items, undone, walks, tables, reads;
	_Atomic uint32_t checks, grafts, watches, access_watches, lists, vms, dry_runs, kept;
	_Atomic uint32_t ram_items, rules, mirrors;
	_Atomic uint32_t acted[PTREMAP_ON_FAULT + 1]; /* rules, by what they wait for */
	_Atomic uint32_t mirrored, accesses;	      /* by the window; that watches told */
	_Atomic uint32_t tracers_killed;
	_Atomic uint32_t lives, exited, killed, controllers_killed, looks, forks, vm_lives;
	_Atomic uint32_t wrong;	  /* pages that had not their own data */
	_Atomic uint32_t refused; /* calls, where there was no reason to */
	_Atomic uint32_t answers[ERRNOS];
};

struct soak {
	uint32_t seed, seconds, rest_us;
	const char *file; /* path, on a disk */
	bool kvm;
	_Atomic int phase, calm; /* ->calm: counts rounds */
	struct target targets[ALL_TARGETS];
	struct numbers n;
	struct log target_logs[ALL_TARGETS], controller_logs[CONTROLLERS], outside_log, main_log;
};

static inline uint32_t random_of(uint32_t *state, uint32_t n)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state % n;
}

static inline uint32_t seed_of(uint32_t seed, uint32_t life)
{
	uint32_t state = seed + 2654435761u * (life + 1);

	return state ? state : 1;
}

static inline void rest(uint32_t *state, uint32_t us)
{
	usleep(1 + random_of(state, 2 * us + 1));
}

static inline void note_wrong(struct soak *s, const char *what, unsigned int who, uint64_t page)
{
	if (s->n.wrong++ < 8)
		printf("# %s: target %u, page %" PRIu64 ": not its own data\n", what, who, page);
	fflush(stdout);
}

#endif
