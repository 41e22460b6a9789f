// SPDX-License-Identifier: GPL-2.0
/*
 * watches: what watches tell of edits and mappings, in all that can happen to these.
 *
 *	watches SECONDS
 *
 * Each item is MADE once and GONE once, with the cause that is the right one; what a watch has no
 * room for is counted exactly. SECONDS are for what happens at random.
 */
#include <linux/capability.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <time.h>

#include "tests/system/watches.h"

#define MANY 100

struct test {
	struct checks c;
	struct puppet p;
	int mine, all, others; /* watches: of this device file, of all, of another file */
	int other_dev;
};

/* What they tell by now is of no interest. */
static void drain(const struct test *t)
{
	struct ptremap_event e;

	while (next_event(t->mine, &e, 0) || next_event(t->all, &e, 0))
		;
}

/* ---- causes ---------------------------------------------------------------------------------- */

static void by_undo(struct test *t, uint64_t va, uint32_t id)
{
	(void)va;
	undo(&t->c, id);
}

static void by_munmap(struct test *t, uint64_t va, uint32_t id)
{
	(void)id;
	puppet_call(&t->p, SYS_munmap, va, PAGE, 0, 0, 0);
}

static void by_mremap(struct test *t, uint64_t va, uint32_t id)
{
	(void)id;
	puppet_call(&t->p, SYS_mremap, va, PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0);
}

static void by_discard(struct test *t, uint64_t va, uint32_t id)
{
	(void)id;
	puppet_call(&t->p, SYS_madvise, va, PAGE, MADV_DONTNEED, 0, 0);
}

static void by_mprotect(struct test *t, uint64_t va, uint32_t id)
{
	(void)id;
	puppet_call(&t->p, SYS_mprotect, va, PAGE, PROT_READ, 0, 0);
}

static void by_fork(struct test *t, uint64_t va, uint32_t id)
{
	(void)id;
	puppet_do(&t->p, (struct order){ .what = ORDER_FORK, .args = { va } });
}

static void by_clear_refs(struct test *t, uint64_t va, uint32_t id)
{
	char path[64];

	(void)va;
	(void)id;
	snprintf(path, sizeof(path), "/proc/%d/clear_refs", t->p.pid);
	write_file(path, "4");
}

static void by_exec(struct test *t, uint64_t va, uint32_t id)
{
	struct order o = { .what = ORDER_EXEC };

	(void)va;
	(void)id;
	if (write(t->p.orders, &o, sizeof(o)) != sizeof(o))
		die("exec");
}

static void by_kill(struct test *t, uint64_t va, uint32_t id)
{
	(void)va;
	(void)id;
	kill(t->p.pid, SIGKILL);
}

static const struct cause {
	const char *name;
	void (*happen)(struct test *t, uint64_t va, uint32_t id);
	uint8_t cause;
} causes[] = {
	{ "undo", by_undo, PTREMAP_CAUSE_UNDO },
	{ "munmap", by_munmap, PTREMAP_CAUSE_UNMAP },
	{ "mremap", by_mremap, PTREMAP_CAUSE_UNMAP },
	{ "MADV_DONTNEED", by_discard, PTREMAP_CAUSE_CLEAR },
	{ "mprotect", by_mprotect, PTREMAP_CAUSE_PROTECT },
	{ "fork", by_fork, PTREMAP_CAUSE_PROTECT },
	{ "clear_refs", by_clear_refs, PTREMAP_CAUSE_SOFT_DIRTY },
	{ "exec", by_exec, PTREMAP_CAUSE_EXIT },
	{ "kill -9", by_kill, PTREMAP_CAUSE_EXIT },
};

static struct ptremap_item item_for(const struct test *t, uint32_t what)
{
	struct ptremap_item i = { .pid = t->p.pid, .va = t->p.pages + PAGE, .what = what };

	if (what == PTREMAP_PROTECT)
		i.clear = BIT_RW;
	if (what == PTREMAP_FRAME || what == PTREMAP_SWAP) {
		i.other_pid = t->p.pid;
		i.other_va = t->p.pages + 2 * PAGE;
	}
	return i;
}

