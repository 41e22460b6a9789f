// SPDX-License-Identifier: GPL-2.0
/*
 * maps_events: whatever the process, the one that lends, the controller or the administrator does
 * while a mapping is there, it goes cleanly: nothing of it is left, nothing else was unmapped, all
 * references are given back, and the memory can be used again.
 */
#include <sched.h>
#include <time.h>

#include "tests/system/puppet.h"

#define VA	  0x50000000ull
#define ELSEWHERE 0x60000000ull
#define PAGES	  4
#define SECONDS	  3
#ifndef SYS_mseal
#define SYS_mseal 462
#endif

struct scene {
	struct checks c;
	struct puppet p, lender;
	uint32_t id;
	int32_t refs; /* of the lender's first page before */
};

static int32_t refs(struct scene *s)
{
	return fewest_refs(&s->c, s->lender.pid, s->lender.pages);
}

/* A leak stays. */
static bool refs_again(struct scene *s)
{
	int tries;

	for (tries = 0; tries < 50; tries++) {
		if (refs(s) == s->refs)
			return true;
		usleep(10000);
	}
	return false;
}

static int map_frames(struct scene *s, int dev, uint32_t flags, uint64_t va)
{
	struct ptremap_map m = {
		.size = sizeof(m),
		.flags = flags,
		.pid = s->p.pid,
		.other_pid = s->lender.pid,
		.va = va,
		.len = PAGES * PAGE,
		.from = s->lender.pages,
		.source = PTREMAP_MAP_FRAMES,
		.prot = PTREMAP_MAP_READ | PTREMAP_MAP_WRITE,
	};
	int err = ioctl(dev, PTREMAP_MAP, &m) ? -errno : 0;

	s->id = m.id;
	return err;
}

static bool sees(const struct scene *s, uint64_t va, unsigned int page)
{
	int error;
	uint64_t seen = puppet_read(&s->p, va, &error);

	return !error && seen == (uint64_t)(PUPPET_SEED + page) << 32;
}

static unsigned int lines(pid_t pid)
{
	char path[64], line[512];
	unsigned int n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, "[ptremap]") != NULL;
	if (f)
		fclose(f);
	return n;
}

static void begin(struct scene *s, uint32_t flags)
{
	bool all = true;
	unsigned int i;

	puppet_start(&s->p);
	puppet_start(&s->lender);
	s->refs = refs(s);
	if (map_frames(s, s->c.dev, flags, VA))
		die("map");
	for (i = 0; i < PAGES; i++)
		all = all && sees(s, VA + i * PAGE, i);
	if (!all)
		check(&s->c, false, "mapped: not the right pages");
}

/* What the list says of the mapping: its state and cause. */
static bool listed(struct scene *s, uint8_t state, uint8_t cause)
{
	struct ptremap_record r = { 0 };

	return list(&s->c, &r, 1) == 1 && r.id == s->id && r.what == PTREMAP_MAPPED &&
	       r.state == state && r.cause == cause && r.va == VA && r.pid == s->p.pid;
}

/* Undoes, which must find @active, and looks for what is left. */
static void end(struct scene *s, const char *what, int active)
{
	check(&s->c, undo(&s->c, s->id) == active, "%s: undone", what);
	check(&s->c, !lines(s->p.pid), "%s: no line left", what);
	check(&s->c, refs_again(s), "%s: %d references again", what, s->refs);
	puppet_end(&s->p);
	puppet_end(&s->lender);
}

/* ---- what the process does ------------------------------------------------------------------- */

static void forks(struct scene *s)
{
	struct reply r;

	begin(s, 0);
	r = puppet_do(&s->p, (struct order){ .what = ORDER_FORK, .args = { VA } });
	check(&s->c, r.error == -SIGSEGV, "fork: the child does not have it");
	check(&s->c, sees(s, VA, 0) && listed(s, PTREMAP_ACTIVE, 0), "fork: the parent does");
	end(s, "fork", 1);
}

static void unmaps_part(struct scene *s)
{
	int error;

	begin(s, 0);
	puppet_call(&s->p, SYS_munmap, VA + PAGE, PAGE, 0, 0, 0);
	puppet_read(&s->p, VA + PAGE, &error);
	check(&s->c, error == -SIGSEGV && sees(s, VA, 0) && sees(s, VA + 2 * PAGE, 2),
	      "munmap of a part: the others stay");
	puppet_call(&s->p, SYS_mprotect, VA + 2 * PAGE, PAGE, PROT_READ, 0, 0);
	check(&s->c, lines(s->p.pid) == 3 && listed(s, PTREMAP_ACTIVE, 0), "munmap: 3 parts");
	end(s, "munmap of a part", 1);
}

static void unmaps_all(struct scene *s)
{
	begin(s, 0);
	puppet_call(&s->p, SYS_munmap, VA, PAGES * PAGE, 0, 0, 0);
	check(&s->c, listed(s, PTREMAP_TAKEN, PTREMAP_CAUSE_UNMAP), "munmap: listed as taken");
	check(&s->c, refs(s) == s->refs, "munmap: %d references at once", s->refs);
	end(s, "munmap", 0);
}

