// SPDX-License-Identifier: GPL-2.0
/*
 * ept_race: vCPUs write through guest-physical pages while their frames come and go.
 *
 *	ept_race SECONDS
 *
 * Three vCPUs count, each in a word of its own of pages A and B, and after that in a word that is
 * never edited. A fourth one compares a word of A with that of B: no two frames have it alike, so
 *if they are, one page has been exchanged and the other one not. Between two changes each vCPU does
 * all of that once at least. The pages are a memory file that this process has mapped a second
 *time, where no edit is: what it sees there is the frames, and whose they are the file says. When
 *an edit, or an undo, has returned, each write lands where the mapping is from then on:
 *	- a frame that no page leads to any more does not change,
 *	- the one that A leads to has the count that was reached, as soon as it is seen to be
 *reached. Which edit comes next, and for how long, is random; the seed is printed and taken back
 * (PTSCOPE_SEED). Meanwhile another memory slot comes and goes, which edits have to live with.
 *
 * Then the edits are rehearsed. Nothing may come of that: not for the vCPUs, nor for a thread of
 *this process that writes to A and reads it again.
 */
#include <sched.h>
#include <time.h>

#include "tests/system/ept.h"
#include "tests/system/ept_access.h"
#include "tests/system/huge.h"

/* Pages of the file: what A and B have, and two that no gpa of theirs has. */
enum { A, B, SPARE, OTHER, PAGES };

#define COUNTERS   (TINY_VCPUS - 1)
#define MARK	   (64 * TINY_VCPUS)	   /* the word that no two frames have alike */
#define OWN	   (64 * (TINY_VCPUS + 1)) /* the word of this process' thread */
#define REHEARSALS 60

struct race {
	struct checks c;
	struct tiny_vm vm;
	char *guest, *file; /* the same memory, edited and not */
	uint64_t size;	    /* of a page */
	uint32_t level, state;
	unsigned long edits, undone, wrong, rehearsed;
	pthread_t slots;
	bool enough;	    /* of slots */
	unsigned int to[2]; /* which page of the file A and B lead to; PAGES: none of it */
};

static uint32_t rnd(struct race *r)
{
	r->state = r->state * 1664525 + 1013904223;
	return r->state >> 8;
}

static uint32_t counted(const struct race *r, unsigned int page, unsigned int vcpu)
{
	return *(volatile uint32_t *)(r->file + page * r->size + 64 * vcpu);
}

static uint32_t progress(const struct race *r, unsigned int vcpu)
{
	return r->vm.low->progress[vcpu];
}

/* Until each vCPU has counted on: what it writes now it began to write after this was called. */
static void let_them_count(const struct race *r)
{
	const useconds_t pause = is_amd() ? 50 : 2000; /* looking costs Bochs more than that */
	unsigned int v;

	for (v = 0; v < TINY_VCPUS; v++) {
		uint32_t before = progress(r, v);

		while (progress(r, v) - before < 2)
			usleep(pause);
	}
}

static void wrong(struct race *r, const char *what, unsigned int page, unsigned int vcpu,
		  uint32_t saw, uint32_t want)
{
	if (r->wrong++ < 8)
		printf("# edit %lu: %s: page %u, vCPU %u: %u, not %u\n", r->edits, what, page, vcpu,
		       saw, want);
}

static bool is_led_to(const struct race *r, unsigned int page)
{
	return r->to[A] == page || r->to[B] == page;
}

/* The mapping is what ->to says, and has been since before this was called. */
static void check_now(struct race *r)
{
	uint32_t frozen[PAGES][COUNTERS], reached;
	unsigned int page, v;

	for (page = 0; page < PAGES; page++)
		for (v = 0; v < COUNTERS; v++)
			frozen[page][v] = counted(r, page, v);
	let_them_count(r);
	for (page = 0; page < PAGES; page++) {
		for (v = 0; v < COUNTERS; v++) {
			reached = progress(r, v);
			if (!is_led_to(r, page) && counted(r, page, v) != frozen[page][v])
				wrong(r, "a frame was written to that nobody has", page, v,
				      counted(r, page, v), frozen[page][v]);
			if (is_led_to(r, page) && (int32_t)(counted(r, page, v) - reached) < 0)
				wrong(r, "a write is not where it must be", page, v,
				      counted(r, page, v), reached);
		}
	}
}

static uint64_t gpa(const struct race *r, unsigned int page)
{
	return TINY_GPA + page * r->size;
}

/* One of the four, and what it makes of ->to. */
static struct ptremap_ept_item pick(struct race *r)
{
	struct ptremap_ept_item i = ept_item(0, gpa(r, A), 0, r->level);

