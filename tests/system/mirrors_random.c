// SPDX-License-Identifier: GPL-2.0
/*
 * mirrors_random [SECONDS [SEED]]
 *
 * Threads change a guest's tables, the host's mappings of its memory, and the root, while others
 * load and store through the window. Whoever changes something tells what it was before, and what
 * it is now, in a word of two halves; a load may give what was true at any moment between its begin
 * and its end, and nothing else. What is stored must be in the frame that was there all the time.
 *
 * Afterwards no page has a reference that nobody knows of.
 */
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/system/mirror.h"

#define FRAMES	  256
#define PAGES	  512
#define READERS	  2
#define NONE	  0xffff
#define KILLS	  8
#define BANK_SIZE (FRAMES * PAGE)
#define PAUSE	  100 /* us, after a few changes: readers are to see something of them */

/* A value and the one before it, and how often it changed: even: it is as ->now says. */
struct said {
	_Atomic uint64_t word;
};

static struct guest guest;
static struct ptremap_mirror_window window;
static struct said leads_to[2][PAGES]; /* of each root: the frame of each page */
static struct said has_bank[FRAMES];   /* the file that is mapped behind each frame */
static struct said has_root;
static uint64_t roots[2];
static uint64_t *entries[2][PAGES];
static int bank[2];
static _Atomic int over, wrong;
static _Atomic uint64_t loads, holes, unsure, stores, changes;

static uint64_t said_make(uint64_t count, unsigned int before, unsigned int now)
{
	return count << 32 | (uint64_t)before << 16 | now;
}

static unsigned int said_now(uint64_t w)
{
	return w & 0xffff;
}

/* A change has begun: from now on both may be so. */
static void said_begin(struct said *s, unsigned int next)
{
	uint64_t w = s->word;

	s->word = said_make((w >> 32) + 1, said_now(w), next);
}

static void said_end(struct said *s)
{
	uint64_t w = s->word;

	s->word = said_make((w >> 32) + 1, said_now(w), said_now(w));
}

/* Was @value so at some moment between the two readings? True if too much happened to tell. */
static bool could_be(uint64_t first, uint64_t last, unsigned int value)
{
	if ((last >> 32) - (first >> 32) > 1)
		return true;
	return value == said_now(first) || value == (first >> 16 & 0xffff) ||
	       value == said_now(last) || value == (last >> 16 & 0xffff);
}

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * 0x2545f4914f6cdd1dull;
}

static uint64_t below(uint64_t *state, uint64_t n)
{
	return (next(state) >> 20) % n;
}

/* ---- who changes things --------------------------------------------------------------------- */

static void *edit_tables(void *arg)
{
	uint64_t random = at(arg);

	while (!over) {
		unsigned int r = (unsigned int)below(&random, 2);
		unsigned int page = (unsigned int)below(&random, PAGES);
		unsigned int frame = (unsigned int)below(&random, FRAMES + 16);
		uint64_t entry = frame * (uint64_t)PAGE | PT_P | PT_RW | PT_US;

		if (frame >= FRAMES) {
			frame = NONE;
			entry = 0;
		}
		said_begin(&leads_to[r][page], frame);
		__atomic_store_n(entries[r][page], entry, __ATOMIC_SEQ_CST);
		if (ptremap_mirror_invalidate(&window, GVA + page * (uint64_t)PAGE, PAGE))
			wrong = 1;
		said_end(&leads_to[r][page]);
		if (!(changes++ & 7))
			usleep(PAUSE);
	}
	return NULL;
}

static void *switch_roots(void *arg)
{
	unsigned int r = 0;

	(void)arg;
	while (!over) {
		r = !r;
		said_begin(&has_root, r);
		if (ptremap_mirror_switch(&window, roots[r], r, PTREMAP_MIRROR_USER, 0))
			wrong = 1;
		said_end(&has_root);
		changes++;
		usleep(300);
	}
	return NULL;
}