static void maps_over(struct scene *s)
{
	begin(s, 0);
	puppet_call(&s->p, SYS_mmap, VA, PAGES * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, (uint64_t)-1);
	puppet_write(&s->p, VA, 5);
	end(s, "mmap over it", 0);
}

static void moves(struct scene *s)
{
	int error;
	long at_new;

	begin(s, 0);
	at_new = puppet_call(&s->p, SYS_mremap, VA, PAGES * PAGE, PAGES * PAGE,
			     MREMAP_MAYMOVE | MREMAP_FIXED, ELSEWHERE);
	check(&s->c, at_new == (long)ELSEWHERE && sees(s, ELSEWHERE + PAGE, 1),
	      "mremap: seen at the new place");
	puppet_read(&s->p, VA, &error);
	check(&s->c, error == -SIGSEGV && listed(s, PTREMAP_ACTIVE, 0), "mremap: not at the old");
	at_new = puppet_call(&s->p, SYS_mremap, ELSEWHERE, PAGES * PAGE, 2 * PAGES * PAGE,
			     MREMAP_MAYMOVE, 0);
	check(&s->c, at_new < 0, "mremap: does not grow: %s", strerror((int)-at_new));
	at_new = puppet_call(&s->p, SYS_mremap, ELSEWHERE, 0, PAGE, MREMAP_MAYMOVE, 0);
	check(&s->c, at_new < 0, "mremap: no second one: %s", strerror((int)-at_new));
	end(s, "mremap", 1);
}

static void seals(struct scene *s)
{
	long err;
	int error;

	begin(s, 0);
	err = puppet_call(&s->p, SYS_mseal, VA + PAGE, PAGE, 0, 0, 0);
	if (!err) {
		check(&s->c, undo(&s->c, s->id) == 1 && refs_again(s),
		      "mseal: undone, %d references again", s->refs);
		puppet_read(&s->p, VA + PAGE, &error);
		check(&s->c, error == -SIGBUS, "mseal: what cannot be unmapped is SIGBUS");
		check(&s->c, !list(&s->c, NULL, 0), "mseal: nothing is listed");
	}
	puppet_end(&s->p);
	check(&s->c, err ? undo(&s->c, s->id) == 0 : undo(&s->c, s->id) == -ENOENT,
	      "mseal (%s): gone with the process", strerror((int)-err));
	puppet_end(&s->lender);
}

static void becomes_another(struct scene *s)
{
	struct order run = { .what = ORDER_EXEC };
	int i;

	begin(s, 0);
	if (write(s->p.orders, &run, sizeof(run)) != sizeof(run))
		die("exec");
	for (i = 0; i < 500 && !listed(s, PTREMAP_TAKEN, PTREMAP_CAUSE_EXIT); i++)
		usleep(10000);
	check(&s->c, listed(s, PTREMAP_TAKEN, PTREMAP_CAUSE_EXIT), "exec: listed as taken");
	end(s, "exec", 0);
}

static void ends(struct scene *s, const char *what, bool killed)
{
	begin(s, 0);
	if (!killed)
		puppet_call(&s->p, SYS_exit_group, 0, 0, 0, 0, 0);
	puppet_end(&s->p);
	check(&s->c, listed(s, PTREMAP_TAKEN, PTREMAP_CAUSE_EXIT), "%s: listed as taken", what);
	check(&s->c, refs_again(s), "%s: %d references again", what, s->refs);
	check(&s->c, undo(&s->c, s->id) == 0, "%s: undone", what);
	puppet_end(&s->lender);
}

static void lender_ends(struct scene *s)
{
	unsigned int i;
	bool all = true;

	begin(s, 0);
	puppet_end(&s->lender);
	for (i = 0; i < PAGES; i++)
		all = all && sees(s, VA + i * PAGE, i);
	check(&s->c, all && !puppet_write(&s->p, VA, 1), "the lender ends: its pages stay");
	check(&s->c, undo(&s->c, s->id) == 1, "the lender ends: undone");
	puppet_end(&s->p);
}

/* ---- what the controller does ---------------------------------------------------------------- */

static void closes(struct scene *s)
{
	int dev = open_device(), error;

	puppet_start(&s->p);
	puppet_start(&s->lender);
	s->refs = refs(s);
	check(&s->c, !map_frames(s, dev, 0, VA) && sees(s, VA, 0), "close: mapped");
	close(dev);
	puppet_read(&s->p, VA, &error);
	check(&s->c, error == -SIGSEGV && !list(&s->c, NULL, 0), "close: it is gone");
	end(s, "close", -ENOENT);
}

