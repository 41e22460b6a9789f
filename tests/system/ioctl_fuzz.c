// SPDX-License-Identifier: GPL-2.0
/*
 * ioctl_fuzz: calls of /dev/ptremap with arguments of all kinds, guided by what they reach.
 *
 *	ioctl_fuzz SECONDS
 *
 * Workers make calls, and are killed; processes and a VM whose memory is changed come and go. In
 * the end there is nothing left: no transaction, rule, reference or memory, and what was never
 * written to is what it was. PTSCOPE_SEED in the environment repeats a run, as far as several
 * processes can.
 */
#include <signal.h>
#include <time.h>

#include "tests/system/fuzz_after.h"
#include "tests/system/fuzz_calls.h"
#include "tests/system/rule_program.h"

#define CALLS_EACH 4  /* at most, of one input */
#define STUCK_S	   90 /* without any call a worker hangs */

/* ---- workers --------------------------------------------------------------------------------- */

static int (*const calls[])(struct worker *) = {
	fuzz_features, fuzz_walk,     fuzz_tables, fuzz_phys, fuzz_edit, fuzz_list,
	fuzz_undo,     fuzz_map_call, fuzz_watch,  fuzz_vm,   fuzz_ept,	 fuzz_rule,
	fuzz_access,   fuzz_mirror,   fuzz_edit,   fuzz_edit, fuzz_ept,	 fuzz_undo,
};

static void (*const others[])(struct worker *) = {
	fuzz_touch,	   fuzz_descriptor, fuzz_mirror_call, fuzz_reopen,
	fuzz_unmap_window, fuzz_odd,	    fuzz_touch,	      fuzz_mirror_call,
};

static void one_input(struct worker *w)
{
	uint32_t nr, i;

	fuzz_next(&w->c, &w->s->corpus);
	nr = 1 + choose(&w->c, CALLS_EACH);
	for (i = 0; i < nr; i++) {
		if (choose(&w->c, 4))
			calls[choose(&w->c, sizeof(calls) / sizeof(*calls))](w);
		else
			others[choose(&w->c, sizeof(others) / sizeof(*others))](w);
		if (w->cover)
			kcov_collect(&w->s->corpus, &w->c, w->cover);
	}
	w->s->beats[w->number]++;
	fuzz_keep(&w->c, &w->s->corpus);
}

