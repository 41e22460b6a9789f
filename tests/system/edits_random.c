// SPDX-License-Identifier: GPL-2.0
/*
 * edits_random: many edits by several controllers at once, and processes that end meanwhile.
 *
 *	edits_random EDITS SECONDS
 *
 * EDITS random edits are made in two processes, undone in any order, or left to the death of the
 * controller, which comes at random, too; the processes let the kernel act on their memory all the
 * while. Then, for SECONDS, processes are walked and edited that live for some ms. PTSCOPE_SEED in
 * the environment repeats a run, as far as several processes can.
 */
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/system/edits.h"

#define CONTROLLERS 4
#define TARGETS	    2
#define PAGES	    64 /* of each kind, private and shared */
#define IDS	    16 /* edits that a controller has at a time */
#define LIVES	    300
#define YOUNG	    16
#define ERRNOS	    134

struct target {
	pid_t pid;
	char *p;
	_Atomic int ready;
	_Atomic bool over;
	_Atomic bool intact;
};

struct shared {
	struct target targets[TARGETS];
	_Atomic unsigned int made, undone, deaths;
	_Atomic unsigned int answers[ERRNOS];
	_Atomic int young[YOUNG]; /* pids */
	char *_Atomic where;	  /* their memory */
	_Atomic bool over;
};

struct run {
	struct checks c;
	struct shared *s;
	unsigned int seed, edits, seconds;
	unsigned int lives; /* of controllers, so far */
};

static uint32_t random_of(uint32_t *state, uint32_t n)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state % n;
}

static void note(struct shared *s, int err)
{
	s->answers[err < 0 && err > -ERRNOS ? -err : 0]++;
}

/* ---- processes that are edited --------------------------------------------------------------- */

static char *page_of(char *p, unsigned int i)
{
	return p + (size_t)i * PAGE;
}

static bool all_filled(char *p)
{
	unsigned int i;

	for (i = 0; i < 2 * PAGES; i++)
		if (!is_filled(page_of(p, i), i))
			return false;
	return true;
}