static void is_killed(struct scene *s)
{
	pid_t pid;
	int error;

	puppet_start(&s->p);
	puppet_start(&s->lender);
	s->refs = refs(s);
	pid = fork();
	if (!pid) {
		if (map_frames(s, open_device(), 0, VA) || !sees(s, VA, 0))
			_exit(1);
		raise(SIGKILL);
	}
	waitpid(pid, &error, 0);
	check(&s->c, WIFSIGNALED(error), "killed controller: it had mapped");
	puppet_read(&s->p, VA, &error);
	check(&s->c, error == -SIGSEGV, "killed controller: it is gone");
	end(s, "killed controller", -ENOENT);
}

static int remove_module(void)
{
	return syscall(SYS_delete_module, "ptremap", O_NONBLOCK) ? -errno : 0;
}

/* The module's file is opened again by the next one. */
static void keeps(struct scene *s)
{
	int err;

	begin(s, PTREMAP_MAP_KEEP);
	close(s->c.dev);
	check(&s->c, sees(s, VA, 0), "keep: there after the controller");
	err = remove_module();
	check(&s->c, err == -EAGAIN, "keep: rmmod: %s", strerror(-err));
	s->c.dev = open_device();
	check(&s->c, listed(s, PTREMAP_ACTIVE, 0), "keep: listed by another file");
	end(s, "keep", 1);
}

/* ---- races ----------------------------------------------------------------------------------- */

/*
 * Maps its own memory wherever it can, unmaps what it finds there, and looks whether its own was
 * taken away: then it gets SIGSEGV.
 */
static void replace_loop(void)
{
	for (;;) {
		volatile char *p = mmap((void *)VA, PAGES * PAGE, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		int i;

		for (i = 0; (void *)p != MAP_FAILED && i < PAGES; i++)
			p[i * PAGE] = 1;
		if ((void *)p != MAP_FAILED)
			sched_yield();
		for (i = 0; (void *)p != MAP_FAILED && i < PAGES; i++)
			if (p[i * PAGE] != 1)
				_exit(1);
		/* Its own always, the other one now and then, and that in two steps. */
		if ((void *)p == MAP_FAILED && rand() & 7)
			continue;
		munmap((void *)(VA + (rand() & 3) * PAGE), (size_t)(1 + (rand() & 3)) * PAGE);
		munmap((void *)VA, PAGES * PAGE);
	}
}

static void undo_races(struct scene *s)
{
	time_t stop = time(NULL) + SECONDS, last = stop + 60;
	unsigned long made = 0, active = 0;
	int status;

	puppet_start(&s->lender);
	s->refs = refs(s);
	s->p.pid = fork();
	if (!s->p.pid)
		replace_loop();
	/* A slow machine needs longer until one is undone before it is replaced. */
	while (time(NULL) < (active ? stop : last)) {
		if (map_frames(s, s->c.dev, 0, VA))
			continue;
		made++;
		if (made & 1)
			sched_yield();
		active += undo(&s->c, s->id) == 1;
	}
	check(&s->c, made && active, "race of undo: %lu mapped, %lu undone", made, active);
	check(&s->c, !waitpid(s->p.pid, &status, WNOHANG),
	      "race of undo: nothing else was unmapped");
	kill(s->p.pid, SIGKILL);
	waitpid(s->p.pid, &status, 0);
	check(&s->c, refs_again(s), "race of undo: %d references again", s->refs);
	puppet_end(&s->lender);
}

/* Processes that end while they get a mapping. */
static void exit_races(struct scene *s)
{
	time_t stop = time(NULL) + SECONDS;
	unsigned long rounds = 0, made = 0;

	puppet_start(&s->lender);
	s->refs = refs(s);
	for (; time(NULL) < stop; rounds++) {
		s->p.pid = fork();
		if (!s->p.pid) {
			usleep((useconds_t)(rounds % 16) * 50);
			_exit(0);
		}
		while (!map_frames(s, s->c.dev, PTREMAP_MAP_KEEP, 0))
			made++;
		waitpid(s->p.pid, NULL, 0);
		undo(&s->c, 0);
	}
	check(&s->c, made && !list(&s->c, NULL, 0), "race of exit: %lu mapped in %lu processes",
	      made, rounds);
	check(&s->c, refs_again(s), "race of exit: %d references again", s->refs);
	puppet_end(&s->lender);
}

/* Frames that were given back are somebody else's now. */
static void use_memory(struct scene *s)
{
	size_t len = 600u << 20;
	char *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	check(&s->c, p != MAP_FAILED, "600 MiB can be used");
	if (p != MAP_FAILED)
		munmap(p, len);
}

int main(void)
{
	struct scene s = { .c = { .dev = open_device() } };

	forks(&s);
	unmaps_part(&s);
	unmaps_all(&s);
	maps_over(&s);
	moves(&s);
	seals(&s);
	becomes_another(&s);
	ends(&s, "exit", false);
	ends(&s, "kill -9", true);
	lender_ends(&s);
	closes(&s);
	is_killed(&s);
	keeps(&s);
	undo_races(&s);
	exit_races(&s);
	use_memory(&s);
	check(&s.c, !list(&s.c, NULL, 0), "nothing is listed");
	return s.c.failed > 0;
}