/* @len bytes at @va, far from all else, so that what misses them by a bit hits nothing. */
static char *memory(uint64_t va, size_t len, int prot)
{
	char *p = mmap((void *)(uintptr_t)va, len, prot,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

/* Each word of the first half could be an entry of the guest's tables. */
static void fill_guest(struct worker *w)
{
	uint64_t *p = (void *)w->guest;
	size_t i;

	for (i = 0; i < MIRROR_PAGES * PAGE / 16; i++)
		p[i] = (uint64_t)(fuzz_random(&w->c) % MIRROR_PAGES) << 12 |
		       (fuzz_random(&w->c) % 8 ? 0x27 : fuzz_random(&w->c) & 0xfff);
}

static void prepare_worker(struct worker *w)
{
	const struct sigaction sa = { .sa_handler = fuzz_on_signal, .sa_flags = SA_NODEFER };
	uint32_t i;

	for (i = 0; i < FUZZ_DEVS; i++)
		w->devs[i] = open_device();
	for (i = 0; i < FUZZ_FDS; i++)
		w->fds[i] = -1;
	w->room = memory(0x310000000000, FUZZ_ROOM, PROT_READ | PROT_WRITE);
	w->arg = memory(0x320000000000, 2 * PAGE, PROT_READ | PROT_WRITE);
	w->fixed = memory(0x330000000000, PAGE, PROT_READ);
	w->guest = memory(0x35a000000000, MIRROR_PAGES * PAGE, PROT_READ | PROT_WRITE);
	fill_guest(w);
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
}

static void __attribute__((noreturn))
be_worker(struct fuzz_shared *s, uint32_t number, uint32_t seed)
{
	static struct worker w;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	w.s = s;
	w.number = number;
	w.c.random = seed | 1;
	prepare_worker(&w);
	w.cover = kcov_start();
	while (!s->over)
		one_input(&w);
	_exit(0);
}

/* ---- processes ------------------------------------------------------------------------------- */

static uint32_t new_seed(struct run *r)
{
	return r->seed * 2654435761u + ++r->lives * 40503u + 1;
}

static void start_target(struct run *r, uint32_t i)
{
	struct fuzz_target *t = &r->s->targets[i];
	uint32_t seed = new_seed(r);
	pid_t pid;

	t->ready = 0;
	t->pid = 0;
	pid = fork();
	if (!pid) {
		close(r->c.dev);
		fuzz_be_target(t, r->kvm && i == FUZZ_HAS_VM, seed | 1);
	}
	r->pids[i] = pid;
}

static void end_target(struct run *r, uint32_t i)
{
	kill(r->pids[i], SIGKILL);
	waitpid(r->pids[i], NULL, 0);
}

static bool wait_for_targets(struct run *r)
{
	uint32_t i;
	int tries;

	for (i = 0; i < FUZZ_TARGETS; i++)
		for (tries = 0; !r->s->targets[i].ready; tries++) {
			if (tries == 6000 || waitpid(r->pids[i], NULL, WNOHANG))
				return check(&r->c, false, "target %u did not start", i);
			usleep(10000);
		}
	return true;
}

static void start_worker(struct run *r, uint32_t i)
{
	uint32_t seed = new_seed(r);
	pid_t pid = fork();

	if (!pid) {
		close(r->c.dev);
		be_worker(r->s, i, seed);
	}
	r->workers[i] = pid;
	r->since[i] = time(NULL);
}

static void end_worker(struct run *r, uint32_t i, int signal)
{
	int status = 0;

	if (signal)
		kill(r->workers[i], signal);
	waitpid(r->workers[i], &status, 0);
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		check(&r->c, false, "a worker died of signal %d", WTERMSIG(status));
	if (WIFEXITED(status) && WEXITSTATUS(status))
		check(&r->c, false, "a worker ended with %d", WEXITSTATUS(status));
}

/* ---- what calls rules ------------------------------------------------------------------------ */

#define LOAD(size, to, from, offset)                                                    \
	{                                                                               \
		.code = BPF_LDX | BPF_MEM | (size), .dst_reg = (to), .src_reg = (from), \
		.off = (offset)                                                         \
	}
#define JUMP(op, source, a, b, value, over)                                                       \
	{                                                                                         \
		.code = BPF_JMP | (op) | (source), .dst_reg = (a), .src_reg = (b), .off = (over), \
		.imm = (value)                                                                    \
	}
#define CONSTANT(to, value)                                                              \
	{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = (to), .imm = (int32_t)(value) }, \
	{                                                                                \
		.imm = (int32_t)((value) >> 32)                                          \
	}

/*
 * A program that calls each rule which may be called: all of guests, and of processes those for
 * faults in clean memory. The module leaves it to the program to compare addresses: it would give
 * the process new pages for its code and stack.
 */
static int call_rules(void)
{
	const uint64_t end = FUZZ_BASE + FUZZ_POKE * FUZZ_STEP;
	const struct bpf_insn insns[] = {
		LOAD(BPF_DW, 2, 1, 0),
		LOAD(BPF_DW, 3, 2, offsetof(struct ptremap_hit, asked)),
		LOAD(BPF_W, 4, 2, offsetof(struct ptremap_hit, on)),
		JUMP(BPF_JNE, BPF_K, 4, 0, PTREMAP_ON_FAULT, 7),
		LOAD(BPF_DW, 4, 2, offsetof(struct ptremap_hit, addr)),
		CONSTANT(5, FUZZ_BASE),
		JUMP(BPF_JLT, BPF_X, 4, 5, 0, 4),
		CONSTANT(5, end),
		JUMP(BPF_JGE, BPF_X, 4, 5, 0, 1),
		{ .code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 2, .src_reg = 3 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return attach_rule_program(insns, sizeof(insns) / sizeof(*insns));
}

/* ---- the run --------------------------------------------------------------------------------- */

static void look_at_worker(struct run *r, uint32_t i)
{
	uint64_t beat = r->s->beats[i];
	char command[64];

	if (beat != r->beat[i]) {
		r->beat[i] = beat;
		r->since[i] = time(NULL);
	}
	if (time(NULL) - r->since[i] <= STUCK_S)
		return;
	check(&r->c, false, "worker %d makes no calls any more", r->workers[i]);
	snprintf(command, sizeof(command), "cat /proc/%d/stack", r->workers[i]);
	if (system(command))
		puts("no stack");
	r->stuck = true;
}

static void look_at_target(struct run *r, uint32_t i)
{
	int status;

	if (waitpid(r->pids[i], &status, WNOHANG) <= 0)
		return;
	check(&r->c, false, "process %u ended by itself: 0x%x", i, status);
	start_target(r, i);
}

static void one_moment(struct run *r)
{
	uint32_t random = fuzz_random(&r->random), i = random % FUZZ_WORKERS;
	uint32_t target = 1 + random / 64 % (FUZZ_TARGETS - 1);

	usleep(20000);
	if (random >> 8 & 1 && !(random >> 9 & 15)) {
		end_worker(r, i, SIGKILL);
		start_worker(r, i);
		r->killed++;
	}
	if (!(random >> 20 & 31) && r->s->targets[target].ready) {
		end_target(r, target);
		start_target(r, target);
	}
	for (i = 0; i < FUZZ_WORKERS; i++)
		look_at_worker(r, i);
	for (i = 0; i < FUZZ_TARGETS; i++)
		look_at_target(r, i);
}

static void fuzz(struct run *r, int seconds)
{
	time_t end = time(NULL) + seconds;
	uint32_t i;

	for (i = 0; i < FUZZ_WORKERS; i++)
		start_worker(r, i);
	while (time(NULL) < end && !r->stuck)
		one_moment(r);
	r->s->over = true;
	for (i = 0; i < FUZZ_WORKERS; i++)
		end_worker(r, i, r->stuck ? SIGKILL : 0);
}

static void prepare(struct run *r)
{
	const char *given = getenv("PTSCOPE_SEED");

	r->seed = given ? (unsigned int)strtoul(given, NULL, 0) : (unsigned int)time(NULL);
	r->random.random = r->seed | 1;
	r->kvm = !access("/dev/kvm", F_OK);
	r->s = mmap(NULL, sizeof(*r->s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r->s == MAP_FAILED)
		die("mmap");
	memset(&r->s->corpus, 0, sizeof(r->s->corpus)); /* it is there from the beginning */
	r->s->timer = timer_pa();
	r->c.dev = open_device();
	r->caller = call_rules();
	printf("# PTSCOPE_SEED=%u, %s, %s\n", r->seed, r->kvm ? "with a VM" : "no VM",
	       access("/sys/kernel/debug/kcov", F_OK) ? "no kcov" : "kcov");
	check(&r->c, r->caller >= 0, "a program that calls rules: %s",
	      r->caller < 0 ? strerror(errno) : "attached");
}

int main(int argc, char **argv)
{
	static struct run r;
	long before, slab;
	uint32_t i;

	if (argc != 2) {
		fputs("usage: ioctl_fuzz SECONDS\n", stderr);
		return 2;
	}
	prepare(&r);
	drain_lru();
	before = free_kib();
	slab = kib_of("/proc/meminfo", "SUnreclaim");
	for (i = 0; i < FUZZ_TARGETS; i++)
		start_target(&r, i);
	if (!wait_for_targets(&r))
		return 1;
	fuzz(&r, atoi(argv[1]));
	take_all_back(&r);
	wait_for_targets(&r);
	check_contents(&r);
	check_references(&r);
	for (i = 0; i < FUZZ_TARGETS; i++)
		end_target(&r, i);
	check_memory(&r, before, slab);
	tell(&r);
	return r.c.failed != 0;
}
