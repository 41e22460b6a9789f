/* SPDX-License-Identifier: GPL-2.0 */
/* One process of the fuzzer that makes calls: what it has, and the parts that arguments are made
 * of. */
#ifndef TESTS_FUZZ_WORKER_H
#define TESTS_FUZZ_WORKER_H

#include <poll.h>
#include <setjmp.h>

#include "tests/system/fuzz_forms.h"
#include "tests/system/fuzz_memory.h"

#define FUZZ_WORKERS 4
#define FUZZ_DEVS    3 /* files of the device that a worker has */
#define FUZZ_FDS     8 /* watches and mirrors */
#define FUZZ_IDS     8
#define FUZZ_CALLS   17
#define FUZZ_ERRNOS  134
#define FUZZ_ROOM    (256u << 10) /* of arrays and answers */

/* Between all processes of a run. */
struct fuzz_shared {
	struct fuzz_corpus corpus;
	struct fuzz_target targets[FUZZ_TARGETS];
	_Atomic uint64_t beats[FUZZ_WORKERS]; /* calls of each, to see that they go on */
	_Atomic uint32_t answers[FUZZ_CALLS][FUZZ_ERRNOS];
	_Atomic uint32_t good[FUZZ_FORMS];
	_Atomic bool over;
	uint64_t timer; /* physical address of device memory that may be read */
};

struct worker {
	struct choice c;
	struct fuzz_shared *s;
	uint32_t number;
	uint64_t *cover;
	int devs[FUZZ_DEVS], fds[FUZZ_FDS];
	uint32_t forms[FUZZ_FDS]; /* what it is to read or map them */
	uint32_t ids[FUZZ_IDS], next_id;
	uint32_t rule; /* the last one that was added */
	int pidfds[FUZZ_TARGETS], pidfd_of[FUZZ_TARGETS];
	char *room;  /* with nothing mapped behind it */
	char *arg;   /* two pages, with nothing mapped behind them */
	char *fixed; /* a page that may only be read */
	char *guest; /* memory of mirrors' guests */
	uint64_t window, window_len;
};

static sigjmp_buf fuzz_out;

/* ---- parts ----------------------------------------------------------------------------------- */

/* Each bit of @mask or not. */
static inline uint32_t choose_flags(struct worker *w, uint32_t mask)
{
	return seldom(&w->c, 2) ? (uint32_t)choose_bytes(&w->c, 4) & mask : 0;
}

/* Of the arrays that a call reads or fills: ->room, or what is no such memory. */
static inline uint64_t fuzz_pointer(struct worker *w)
{
	switch (choose(&w->c, 32)) {
	case 0:
		return 0;
	case 1:
		return at(w->room) + FUZZ_ROOM - 8 * choose(&w->c, 16);
	case 2:
		return 0xffff888000000000;
	case 3:
		return at(w->fixed);
	case 4:
		return fuzz_va(FUZZ_REGIONS, 0);
	case 5:
		return at(w->room) + 1;
	default:
		return at(w->room);
	}
}

/* Opened when it is used for the first time, or its process is another one by now. */
static inline int target_pidfd(struct worker *w, uint32_t i)
{
	int pid = w->s->targets[i].pid;

	if (w->pidfd_of[i] != pid) {
		if (w->pidfds[i] > 0)
			close(w->pidfds[i]);
		w->pidfds[i] = (int)syscall(SYS_pidfd_open, pid, 0);
		w->pidfd_of[i] = pid;
	}
	return w->pidfds[i];
}

/* Of target @i, by number or by descriptor. */
static inline int target_pid(struct worker *w, uint32_t i, uint32_t *flags, uint32_t by_fd)
{
	if (!by_fd || choose(&w->c, 4))
		return w->s->targets[i].pid;
	*flags |= by_fd;
	return target_pidfd(w, i);
}

/* No process is harmed that is no target: others have no memory, or are not there. */
static inline int any_pid(struct worker *w, uint32_t *flags, uint32_t by_fd)
{
	static const int none[] = { 0, -1, 2, 0x3fffff, 0x7fffffff };
	uint32_t which = choose(&w->c, 24);

	if (which < sizeof(none) / sizeof(*none))
		return none[which];
	if (which == 6) {
		*flags |= by_fd;
		return by_fd ? w->devs[0] : -1;
	}
	return target_pid(w, which % FUZZ_TARGETS, flags, by_fd);
}

