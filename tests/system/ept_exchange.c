// SPDX-License-Identifier: GPL-2.0
/*
 * ept_exchange: random pages of a VM's memory are exchanged in pairs, and back.
 *
 *	ept_exchange stopped PID PAGES SEED
 *	ept_exchange running PID PAGES SEED
 *	ept_exchange list PID PAGES SEED
 *
 * Of a stopped VM nothing else changes the memory. What each of its pages holds is read through the
 * VMM's own addresses (process_vm_readv): exchanged, each page holds what its partner held; after
 * the undo all hold what they held before. A watch must tell of each.
 *
 * Of one that runs the exchanges are rehearsed, twice: each entry was led to the frame that pagemap
 * has for its partner, afterwards each page has its own frame, and no watch has heard of it.
 *Whether the guest can tell is for its own checks to say.
 *
 * "list" prints the guest-physical addresses of these pages.
 */
#include <sys/uio.h>
#include <time.h>

#include "tests/system/ept.h"
#include "tests/system/watches.h"

#define PER_CALL 2048u
#define MAX_IDS	 64

struct test {
	struct checks c;
	pid_t pid;
	struct ptremap_slot ram; /* the largest slot that can be written to */
	uint64_t nr;		 /* its pages */
	uint64_t *before, *now;	 /* a number that stands for the contents of each */
	uint32_t *chosen;	 /* pages of it, in pairs */
	uint32_t pages;
	uint32_t ids[MAX_IDS];
	unsigned int nr_ids;
	uint64_t *frames; /* of ->chosen, by pagemap */
};

static void *room(size_t nr, size_t size)
{
	void *p = calloc(nr, size);

	if (!p)
		die("memory");
	return p;
}

static void find_ram(struct test *t)
{
	static struct ptremap_slot slots[256];
	struct ptremap_vm vm = { .size = sizeof(vm),
				 .flags = PTREMAP_VM_NO_VCPUS,
				 .pid = t->pid,
				 .fd = -1,
				 .slots = at(slots),
				 .nr_slots = 256 };
	uint32_t i;

	if (call(&t->c, PTREMAP_VM, &vm))
		die("PTREMAP_VM");
	for (i = 0; i < vm.nr_slots && i < 256; i++)
		if (!slots[i].flags && !slots[i].space && slots[i].len > t->ram.len)
			t->ram = slots[i];
	t->nr = t->ram.len / PAGE;
}

static uint64_t number_of(const uint64_t *page)
{
	uint64_t n = 0xcbf29ce484222325;
	size_t i;

	for (i = 0; i < PAGE / sizeof(*page); i++)
		n = (n ^ page[i]) * 0x100000001b3;
	return n;
}

static void read_all(const struct test *t, uint64_t *numbers)
{
	static uint64_t mib[(1u << 20) / 8];
	const uint64_t step = sizeof(mib) / PAGE;
	uint64_t first, i;

	for (first = 0; first < t->nr; first += step) {
		uint64_t n = t->nr - first < step ? t->nr - first : step;
		struct iovec here = { mib, n * PAGE };
		struct iovec there = { (void *)(uintptr_t)(t->ram.hva + first * PAGE), n * PAGE };

		if (process_vm_readv(t->pid, &here, 1, &there, 1, 0) != (ssize_t)(n * PAGE))
			die("process_vm_readv");
		for (i = 0; i < n; i++)
			numbers[first + i] = number_of(mib + i * PAGE / 8);
	}
}

static uint32_t rnd(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 4;
}

/* Each once: the beginning of a shuffle. */
static void choose(struct test *t, uint32_t seed)
{
	uint32_t *all = room(t->nr, sizeof(*all)), i, k;

	for (i = 0; i < t->nr; i++)
		all[i] = i;
	for (i = 0; i < t->pages; i++) {
		k = i + rnd(&seed) % (uint32_t)(t->nr - i);
		t->chosen[i] = all[k];
		all[k] = all[i];
	}
	free(all);
}