static void fork_and_read(char *p)
{
	pid_t pid = fork();
	unsigned int i;

	if (!pid) {
		for (i = 0; i < 2 * PAGES; i++)
			*(volatile char *)page_of(p, i);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

/* Something that the kernel does to memory without a change of its contents. */
static void stir(char *p, uint32_t *state)
{
	char *some = page_of(p, random_of(state, 2 * PAGES - 8));

	switch (random_of(state, 8)) {
	case 0:
		mprotect(some, 8 * PAGE, PROT_READ);
		mprotect(some, 8 * PAGE, PROT_READ | PROT_WRITE);
		break;
	case 1:
		madvise(some, 8 * PAGE, MADV_COLD);
		break;
	case 2:
		madvise(some, 8 * PAGE, MADV_PAGEOUT);
		break;
	case 3:
		write_file("/proc/self/clear_refs", "4");
		break;
	case 4:
		fork_and_read(p);
		break;
	case 5:
		if (some >= page_of(p, PAGES))
			madvise(some, 8 * PAGE, MADV_DONTNEED); /* shared: it is faulted in again */
		break;
	default:
		*(volatile char *)some;
	}
	usleep(500);
}

static void __attribute__((noreturn)) be_target(struct target *t, uint32_t state)
{
	char *p = mmap(NULL, (size_t)2 * PAGES * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (p == MAP_FAILED || mmap(page_of(p, PAGES), (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		die("mmap");
	madvise(p, (size_t)PAGES * PAGE, MADV_NOHUGEPAGE);
	for (i = 0; i < 2 * PAGES; i++)
		fill_page(page_of(p, i), i);
	t->p = p;
	t->ready = 1;
	while (!t->over)
		stir(p, &state);
	t->intact = all_filled(p);
	t->ready = 2;
	for (;;)
		pause();
}

/* ---- controllers ----------------------------------------------------------------------------- */

static struct ptremap_item random_item(const struct shared *s, uint32_t *state)
{
	const struct target *one = &s->targets[random_of(state, TARGETS)];
	const struct target *two = &s->targets[random_of(state, TARGETS)];
	struct ptremap_item i = {
		.pid = one->pid,
		.va = at(page_of(one->p, random_of(state, 2 * PAGES))),
		.what = PTREMAP_PROTECT + random_of(state, last_kind()),
	};

	if (i.what == PTREMAP_FRAME || i.what == PTREMAP_SWAP) {
		i.other_pid = two->pid;
		i.other_va = at(page_of(two->p, random_of(state, 2 * PAGES)));
	}
	if (i.what == PTREMAP_PROTECT) {
		i.clear = random_of(state, 2) ? BIT_RW : BIT_NX;
		i.set = random_of(state, 2) ? BIT_PCD : 0;
	}
	return i;
}

static void undo_any(const struct run *r, uint32_t *ids, unsigned int *nr, uint32_t *state)
{
	unsigned int i = random_of(state, *nr);
	int back = undo(&r->c, ids[i]);

	ids[i] = ids[--*nr];
	if (back < 0)
		note(r->s, back);
	else
		r->s->undone++;
}

static void __attribute__((noreturn)) be_controller(struct run *r, uint32_t state)
{
	uint32_t ids[IDS];
	unsigned int nr = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	r->c.dev = open_device();
	while (r->s->made < r->edits) {
		struct ptremap_item items[2];
		uint32_t some = 1 + random_of(&state, 2);
		int err;

		items[0] = random_item(r->s, &state);
		items[1] = random_item(r->s, &state);
		err = edit_many(&r->c, items, some, 0, &ids[nr]);
		note(r->s, err);
		if (!err) {
			r->s->made += some;
			nr++;
		}
		while (nr == IDS || (nr && random_of(&state, 2)))
			undo_any(r, ids, &nr, &state);
		if (!random_of(&state, LIVES)) {
			r->s->deaths++;
			kill(getpid(), SIGKILL);
		}
	}
	_exit(0);
}

static void start_controller(struct run *r)
{
	uint32_t state = r->seed + 7919 * ++r->lives;

	if (!fork())
		be_controller(r, state ? state : 1);
}

/* Those that died are replaced until all is done. */
static void run_controllers(struct run *r)
{
	unsigned int i, alive = CONTROLLERS;
	int status;
	pid_t pid;

	for (i = 0; i < CONTROLLERS; i++)
		start_controller(r);
	while (alive) {
		pid = wait(&status);
		if (pid < 0)
			break;
		if (pid == r->s->targets[0].pid || pid == r->s->targets[1].pid)
			die("a process that was edited ended");
		if (WIFSIGNALED(status))
			start_controller(r);
		else
			alive--;
	}
}

/* ---- the test of many edits ------------------------------------------------------------------ */

/* Of all pages: references that are not explained by mappings and the page cache. */
static long extra_references(const struct run *r)
{
	long extra = 0;
	unsigned int i, k;

	drain_lru();
	for (k = 0; k < TARGETS; k++) {
		const struct target *t = &r->s->targets[k];

		for (i = 0; i < 2 * PAGES; i++) {
			struct ptremap_walk_entry e = walk(&r->c, t->pid, at(page_of(t->p, i)));

			extra += e.page.refcount - mapcount(e.page.pfn) - (i >= PAGES);
		}
	}
	return extra;
}

/* The kernel's own references come and go. */
static long settled_references(const struct run *r)
{
	long extra = extra_references(r);
	int tries;

	for (tries = 0; extra && tries < 50; tries++) {
		usleep(20000);
		extra = extra_references(r);
	}
	return extra;
}

static void print_answers(const struct shared *s)
{
	unsigned int i;

	printf("# answers: %u ok", s->answers[0]);
	for (i = 1; i < ERRNOS; i++)
		if (s->answers[i])
			printf(", %u %s", s->answers[i], strerrorname_np((int)i));
	putchar('\n');
	fflush(stdout);
}

static bool only_answers(const struct shared *s, const int *fine)
{
	unsigned int i;

	for (i = 1; i < ERRNOS; i++) {
		const int *f = fine;

		while (*f && *f != (int)i)
			f++;
		if (s->answers[i] && !*f)
			return false;
	}
	return true;
}

static void start_targets(struct run *r)
{
	unsigned int i;

	for (i = 0; i < TARGETS; i++) {
		struct target *t = &r->s->targets[i];
		pid_t pid = fork();

		if (!pid) {
			close(r->c.dev);
			be_target(t, r->seed + i + 1);
		}
		t->pid = pid;
		while (!t->ready)
			usleep(1000);
	}
}

static bool end_targets(struct run *r)
{
	bool intact = true;
	unsigned int i;

	for (i = 0; i < TARGETS; i++) {
		struct target *t = &r->s->targets[i];

		t->over = true;
		while (t->ready < 2)
			usleep(1000);
		intact = intact && t->intact;
	}
	return intact;
}

static void test_random(struct run *r)
{
	static const int fine[] = { EBUSY, EAGAIN, ESTALE, EROFS, 0 };
	unsigned int i;
	bool intact;
	long extra;

	start_targets(r);
	run_controllers(r);
	check(&r->c, list(&r->c, NULL, 0) == 0,
	      "%u edits by %d controllers, %u transactions undone, %u deaths: none is left",
	      r->s->made, CONTROLLERS, r->s->undone, r->s->deaths);
	print_answers(r->s);
	check(&r->c, only_answers(r->s, fine),
	      "answers are 0, EBUSY, EAGAIN, ESTALE, or EROFS where memory was read-only");
	intact = end_targets(r);
	empty_swap();
	check(&r->c, intact, "contents of %d pages are as before", TARGETS * 2 * PAGES);
	extra = settled_references(r);
	check(&r->c, !extra, "references of %d pages that nothing explains: %ld",
	      TARGETS * 2 * PAGES, extra);
	for (i = 0; i < TARGETS; i++) {
		kill(r->s->targets[i].pid, SIGKILL);
		waitpid(r->s->targets[i].pid, NULL, 0);
	}
}

/* ---- the test of copy-on-write ----------------------------------------------------------------
 */

#define FORKS 500

/* What it writes after each fork must not be seen by the child. */
static void __attribute__((noreturn)) be_writer(struct run *r)
{
	volatile uint64_t *p = (volatile uint64_t *)(void *)r->s->where;
	unsigned int i;
	int status;

	for (i = 0; i < FORKS; i++) {
		pid_t pid;

		*p = i;
		pid = fork();
		if (!pid) {
			while (r->s->undone <= i)
				usleep(100);
			_exit(*p != i);
		}
		/* Time for an edit that began before the fork to end after it. */
		usleep(50 * (i % 16));
		*p = ~0u;
		r->s->undone = i + 1;
		waitpid(pid, &status, 0);
		r->s->deaths += status != 0;
	}
	r->s->over = true;
	_exit(0);
}

/*
 * Entries are made writable while forks make pages shared that were the process' own. Those of
 * other pages come in between.
 */
static void test_cow(struct run *r)
{
	struct ptremap_item items[PAGES];
	unsigned int i;
	uint32_t id;
	pid_t pid;

	memset(r->s, 0, sizeof(*r->s));
	r->s->where = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	pid = fork();
	if (!pid)
		be_writer(r);
	for (i = 0; i < PAGES; i++)
		items[i] = (struct ptremap_item){
			.pid = pid,
			.va = at(page_of(r->s->where, i)),
			.what = PTREMAP_PROTECT,
			.set = BIT_RW,
		};
	while (!r->s->over) {
		if (edit_many(&r->c, items, PAGES, 0, &id))
			continue;
		r->s->made++;
		undo(&r->c, id);
	}
	waitpid(pid, NULL, 0);
	check(&r->c, r->s->made && !r->s->deaths,
	      "%u transactions for writing during %d forks: %u children saw what is not theirs",
	      r->s->made, FORKS, r->s->deaths);
}

/* ---- the test of short lives ----------------------------------------------------------------- */

static void __attribute__((noreturn)) be_young(uint32_t state)
{
	usleep(random_of(&state, 3000));
	_exit(0);
}

/* Keeps YOUNG / 2 of them alive, so that every second pid is of one that has just ended. */
static void __attribute__((noreturn)) be_parent(struct run *r, uint32_t state)
{
	unsigned int born = 0, alive = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!r->s->over || alive) {
		if (alive < YOUNG / 2 && !r->s->over) {
			pid_t pid = fork();

			if (!pid)
				be_young(state + born);
			r->s->young[born++ % YOUNG] = pid;
			alive++;
			continue;
		}
		if (wait(NULL) > 0)
			alive--;
	}
	_exit(0);
}

static void __attribute__((noreturn)) be_hunter(struct run *r, uint32_t state)
{
	struct ptremap_item i = {};
	uint32_t id;
	int err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	r->c.dev = open_device();
	while (!r->s->over) {
		i = (struct ptremap_item){
			.pid = r->s->young[random_of(&state, YOUNG)],
			.va = at(r->s->where) + PAGE * random_of(&state, 4),
			.what = PTREMAP_PROTECT + random_of(&state, last_kind()),
		};
		if (!i.pid)
			continue;
		i.clear = i.what == PTREMAP_PROTECT ? BIT_RW : 0;
		if (i.what == PTREMAP_FRAME || i.what == PTREMAP_SWAP) {
			i.other_pid = r->s->young[random_of(&state, YOUNG)];
			i.other_va = i.va ^ PAGE;
		}
		err = walk(&r->c, i.pid, i.va).status;
		note(r->s, err);
		err = edit(&r->c, &i, &id);
		note(r->s, err);
		if (!err && random_of(&state, 2))
			usleep(random_of(&state, 1000));
		if (!err)
			undo(&r->c, id);
		r->s->made++;
	}
	_exit(0);
}

/* Objects in use of a slab cache; -1: unknown. */
static long slab_objects(const char *name)
{
	char line[256];
	FILE *f = fopen("/proc/slabinfo", "r");
	long n = -1;

	while (f && n < 0 && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ' ')
			n = strtol(line + strlen(name), NULL, 10);
	if (f)
		fclose(f);
	return n;
}

static void test_young(struct run *r)
{
	static const int fine[] = { ESRCH, ENXIO, ENOENT, EAGAIN, EBUSY, ESTALE, 0 };
	long memory, mms;
	unsigned int i;
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	memset(p, 1, 4 * PAGE);
	memset(r->s, 0, sizeof(*r->s));
	r->s->where = p;
	memory = kib_of("/proc/meminfo", "MemAvailable");
	mms = slab_objects("mm_struct");
	if (!fork())
		be_parent(r, r->seed + 17);
	for (i = 0; i < 2; i++)
		if (!fork())
			be_hunter(r, r->seed + 31 + i);
	sleep(r->seconds);
	r->s->over = true;
	while (wait(NULL) > 0)
		;
	print_answers(r->s);
	check(&r->c, r->s->answers[0] > 100 && only_answers(r->s, fine) && !list(&r->c, NULL, 0),
	      "%u walks and edits of processes that end, for %u s: only the answers expected",
	      r->s->made, r->seconds);
	memory -= kib_of("/proc/meminfo", "MemAvailable");
	mms = slab_objects("mm_struct") - mms;
	check(&r->c, memory < 16 * 1024 && mms < 100,
	      "available memory: %ld KiB less, %ld address spaces more", memory, mms);
}

int main(int argc, char **argv)
{
	struct run r = {};
	const char *seed = getenv("PTSCOPE_SEED");

	if (argc != 3) {
		fprintf(stderr, "usage: edits_random EDITS SECONDS\n");
		return 2;
	}
	r.c.dev = open_device();
	r.edits = (unsigned int)strtoul(argv[1], NULL, 10);
	r.seconds = (unsigned int)strtoul(argv[2], NULL, 10);
	r.seed = seed ? (unsigned int)strtoul(seed, NULL, 0) : (unsigned int)time(NULL);
	printf("# PTSCOPE_SEED=%u\n", r.seed);
	fflush(stdout);
	r.s = mmap(NULL, sizeof(*r.s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r.s == MAP_FAILED)
		die("mmap");
	test_random(&r);
	test_cow(&r);
	test_young(&r);
	return r.c.failed > 0;
}