/* An event of each item that the edit has, with the values that it has. */
static bool tells_all(int fd, const struct ptremap_item *item, uint32_t type, uint32_t id,
		      uint8_t cause)
{
	bool swap = item->what == PTREMAP_SWAP, good = true;
	struct ptremap_event e;
	int i;

	for (i = 0; i <= swap; i++) {
		good = next_event(fd, &e, 5000) &&
		       (is_event(&e, type, id, item->va) ||
			(swap && is_event(&e, type, id, item->other_va))) &&
		       e.record.what == item->what && e.record.pid == item->pid && !e.lost &&
		       e.record.cause == cause && good;
		good = good && e.record.state == (type == PTREMAP_EVENT_MADE ? PTREMAP_ACTIVE
									     : PTREMAP_TAKEN);
		if (good && e.record.va == item->va)
			good = e.record.old == item->old && e.record.new == item->new;
	}
	return good;
}

static void test_cause(struct test *t, const struct cause *cause, uint32_t what)
{
	struct ptremap_item item;
	bool made, gone, once;
	uint32_t id;
	int err;

	puppet_start(&t->p);
	item = item_for(t, what);
	err = edit(&t->c, &item, &id);
	made = tells_all(t->mine, &item, PTREMAP_EVENT_MADE, id, 0) &&
	       tells_all(t->all, &item, PTREMAP_EVENT_MADE, id, 0) && is_quiet(t->mine);
	cause->happen(t, item.va, id);
	gone = tells_all(t->mine, &item, PTREMAP_EVENT_GONE, id, cause->cause) &&
	       tells_all(t->all, &item, PTREMAP_EVENT_GONE, id, cause->cause);
	undo(&t->c, id);
	puppet_end(&t->p);
	once = is_quiet(t->mine) && is_quiet(t->all) && is_quiet(t->others);
	check(&t->c, !err && made && gone && once,
	      "%s, %s: made (%d), told (%d), gone with cause %d (%d), once (%d)", cause->name,
	      WHAT[what], err, made, cause->cause, gone, once);
}

/* Of a transaction whose other item stays. */
static void test_half(struct test *t)
{
	struct ptremap_item items[2];
	struct ptremap_event e;
	uint32_t id;
	bool good;
	int err;

	puppet_start(&t->p);
	items[0] = items[1] = item_for(t, PTREMAP_FRESH);
	items[1].va += PAGE;
	err = edit_many(&t->c, items, 2, 0, &id);
	good = next_event(t->mine, &e, 0) && is_event(&e, PTREMAP_EVENT_MADE, id, items[0].va) &&
	       next_event(t->mine, &e, 0) && is_event(&e, PTREMAP_EVENT_MADE, id, items[1].va);
	by_discard(t, items[1].va, id);
	good = good && next_event(t->mine, &e, 0) &&
	       is_event(&e, PTREMAP_EVENT_GONE, id, items[1].va) && is_quiet(t->mine);
	undo(&t->c, id);
	good = good && next_event(t->mine, &e, 0) &&
	       is_event(&e, PTREMAP_EVENT_GONE, id, items[0].va) && is_quiet(t->mine) &&
	       e.record.cause == PTREMAP_CAUSE_UNDO;
	puppet_end(&t->p);
	check(&t->c, !err && good,
	      "one of two items is taken, the other one undone: each told once");
	drain(t);
}

static void test_refused(struct test *t)
{
	struct ptremap_item items[2];
	uint32_t id;
	int err;

	puppet_start(&t->p);
	items[0] = items[1] = item_for(t, PTREMAP_FRESH);
	items[1].va = 0;
	err = edit_many(&t->c, items, 2, 0, &id);
	check(&t->c, err == -ENOENT && is_quiet(t->mine) && is_quiet(t->all),
	      "a transaction that is refused half-way: nothing is told");
	err = edit_many(&t->c, items, 1, PTREMAP_EDIT_DRY_RUN, &id);
	check(&t->c, !err && is_quiet(t->mine) && is_quiet(t->all), "a dry run: nothing is told");
	puppet_end(&t->p);
}

/* ---- mappings -------------------------------------------------------------------------------- */

static void test_mapping(struct test *t, const struct cause *cause)
{
	struct ptremap_map m = { .size = sizeof(m),
				 .va = 0x50000000,
				 .len = PAGE,
				 .source = PTREMAP_MAP_FRESH,
				 .prot = PTREMAP_MAP_READ };
	struct ptremap_event made = { 0 }, gone = { 0 };
	bool told;
	int err;

	puppet_start(&t->p);
	m.pid = t->p.pid;
	err = call(&t->c, PTREMAP_MAP, &m);
	told = next_event(t->mine, &made, 0) && is_event(&made, PTREMAP_EVENT_MADE, m.id, m.va) &&
	       made.record.what == PTREMAP_MAPPED && made.record.old == PAGE;
	cause->happen(t, m.va, m.id);
	told = told && next_event(t->mine, &gone, 5000) &&
	       is_event(&gone, PTREMAP_EVENT_GONE, m.id, m.va) &&
	       gone.record.state == PTREMAP_TAKEN && gone.record.cause == cause->cause;
	undo(&t->c, m.id);
	puppet_end(&t->p);
	check(&t->c, !err && told && is_quiet(t->mine),
	      "a mapping, %s: made (%d), told, gone once (%d)", cause->name, err,
	      gone.record.cause);
	drain(t);
}