static uint64_t gpa_of(const struct test *t, uint32_t i)
{
	return t->ram.gpa + (uint64_t)t->chosen[i] * PAGE;
}

/* @nr pairs from ->chosen[@first] on. */
static int call_for(struct test *t, uint32_t first, uint32_t nr, uint32_t flags,
		    struct ptremap_ept_item *items, uint32_t *id)
{
	uint32_t i;

	for (i = 0; i < nr; i++)
		items[i] = ept_item(PTREMAP_EPT_SWAP, gpa_of(t, first + 2 * i),
				    gpa_of(t, first + 2 * i + 1), 1);
	return ept_many(&t->c, t->pid, -1, items, nr, flags, id);
}

static int exchange_some(struct test *t, uint32_t first, uint32_t nr)
{
	static struct ptremap_ept_item items[PER_CALL];

	return call_for(t, first, nr, 0, items, &t->ids[t->nr_ids++]);
}

static int exchange(struct test *t)
{
	uint32_t first;
	int err = 0;

	t->nr_ids = 0;
	for (first = 0; !err && first < t->pages && t->nr_ids < MAX_IDS; first += 2 * PER_CALL) {
		uint32_t left = (t->pages - first) / 2;

		err = exchange_some(t, first, left < PER_CALL ? left : PER_CALL);
	}
	return err;
}

