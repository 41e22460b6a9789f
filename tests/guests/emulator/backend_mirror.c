// SPDX-License-Identifier: GPL-2.0
/*
 * A mirror: a load of the guest is a load at another address. Those that fail are signals, whose
 * handler makes the access return that it has failed.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/guests/emulator/emulator.h"

struct mirrored {
	struct ptremap_mirror_window window;
	uint64_t base; /* of guest address 0 */
};

/* ---- accesses that may fail ---------------------------------------------------------------------
 */

struct outcome {
	uint64_t value, failed; /* rax and rdx */
};

/* Nothing is on the stack but the return address: emu_failed can stand in for the rest of each. */
struct outcome emu_load1(uint64_t at);
struct outcome emu_load2(uint64_t at);
struct outcome emu_load4(uint64_t at);
struct outcome emu_load8(uint64_t at);
struct outcome emu_store1(uint64_t at, uint64_t value);
struct outcome emu_store2(uint64_t at, uint64_t value);
struct outcome emu_store4(uint64_t at, uint64_t value);
struct outcome emu_store8(uint64_t at, uint64_t value);
extern const char emu_accesses[], emu_failed[];

asm(".text\n"
    "emu_accesses:\n"
    "emu_load1: movzbl (%rdi), %eax; xorl %edx, %edx; ret\n"
    "emu_load2: movzwl (%rdi), %eax; xorl %edx, %edx; ret\n"
    "emu_load4: movl (%rdi), %eax; xorl %edx, %edx; ret\n"
    "emu_load8: movq (%rdi), %rax; xorl %edx, %edx; ret\n"
    "emu_store1: movb %sil, (%rdi); xorl %edx, %edx; ret\n"
    "emu_store2: movw %si, (%rdi); xorl %edx, %edx; ret\n"
    "emu_store4: movl %esi, (%rdi); xorl %edx, %edx; ret\n"
    "emu_store8: movq %rsi, (%rdi); xorl %edx, %edx; ret\n"
    "emu_failed: movl $1, %edx; ret\n");

static __thread struct emu *running;

/* The record is gone if others have failed too often meanwhile: then the access is made again. */
static void on_segv(int sig, siginfo_t *info, void *context)
{
	greg_t *rip = &((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
	struct ptremap_mirror_record why;
	int err = -ENOENT;

	if (running && (uint64_t)*rip >= (uintptr_t)emu_accesses &&
	    (uint64_t)*rip < (uintptr_t)emu_failed) {
		struct mirrored *m = running->own;

		err = ptremap_mirror_why(&m->window, info->si_addr, info->si_code, 0, &why);
	}
	if (err == -EAGAIN)
		return;
	if (err) {
		signal(sig, SIG_DFL);
		return;
	}
	running->fault = (struct emu_fault){
		.gva = why.gva,
		.gpa = why.gpa,
		.error_code = why.error_code,
		.why = why.why,
		.access = why.access,
	};
	*rip = (greg_t)(uintptr_t)emu_failed;
}

/* ---- the back end --------------------------------------------------------------------------- */

static bool load(struct emu *e, uint64_t gva, unsigned int size, uint64_t *value)
{
	uint64_t at = ((struct mirrored *)e->own)->base + gva;
	struct outcome o;

	running = e;
	o = size == 8	? emu_load8(at)
	    : size == 4 ? emu_load4(at)
	    : size == 2 ? emu_load2(at)
			: emu_load1(at);
	if (!o.failed)
		*value = o.value;
	return !o.failed;
}

static bool store(struct emu *e, uint64_t gva, unsigned int size, uint64_t value)
{
	uint64_t at = ((struct mirrored *)e->own)->base + gva;
	struct outcome o;

	running = e;
	o = size == 8	? emu_store8(at, value)
	    : size == 4 ? emu_store4(at, value)
	    : size == 2 ? emu_store2(at, value)
			: emu_store1(at, value);
	return !o.failed;
}

static void invlpg(struct emu *e, uint64_t gva)
{
	struct mirrored *m = e->own;

	ptremap_mirror_invalidate(&m->window, gva & ~(PAGE - 1), PAGE);
}

static void flush(struct emu *e)
{
	struct mirrored *m = e->own;

	ptremap_mirror_invalidate(&m->window, 0, 0);
}

static uint32_t cpu_of(const struct emu *e)
{
	return PTREMAP_MIRROR_WP | (emu_is_user(e) ? PTREMAP_MIRROR_USER : 0);
}

static void change(struct emu *e)
{
	struct mirrored *m = e->own;

	ptremap_mirror_switch(&m->window, emu_root(e), e->context, cpu_of(e), 0);
}

static int create(struct emu *e, struct mirrored *m)
{
	struct ptremap_mirror_range ranges[WORLD_RANGES];
	struct ptremap_mirror req = {
		.flags = e->mirror_flags,
		.va = (1ull << 32) * (e->vcpu + 1),
		.len = WINDOW,
		.ranges = (uintptr_t)ranges,
		.nr_ranges = WORLD_RANGES,
		.mode = world_mode(e->world),
		.features = PTREMAP_MIRROR_NX | PTREMAP_MIRROR_PSE,
		.maxphyaddr = e->world->fmt.feat.maxphyaddr,
		.root = emu_root(e),
		.cpu = cpu_of(e),
		.tag = e->context,
	};
	int fd = ptremap_open(), err;

	if (fd < 0)
		return fd;
	world_ranges(e->world, ranges);
	err = ptremap_mirror_create(fd, &req, &m->window);
	close(fd);
	m->base = req.va;
	return err;
}

static int start(struct emu *e)
{
	struct sigaction action = { .sa_sigaction = on_segv, .sa_flags = SA_SIGINFO | SA_NODEFER };
	int err;

	e->own = calloc(1, sizeof(struct mirrored));
	if (!e->own)
		return -ENOMEM;
	err = create(e, e->own);
	if (err)
		free(e->own);
	else
		sigaction(SIGSEGV, &action, NULL);
	return err;
}

static void stop(struct emu *e)
{
	struct mirrored *m = e->own;

	running = NULL;
	ptremap_mirror_destroy(&m->window);
	free(m);
}

const struct backend backend_mirror = {
	.name = "mirror",
	.start = start,
	.stop = stop,
	.load = load,
	.store = store,
	.invlpg = invlpg,
	.flush = flush,
	.change = change,
};
