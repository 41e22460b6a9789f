/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The processes whose memory the fuzzer changes. All have the same regions at the same addresses.
 *
 * What is in FUZZ_CLEAN ones is never written, by nobody: in the end it must be what it was.
 * The fuzzer writes to FUZZ_POKE through the module, a guest to FUZZ_GUEST; so the frames of these
 * must not get behind anything else. That is for who calls the module to see to: fuzz_calls.h.
 */
#ifndef TESTS_FUZZ_MEMORY_H
#define TESTS_FUZZ_MEMORY_H

#include <sys/prctl.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/system/fuzz_choice.h"
#include "tests/system/tiny_vm.h"

#define FUZZ_BASE    0x100000000000ull
#define FUZZ_STEP    (64ull << 20) /* from region to region: what is between is a hole */
#define FUZZ_TARGETS 4
#define FUZZ_WITNESS 0 /* lives until the end */
#define FUZZ_HAS_VM  1 /* has a VM, where there is KVM */
#define HUGE_PAGE    (2ull << 20)

enum fuzz_region {
	FUZZ_OWN,
	FUZZ_SHARED,
	FUZZ_FILE,
	FUZZ_HUGE,
	FUZZ_CLEAN, /* how many are clean */
	FUZZ_POKE = FUZZ_CLEAN,
	FUZZ_GUEST,
	FUZZ_REGIONS,
};

static const struct {
	uint32_t pages;
	int flags;
} fuzz_regions[FUZZ_REGIONS] = {
	[FUZZ_OWN] = { 32, MAP_PRIVATE },  [FUZZ_SHARED] = { 32, MAP_SHARED },
	[FUZZ_FILE] = { 32, MAP_PRIVATE }, [FUZZ_HUGE] = { 2048, MAP_PRIVATE },
	[FUZZ_POKE] = { 16, MAP_PRIVATE }, [FUZZ_GUEST] = { 1024, MAP_PRIVATE },
};

struct fuzz_target {
	/*
	 * For the workers: 0 until its memory is filled. An edit of before would lead what it fills
	 * to pages of others, which must stay what they are.
	 */
	_Atomic int pid;
	_Atomic int ready;
	_Atomic bool over;   /* it is to look at its memory */
	_Atomic int verdict; /* 0: not yet; 1: all is as it was; -1 - region: that is not */
};

static inline uint64_t fuzz_va(enum fuzz_region region, uint32_t page)
{
	return FUZZ_BASE + region * FUZZ_STEP + (uint64_t)page * PAGE;
}

static inline void *fuzz_at(enum fuzz_region region, uint32_t page)
{
	return (void *)(uintptr_t)fuzz_va(region, page);
}

static inline uint64_t fuzz_seed(uint32_t region, uint32_t page)
{
	return region << 16 | page;
}

static inline int fuzz_tell_wrong(uint32_t region, uint32_t page)
{
	const volatile uint64_t *p = fuzz_at(region, page);
	size_t i;

	for (i = 0; i < PAGE / sizeof(*p); i++)
		if (p[i] != (fuzz_seed(region, page) << 32) + i)
			break;
	printf("# region %u, page %u: word %zu is 0x%" PRIx64 "\n", region, page, i,
	       i < PAGE / sizeof(*p) ? p[i] : 0);
	fflush(stdout);
	return -1 - (int)region;
}

static inline int fuzz_verdict(void)
{
	uint32_t region, page;

	for (region = 0; region < FUZZ_CLEAN; region++)
		for (page = 0; page < fuzz_regions[region].pages; page++)
			if (!is_filled(fuzz_at(region, page), fuzz_seed(region, page)))
				return fuzz_tell_wrong(region, page);
	return 1;
}

/* The contents of a file come before it is mapped: a private page that is written is no file's. */
static inline int fuzz_file(void)
{
	static char page[PAGE];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	uint32_t i;

	for (i = 0; i < fuzz_regions[FUZZ_FILE].pages; i++) {
		fill_page(page, fuzz_seed(FUZZ_FILE, i));
		if (write(fd, page, PAGE) != PAGE)
			die("memfd");
	}
	return fd;
}