/* How many pages hold something else than they must. */
static uint64_t misplaced(const struct test *t, bool exchanged)
{
	uint64_t *want = room(t->nr, sizeof(*want)), i, n = 0;

	memcpy(want, t->before, t->nr * sizeof(*want));
	for (i = 0; exchanged && i < t->pages; i++)
		want[t->chosen[i]] = t->before[t->chosen[i ^ 1]];
	for (i = 0; i < t->nr; i++)
		n += want[i] != t->now[i];
	free(want);
	return n;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* MADE or GONE of each page. */
static uint32_t told(int watch, uint32_t type)
{
	struct ptremap_event e;
	uint32_t n = 0;

	while (next_event(watch, &e, 0))
		n += e.type == type;
	return n;
}

static void one_round(struct test *t, int watch)
{
	double start = now(), made;
	uint32_t events;
	int err = exchange(t), gone = 0;
	unsigned int i;

	made = now();
	events = told(watch, PTREMAP_EVENT_MADE);
	read_all(t, t->now);
	check(&t->c, !err && !misplaced(t, true) && events == t->pages,
	      "%u of %" PRIu64 " pages exchanged in pairs (%d), in %.2f s: %" PRIu64
	      " misplaced, %u told",
	      t->pages, t->nr, err, made - start, misplaced(t, true), events);
	start = now();
	for (i = t->nr_ids; i-- > 0;)
		gone += undo(&t->c, t->ids[i]);
	made = now();
	events = told(watch, PTREMAP_EVENT_GONE);
	read_all(t, t->now);
	check(&t->c, gone == (int)t->pages && !misplaced(t, false) && events == t->pages,
	      "... and back (%d), in %.2f s: %" PRIu64 " misplaced, %u told", gone, made - start,
	      misplaced(t, false), events);
}

/* ---- while it runs --------------------------------------------------------------------------- */

static uint64_t frame_of(uint64_t entry)
{
	return (entry & 0x000ffffffffff000) >> 12;
}

static void read_frames(const struct test *t, int pagemap, uint64_t *frames)
{
	uint64_t entry;
	uint32_t i;

	for (i = 0; i < t->pages; i++) {
		uint64_t page = (t->ram.hva >> 12) + t->chosen[i];

		if (pread(pagemap, &entry, sizeof(entry), (off_t)(page * sizeof(entry))) !=
		    sizeof(entry))
			die("pagemap");
		frames[i] = entry & ((1ull << 55) - 1);
	}
}

/* How many of these entries did not lead to the partner's frame; or -errno. */
static int rehearse_some(struct test *t, uint32_t first, uint32_t nr)
{
	static struct ptremap_ept_item items[PER_CALL];
	int wrong = 0, err = call_for(t, first, nr, PTREMAP_EPT_REHEARSE, items, NULL);
	uint32_t i;

	for (i = 0; !err && i < nr; i++)
		wrong += frame_of(items[i].old) != t->frames[first + 2 * i] ||
			 frame_of(items[i].new) != t->frames[first + 2 * i + 1];
	return err ? err : wrong;
}

static int try_all(struct test *t)
{
	static struct ptremap_ept_item items[PER_CALL];
	uint32_t first;
	int err = 0;

	for (first = 0; !err && first < t->pages; first += 2 * PER_CALL) {
		uint32_t left = (t->pages - first) / 2;

		err = call_for(t, first, left < PER_CALL ? left : PER_CALL, PTREMAP_EPT_DRY_RUN,
			       items, NULL);
	}
	return err;
}

static void rehearse(struct test *t, int pagemap, int watch)
{
	uint64_t *now_there = room(t->pages, sizeof(*now_there));
	double start = now(), done;
	uint32_t first, i, moved = 0;
	int err = 0;

	for (first = 0; !err && first < t->pages; first += 2 * PER_CALL) {
		uint32_t left = (t->pages - first) / 2;

		err = rehearse_some(t, first, left < PER_CALL ? left : PER_CALL);
	}
	done = now();
	read_frames(t, pagemap, now_there);
	for (i = 0; i < t->pages; i++)
		moved += t->frames[i] != now_there[i];
	check(&t->c, !err && !moved && is_quiet(watch) && !list(&t->c, NULL, 0),
	      "%u of %" PRIu64 " pages of a VM that runs exchanged in pairs and back (%d), in "
	      "%.2f s: %u have other frames, nothing is in force",
	      t->pages, t->nr, err, done - start, moved);
	free(now_there);
}

/* Pages that nobody has touched have a frame only when they are made ready. */
static void while_it_runs(struct test *t, int watch)
{
	char path[64];
	int pagemap;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", t->pid);
	pagemap = open(path, O_RDONLY | O_CLOEXEC);
	if (pagemap < 0)
		die(path);
	t->frames = room(t->pages, sizeof(*t->frames));
	if (try_all(t))
		die("dry run");
	read_frames(t, pagemap, t->frames);
	rehearse(t, pagemap, watch);
	rehearse(t, pagemap, watch);
	close(pagemap);
}

static void while_it_is_stopped(struct test *t, int watch)
{
	t->before = room(t->nr, sizeof(*t->before));
	t->now = room(t->nr, sizeof(*t->now));
	read_all(t, t->before);
	one_round(t, watch);
}

static void print_pages(const struct test *t)
{
	uint32_t i;

	for (i = 0; i < t->pages; i++)
		printf("0x%" PRIx64 "\n", gpa_of(t, i));
}

int main(int argc, char **argv)
{
	struct test t = { .c = { .dev = open_device() } };
	int watch;

	if (argc != 5 || !strchr("srl", *argv[1])) {
		fprintf(stderr, "usage: ept_exchange stopped|running|list PID PAGES SEED\n");
		return 2;
	}
	t.pid = atoi(argv[2]);
	t.pages = (uint32_t)strtoul(argv[3], NULL, 0) & ~1u;
	find_ram(&t);
	if (t.pages > t.nr)
		t.pages = (uint32_t)t.nr & ~1u;
	t.chosen = room(t.pages, sizeof(*t.chosen));
	choose(&t, (uint32_t)strtoul(argv[4], NULL, 0));
	watch = new_watch(t.c.dev, 0, PTREMAP_WATCH_MAX);
	if (*argv[1] == 's')
		while_it_is_stopped(&t, watch);
	else if (*argv[1] == 'r')
		while_it_runs(&t, watch);
	else
		print_pages(&t);
	return t.c.failed > 0;
}