	/* hugetlb makes no new pages here. */
	switch (rnd(r) % (r->level == 2 ? 3 : 4)) {
	case 0:
		i.what = PTREMAP_EPT_SWAP;
		i.other = gpa(r, B);
		r->to[A] = B;
		r->to[B] = A;
		break;
	case 1:
		i.what = PTREMAP_EPT_SWAP;
		i.other = gpa(r, SPARE);
		r->to[A] = SPARE;
		break;
	case 2:
		i.what = PTREMAP_EPT_FRAME;
		i.other_pid = getpid();
		i.other_fd = PTREMAP_EPT_PROCESS;
		i.other = at(r->file + OTHER * r->size);
		r->to[A] = OTHER;
		break;
	default:
		i.what = PTREMAP_EPT_FRESH;
		r->to[A] = PAGES;
	}
	return i;
}

static void one_round(struct race *r)
{
	struct ptremap_ept_item i = pick(r);
	uint32_t id;
	int err = ept(&r->c, &i, &id);

	if (err) {
		if (!r->wrong++)
			printf("# edit %lu, what %u: %s\n", r->edits, i.what, strerror(-err));
		r->to[A] = A;
		r->to[B] = B;
		return;
	}
	r->edits++;
	if (rnd(r) % 4)
		check_now(r);
	else
		let_them_count(r);
	/* Sometimes the kernel takes it: the page is not the VM's for a moment. */
	if (rnd(r) % 4 == 0 && mprotect(r->guest, r->size, PROT_READ | PROT_WRITE | PROT_EXEC))
		die("mprotect");
	undo(&r->c, id);
	mprotect(r->guest, r->size, PROT_READ | PROT_WRITE);
	r->undone++;
	r->to[A] = A;
	r->to[B] = B;
	if (rnd(r) % 4)
		check_now(r);
	else
		let_them_count(r);
}

/* vCPUs that never rest leave nothing to others, where CPUs are as few or emulated. */
static void go_first(bool first)
{
	const struct sched_param p = { .sched_priority = first };

	if (sched_setscheduler(0, first ? SCHED_FIFO : SCHED_OTHER, &p))
		die("sched_setscheduler");
}

/* ---- rehearsals ------------------------------------------------------------------------------ */