/* Another file's page behind a frame; what the kernel does by itself to some; forks. */
static void *change_host(void *arg)
{
	uint64_t random = at(arg);

	while (!over) {
		unsigned int f = (unsigned int)below(&random, FRAMES), b;
		uint8_t *p = guest.ram + f * (uint64_t)PAGE;
		int what = (int)below(&random, 16);

		if (what == 0) {
			mprotect(p, PAGE, PROT_READ);
			mprotect(p, PAGE, PROT_READ | PROT_WRITE);
		} else if (what == 1) {
			madvise(p, PAGE, MADV_PAGEOUT);
		} else if (what == 2) {
			madvise(p, PAGE, MADV_DONTNEED); /* a file's: nothing is lost */
		} else {
			b = !said_now(has_bank[f].word);
			said_begin(&has_bank[f], b);
			if (mmap(p, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, bank[b],
				 (off_t)(f * (uint64_t)PAGE)) == MAP_FAILED)
				wrong = 1;
			said_end(&has_bank[f]);
		}
		if (!(changes++ & 7))
			usleep(PAUSE);
	}
	return NULL;
}

/* ---- who looks ------------------------------------------------------------------------------ */

/* The words that say what an access can see, before it or after it. */
struct moment {
	uint64_t root, page[2];
};

static struct moment look(unsigned int page)
{
	return (struct moment){
		.root = has_root.word,
		.page = { leads_to[0][page].word, leads_to[1][page].word },
	};
}

static bool possible(const struct moment *a, const struct moment *b, unsigned int frame)
{
	unsigned int r;

	for (r = 0; r < 2; r++) {
		if (could_be(a->root, b->root, r) && could_be(a->page[r], b->page[r], frame))
			return true;
	}
	return false;
}

static void judge_load(unsigned int page, uint64_t value, const struct moment *a,
		       const uint64_t *banks)
{
	struct moment b = look(page);
	unsigned int frame = value & 0xffff, in = value >> 16 & 1;

	loads++;
	if (frame >= FRAMES || !possible(a, &b, frame) ||
	    !could_be(banks[frame], has_bank[frame].word, in)) {
		printf("not ok page %u shows frame %u of file %u\n", page, frame, in);
		wrong = 1;
	}
}

/* A hole may be of the guest, or of the host while it maps another file there. */
static void judge_hole(const uint64_t *from, unsigned int page, const struct moment *a)
{
	struct moment b = look(page);
	unsigned int reason = why(&window, from);

	holes++;
	if (got_signal != SIGSEGV ||
	    (reason == PTREMAP_MIRROR_NOT_PRESENT && !possible(a, &b, NONE)) ||
	    (reason && reason != PTREMAP_MIRROR_NOT_PRESENT && reason != PTREMAP_MIRROR_HOST)) {
		printf("not ok page %u: signal %d, reason %u\n", page, got_signal, reason);
		wrong = 1;
	}
}

static bool settled(uint64_t w)
{
	return !(w >> 32 & 1);
}

/* Nothing that leads there changed meanwhile: then the frame has what was stored. */
static void try_store(unsigned int page, unsigned int slot, uint64_t value)
{
	struct moment a = look(page), b;
	unsigned int frame = said_now(a.page[said_now(a.root)]);
	uint64_t in, seen;

	if (frame >= FRAMES)
		return;
	in = has_bank[frame].word;
	if (store(in_window(&window, GVA + page * (uint64_t)PAGE) + slot, value) ||
	    load(word(guest.ram, frame * (uint64_t)PAGE + slot * 8), &seen))
		return;
	b = look(page);
	if (memcmp(&a, &b, sizeof(b)) || in != has_bank[frame].word || !settled(in) ||
	    !settled(a.root) || !settled(a.page[said_now(a.root)])) {
		unsure++;
		return;
	}
	stores++;
	if (seen != value) {
		printf("not ok page %u: what was stored is not in frame %u\n", page, frame);
		wrong = 1;
	}
}