static inline int vm_pid(struct worker *w, uint32_t *flags, uint32_t by_fd)
{
	return choose(&w->c, 16) ? target_pid(w, FUZZ_HAS_VM, flags, by_fd)
				 : any_pid(w, flags, by_fd);
}

/* Of a region: mostly one of its first pages, so that there are many for few. */
static inline uint64_t page_va(struct worker *w, uint32_t region)
{
	uint32_t page = choose(&w->c, 2) ? choose(&w->c, 8) : choose(&w->c, 4096);

	return fuzz_va(region, page % fuzz_regions[region].pages);
}

static inline uint64_t any_va(struct worker *w)
{
	return mix(&w->c, page_va(w, choose(&w->c, FUZZ_REGIONS)));
}

static inline uint64_t any_gpa(struct worker *w)
{
	if (seldom(&w->c, 16))
		return mix(&w->c, 0);
	return mix(&w->c, TINY_GPA + (uint64_t)choose(&w->c, 2) * HUGE_PAGE +
				  (choose(&w->c, 2) ? choose(&w->c, 8) * PAGE : 0));
}

static inline uint64_t any_pa(struct worker *w)
{
	if (seldom(&w->c, 4))
		return w->s->timer;
	return mix(&w->c, choose_bytes(&w->c, 4) & 0x3ffffff8);
}

/* ---- what calls leave ------------------------------------------------------------------------ */

static inline void note_id(struct worker *w, uint32_t id)
{
	if (id)
		w->ids[w->next_id++ % FUZZ_IDS] = id;
}

/* It takes the place of another, which ends. */
static inline void note_fd(struct worker *w, int err, int fd, uint32_t form)
{
	uint32_t i = choose(&w->c, FUZZ_FDS);

	if (err || fd < 0)
		return;
	if (w->fds[i] >= 0)
		close(w->fds[i]);
	w->fds[i] = fd;
	w->forms[i] = form;
}

static inline void note_answer(struct worker *w, uint32_t call, int err)
{
	uint32_t nr = err < 0 && err > -FUZZ_ERRNOS ? (uint32_t)-err : 0;

	w->s->answers[call % FUZZ_CALLS][nr]++;
	w->s->beats[w->number]++;
	fuzz_found(&w->s->corpus, &w->c, 1 + call * FUZZ_ERRNOS + nr);
}

static inline void note_form(struct worker *w, int err, uint32_t form)
{
	if (!err)
		w->s->good[form]++;
}

/* ---- calls ----------------------------------------------------------------------------------- */

/* The size that the structure says it has. */
static inline uint32_t fuzz_size(struct worker *w, uint32_t size)
{
	switch (choose(&w->c, 32)) {
	case 0:
		return size - 8;
	case 1:
		return size + 8;
	case 2:
		return mix32(&w->c, PAGE);
	case 3:
		return choose(&w->c, PAGE);
	default:
		return size;
	}
}

/* Where it lies: mostly at the beginning of ->arg, or where its end cannot be read. */
static inline char *fuzz_place(struct worker *w, uint32_t size)
{
	switch (choose(&w->c, 32)) {
	case 0:
		return w->arg + 2 * PAGE - size / 2;
	case 1:
		return w->arg + 2 * PAGE - size;
	case 2:
		return w->arg + PAGE - size / 2 / 8 * 8;
	default:
		return w->arg;
	}
}

/* Those of the device come first, then those of mirrors. */
static inline uint32_t fuzz_number(unsigned long nr)
{
	return _IOC_NR(nr) < 0x40 ? _IOC_NR(nr) : FUZZ_CALLS - 2 + _IOC_NR(nr) % 2;
}