static inline void fuzz_map(uint32_t region)
{
	uint32_t pages = fuzz_regions[region].pages, i;
	bool file = region == FUZZ_FILE;
	bool huge = region == FUZZ_HUGE || region == FUZZ_GUEST;
	void *p =
		mmap(fuzz_at(region, 0), (size_t)pages * PAGE, PROT_READ | PROT_WRITE,
		     fuzz_regions[region].flags | MAP_FIXED_NOREPLACE | (file ? 0 : MAP_ANONYMOUS),
		     file ? fuzz_file() : -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	if (fuzz_regions[region].flags == MAP_PRIVATE && !file)
		madvise(p, (size_t)pages * PAGE, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	for (i = 0; i < pages && !file; i++)
		fill_page(fuzz_at(region, i), fuzz_seed(region, i));
}

static inline void fuzz_end(int number)
{
	_exit(number);
}

/* A child reads what it can: where an access is refused it ends. */
static inline void fuzz_fork(void)
{
	pid_t pid = fork();
	uint32_t region, page;

	if (!pid) {
		signal(SIGSEGV, fuzz_end);
		signal(SIGBUS, fuzz_end);
		for (region = 0; region < FUZZ_CLEAN; region++)
			for (page = 0; page < fuzz_regions[region].pages; page += 3)
				*(volatile char *)fuzz_at(region, page);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

/* Something that the kernel does to memory and that leaves its contents as they are. */
static inline void fuzz_stir(uint32_t random)
{
	uint32_t region = random % FUZZ_CLEAN, nr = fuzz_regions[region].pages;
	uint32_t page = random / 16 % nr;
	size_t len = (size_t)(1 + random / 1024 % (nr - page)) * PAGE;
	void *p = fuzz_at(region, page);

	switch (random >> 24 & 15) {
	case 0:
	case 1:
		mprotect(p, len, PROT_READ);
		mprotect(p, len, PROT_READ | PROT_WRITE);
		break;
	case 2:
		madvise(p, len, MADV_COLD);
		break;
	case 3:
		madvise(p, len, MADV_PAGEOUT);
		break;
	case 4:
		write_file("/proc/self/clear_refs", "4");
		break;
	case 5:
		fuzz_fork();
		break;
	case 6: /* it is faulted in again, with the same contents */
		if (region == FUZZ_SHARED || region == FUZZ_FILE)
			madvise(p, len, MADV_DONTNEED);
		break;
	case 7:
		mlock(p, len);
		munlock(p, len);
		break;
	case 8:
		madvise(fuzz_at(FUZZ_HUGE, 0), (size_t)fuzz_regions[FUZZ_HUGE].pages * PAGE,
			25 /* MADV_COLLAPSE */);
		break;
	default:
		usleep(1000);
	}
}

/*
 * A guest whose vCPU reads its memory, and calls, now and then; of some a second one writes all the
 * time, which costs the others their time where one thread emulates all processors.
 */
static inline void fuzz_guest(bool writes)
{
	static struct tiny_vm vm;

	tiny_make(&vm, fuzz_at(FUZZ_GUEST, 0), (uint64_t)fuzz_regions[FUZZ_GUEST].pages * PAGE);
	if (writes)
		tiny_start(&vm, 0, tiny_count_code, TINY_GPA, TINY_GPA + PAGE);
	tiny_start(&vm, 1, tiny_call_code, TINY_GPA + 2 * PAGE, TINY_GPA + HUGE_PAGE);
}

/* Nobody does anything to it that could give it a signal: which one, and where, is what to tell. */
static inline void fuzz_target_dies(int number, siginfo_t *info, void *context)
{
	(void)context;
	printf("# a process got signal %d, code %d, at %p\n", number, info->si_code, info->si_addr);
	fflush(stdout);
	_exit(1);
}

static inline void __attribute__((noreturn))
fuzz_be_target(struct fuzz_target *t, bool guest, uint32_t seed)
{
	const struct sigaction sa = { .sa_sigaction = fuzz_target_dies, .sa_flags = SA_SIGINFO };
	struct choice c = { .random = seed };
	uint32_t region;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	for (region = 0; region < FUZZ_REGIONS; region++)
		fuzz_map(region);
	if (guest)
		fuzz_guest(!(fuzz_random(&c) & 3));
	t->pid = getpid();
	t->ready = 1;
	while (!t->over)
		fuzz_stir(fuzz_random(&c));
	t->verdict = fuzz_verdict();
	for (;;)
		pause();
}

#endif