static void *access_window(void *arg)
{
	uint64_t random = at(arg), banks[FRAMES], value = 0;
	unsigned int slot = (unsigned int)(at(arg) & 63) + 2, i;

	while (!over) {
		unsigned int page = (unsigned int)below(&random, PAGES);
		uint64_t *to = in_window(&window, GVA + page * (uint64_t)PAGE);
		struct moment a;

		for (i = 0; i < FRAMES; i++)
			banks[i] = has_bank[i].word;
		a = look(page);
		if (load(to, &value))
			judge_hole(to, page, &a);
		else
			judge_load(page, value, &a, banks);
		try_store(page, slot, next(&random));
	}
	return NULL;
}

/* ---- all of it ------------------------------------------------------------------------------ */

static void make_banks(void)
{
	uint64_t f, b;

	for (b = 0; b < 2; b++) {
		bank[b] = memfd_create("bank", 0);
		if (bank[b] < 0 || ftruncate(bank[b], BANK_SIZE))
			die("memfd");
		for (f = 0; f < FRAMES; f++) {
			uint64_t value = b << 16 | f;

			if (pwrite(bank[b], &value, 8, (off_t)(f * PAGE)) != 8)
				die("pwrite");
		}
	}
	if (mmap(guest.ram, BANK_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, bank[0],
		 0) == MAP_FAILED)
		die("mmap");
}

static void make_guest(void)
{
	unsigned int r, page;

	guest_init(&guest, BANK_SIZE);
	make_banks();
	for (r = 0; r < 2; r++) {
		if (r)
			new_root(&guest);
		roots[r] = guest.space.root;
		for (page = 0; page < PAGES; page++) {
			unsigned int frame = (page * 7 + r * 13) % FRAMES;

			guest_map(&guest, GVA + page * (uint64_t)PAGE, frame * (uint64_t)PAGE, PAGE,
				  RW_U, 1);
			leads_to[r][page].word = said_make(0, frame, frame);
			entries[r][page] = guest_leaf(&guest, GVA + page * (uint64_t)PAGE);
		}
	}
	guest.space.root = roots[0];
}

static uint8_t *page_of(uint64_t i)
{
	return i < BANK_SIZE ? guest.ram + i : guest.tables + (i - BANK_SIZE);
}

/*
 * Pages that are new on the kernel's lists lie in a batch of the CPU for a while, with a reference.
 * Who writes to drop_caches has them put there first. Compaction does that, too, but leaves the
 * pages that it has moved in such a batch itself: the same one each time, when it finds nothing
 * more to do.
 */
static void settle_pages(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	uint64_t i;

	for (i = 0; i < BANK_SIZE + TABLES_LEN; i += PAGE)
		*(volatile uint8_t *)page_of(i) = *(volatile uint8_t *)page_of(i);
	if (fd < 0 || write(fd, "1", 1) != 1)
		die("drop_caches");
	close(fd);
}

/* To all pages of the guest, as the kernel counts them. */
static int64_t count_references(const struct checks *c)
{
	int64_t sum = 0;
	uint64_t i;

	settle_pages();
	for (i = 0; i < BANK_SIZE + TABLES_LEN; i += PAGE)
		sum += walk(c, getpid(), at(page_of(i))).page.refcount;
	return sum;
}

static uint64_t flags_of(uint64_t pfn)
{
	int fd = open("/proc/kpageflags", O_RDONLY);
	uint64_t flags = 0;

	if (fd < 0 || pread(fd, &flags, 8, (off_t)(pfn * 8)) != 8)
		die("kpageflags");
	close(fd);
	return flags;
}