static void *write_and_read(void *arg)
{
	struct race *r = arg;
	volatile uint32_t *own = (volatile uint32_t *)(r->guest + A * r->size + OWN);
	uint32_t n = 0;

	while (!__atomic_load_n(&r->enough, __ATOMIC_RELAXED)) {
		*own = ++n;
		if (*own != n || *(volatile uint32_t *)(r->file + A * r->size + OWN) != n)
			__atomic_store_n(&r->wrong, r->wrong + 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void rehearse_one(struct race *r)
{
	struct ptremap_ept_item i = pick(r);
	uint32_t id = 1;
	int err = ept_many(&r->c, getpid(), -1, &i, 1, PTREMAP_EPT_REHEARSE, &id);

	r->to[A] = A;
	r->to[B] = B;
	if (!err && !id && i.old != i.new)
		r->rehearsed++;
	else
		printf("# rehearsal of %u: %s, transaction %u\n", i.what, strerror(-err), id);
}

/* Frames that no page leads to stay as they are to the last byte. */
static void rehearse(struct race *r)
{
	size_t len = (PAGES - SPARE) * r->size;
	char *before = malloc(len);
	pthread_t own;
	unsigned int i;

	go_first(false);
	if (!before || pthread_create(&own, NULL, write_and_read, r))
		die("thread");
	go_first(true);
	memcpy(before, r->file + SPARE * r->size, len);
	for (i = 0; i < REHEARSALS; i++) {
		rehearse_one(r);
		if (i % 16 == 0)
			check_now(r);
	}
	check(&r->c,
	      r->rehearsed == REHEARSALS && !memcmp(before, r->file + SPARE * r->size, len) &&
		      !list(&r->c, NULL, 0),
	      "%lu edits rehearsed, no trace of them", r->rehearsed);
	__atomic_store_n(&r->enough, true, __ATOMIC_RELAXED);
	pthread_join(own, NULL);
	free(before);
}

static void make_memory(struct race *r)
{
	size_t len = PAGES * r->size;
	int fd = memfd_create("race", r->level == 2 ? MFD_HUGETLB : 0);
	char *room = aligned_room(2 * len + HUGE);
	unsigned int page;

	r->guest = room;
	r->file = room + ((len + HUGE - 1) & ~(uint64_t)(HUGE - 1));
	if (fd < 0 || ftruncate(fd, (off_t)len) ||
	    mmap(r->guest, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) !=
		    r->guest ||
	    mmap(r->file, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) != r->file)
		die("memory");
	close(fd);
	memset(r->file, 0, len);
	for (page = 0; page < PAGES; page++)
		*(uint32_t *)(r->file + page * r->size + MARK) = page + 1;
}

static uint32_t alike(const struct race *r)
{
	return r->vm.low->alike[COUNTERS];
}

/* One page that really has the other one's frame for a moment. Returns what was counted by then. */
static uint32_t see_alike(struct race *r)
{
	struct ptremap_ept_item i = ept_item(PTREMAP_EPT_FRAME, gpa(r, A), 0, r->level);
	uint32_t id;

	i.other_pid = getpid();
	i.other_fd = PTREMAP_EPT_PROCESS;
	i.other = at(r->file + B * r->size);
	if (ept(&r->c, &i, &id))
		die("frame");
	let_them_count(r);
	undo(&r->c, id);
	let_them_count(r);
	check(&r->c, alike(r), "a page that has the other one's frame is seen: %u times", alike(r));
	return alike(r);
}

static void *change_slots(void *arg)
{
	struct race *r = arg;
	bool there = false;

	while (!__atomic_load_n(&r->enough, __ATOMIC_RELAXED)) {
		there = !there;
		if (tiny_slot(&r->vm, 2, TINY_GPA - HUGE, r->file + OTHER * r->size,
			      there ? PAGE : 0, 0))
			die("slot");
		usleep(20000);
	}
	return NULL;
}

/* Returns how often one page was exchanged and the other one not. */
static uint32_t run(struct race *r, unsigned int seconds)
{
	/* Bochs does not interrupt a vCPU that never leaves its guest. */
	const char *count = is_amd() ? tiny_count_code : tiny_rest_count_code;
	unsigned int v;
	uint32_t known;
	time_t end;

	for (v = 0; v < COUNTERS; v++)
		tiny_start(&r->vm, v, count, gpa(r, A) + 64 * v, gpa(r, B) + 64 * v);
	tiny_start(&r->vm, COUNTERS, tiny_compare_code, gpa(r, A) + MARK, gpa(r, B) + MARK);
	known = see_alike(r);
	if (pthread_create(&r->slots, NULL, change_slots, r))
		die("thread");
	go_first(true);
	end = time(NULL) + seconds;
	do
		one_round(r);
	while (time(NULL) < end && r->wrong < 100);
	check_now(r);
	rehearse(r);
	go_first(false);
	pthread_join(r->slots, NULL);
	tiny_stop(&r->vm, TINY_VCPUS);
	return alike(r) - known;
}

static void test(struct checks *c, uint32_t seed, uint32_t level, unsigned int seconds)
{
	struct race r = { .c = *c,
			  .level = level,
			  .size = level == 2 ? HUGE : PAGE,
			  .state = seed,
			  .to = { A, B } };
	bool good = true;
	unsigned int v;
	uint32_t halves;

	make_memory(&r);
	tiny_make(&r.vm, r.guest, PAGES * r.size);
	halves = run(&r, seconds);
	for (v = 0; v < COUNTERS; v++)
		good = good && counted(&r, A, v) == progress(&r, v) &&
		       counted(&r, B, v) == progress(&r, v);
	check(c, !halves, "%s: %u times one page was exchanged and the other one not",
	      level == 2 ? "2 MiB" : "4 KiB", halves);
	check(c, !r.wrong && good && r.edits,
	      "%s: %lu edits and undos under vCPUs that wrote %u times and more each: each write is "
	      "where it must be, %lu wrong (seed %u)",
	      level == 2 ? "2 MiB" : "4 KiB", r.edits, progress(&r, 0), r.wrong, seed);
	tiny_end(&r.vm);
	munmap(r.guest, PAGES * r.size);
	munmap(r.file, PAGES * r.size);
}

int main(int argc, char **argv)
{
	struct checks c = { .dev = open_device() };
	const char *env = getenv("PTSCOPE_SEED");
	uint32_t seed = env ? (uint32_t)strtoul(env, NULL, 0) : (uint32_t)time(NULL);
	unsigned int seconds = argc == 2 ? (unsigned int)strtoul(argv[1], NULL, 0) : 0;

	if (!seconds) {
		fprintf(stderr, "usage: ept_race SECONDS\n");
		return 2;
	}
	allow_huge(PAGES);
	test(&c, seed, 1, (seconds + 1) / 2);
	test(&c, seed, 2, seconds / 2);
	write_file("/proc/sys/vm/nr_hugepages", "0");
	check(&c, list(&c, NULL, 0) == 0, "no edit is left");
	return c.failed > 0;
}