/* ---- what there is no room for --------------------------------------------------------------- */

/* Items of this process' own, each of its own transaction. */
static void make_many(struct test *t, const char *p, uint32_t *ids)
{
	struct ptremap_item i = { .pid = getpid(), .what = PTREMAP_FRESH };
	int n;

	for (n = 0; n < MANY; n++) {
		i.va = at(p + (size_t)n * PAGE);
		if (edit(&t->c, &i, &ids[n]))
			die("edit");
	}
}

static void test_overflow(struct test *t)
{
	char *p =
		mmap(NULL, MANY * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int small = new_watch(t->c.dev, 0, 7), wide = new_watch(t->c.dev, 0, 2 * MANY);
	struct ptremap_event e[2 * MANY];
	uint32_t ids[MANY];
	int n, k, i;

	make_many(t, p, ids);
	n = read_events(small, e, 3);
	check(&t->c, n == 3 && !e[0].lost && !e[2].lost && e[2].record.id == ids[2],
	      "room for 7 of %d events: the first ones are told, nothing is said to be lost", MANY);
	undo(&t->c, ids[0]);
	n = read_events(small, e, MANY);
	check(&t->c,
	      n == 5 && e[4].type == PTREMAP_EVENT_GONE && e[4].lost == MANY - 7 && !e[3].lost,
	      "... the next one that fits says that %d were lost (%u)", MANY - 7, e[4].lost);
	for (i = 1; i < MANY; i++)
		undo(&t->c, ids[i]);
	n = read_events(small, e, 7);
	k = read_events(small, e + 7, 7);
	check(&t->c, n == 7 && k == 1 && e[7].type == PTREMAP_EVENT_LOST && e[7].lost == MANY - 8,
	      "... with none behind them, an event of its own says how many (%u)", e[7].lost);
	check(&t->c, is_quiet(small), "... and then nothing more");
	n = read_events(wide, e, 2 * MANY);
	for (i = k = 0; i < n; i++)
		k += e[i].type == PTREMAP_EVENT_MADE && !e[i].lost;
	check(&t->c, n == 2 * MANY && k == MANY && is_quiet(wide),
	      "a watch with room for all: %d events, half of them made", n);
	close(small);
	close(wide);
	munmap(p, MANY * PAGE);
	drain(t);
}

/* Reads one event to where a fault waits for the test. */
static void *read_slowly(void *arg)
{
	struct ptremap_event *to = ((void **)arg)[1];

	return (void *)(intptr_t)read_events(*(int *)((void **)arg)[0], to, 1);
}

/* Memory whose first access waits. */
static struct ptremap_event *slow_memory(int uffd)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register r = { .range = { at(p), PAGE },
				     .mode = UFFDIO_REGISTER_MODE_MISSING };

	if (ioctl(uffd, UFFDIO_API, &api) || ioctl(uffd, UFFDIO_REGISTER, &r))
		die("userfaultfd");
	return p;
}

/* An event comes while the reader is told how many were lost before it. */
static void test_lost_while_read(struct test *t)
{
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct ptremap_item i = { .pid = getpid(), .va = at(p), .what = PTREMAP_FRESH };
	int fd = new_watch(t->c.dev, 0, 1), uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	struct ptremap_event *lost = slow_memory(uffd), e;
	struct uffdio_zeropage go_on = { .range = { at(lost), PAGE } };
	struct uffd_msg msg;
	pthread_t reader;
	uint32_t id;
	bool first, told;

	edit(&t->c, &i, &id);
	undo(&t->c, id);
	first = read_events(fd, &e, 1) == 1 && e.type == PTREMAP_EVENT_MADE;
	pthread_create(&reader, NULL, read_slowly, (void *[]){ &fd, lost });
	if (read(uffd, &msg, sizeof(msg)) != sizeof(msg))
		die("userfaultfd");
	edit(&t->c, &i, &id);
	ioctl(uffd, UFFDIO_ZEROPAGE, &go_on);
	pthread_join(reader, NULL);
	check(&t->c, first && lost->type == PTREMAP_EVENT_LOST && lost->lost == 1,
	      "room for one event: that one was lost (%u)", lost->lost);
	told = next_event(fd, &e, 0) && is_event(&e, PTREMAP_EVENT_MADE, id, i.va) && !e.lost;
	check(&t->c, told && is_quiet(fd),
	      "... and not again by one that came while this was read (%u)", e.lost);
	undo(&t->c, id);
	close(fd);
	close(uffd);
	munmap(lost, PAGE);
	munmap(p, PAGE);
	drain(t);
}

