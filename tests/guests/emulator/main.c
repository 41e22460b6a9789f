// SPDX-License-Identifier: GPL-2.0
/*
 * emulator [SEED]
 *
 * Random programs of two vCPUs, for page tables of each format, on each back end: registers, faults
 * and all of the guest's memory, accessed and dirty flags included, are the same afterwards. The
 * vCPUs run one after the other, and with mirrors also at the same time.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/guests/emulator/emulator.h"

#define LENGTH	     3000
#define SWITCHES_MIN 1000 /* a second */

static unsigned int failures;

/* One world after both programs ran in it. */
struct result {
	struct world world;
	struct emu emu[VCPUS];
	double seconds;
};

struct run {
	const char *name;
	const struct backend *backend;
	uint32_t flags; /* of the mirror */
	bool tell, threads;
};

static const struct run runs[] = {
	{ "walk", &backend_walk, 0, true, false },
	{ "software TLB", &backend_tlb, 0, true, false },
	{ "mirror", &backend_mirror, PTREMAP_MIRROR_AD, true, false },
	{ "mirror, two threads", &backend_mirror, PTREMAP_MIRROR_AD, true, true },
	{ "walk, untold changes", &backend_walk, 0, false, false },
	{ "mirror, untold changes", &backend_mirror, PTREMAP_MIRROR_AD | PTREMAP_MIRROR_SYNC, false,
	  false },
	{ "mirror, untold changes, two threads", &backend_mirror,
	  PTREMAP_MIRROR_AD | PTREMAP_MIRROR_SYNC, false, true },
};

static void check(bool good, const char *mode, const char *what, const char *more)
{
	printf("%s %s: %s%s%s\n", good ? "ok" : "not ok", mode, what, *more ? ": " : "", more);
	failures += !good;
}

struct job {
	struct emu *emu;
	const struct insn *program;
};

static void *work(void *arg)
{
	const struct job *job = arg;

	emu_run(job->emu, job->program);
	return NULL;
}

static void run_both(struct emu *emu, struct insn (*program)[PROGRAM_MAX], bool threads)
{
	struct job jobs[VCPUS];
	pthread_t thread[VCPUS];
	unsigned int i;

	for (i = 0; i < VCPUS; i++) {
		jobs[i] = (struct job){ &emu[i], program[i] };
		if (!threads || pthread_create(&thread[i], NULL, work, &jobs[i]))
			work(&jobs[i]);
	}
	for (i = 0; i < VCPUS && threads; i++)
		pthread_join(thread[i], NULL);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The same programs for the same seed: they are made for the world as it is at its start. */
static int make_result(struct result *r, const struct run *run, enum pt_mode mode, uint64_t seed)
{
	static struct insn program[VCPUS][PROGRAM_MAX];
	struct random random = { seed };
	unsigned int i;
	int err = world_init(&r->world, mode);

	for (i = 0; i < VCPUS && !err; i++) {
		program_make(program[i], LENGTH, &r->world, i, run->tell, &random);
		err = emu_init(&r->emu[i], &r->world, i, run->backend, run->flags);
	}
	if (err) {
		printf("not ok %s: %s\n", run->name, ptremap_mirror_strerror(err));
		failures++;
		return err;
	}
	r->seconds = now();
	run_both(r->emu, program, run->threads);
	r->seconds = now() - r->seconds;
	for (i = 0; i < VCPUS; i++)
		emu_exit(&r->emu[i]);
	return 0;
}

static bool same_cpu(const struct emu *a, const struct emu *b)
{
	return !memcmp(a->reg, b->reg, sizeof(a->reg)) && a->log == b->log && a->mmio == b->mmio &&
	       !memcmp(a->faults, b->faults, sizeof(a->faults)) && a->done == b->done;
}

static uint64_t first_difference(const struct world *a, const struct world *b)
{
	uint64_t at = 0;

	while (at < RAM_LEN && a->ram[at] == b->ram[at])
		at++;
	return at;
}

static void compare(const struct result *want, const struct result *got, const char *mode,
		    const char *name)
{
	uint64_t at = first_difference(&want->world, &got->world);
	char more[160] = "";
	unsigned int i;

	for (i = 0; i < VCPUS; i++) {
		if (!same_cpu(&want->emu[i], &got->emu[i]))
			sprintf(more, "vCPU %u has other registers or faults", i);
	}
	if (!*more && at < RAM_LEN)
		sprintf(more, "memory differs at 0x%llx: 0x%02x, not 0x%02x",
			(unsigned long long)at, got->world.ram[at], want->world.ram[at]);
	if (!*more) {
		sprintf(more, "as by walks, %.0f instructions a second",
			(double)(got->emu[0].done + got->emu[1].done) / got->seconds);
		check(true, mode, name, more);
	} else {
		check(false, mode, name, more);
	}
}

/* The programs do what they are for. */
static void check_kinds(const struct result *r, const char *mode)
{
	uint64_t f[sizeof(r->emu[0].faults) / sizeof(r->emu[0].faults[0])] = { 0 }, switches = 0;
	char more[160];
	unsigned int v, k;
	bool good;

	for (v = 0; v < VCPUS; v++) {
		switches += r->emu[v].switches;
		for (k = 0; k < sizeof(f) / sizeof(f[0]); k++)
			f[k] += r->emu[v].faults[k];
	}
	good = f[PTREMAP_MIRROR_NOT_PRESENT] && f[PTREMAP_MIRROR_PERMISSION] &&
	       f[PTREMAP_MIRROR_MMIO] &&
	       (f[PTREMAP_MIRROR_RESERVED] || r->world.fmt.entry_shift == 2);
	sprintf(more, "not present %llu, permission %llu, reserved %llu, MMIO %llu; %llu switches",
		(unsigned long long)f[PTREMAP_MIRROR_NOT_PRESENT],
		(unsigned long long)f[PTREMAP_MIRROR_PERMISSION],
		(unsigned long long)f[PTREMAP_MIRROR_RESERVED],
		(unsigned long long)f[PTREMAP_MIRROR_MMIO], (unsigned long long)switches);
	check(good, mode, "faults of all kinds", more);
}

static double rate_of(const struct result *r)
{
	return (double)(r->emu[0].switches + r->emu[1].switches) / r->seconds;
}

static void run_mode(enum pt_mode mode, uint64_t seed, double *rate)
{
	static struct result want, got;
	const char *name = pt_mode_name(mode);
	unsigned int i;
	bool have = false;

	for (i = 0; i < sizeof(runs) / sizeof(*runs); i++) {
		bool reference = runs[i].backend == &backend_walk;
		struct result *r = reference ? &want : &got;

		if (reference && have)
			world_exit(&want.world);
		if (make_result(r, &runs[i], mode, seed))
			return;
		have = true;
		if (reference) {
			check_kinds(r, name);
			continue;
		}
		compare(&want, &got, name, runs[i].name);
		if (runs[i].backend == &backend_mirror && rate_of(&got) > *rate)
			*rate = rate_of(&got);
		world_exit(&got.world);
	}
	world_exit(&want.world);
}

int main(int argc, char **argv)
{
	static const enum pt_mode modes[] = { PT_MODE_32BIT, PT_MODE_PAE, PT_MODE_4LEVEL,
					      PT_MODE_5LEVEL };
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL);
	double rate = 0;
	unsigned int i;
	char more[80];

	printf("seed %llu\n", (unsigned long long)seed);
	for (i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		run_mode(modes[i], (seed + i) | 1, &rate);
	sprintf(more, "up to %.0f a second", rate);
	check(rate >= SWITCHES_MIN, "mirror", "root switches", more);
	return failures > 0;
}