static inline int fuzz_issue_on(struct worker *w, int fd, unsigned long nr, void *arg,
				uint32_t size)
{
	uint32_t says = fuzz_size(w, size);
	char *place = fuzz_place(w, size);
	uint32_t fits = (uint32_t)(w->arg + 2 * PAGE - place);
	int err;

	memset(w->arg, 0, 2 * PAGE);
	memcpy(arg, &says, sizeof(says));
	memcpy(place, arg, size < fits ? size : fits);
	/* Not within the structure: that would be other flags than the ones that do no harm. */
	if (seldom(&w->c, 64) && place == w->arg)
		w->arg[size + choose(&w->c, PAGE)] = 1;
	if (seldom(&w->c, 64))
		place = w->fixed;
	err = ioctl(fd, nr, place) ? -errno : 0;
	note_answer(w, fuzz_number(nr), err);
	if (place != w->fixed)
		memcpy(arg, place, size < fits ? size : fits);
	return err;
}

static inline int fuzz_issue(struct worker *w, unsigned long nr, void *arg, uint32_t size)
{
	return fuzz_issue_on(w, w->devs[choose(&w->c, FUZZ_DEVS)], nr, arg, size);
}

/* ---- what is done between calls -------------------------------------------------------------- */

static inline void fuzz_on_signal(int number)
{
	siglongjmp(fuzz_out, number);
}

/* An access to the last window, which may be gone. */
static inline void fuzz_touch(struct worker *w)
{
	uint64_t offset = choose_bytes(&w->c, 3) % (w->window_len ? w->window_len : 1) & ~7ull;
	volatile uint64_t *p = (volatile uint64_t *)(uintptr_t)(w->window + offset);

	if (!w->window || sigsetjmp(fuzz_out, 1))
		return;
	if (choose(&w->c, 3))
		(void)*p;
	else
		*p = offset;
}

static inline void fuzz_read(struct worker *w, uint32_t i)
{
	ssize_t got = read(w->fds[i], w->room, choose(&w->c, 2048));

	if (got < 0 && errno == EFAULT)
		die("read");
	note_form(w, got <= 0, w->forms[i]);
}

static inline void fuzz_map_page(struct worker *w, uint32_t i)
{
	void *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, w->fds[i], 0);

	if (p == MAP_FAILED)
		return;
	note_form(w, 0, w->forms[i]);
	munmap(p, PAGE);
}

/* What a mirror has to say is in its page: it is always ready. */
static inline void fuzz_poll(struct worker *w, uint32_t i)
{
	struct pollfd p = { .fd = w->fds[i], .events = POLLIN };

	note_form(w, poll(&p, 1, 0) <= 0 || w->forms[i] == FORM_MIRROR_PAGE, FORM_POLL);
}

/* Reads, maps, polls and closes descriptors that calls have given. */
static inline void fuzz_descriptor(struct worker *w)
{
	uint32_t i = choose(&w->c, FUZZ_FDS);

	if (w->fds[i] < 0)
		return;
	switch (choose(&w->c, 5)) {
	case 0:
		close(w->fds[i]);
		w->fds[i] = -1;
		break;
	case 1:
		fuzz_map_page(w, i);
		break;
	case 2:
		fuzz_poll(w, i);
		break;
	default:
		fuzz_read(w, i);
	}
}

static inline void fuzz_unmap_window(struct worker *w)
{
	if (w->window)
		munmap((void *)(uintptr_t)w->window, w->window_len);
	w->window = 0;
}

/* The file goes with all that was made by it; or a child has it meanwhile. */
static inline void fuzz_reopen(struct worker *w)
{
	uint32_t i = choose(&w->c, FUZZ_DEVS);
	pid_t child;

	if (seldom(&w->c, 8)) {
		child = fork();
		if (!child)
			_exit(0);
		waitpid(child, NULL, 0);
	}
	close(w->devs[i]);
	w->devs[i] = open_device();
}

/* Physical memory by read(), and calls that there are none of. */
static inline void fuzz_odd(struct worker *w)
{
	int fd = w->devs[choose(&w->c, FUZZ_DEVS)];

	if (choose(&w->c, 2)) {
		(void)!pread(fd, w->room, choose(&w->c, 8192), (off_t)any_pa(w));
	} else {
		ioctl(fd,
		      _IOC(choose(&w->c, 4), PTREMAP_TYPE, choose(&w->c, 80),
			   choose(&w->c, 4) ? 0 : choose_bytes(&w->c, 1)),
		      w->fixed);
	}
}

#endif