/* ---- whose ----------------------------------------------------------------------------------- */

static void test_closed(struct test *t)
{
	struct ptremap_item item;
	struct checks other = { .dev = open_device() };
	int watch = new_watch(other.dev, 0, 0), waits = watch_on(other.dev, 0, 0);
	struct pollfd p = { .fd = watch, .events = POLLIN };
	struct ptremap_event e;
	uint32_t id, kept;
	bool good;

	puppet_start(&t->p);
	item = item_for(t, PTREMAP_FRESH);
	edit(&other, &item, &id);
	item.va += PAGE;
	edit_many(&other, &item, 1, PTREMAP_EDIT_KEEP, &kept);
	good = next_event(watch, &e, 0) && e.record.id == id && !e.record.keep &&
	       next_event(watch, &e, 0) && e.record.id == kept && e.record.keep && is_quiet(watch);
	check(&t->c, good, "what is kept is told to its maker, too");
	close(other.dev);
	good = next_event(watch, &e, 0) && is_event(&e, PTREMAP_EVENT_GONE, id, item.va - PAGE) &&
	       e.record.cause == PTREMAP_CAUSE_UNDO;
	check(&t->c,
	      good && read_events(watch, &e, 1) == 0 && poll(&p, 1, 0) == 1 && p.revents & POLLHUP,
	      "its device closed: what it made is gone, then the watch is at its end");
	undo(&t->c, kept);
	check(&t->c,
	      read_events(watch, &e, 1) == 0 && read_events(waits, &e, 1) == 1 &&
		      read_events(waits, &e, 1) == 1 && read_events(waits, &e, 1) == 1 &&
		      read_events(waits, &e, 1) == 0,
	      "... and stays there, whatever becomes of what is kept");
	good = false;
	while (next_event(t->all, &e, 0))
		good = is_event(&e, PTREMAP_EVENT_GONE, kept, item.va);
	check(&t->c, good && is_quiet(t->mine), "a watch of all hears of it");
	close(watch);
	close(waits);
	puppet_end(&t->p);
}