/* Those that have others than they should. */
static void show_references(const struct checks *c)
{
	struct ptremap_page p;
	uint64_t i;

	for (i = 0; i < BANK_SIZE + TABLES_LEN; i += PAGE) {
		p = walk(c, getpid(), at(page_of(i))).page;
		if (p.refcount != (i < BANK_SIZE ? 2 : 1))
			printf("# page %" PRIu64
			       ": %d references, frame 0x%llx, kpageflags 0x%" PRIx64
			       ", mapped %" PRId64 "\n",
			       i / PAGE, p.refcount, (unsigned long long)p.pfn, flags_of(p.pfn),
			       mapcount(p.pfn));
	}
}

/* Each page has one of its mapping, and one of its file. Swap may have some for a while. */
static void check_references(struct checks *c, const char *when)
{
	int64_t want = 2 * FRAMES + TABLES_LEN / PAGE, got = 0;
	int tries;

	for (tries = 0; tries < 20; tries++) {
		got = count_references(c);
		if (got == want)
			break;
		usleep(100000);
	}
	if (got != want)
		show_references(c);
	check(c, got == want, "references to pages %s: %" PRId64 ", as mappings and files have",
	      when, got);
}

static void run(unsigned int seconds, uint64_t seed)
{
	void *(*const work[])(void *) = { edit_tables, switch_roots, change_host };
	pthread_t threads[3 + READERS];
	unsigned int i;

	for (i = 0; i < 3 + READERS; i++) {
		if (pthread_create(&threads[i], NULL, i < 3 ? work[i] : access_window,
				   (void *)(uintptr_t)((seed << 8) + i * 2 + 1)))
			die("thread");
	}
	for (i = 0; i < seconds * 20 && !wrong; i++)
		usleep(50000);
	over = 1;
	for (i = 0; i < 3 + READERS; i++)
		pthread_join(threads[i], NULL);
}

/* A process with all of this is killed at any moment; another begins at once. */
static void kill_some(struct checks *c, uint64_t seed)
{
	int i, status, killed = 0;

	for (i = 0; i < KILLS; i++) {
		pid_t pid = fork();

		if (!pid) {
			make_guest();
			mirror_guest(c, &guest, GVA, PAGES * (uint64_t)PAGE, 0, &window);
			run(60, seed + (uint64_t)i);
			_exit(wrong);
		}
		usleep((useconds_t)(20000 + seed * 7919 * (uint64_t)(i + 1) % 150000));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	}
	check(c, killed == KILLS, "%d processes with a mirror at work were killed", killed);
}

int main(int argc, char **argv)
{
	struct checks c = { .dev = ptremap_open() };
	unsigned int seconds = argc > 1 ? (unsigned int)atoi(argv[1]) : 10;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);

	if (c.dev < 0)
		die(PTREMAP_DEVICE);
	printf("seed %" PRIu64 "\n", seed);
	setvbuf(stdout, NULL, _IOLBF, 0);
	catch_faults();
	kill_some(&c, seed);
	make_guest();
	mirror_guest(&c, &guest, GVA, PAGES * (uint64_t)PAGE, 0, &window);
	check_references(&c, "before");
	run(seconds, seed);
	check(&c, !wrong && loads > 1000 && changes > 1000,
	      "%" PRIu64 " loads, %" PRIu64 " holes, %" PRIu64 " changes: each as a walk has it",
	      loads, holes, changes);
	check(&c, stores > 100, "%" PRIu64 " stores are where walks lead (%" PRIu64 " unknown)",
	      stores, unsure);
	printf("# dropped %llu, walked %llu, again %llu\n",
	       (unsigned long long)window.page->dropped, (unsigned long long)window.page->walked,
	       (unsigned long long)window.page->again);
	check(&c, window.page->dropped > 0, "the host took entries");
	ptremap_mirror_invalidate(&window, 0, 0);
	check(&c, !window.page->held, "nothing is held: %llu",
	      (unsigned long long)window.page->held);
	ptremap_mirror_destroy(&window);
	check_references(&c, "afterwards");
	return c.failed > 0;
}