static void test_dead_controller(struct test *t)
{
	struct ptremap_item item;
	struct ptremap_event made, gone;
	bool good;
	pid_t pid;

	puppet_start(&t->p);
	item = item_for(t, PTREMAP_SWAP);
	pid = fork();
	if (!pid) {
		struct checks own = { .dev = open_device() };

		if (!edit(&own, &item, NULL))
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	good = next_event(t->all, &made, 1000) && next_event(t->all, &made, 1000) &&
	       next_event(t->all, &gone, 1000) && next_event(t->all, &gone, 1000) &&
	       made.type == PTREMAP_EVENT_MADE && gone.type == PTREMAP_EVENT_GONE &&
	       gone.record.id == made.record.id && gone.record.cause == PTREMAP_CAUSE_UNDO;
	check(&t->c, good && is_quiet(t->all) && is_quiet(t->mine),
	      "a controller is killed: a watch of all hears that its edit was undone");
	puppet_end(&t->p);
}

/* ---- reading --------------------------------------------------------------------------------- */

static int open_files(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_calls(struct test *t)
{
	struct ptremap_watch *fixed =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct ptremap_item item;
	struct ptremap_event e;
	int files, fd, err;
	uint32_t id;

	check(&t->c, watch_on(t->c.dev, 4, 0) == -EINVAL, "an unknown flag: EINVAL");
	check(&t->c, watch_on(t->c.dev, 0, PTREMAP_WATCH_MAX + 1) == -EINVAL,
	      "too much room: EINVAL");
	fixed->size = sizeof(*fixed);
	mprotect(fixed, PAGE, PROT_READ);
	files = open_files();
	err = call(&t->c, PTREMAP_WATCH, fixed);
	check(&t->c, err == -EFAULT && open_files() == files,
	      "an answer that cannot be written: EFAULT, and no descriptor is left");
	fd = new_watch(t->c.dev, 0, 0);
	check(&t->c, fcntl(fd, F_GETFD) & FD_CLOEXEC, "the descriptor is closed by exec");
	puppet_start(&t->p);
	item = item_for(t, PTREMAP_FRESH);
	edit(&t->c, &item, &id);
	check(&t->c, read(fd, &e, sizeof(e) - 1) == -1 && errno == EINVAL,
	      "a buffer that is too small: EINVAL");
	check(&t->c, read(fd, fixed, sizeof(e)) == -1 && errno == EFAULT,
	      "a buffer that cannot be written: EFAULT");
	check(&t->c, next_event(fd, &e, 0) && e.record.id == id,
	      "... and the event is still there");
	undo(&t->c, id);
	puppet_end(&t->p);
	close(fd);
	munmap(fixed, PAGE);
	drain(t);
}

static void *read_one(void *fd)
{
	static struct ptremap_event e;

	return (void *)(intptr_t)read_events(*(int *)fd, &e, 1);
}

static void test_blocking(struct test *t)
{
	int fd = watch_on(t->c.dev, 0, 0);
	struct ptremap_item item;
	pthread_t reader;
	void *got;

	puppet_start(&t->p);
	item = item_for(t, PTREMAP_FRESH);
	pthread_create(&reader, NULL, read_one, &fd);
	usleep(50000);
	edit(&t->c, &item, NULL);
	pthread_join(reader, &got);
	check(&t->c, (intptr_t)got == 1, "a reader that waits gets the first event");
	pthread_create(&reader, NULL, read_one, &fd);
	usleep(50000);
	kill(t->p.pid, SIGKILL);
	pthread_join(reader, &got);
	check(&t->c, (intptr_t)got == 1, "... and the guard's, when the process is killed");
	undo(&t->c, 0);
	puppet_end(&t->p);
	close(fd);
}

/* With effective user id @uid, and without capability @cap (-1: with all). */
static int as_other(const struct test *t, unsigned int uid, int cap, bool reads)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	struct ptremap_event e;
	int status, ret;
	pid_t pid = fork();

	if (!pid) {
		if (uid && syscall(SYS_setresuid, uid, uid, uid))
			_exit(255);
		if (cap >= 0) {
			syscall(SYS_capget, &head, data);
			data[cap / 32].effective &= ~(1u << cap % 32);
			if (syscall(SYS_capset, &head, data))
				_exit(255);
		}
		ret = reads ? read_events(t->mine, &e, 1) : watch_on(t->c.dev, 0, 0);
		_exit(ret < 0 ? -ret : 0);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static void test_rights(struct test *t)
{
	check(&t->c, as_other(t, 1000, -1, false) == EPERM, "a watch for somebody else: EPERM");
	check(&t->c, as_other(t, 1000, -1, true) == EPERM, "a read by somebody else: EPERM");
	check(&t->c, as_other(t, 0, CAP_SYS_ADMIN, true) == EPERM,
	      "a read without CAP_SYS_ADMIN: EPERM");
	check(&t->c, as_other(t, 0, CAP_SYS_RAWIO, true) == EACCES,
	      "a read without CAP_SYS_RAWIO: EACCES");
	check(&t->c, as_other(t, 0, -1, true) == EAGAIN,
	      "a read with both: EAGAIN, there is nothing");
}

/* ---- at random ------------------------------------------------------------------------------- */

static uint32_t rnd(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

struct tally {
	unsigned long made, gone, wrong;
	uint8_t active[1 << 16][PUPPET_PAGES]; /* by id and page */
};

static void count_events(const struct test *t, struct tally *y)
{
	struct ptremap_event e[64];
	uint8_t *active;
	int i, n;

	while ((n = read_events(t->all, e, 64)) > 0)
		for (i = 0; i < n; i++) {
			active = &y->active[e[i].record.id & 0xffff]
					   [e[i].record.va / PAGE % PUPPET_PAGES];
			y->wrong += e[i].lost || *active != (e[i].type == PTREMAP_EVENT_GONE);
			*active = e[i].type == PTREMAP_EVENT_MADE;
			y->made += e[i].type == PTREMAP_EVENT_MADE;
			y->gone += e[i].type == PTREMAP_EVENT_GONE;
		}
}

static void *undo_all(void *arg)
{
	const struct test *t = arg;

	undo(&t->c, 0);
	return NULL;
}

/* An undo of all runs beside what happens to the process. */
static void one_round(struct test *t, uint32_t *state, struct tally *y)
{
	const struct cause *cause = &causes[rnd(state) % (sizeof(causes) / sizeof(*causes))];
	unsigned int nr = 1 + rnd(state) % PUPPET_PAGES, i;
	struct ptremap_item items[PUPPET_PAGES] = { 0 };
	pthread_t undoer;
	bool race = rnd(state) % 2;
	uint32_t id = 0;

	puppet_start(&t->p);
	for (i = 0; i < nr; i++) {
		items[i] = item_for(t, rnd(state) % 2 ? PTREMAP_FRESH : PTREMAP_TRAP);
		items[i].va = t->p.pages + i * PAGE;
	}
	edit_many(&t->c, items, nr, rnd(state) % 2 ? PTREMAP_EDIT_KEEP : 0, &id);
	if (race)
		pthread_create(&undoer, NULL, undo_all, t);
	cause->happen(t, t->p.pages + rnd(state) % nr * PAGE, id);
	if (race)
		pthread_join(undoer, NULL);
	puppet_end(&t->p);
	count_events(t, y);
	if (rnd(state) % 2)
		undo(&t->c, 0);
}

/* Of the items that are listed as active. */
static unsigned long still_active(const struct test *t)
{
	static struct ptremap_record r[4096];
	unsigned long active = 0;
	int i, n = list(&t->c, r, 4096);

	for (i = 0; i < n && i < 4096; i++)
		active += r[i].state == PTREMAP_ACTIVE;
	return active;
}

static void test_random(struct test *t, unsigned int seconds)
{
	static struct tally y;
	const char *env = getenv("PTSCOPE_SEED");
	uint32_t seed = env ? (uint32_t)strtoul(env, NULL, 0) : (uint32_t)time(NULL);
	uint32_t state = seed ? seed : 1;
	time_t end = time(NULL) + seconds;
	unsigned long active;

	printf("# PTSCOPE_SEED=%u\n", seed);
	fflush(stdout);
	while (time(NULL) < end)
		one_round(t, &state, &y);
	count_events(t, &y);
	active = still_active(t);
	check(&t->c, y.made && !y.wrong && y.made - y.gone == active,
	      "at random: %lu made, %lu gone, %lu of them out of turn; still active %lu", y.made,
	      y.gone, y.wrong, active);
	undo(&t->c, 0);
	count_events(t, &y);
	check(&t->c, !y.wrong && y.made == y.gone, "... and when all is undone %lu gone", y.gone);
}

static void test_rmmod(struct test *t)
{
	int watch = new_watch(t->c.dev, PTREMAP_WATCH_ALL, 0);
	int err;

	close(t->mine);
	close(t->all);
	close(t->others);
	close(t->other_dev);
	close(t->c.dev);
	err = syscall(SYS_delete_module, "ptremap", O_NONBLOCK) ? errno : 0;
	check(&t->c, err == EAGAIN, "rmmod while there is a watch: refused (%d)", err);
	close(watch);
}

int main(int argc, char **argv)
{
	static struct test t;
	uint32_t what;
	size_t i;

	if (argc != 2) {
		fprintf(stderr, "usage: watches SECONDS\n");
		return 2;
	}
	t.c.dev = open_device();
	t.other_dev = open_device();
	t.mine = new_watch(t.c.dev, 0, 0);
	t.all = new_watch(t.c.dev, PTREMAP_WATCH_ALL, 0);
	t.others = new_watch(t.other_dev, 0, 0);
	for (i = 0; i < sizeof(causes) / sizeof(*causes); i++)
		for (what = PTREMAP_PROTECT; what <= PTREMAP_TRAP; what++)
			test_cause(&t, &causes[i], what);
	test_half(&t);
	test_refused(&t);
	for (i = 0; i < sizeof(causes) / sizeof(*causes); i++)
		if (causes[i].cause == PTREMAP_CAUSE_UNDO ||
		    causes[i].cause == PTREMAP_CAUSE_EXIT || causes[i].happen == by_munmap)
			test_mapping(&t, &causes[i]);
	test_overflow(&t);
	test_lost_while_read(&t);
	test_closed(&t);
	test_dead_controller(&t);
	test_calls(&t);
	test_blocking(&t);
	drain(&t);
	test_rights(&t);
	test_random(&t, (unsigned int)strtoul(argv[1], NULL, 10));
	check(&t.c, list(&t.c, NULL, 0) == 0, "no edit is left");
	test_rmmod(&t);
	return t.c.failed > 0;
}
